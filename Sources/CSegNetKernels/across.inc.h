//  Kernels that look across the channels of a pixel: local response normalisation, softmax, argmax, confidence.

#include <math.h>

#include "lines.inc.h"

// ---- functions

// e^x, within 1.1 ulp of the true value; results below 2^-126 within 0.8 of their last bit, 2^-149. Found by trying every float
// from -104 to 89, with and without fused multiply-add. NaN gives NaN, -infinity 0, overflow infinity.
//
// e^x = 2^n e^r with n = x / ln 2 to the nearest integer and |r| <= ln 2 / 2. e^r by its Taylor polynomial of degree 7: the terms
// left out are below 0.1 ulp.
SN_INLINE vf sn_exp(vf x) {
    // Beyond these the result is 0 or infinity; within them n fits two factors of 2^n that are normal floats. NaN becomes -104.
    vf bounded = vf_above(x, vf_set(-104));
    bounded = bounded < 89.0f ? bounded : vf_set(89);

    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
    const vf magic = vf_set(12582912);
    const vf rounded = vf_fma(bounded, vf_set(1.44269504f), magic);
    const vi n = sn_bits(rounded) - sn_bits(magic);
    const vf whole = rounded - magic;

    // ln 2 = 0.693359375 - 0.00021219444: the first has 9 bits, so that n times it is exact.
    vf r = vf_fma(whole, vf_set(-0.693359375f), bounded);
    r = vf_fma(whole, vf_set(2.12194440e-4f), r);
    vf sum = vf_set(1.0f / 5040);
    sum = vf_fma(sum, r, vf_set(1.0f / 720));
    sum = vf_fma(sum, r, vf_set(1.0f / 120));
    sum = vf_fma(sum, r, vf_set(1.0f / 24));
    sum = vf_fma(sum, r, vf_set(1.0f / 6));
    sum = vf_fma(sum, r, vf_set(0.5f));
    sum = vf_fma(sum * r, r, r) + 1.0f;

    const vi half = n >> 1;
    const vf scaled = sum * sn_from_bits((half + 127) << 23) * sn_from_bits((n - half + 127) << 23);
    return x == x ? scaled : x;
}

// x * base^-beta. For beta 0.75, the value of every published network, by two square roots: within 4 ulp (3.6 found),
// without the overflow of base * sqrt(base).
SN_INLINE vf sn_over_power(vf x, vf base, float beta) {
    if (beta == 0.75f) {
        const vf root = __builtin_elementwise_sqrt(base);
        return x / (root * __builtin_elementwise_sqrt(root));
    }
    vf power;
    SN_UNROLL for (int l = 0; l < SN_LANES; l++) power[l] = powf(base[l], -beta);
    return x * power;
}

// ---- across the lanes of one vector, halving it step by step

typedef float sn_8f __attribute__((ext_vector_type(8)));
typedef float sn_4f __attribute__((ext_vector_type(4)));
typedef float sn_2f __attribute__((ext_vector_type(2)));

#define SN_GREATER(a, b) ((a) > (b) ? (a) : (b))

// x has no NaN.
SN_INLINE float sn_greatest_lane(vf x) {
#if SN_LANES == 16
    const sn_8f eight = SN_GREATER(x.lo, x.hi);
#elif SN_LANES == 8
    const sn_8f eight = x;
#endif
#if SN_LANES == 4
    const sn_4f four = x;
#else
    const sn_4f four = SN_GREATER(eight.lo, eight.hi);
#endif
    const sn_2f two = SN_GREATER(four.lo, four.hi);
    return SN_GREATER(two.x, two.y);
}

SN_INLINE float sn_sum_of_lanes(vf x) {
#if SN_LANES == 16
    const sn_8f eight = x.lo + x.hi;
#elif SN_LANES == 8
    const sn_8f eight = x;
#endif
#if SN_LANES == 4
    const sn_4f four = x;
#else
    const sn_4f four = eight.lo + eight.hi;
#endif
    const sn_2f two = four.lo + four.hi;
    return two.x + two.y;
}

// ---- softmax and its kin. `line` is the first block's line of a pixel; the next block's is `stride` floats further.

