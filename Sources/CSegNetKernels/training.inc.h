//  Training: batch normalisation's statistics and gradient, gradients of ReLU, pooling and unpooling, the loss.
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

// Four words of 64 bits for a line of 16 channels, 16 bits a lane; a lane is dropped if its bits are below ratio * 65536.
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

// ---- the loss

// The classes of a block that take part in a pixel's softmax, a bit a lane: those of the set, or all, and the pixel's own.
SN_INLINE uint32_t sn_taking_part(const uint32_t *named, sn_size channels, sn_size block, sn_size label) {
    const sn_size left = channels - block * 16;
    const uint32_t all = left >= 16 ? 0xffffu : (1u << left) - 1;
    const uint32_t own = label < channels && label / 16 == block ? 1u << label % 16 : 0;
    return named ? (named[block] & all) | own : all;
}

// `sn_greatest_score` of the classes that take part; -infinity if none does.
SN_INLINE float sn_greatest_part(const float *line, sn_size stride, sn_size channels, const uint32_t *named, sn_size label) {
    vf best[SN_PARTS];
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) best[p] = vf_set(-INFINITY);
    for (sn_size block = 0; block * 16 < channels; block++, line += stride) {
        const uint32_t bits = sn_taking_part(named, channels, block, label);
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const vm part = vm_from_bits(bits, p * SN_LANES);
            const vf x = vf_where(part, vf_load(line + p * SN_LANES)) + vf_where_not(part, vf_set(-INFINITY));
            best[p] = vf_above(x, best[p]);
        }
    }
    SN_UNROLL for (int p = 1; p < SN_PARTS; p++) best[0] = vf_above(best[p], best[0]);
    return sn_greatest_lane(best[0]);
}

// `sn_sum_of_exponentials` of the classes that take part; the terms of the others are 0. shifted[0]: the sum of score - greatest.
SN_INLINE float sn_sum_of_parts(const float *line, sn_size stride, sn_size channels, const uint32_t *named, sn_size label,
                                float greatest, float *out, sn_size out_stride, float *shifted) {
    vf sum = vf_zero(), below = vf_zero();
    for (sn_size block = 0; block * 16 < channels; block++, line += stride) {
        const uint32_t bits = sn_taking_part(named, channels, block, label);
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const vm part = vm_from_bits(bits, p * SN_LANES);
            const vf x = vf_load(line + p * SN_LANES) - vf_set(greatest);
            const vf term = vf_where(part, sn_exp(x));
            below += vf_where(part, x);
            sum += term;
            if (out) vf_store(out + p * SN_LANES, term);
        }
        if (out) out += out_stride;
    }
    shifted[0] = sn_sum_of_lanes(below);
    return sn_sum_of_lanes(sum);
}

// `is_plain` is a constant: all classes take part, and the label alone is the target. That loop has nothing of the rest.
SN_INLINE void sn_loss_rows(const int is_plain, const sn_map *scores, sn_size channels, const uint16_t *labels,
                            const float *weights, const uint32_t *named, float smoothing, const sn_map *gradient,
                            uint16_t *predictions, sn_size first_row, sn_size last_row, double *loss, double *weight_sum,
                            int64_t *counts) {
    // -log(FLT_MIN): what the original's clamp of p allows at most.
    const double most = 87.33654475055311;
    const sn_size blocks = (channels + 15) / 16;
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(scores, 0, y);
        float *to = gradient->data ? sn_row(gradient, 0, y) : NULL;
        for (sn_size x = 0; x < scores->width; x++, from += 16, to = to ? to + 16 : NULL) {
            const sn_size pixel = y * scores->width + x;
            const uint16_t label = labels[pixel];
            const int labelled = label < channels;
            if (!labelled && !predictions) {
                for (sn_size block = 0; to && block < blocks; block++) sn_zero_lines(to + block * gradient->block_stride, 1);
                continue;
            }
            const float greatest = is_plain ? sn_greatest_score(from, scores->block_stride, channels)
                                            : sn_greatest_part(from, scores->block_stride, channels, named, label);
            sn_size best = 0;
            for (sn_size c = 0; c < channels; c++) {
                if (!is_plain && !(sn_taking_part(named, channels, c / 16, label) >> c % 16 & 1)) continue;
                if (from[c / 16 * scores->block_stride + c % 16] >= greatest) best = c;
            }
            if (predictions) predictions[pixel] = (uint16_t)best;
            if (!labelled) {
                for (sn_size block = 0; to && block < blocks; block++) sn_zero_lines(to + block * gradient->block_stride, 1);
                continue;
            }
            const float own = from[label / 16 * scores->block_stride + label % 16];
            float shifted = 0;
            const float sum =
                is_plain ? sn_sum_of_exponentials(from, scores->block_stride, channels, greatest, to, to ? gradient->block_stride : 0)
                         : sn_sum_of_parts(from, scores->block_stride, channels, named, label, greatest, to,
                                           to ? gradient->block_stride : 0, &shifted);
            double term = log((double)sum) - ((double)own - (double)greatest);
            float target = weights[label], each = 0;
            if (!is_plain && smoothing > 0) {
                int parts = 0;
                for (sn_size block = 0; block < blocks; block++) {
                    parts += __builtin_popcount(sn_taking_part(named, channels, block, label));
                }
                term = log((double)sum) - (1 - (double)smoothing) * ((double)own - (double)greatest)
                       - (double)smoothing / parts * (double)shifted;
                target = weights[label] * (1 - smoothing);
                each = weights[label] * smoothing / (float)parts;
            }
            loss[0] += weights[label] * (term > most ? most : term);
            weight_sum[0] += weights[label];
            counts[0] += 1;
            counts[1] += best == label;
            if (!to) continue;
            const vf factor = vf_set(weights[label] / sum);
            for (sn_size block = 0; block < blocks; block++) {
                float *line = to + block * gradient->block_stride;
                if (is_plain || each == 0) {
                    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) vf_store(line + p * SN_LANES, vf_load(line + p * SN_LANES) * factor);
                    continue;
                }
                const uint32_t bits = sn_taking_part(named, channels, block, label);
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const vf share = vf_where(vm_from_bits(bits, p * SN_LANES), vf_set(each));
                    vf_store(line + p * SN_LANES, vf_load(line + p * SN_LANES) * factor - share);
                }
            }
            to[label / 16 * gradient->block_stride + label % 16] -= target;
        }
    }
}

