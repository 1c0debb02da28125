//  Training: batch normalisation's statistics and gradient, gradients of ReLU, pooling and unpooling, dropout.
//
//  All of it is bound by memory: each map is read as few times as the mathematics allows, ReLU's mask and pooling's scatter are
//  recomputed where a line is read. Sums over a batch are formed in float64: E[x^2] - mean^2 in float32 can go negative.

#include <math.h>

#include "lines.inc.h"

typedef double vd __attribute__((ext_vector_type(SN_LANES)));

// A macro: vectors of this width have no way of being returned where registers are narrower.
#define vd_from(x) __builtin_convertvector((x), vd)

// Adds the lanes of `sum` to 16 sums in memory.
SN_INLINE void sn_add_lanes(const vd *sum, double *to) {
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
        for (int l = 0; l < SN_LANES; l++) to[p * SN_LANES + l] += sum[p][l];
    }
}

static void sn_sums(const sn_map *in, sn_size block, sn_size first_row, sn_size last_row, double *sum, double *squares) {
    vd total[SN_PARTS], square[SN_PARTS];
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) total[p] = square[p] = (vd)0.0;
    for (sn_size y = first_row; y < last_row; y++) {
        const float *row = sn_row(in, block, y);
        for (sn_size x = 0; x < in->width; x++, row += 16) {
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const vd value = vd_from(vf_load(row + p * SN_LANES));
                total[p] += value;
                square[p] += value * value;
            }
        }
    }
    sn_add_lanes(total, sum);
    if (squares) sn_add_lanes(square, squares);
}

// ---- batch normalisation, ReLU and pooling

// One block's factors of x * scale + shift, or 1 and 0.
typedef struct {
    vf factor[SN_PARTS], term[SN_PARTS];
} sn_factors;

SN_INLINE sn_factors sn_factors_of(const float *scale, const float *shift, sn_size block) {
    sn_factors factors;
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
        factors.factor[p] = scale ? vf_load(scale + block * 16 + p * SN_LANES) : vf_set(1);
        factors.term[p] = shift ? vf_load(shift + block * 16 + p * SN_LANES) : vf_zero();
    }
    return factors;
}

static void sn_affine_max_pool_2x2(const sn_map *in, const float *scale, const float *shift, int32_t relu, const sn_map *pooled,
                                   const sn_indices *indices, sn_size block, sn_size first_row, sn_size last_row) {
    const sn_factors factors = sn_factors_of(scale, shift, block);
    for (sn_size y = first_row; y < last_row; y++) {
        const float *above = sn_row(in, block, 2 * y);
        const float *below = 2 * y + 1 < in->height ? sn_row(in, block, 2 * y + 1) : NULL;
        float *to = sn_row(pooled, block, y);
        uint32_t *words = indices->data ? indices->data + (block * indices->height + y) * indices->width : NULL;
        for (sn_size x = 0; x < pooled->width; x++) {
            const int has_right = 2 * x + 1 < in->width;
            uint32_t rights = 0, lowers = 0;
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const sn_size at = x * 32 + p * SN_LANES;
                vf window[4] = {vf_load(above + at), sn_lowest(), sn_lowest(), sn_lowest()};
                if (has_right) window[1] = vf_load(above + at + 16);
                if (below) window[2] = vf_load(below + at);
                if (below && has_right) window[3] = vf_load(below + at + 16);
                SN_UNROLL for (int i = 0; i < 4; i++) {
                    const vf z = vf_fma(window[i], factors.factor[p], factors.term[p]);
                    window[i] = relu ? vf_relu(z) : z;
                }
                if (!has_right) window[1] = window[3] = sn_lowest();
                if (!below) window[2] = window[3] = sn_lowest();
                uint32_t right, lower;
                vf_store(to + x * 16 + p * SN_LANES, sn_greatest(window[0], window[1], window[2], window[3], &right, &lower));
                rights |= right << (p * SN_LANES);
                lowers |= lower << (p * SN_LANES);
            }
            if (words) words[x] = rights | lowers << 16;
        }
    }
}

