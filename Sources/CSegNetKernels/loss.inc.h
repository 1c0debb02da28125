//  Training: the loss of class scores, and its gradient.

#include <math.h>

#include "lines.inc.h"

// The classes of a block that take part in a pixel's softmax, one bit per lane: those of the set, or all, and the pixel's own.
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

// What a pixel's slopes with respect to its probabilities p are with respect to its scores: p * (slope - mean), where the mean is that of
// the slopes weighted by p, and the label's class has `own` more than its slope.
typedef struct {
    float mean, own, label_probability;
} sn_pixel_slopes;

// terms: the exponentials of a pixel's classes, 0 for those that take no part, and their sum.
SN_INLINE sn_pixel_slopes sn_slopes_at(const float *terms, sn_size stride, sn_size blocks, float sum, const float *slopes, sn_size label) {
    vf total = vf_zero();
    for (sn_size block = 0; block < blocks; block++) {
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            total += vf_load(terms + block * stride + p * SN_LANES) * vf_loadu(slopes + block * 16 + p * SN_LANES);
        }
    }
    sn_pixel_slopes at;
    at.own = slopes[blocks * 16 + label] - slopes[label];
    at.label_probability = terms[label / 16 * stride + label % 16] / sum;
    at.mean = sn_sum_of_lanes(total) / sum + at.label_probability * at.own;
    return at;
}

// From a pixel's terms to its gradient: weight * p - each, and what the slopes are with respect to its scores. What the label takes off is
// left to the caller.
SN_INLINE void sn_add_slopes(float *terms, sn_size stride, sn_size channels, float sum, const float *slopes, const uint32_t *named,
                             sn_size label, float weight, float each) {
    const sn_size blocks = (channels + 15) / 16;
    const sn_pixel_slopes at = sn_slopes_at(terms, stride, blocks, sum, slopes, label);
    const vf factor = vf_set(weight / sum), one = vf_set(1 / sum);
    for (sn_size block = 0; block < blocks; block++) {
        float *line = terms + block * stride;
        const uint32_t bits = sn_taking_part(named, channels, block, label);
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const vf share = vf_where(vm_from_bits(bits, p * SN_LANES), vf_set(each));
            const vf slope = vf_loadu(slopes + block * 16 + p * SN_LANES) - vf_set(at.mean);
            const vf term = vf_load(line + p * SN_LANES);
            vf_store(line + p * SN_LANES, term * factor - share + term * one * slope);
        }
    }
    terms[label / 16 * stride + label % 16] += at.label_probability * at.own;
}

// `is_plain` is a constant: all classes take part, and the label alone is the target. That loop has nothing of the rest.
SN_INLINE void sn_loss_rows(const int is_plain, const sn_map *scores, sn_size channels, const uint16_t *labels,
                            const float *weights, const uint32_t *named, float smoothing, const float *slopes,
                            const sn_map *gradient, uint16_t *predictions, sn_size first_row, sn_size last_row, double *loss, double *weight_sum,
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
            if (!is_plain && slopes) {
                sn_add_slopes(to, gradient->block_stride, channels, sum, slopes, named, label, weights[label], each);
                to[label / 16 * gradient->block_stride + label % 16] -= target;
                continue;
            }
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
                             const uint32_t *named, float smoothing, const float *slopes, const sn_map *gradient,
                             uint16_t *predictions, sn_size first_row, sn_size last_row, double *loss, double *weight_sum,
                             int64_t *counts) {
    if (named || smoothing > 0 || slopes) {
        sn_loss_rows(0, scores, channels, labels, weights, named, smoothing, slopes, gradient, predictions, first_row, last_row,
                     loss, weight_sum, counts);
    } else {
        sn_loss_rows(1, scores, channels, labels, weights, NULL, 0, NULL, gradient, predictions, first_row, last_row, loss,
                     weight_sum, counts);
    }
}

// Probabilities are added in float32 along a row, of at most some thousand pixels, and in float64 from row to row.
static void sn_probability_sums(const sn_map *scores, sn_size channels, const uint16_t *labels, const uint32_t *named,
                                float *scratch, sn_size first_row, sn_size last_row, double *predicted, double *correct,
                                double *labelled) {
    const sn_size blocks = (channels + 15) / 16;
    float *terms = scratch, *sums = scratch + blocks * 16;
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(scores, 0, y);
        sn_zero_lines(sums, blocks);
        for (sn_size x = 0; x < scores->width; x++, from += 16) {
            const uint16_t label = labels[y * scores->width + x];
            if (label >= channels) continue;
            const float greatest = sn_greatest_part(from, scores->block_stride, channels, named, label);
            float shifted = 0;
            const float sum =
                sn_sum_of_parts(from, scores->block_stride, channels, named, label, greatest, terms, 16, &shifted);
            const vf one = vf_set(1 / sum);
            for (sn_size lane = 0; lane < blocks * 16; lane += SN_LANES) {
                vf_store(sums + lane, vf_load(sums + lane) + vf_load(terms + lane) * one);
            }
            correct[label] += terms[label] / sum;
            labelled[label] += 1;
        }
        for (sn_size c = 0; c < channels; c++) predicted[c] += sums[c];
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