static void sn_cross_entropy(const sn_map *scores, sn_size channels, const uint16_t *labels, const float *weights,
                             const uint32_t *named, float smoothing, const sn_map *gradient, uint16_t *predictions,
                             sn_size first_row, sn_size last_row, double *loss, double *weight_sum, int64_t *counts) {
    if (named || smoothing > 0) {
        sn_loss_rows(0, scores, channels, labels, weights, named, smoothing, gradient, predictions, first_row, last_row, loss,
                     weight_sum, counts);
    } else {
        sn_loss_rows(1, scores, channels, labels, weights, NULL, 0, gradient, predictions, first_row, last_row, loss, weight_sum,
                     counts);
    }
}

// Two passes over a pixel's classes: sums of both softmaxes, then the gradient in the teacher's place.
static void sn_distillation(const sn_map *scores, const sn_map *teacher, sn_size channels, float temperature, float factor,
                            sn_size first_row, sn_size last_row, double *loss) {
    const vf cold = vf_set(1 / temperature);
    const sn_size blocks = (channels + 15) / 16;
    for (sn_size y = first_row; y < last_row; y++) {
        const float *own = sn_row(scores, 0, y);
        float *other = sn_row(teacher, 0, y);
        for (sn_size x = 0; x < scores->width; x++, own += 16, other += 16) {
            const vf most = vf_set(sn_greatest_score(own, scores->block_stride, channels));
            const vf other_most = vf_set(sn_greatest_score(other, teacher->block_stride, channels));
            vf sum = vf_zero(), other_sum = vf_zero(), difference = vf_zero();
            for (sn_size block = 0; block < blocks; block++) {
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const vi real = sn_lanes_below(channels - block * 16, p * SN_LANES);
                    const vf a = (vf_load(own + block * scores->block_stride + p * SN_LANES) - most) * cold;
                    const vf b = (vf_load(other + block * teacher->block_stride + p * SN_LANES) - other_most) * cold;
                    const vf e = sn_exp(b);
                    sum += sn_choose(real, sn_exp(a), vf_zero());
                    other_sum += sn_choose(real, e, vf_zero());
                    difference += sn_choose(real, e * (b - a), vf_zero());
                }
            }
            const float total = sn_sum_of_lanes(sum), other_total = sn_sum_of_lanes(other_sum);
            const double divergence =
                (double)sn_sum_of_lanes(difference) / (double)other_total - log((double)other_total) + log((double)total);
            loss[0] += (double)factor * divergence;
            const vf share = vf_set(factor / temperature / total), other_share = vf_set(factor / temperature / other_total);
            for (sn_size block = 0; block < blocks; block++) {
                float *line = other + block * teacher->block_stride;
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const vi real = sn_lanes_below(channels - block * 16, p * SN_LANES);
                    const vf a = (vf_load(own + block * scores->block_stride + p * SN_LANES) - most) * cold;
                    const vf b = (vf_load(line + p * SN_LANES) - other_most) * cold;
                    vf_store(line + p * SN_LANES, sn_choose(real, sn_exp(a) * share - sn_exp(b) * other_share, vf_zero()));
                }
            }
        }
    }
}