// Row y of a gradient: its lines, or the pooled lines and index words from which they come.
typedef struct {
    const float *line;
    const uint32_t *words;
    sn_size y;
} sn_gradient_row;

SN_INLINE sn_gradient_row sn_gradient_at(const sn_gradient *gradient, sn_size block, sn_size y) {
    const sn_indices *indices = &gradient->indices;
    if (!indices->data) return (sn_gradient_row){sn_row(&gradient->map, block, y), NULL, y};
    return (sn_gradient_row){sn_row(&gradient->map, block, y / 2),
                             indices->data + (block * indices->height + y / 2) * indices->width, y};
}

// The gradient at column x, one vector of lanes. `pooled` is a constant.
SN_INLINE vf sn_gradient_lanes(const sn_gradient_row *row, sn_size x, const int lane, const int pooled) {
    if (!pooled) return vf_load(row->line + x * 16 + lane);
    const uint32_t here = sn_position_bits(row->words[x / 2], row->y, x);
    return vf_where(vm_from_bits(here, lane), vf_load(row->line + x / 2 * 16 + lane));
}

// g where z is above 0, else 0.
SN_INLINE vf sn_where_above_zero(vf z, vf g) {
#ifdef SN_AVX512
    return (vf)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)z, _mm512_setzero_ps(), _CMP_GT_OQ), (__m512)g);
#else
    return sn_from_bits((z > vf_zero()) & sn_bits(g));
#endif
}

SN_INLINE void sn_normalization_sums_of(const sn_map *x, const sn_gradient *gradient, const float *scale, const float *shift,
                                        const float *mean, const int relu, const int pooled, sn_size block, sn_size first_row,
                                        sn_size last_row, double *sum, double *products) {
    const sn_factors factors = sn_factors_of(scale, shift, block);
    vf center[SN_PARTS];
    vd total[SN_PARTS], product[SN_PARTS];
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
        center[p] = vf_load(mean + block * 16 + p * SN_LANES);
        total[p] = product[p] = (vd)0.0;
    }
    for (sn_size y = first_row; y < last_row; y++) {
        const float *row = sn_row(x, block, y);
        const sn_gradient_row from = sn_gradient_at(gradient, block, y);
        for (sn_size column = 0; column < x->width; column++, row += 16) {
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const vf value = vf_load(row + p * SN_LANES);
                vf g = sn_gradient_lanes(&from, column, p * SN_LANES, pooled);
                if (relu) g = sn_where_above_zero(vf_fma(value, factors.factor[p], factors.term[p]), g);
                const vd wide = vd_from(g);
                total[p] += wide;
                product[p] += wide * vd_from(value - center[p]);
            }
        }
    }
    sn_add_lanes(total, sum);
    sn_add_lanes(product, products);
}

static void sn_normalization_sums(const sn_map *x, const sn_gradient *gradient, const float *scale, const float *shift,
                                  const float *mean, int32_t relu, sn_size block, sn_size first_row, sn_size last_row, double *sum,
                                  double *products) {
#define SN_SUMS(relu, pooled) \
    sn_normalization_sums_of(x, gradient, scale, shift, mean, relu, pooled, block, first_row, last_row, sum, products)
    if (gradient->indices.data) {
        if (relu) SN_SUMS(1, 1);
        else SN_SUMS(0, 1);
    } else {
        if (relu) SN_SUMS(1, 0);
        else SN_SUMS(0, 0);
    }
#undef SN_SUMS
}

