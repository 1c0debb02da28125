//  Moving values: between maps of other channels and sizes, and between layouts and precisions.

#include "lines.inc.h"

// ---- from map to map

static void sn_copy(const sn_map *in, sn_size channels, sn_size top, sn_size left, const sn_map *out, sn_size first_channel,
                    sn_size first_row, sn_size last_row) {
    const sn_size shift = first_channel % 16, end = first_channel + channels;
    for (sn_size block = first_channel / 16; block * 16 < end; block++) {
        // Lane l of this block is lane (l - shift) of input block `source`, or, where that is negative, of the block before.
        const sn_size source = block - first_channel / 16;
        const sn_size inside = sn_most(0, first_channel - block * 16), outside = sn_least(16, end - block * 16);
        const int has_here = source < in->blocks, has_before = shift > 0 && source > 0;
        for (sn_size y = first_row; y < last_row; y++) {
            const float *here = has_here ? sn_row(in, source, y + top) + left * 16 : NULL;
            const float *before = has_before ? sn_row(in, source - 1, y + top) + left * 16 : NULL;
            float *to = sn_row(out, block, y);
            if (shift == 0 && outside == 16) {
                for (sn_size i = 0; i < out->width * 16; i += SN_LANES) vf_store(to + i, vf_load(here + i));
                continue;
            }
            for (sn_size x = 0; x < out->width; x++, to += 16) {
                _Alignas(64) float pair[32];
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const sn_size at = x * 16 + p * SN_LANES;
                    vf_store(pair + p * SN_LANES, before ? vf_load(before + at) : vf_zero());
                    vf_store(pair + 16 + p * SN_LANES, here ? vf_load(here + at) : vf_zero());
                }
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const int lane = p * SN_LANES;
                    const vi chosen = sn_lanes_below(outside, lane) & ~sn_lanes_below(inside, lane);
                    vf_store(to + lane, sn_choose(chosen, vf_loadu(pair + 16 - shift + lane), vf_load(to + lane)));
                }
            }
        }
    }
}

// Where output i of `size` reads 0..<in_size: between values low and high, `weight` of the way. Half pixel centres, clamped.
SN_INLINE void sn_sample(sn_size i, double step, sn_size in_size, sn_size *low, sn_size *high, float *weight) {
    double at = ((double)i + 0.5) * step - 0.5;
    at = at < 0 ? 0 : at > (double)(in_size - 1) ? (double)(in_size - 1) : at;
    *low = (sn_size)at;
    *weight = (float)(at - (double)*low);
    *high = sn_least(*low + 1, in_size - 1);
}

// A neighbour of weight 0 is not read at all, so that a map of the same size comes out unchanged, NaN and infinities included.
SN_INLINE vf sn_mix(vf a, vf b, float weight) {
    return weight == 0 ? a : vf_fma(b - a, vf_set(weight), a);
}

static void sn_bilinear(const sn_map *in, const sn_map *out, sn_size block, sn_size first_row, sn_size last_row) {
    const double step_y = (double)in->height / (double)out->height, step_x = (double)in->width / (double)out->width;
    for (sn_size y = first_row; y < last_row; y++) {
        sn_size top, bottom;
        float down;
        sn_sample(y, step_y, in->height, &top, &bottom, &down);
        const float *upper = sn_row(in, block, top), *lower = sn_row(in, block, bottom);
        float *to = sn_row(out, block, y);
        for (sn_size x = 0; x < out->width; x++, to += 16) {
            sn_size left, right;
            float along;
            sn_sample(x, step_x, in->width, &left, &right, &along);
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const int lane = p * SN_LANES;
                const vf above = sn_mix(vf_load(upper + left * 16 + lane), vf_load(upper + right * 16 + lane), along);
                const vf below = sn_mix(vf_load(lower + left * 16 + lane), vf_load(lower + right * 16 + lane), along);
                vf_store(to + lane, sn_mix(above, below, down));
            }
        }
    }
}

// ---- between layouts

SN_INLINE void sn_picture_row(const uint8_t *from, sn_size pixel_bytes, sn_size channels, const int32_t *order, const float *mean,
                              const float *scale, sn_size width, float *to) {
    for (sn_size x = 0; x < width; x++) {
        for (sn_size c = 0; c < channels; c++) {
            to[x * channels + c] = ((float)from[x * pixel_bytes + order[c]] - mean[c]) * scale[c];
        }
    }
}

static void sn_picture(const uint8_t *pixels, sn_size row_bytes, sn_size pixel_bytes, const int32_t *order, const float *mean,
                       const float *scale, const sn_thin *out, sn_size first_row, sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const uint8_t *from = pixels + y * row_bytes;
        float *to = out->data + y * out->width * out->channels;
        if (out->channels == 3) {  // the same, with a loop over channels that the compiler unrolls
            const int32_t orders[3] = {order[0], order[1], order[2]};
            const float means[3] = {mean[0], mean[1], mean[2]}, scales[3] = {scale[0], scale[1], scale[2]};
            sn_picture_row(from, pixel_bytes, 3, orders, means, scales, out->width, to);
        } else {
            sn_picture_row(from, pixel_bytes, out->channels, order, mean, scale, out->width, to);
        }
    }
}