SN_INLINE float sn_greatest_score(const float *line, sn_size stride, sn_size channels) {
    vf best[SN_PARTS];
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) best[p] = vf_set(-INFINITY);
    for (; channels > 0; channels -= 16, line += stride) {
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const vi real = sn_lanes_below(channels, p * SN_LANES);
            best[p] = vf_above(sn_choose(real, vf_load(line + p * SN_LANES), vf_set(-INFINITY)), best[p]);
        }
    }
    SN_UNROLL for (int p = 1; p < SN_PARTS; p++) best[0] = vf_above(best[p], best[0]);
    return sn_greatest_lane(best[0]);
}

// The sum of e^(score - greatest); each term goes to `out` too unless that is NULL.
SN_INLINE float sn_sum_of_exponentials(const float *line, sn_size stride, sn_size channels, float greatest, float *out,
                                       sn_size out_stride) {
    vf sum = vf_zero();
    for (; channels > 0; channels -= 16, line += stride) {
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const vf e = sn_exp(vf_load(line + p * SN_LANES) - vf_set(greatest));
            const vf term = sn_choose(sn_lanes_below(channels, p * SN_LANES), e, vf_zero());
            sum += term;
            if (out) vf_store(out + p * SN_LANES, term);
        }
        if (out) out += out_stride;
    }
    return sn_sum_of_lanes(sum);
}

static void sn_softmax(const sn_map *in, sn_size channels, const sn_map *out, sn_size first_row, sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(in, 0, y);
        float *to = sn_row(out, 0, y);
        for (sn_size x = 0; x < out->width; x++, from += 16, to += 16) {
            const float greatest = sn_greatest_score(from, in->block_stride, channels);
            const float sum = sn_sum_of_exponentials(from, in->block_stride, channels, greatest, to, out->block_stride);
            for (sn_size block = 0; block * 16 < channels; block++) {
                float *line = to + block * out->block_stride;
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const vf probability = vf_load(line + p * SN_LANES) / vf_set(sum);
                    const vi real = sn_lanes_below(channels - block * 16, p * SN_LANES);
                    vf_store(line + p * SN_LANES, sn_choose(real, probability, vf_zero()));
                }
            }
        }
    }
}

static void sn_confidence(const sn_map *in, sn_size channels, float *confidence, sn_size first_row, sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(in, 0, y);
        for (sn_size x = 0; x < in->width; x++, from += 16) {
            const float greatest = sn_greatest_score(from, in->block_stride, channels);
            const float sum = sn_sum_of_exponentials(from, in->block_stride, channels, greatest, NULL, 0);
            confidence[y * in->width + x] = 1 / sum;
        }
    }
}

static void sn_argmax(const sn_map *in, sn_size channels, uint16_t *ids, sn_size first_row, sn_size last_row) {
    vi lane;
    SN_UNROLL for (int l = 0; l < SN_LANES; l++) lane[l] = l;
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(in, 0, y);
        for (sn_size x = 0; x < in->width; x++, from += 16) {
            // Lane by lane over the blocks, `>=` so that the later of equals wins; a lane without a number keeps id -1.
            vf best[SN_PARTS];
            vi id[SN_PARTS];
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                best[p] = vf_set(-INFINITY);
                id[p] = (vi)-1;
            }
            for (sn_size block = 0; block * 16 < channels; block++) {
                const float *line = from + block * in->block_stride;
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const vf score = vf_load(line + p * SN_LANES);
                    const vi wins = (score >= best[p]) & sn_lanes_below(channels - block * 16, p * SN_LANES);
                    best[p] = wins ? score : best[p];
                    id[p] = wins ? lane + (int32_t)(block * 16 + p * SN_LANES) : id[p];
                }
            }
            vf top = best[0];
            SN_UNROLL for (int p = 1; p < SN_PARTS; p++) top = vf_above(best[p], top);
            const vf greatest = vf_set(sn_greatest_lane(top));
            vi chosen = (vi)0;
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const vi equal = best[p] == greatest ? id[p] : (vi)0;
                chosen = equal > chosen ? equal : chosen;
            }
            ids[y * in->width + x] = (uint16_t)__builtin_reduce_max(chosen);
        }
    }
}

// ---- local response normalisation