SN_INLINE void sn_normalization_gradient_of(const sn_map *x, const sn_gradient *gradient, const float *scale, const float *shift,
                                            const float *mean, const int relu, const int pooled, const float *a, const float *b,
                                            const float *c, const sn_map *out, sn_size block, sn_size first_row, sn_size last_row) {
    const sn_factors factors = sn_factors_of(scale, shift, block);
    vf center[SN_PARTS], alpha[SN_PARTS], beta[SN_PARTS], gamma[SN_PARTS];
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
        const sn_size lane = block * 16 + p * SN_LANES;
        center[p] = vf_load(mean + lane);
        alpha[p] = vf_load(a + lane);
        beta[p] = vf_load(b + lane);
        gamma[p] = vf_load(c + lane);
    }
    for (sn_size y = first_row; y < last_row; y++) {
        const float *row = sn_row(x, block, y);
        float *to = sn_row(out, block, y);
        const sn_gradient_row from = sn_gradient_at(gradient, block, y);
        for (sn_size column = 0; column < x->width; column++, row += 16, to += 16) {
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const vf value = vf_load(row + p * SN_LANES);
                vf g = sn_gradient_lanes(&from, column, p * SN_LANES, pooled);
                if (relu) g = sn_where_above_zero(vf_fma(value, factors.factor[p], factors.term[p]), g);
                vf_store(to + p * SN_LANES, vf_fma(g, alpha[p], vf_fma(value - center[p], beta[p], gamma[p])));
            }
        }
    }
}

static void sn_normalization_gradient(const sn_map *x, const sn_gradient *gradient, const float *scale, const float *shift,
                                      const float *mean, int32_t relu, const float *a, const float *b, const float *c,
                                      const sn_map *out, sn_size block, sn_size first_row, sn_size last_row) {
#define SN_GRADIENT(relu, pooled) \
    sn_normalization_gradient_of(x, gradient, scale, shift, mean, relu, pooled, a, b, c, out, block, first_row, last_row)
    if (gradient->indices.data) {
        if (relu) SN_GRADIENT(1, 1);
        else SN_GRADIENT(0, 1);
    } else {
        if (relu) SN_GRADIENT(1, 0);
        else SN_GRADIENT(0, 0);
    }
#undef SN_GRADIENT
}

static void sn_gather_2x2(const sn_map *in, const sn_indices *indices, const sn_map *pooled, sn_size block, sn_size first_row,
                          sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const float *above = sn_row(in, block, 2 * y);
        const float *below = 2 * y + 1 < in->height ? sn_row(in, block, 2 * y + 1) : NULL;
        const uint32_t *words = indices->data + (block * indices->height + y) * indices->width;
        float *to = sn_row(pooled, block, y);
        for (sn_size x = 0; x < pooled->width; x++) {
            const int has_right = 2 * x + 1 < in->width;
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const int lane = p * SN_LANES;
                const sn_size at = x * 32 + lane;
                const vm right = vm_from_bits(words[x], lane), low = vm_from_bits(words[x], 16 + lane);
                vf upper = vf_where_not(right, vf_load(above + at));
                if (has_right) upper += vf_where(right, vf_load(above + at + 16));
                vf lower = vf_zero();
                if (below) lower = vf_where_not(right, vf_load(below + at));
                if (below && has_right) lower += vf_where(right, vf_load(below + at + 16));
                vf_store(to + x * 16 + lane, vf_where_not(low, upper) + vf_where(low, lower));
            }
        }
    }
}

// ---- dropout

// 64 mixed bits (the finaliser of SplitMix64): any change of x changes half of them.
SN_INLINE uint64_t sn_mixed(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Four words of 64 bits for a line of 16 channels, 16 bits per lane; a lane is dropped if its bits are below ratio * 65536.
static void sn_dropout(const sn_map *in, float ratio, uint64_t seed, const sn_map *out, sn_size block, sn_size first_row,
                       sn_size last_row) {
    const uint32_t limit = (uint32_t)(ratio * 65536.0f + 0.5f);
    const float factor = limit < 65536 ? 65536.0f / (float)(65536 - limit) : 0.0f;
    const uint64_t stream = sn_mixed(seed);
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(in, block, y);
        float *to = sn_row(out, block, y);
        for (sn_size x = 0; x < in->width; x++, from += 16, to += 16) {
            const uint64_t line = (uint64_t)((block * in->height + y) * in->width + x);
            uint16_t bits[16];
            for (int word = 0; word < 4; word++) {
                const uint64_t mixed = sn_mixed(stream ^ (line * 4 + (uint64_t)word) * 0xd1342543de82ef95u);
                __builtin_memcpy(bits + 4 * word, &mixed, 8);
            }
            for (int lane = 0; lane < 16; lane++) to[lane] = bits[lane] < limit ? 0.0f : from[lane] * factor;
        }
    }
}