static void sn_block_thin(const sn_thin *in, const sn_map *out, sn_size first_row, sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        for (sn_size block = 0; block < out->blocks; block++) {
            const sn_size real = sn_most(0, sn_least(16, in->channels - block * 16));
            const float *from = in->data + y * in->width * in->channels + block * 16;
            float *to = sn_row(out, block, y);
            for (sn_size x = 0; x < out->width; x++, from += in->channels, to += 16) {
                for (sn_size l = 0; l < 16; l++) to[l] = l < real ? from[l] : 0;
            }
        }
    }
}

static void sn_block_planar(const float *in, sn_size channels, const sn_map *out, sn_size first_row, sn_size last_row) {
    const sn_size plane = out->height * out->width;
    for (sn_size y = first_row; y < last_row; y++) {
        for (sn_size block = 0; block < out->blocks; block++) {
            const sn_size real = sn_most(0, sn_least(16, channels - block * 16));
            const float *from = in + block * 16 * plane + y * out->width;
            float *to = sn_row(out, block, y);
            for (sn_size x = 0; x < out->width; x++) {
                for (sn_size l = 0; l < 16; l++) to[x * 16 + l] = l < real ? from[l * plane + x] : 0;
            }
        }
    }
}

static void sn_unblock_planar(const sn_map *in, sn_size channels, float *out, sn_size first_row, sn_size last_row) {
    const sn_size plane = in->height * in->width;
    for (sn_size y = first_row; y < last_row; y++) {
        for (sn_size c = 0; c < channels; c++) {
            const float *from = sn_row(in, c / 16, y) + c % 16;
            float *to = out + c * plane + y * in->width;
            for (sn_size x = 0; x < in->width; x++) to[x] = from[x * 16];
        }
    }
}

// ---- half precision

#if defined(SN_AVX2) || defined(SN_AVX512) || defined(__aarch64__)

SN_INLINE void sn_narrow_lanes(vf x, uint16_t *out) {
    const vh half = __builtin_convertvector(x, vh);
    __builtin_memcpy(out, &half, sizeof half);
}

#else

typedef uint16_t sn_halves __attribute__((ext_vector_type(SN_LANES)));

SN_INLINE void sn_narrow_lanes(vf x, uint16_t *out) {
    const vi bits = sn_bits(x), magnitude = bits & 0x7fffffff;
    // From 2^-14 on: drop 13 bits, to the nearest and to even, which may carry into the exponent, up to infinity.
    const vi normal = (magnitude - (112 << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    // Below: adding 0.5 rounds to a multiple of 2^-24, which is what the last bit of a subnormal is worth.
    const vi small = sn_bits(sn_from_bits(magnitude) + 0.5f) - 0x3f000000;
    const vi nan = 0x7e00 | (magnitude >> 13 & 0x3ff);
    vi half = magnitude < (113 << 23) ? small : normal;
    half = magnitude >= 0x477ff000 ? (vi)0x7c00 : half;  // 65520 and more
    half = magnitude > 0x7f800000 ? nan : half;
    half |= bits >> 16 & 0x8000;
    const sn_halves narrow = __builtin_convertvector(half, sn_halves);
    __builtin_memcpy(out, &narrow, sizeof narrow);
}

#endif

static void sn_widen(const uint16_t *in, float *out, sn_size count) {
    sn_size i = 0;
    for (; i + SN_LANES <= count; i += SN_LANES) vf_storeu(out + i, vf_load_half(in + i));
    uint16_t rest[SN_LANES] = {0};
    float wide[SN_LANES];
    for (sn_size l = 0; i + l < count; l++) rest[l] = in[i + l];
    vf_storeu(wide, vf_load_half(rest));
    for (sn_size l = 0; i + l < count; l++) out[i + l] = wide[l];
}

static void sn_narrow(const float *in, uint16_t *out, sn_size count) {
    sn_size i = 0;
    for (; i + SN_LANES <= count; i += SN_LANES) sn_narrow_lanes(vf_loadu(in + i), out + i);
    float rest[SN_LANES] = {0};
    uint16_t narrow[SN_LANES];
    for (sn_size l = 0; i + l < count; l++) rest[l] = in[i + l];
    sn_narrow_lanes(vf_loadu(rest), narrow);
    for (sn_size l = 0; i + l < count; l++) out[i + l] = narrow[l];
}

// Narrows a vector, and adds -1 to each lane of `beyond` that was finite and too large.
SN_INLINE void sn_narrow_saturated_lanes(vf x, uint16_t *out, vi *beyond) {
    const vi bits = sn_bits(x), magnitude = bits & 0x7fffffff;
    const vi large = (magnitude > 0x477fe000) & (magnitude < 0x7f800000);  // 65504, infinity
    *beyond += large;
    sn_narrow_lanes(sn_choose(large, sn_from_bits((bits & ~0x7fffffff) | 0x477fe000), x), out);
}

static sn_size sn_narrow_saturated(const float *in, uint16_t *out, sn_size count) {
    vi beyond = (vi)0;
    sn_size i = 0;
    for (; i + SN_LANES <= count; i += SN_LANES) sn_narrow_saturated_lanes(vf_loadu(in + i), out + i, &beyond);
    float rest[SN_LANES] = {0};
    uint16_t narrow[SN_LANES];
    for (sn_size l = 0; i + l < count; l++) rest[l] = in[i + l];
    sn_narrow_saturated_lanes(vf_loadu(rest), narrow, &beyond);
    for (sn_size l = 0; i + l < count; l++) out[i + l] = narrow[l];
    sn_size sum = 0;
    for (int l = 0; l < SN_LANES; l++) sum -= beyond[l];
    return sum;
}