// Adds to `sum` the squares of the `count` <= 16 channels from `channel` + lane on, lane by lane, in ascending order.
// Channels below 0 and in blocks that do not exist count as 0; padding lanes are 0 where all real values are finite.
SN_INLINE void sn_add_squares(const float *line, sn_size stride, sn_size blocks, sn_size channel, sn_size count, vf *sum) {
    const sn_size first = channel >> 4;  // rounded down, also below 0
    _Alignas(64) float squares[48];
    for (sn_size b = 0; b < 3; b++) {
        const int exists = first + b >= 0 && first + b < blocks;
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const vf x = exists ? vf_load(line + (first + b) * stride + p * SN_LANES) : vf_zero();
            vf_store(squares + b * 16 + p * SN_LANES, x * x);
        }
    }
    const float *from = squares + (channel - first * 16);
    for (sn_size i = 0; i < count; i++) {
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) sum[p] += vf_loadu(from + i + p * SN_LANES);
    }
}

static void sn_lrn(const sn_map *in, sn_size channels, sn_size size, float alpha, float beta, float k, const sn_map *out,
                   sn_size first_row, sn_size last_row) {
    const sn_size before = (size - 1) / 2;
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(in, 0, y);
        float *to = sn_row(out, 0, y);
        for (sn_size block = 0; block < in->blocks; block++) {
            for (sn_size x = 0; x < out->width; x++) {
                vf sum[SN_PARTS];
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) sum[p] = vf_zero();
                for (sn_size i = 0; i < size; i += 16) {
                    sn_add_squares(from + x * 16, in->block_stride, in->blocks, block * 16 - before + i, sn_least(16, size - i), sum);
                }
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const vf base = vf_fma(sum[p], vf_set(alpha / (float)size), vf_set(k));
                    const vf value = vf_load(from + block * in->block_stride + x * 16 + p * SN_LANES);
                    const vi real = sn_lanes_below(channels - block * 16, p * SN_LANES);
                    vf_store(to + block * out->block_stride + x * 16 + p * SN_LANES,
                             sn_choose(real, sn_over_power(value, base, beta), vf_zero()));
                }
            }
        }
    }
}

#define SN_THIN_CHUNK 256  // floats of whole pixels that are normalised together; a thin map has fewer channels than that

// base[c] = k + alpha / size * the sum of squares around channel c of the first `counted` ones, for `pixels` pixels; 1 for the others,
// which then stay as they are.
SN_INLINE void sn_thin_bases(const float *in, sn_size pixels, sn_size channels, sn_size counted, sn_size size, float factor, float k,
                             float *base) {
    const sn_size before = (size - 1) / 2;
    for (sn_size pixel = 0; pixel < pixels; pixel++, in += channels, base += channels) {
        for (sn_size c = counted; c < channels; c++) base[c] = 1;
        for (sn_size c = 0; c < counted; c++) {
            const sn_size last = sn_least(counted, c - before + size);
            float sum = 0;
            for (sn_size i = sn_most(0, c - before); i < last; i++) sum += in[i] * in[i];
            base[c] = k + factor * sum;
        }
    }
}

static void sn_lrn_thin(const sn_thin *in, sn_size counted, sn_size size, float alpha, float beta, float k, const sn_thin *out,
                        sn_size first_row, sn_size last_row) {
    const sn_size channels = in->channels, end = last_row * in->width * channels;
    const sn_size chunk = SN_THIN_CHUNK / channels * channels;
    const float factor = alpha / (float)size;
    for (sn_size start = first_row * in->width * channels; start < end; start += chunk) {
        const sn_size count = sn_least(chunk, end - start);
        const float *from = in->data + start;
        float *to = out->data + start;
        float base[SN_THIN_CHUNK + SN_LANES];
        for (int l = 0; l < SN_LANES; l++) base[count + l] = 1;
        if (channels == 3 && counted == 3 && size == 5) {  // a picture: every window holds all three
            sn_thin_bases(from, count / 3, 3, 3, 5, factor, k, base);
        } else {
            sn_thin_bases(from, count / channels, channels, counted, size, factor, k, base);
        }
        sn_size d = 0;
        for (; d + SN_LANES <= count; d += SN_LANES) {
            vf_storeu(to + d, sn_over_power(vf_loadu(from + d), vf_loadu(base + d), beta));
        }
        float rest[SN_LANES] = {0};
        for (sn_size l = 0; d + l < count; l++) rest[l] = from[d + l];
        vf_storeu(rest, sn_over_power(vf_loadu(rest), vf_loadu(base + d), beta));
        for (sn_size l = 0; d + l < count; l++) to[d + l] = rest[l];
    }
}
