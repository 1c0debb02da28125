//  Mean field inference of a dense CRF: pixels' rows of class values between filter passes. See lattice.inc.h for the filter.

#include <float.h>

#include "lines.inc.h"

// The natural logarithm of a normal number, within 0.81 ulp: x = 2^n m with m in [sqrt(1/2), sqrt 2), log m by a polynomial of degree 9
// in m - 1 (Cephes, logf).
SN_INLINE vf sn_log(vf x) {
    const vi bits = sn_bits(x) - 0x3f3504f3;  // sqrt(1/2)
    const vf n = __builtin_convertvector(bits >> 23, vf);
    const vf m = sn_from_bits((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    vf sum = vf_set(7.0376836292e-2f);
    sum = vf_fma(sum, m, vf_set(-1.1514610310e-1f));
    sum = vf_fma(sum, m, vf_set(1.1676998740e-1f));
    sum = vf_fma(sum, m, vf_set(-1.2420140846e-1f));
    sum = vf_fma(sum, m, vf_set(1.4249322787e-1f));
    sum = vf_fma(sum, m, vf_set(-1.6668057665e-1f));
    sum = vf_fma(sum, m, vf_set(2.0000714765e-1f));
    sum = vf_fma(sum, m, vf_set(-2.4999993993e-1f));
    sum = vf_fma(sum, m, vf_set(3.3333331174e-1f));
    const vf square = m * m;
    sum = vf_fma(n, vf_set(-2.12194440e-4f), sum * m * square);
    sum = vf_fma(square, vf_set(-0.5f), sum) + m;
    return vf_fma(n, vf_set(0.693359375f), sum);
}

// Lanes [0, 8) or all of them: rows are multiples of 8 values, registers of AVX-512 hold 16.
SN_INLINE void sn_store_part(float *to, vf x, sn_size values) {
#if SN_LANES == 16
    if (values < 16) {
        const sn_8f low = x.lo;
        __builtin_memcpy(to, &low, sizeof low);
        return;
    }
#else
    (void)values;
#endif
    vf_storeu(to, x);
}

SN_INLINE vf sn_load_part(const float *from, sn_size values, float others) {
#if SN_LANES == 16
    if (values < 16) {
        sn_8f low;
        __builtin_memcpy(&low, from, sizeof low);
        vf x = vf_set(others);
        x.lo = low;
        return x;
    }
#else
    (void)values, (void)others;
#endif
    return vf_loadu(from);
}

// e^x, but 0 below e^-80, 1.8e-35: numbers near the least of float32 would slow down this and every later step.
SN_INLINE vf sn_exp_or_zero(vf x) {
    const vf least = vf_set(-80);
    return sn_choose(x > least, sn_exp(vf_above(x, least)), vf_zero());
}

// Rows of up to so many vectors stay in registers during their softmax.
#define SN_SOFTMAX_VECTORS (SN_LANES == 4 ? 4 : 5)

// `values` is a constant where `isShort`.
SN_INLINE void sn_softmax_row(float *row, const sn_size values, const int is_short) {
    vf short_row[SN_SOFTMAX_VECTORS];
    vf best = vf_set(-FLT_MAX);
    for (sn_size i = 0, v = 0; i < values; i += SN_LANES, v++) {
        const vf x = sn_load_part(row + i, values - i, -FLT_MAX);
        if (is_short) short_row[v] = x;
        best = vf_above(x, best);
    }
    const vf greatest = vf_set(sn_greatest_lane(best));
    vf sum = vf_zero();
    for (sn_size i = 0, v = 0; i < values; i += SN_LANES, v++) {
        const vf term = sn_exp_or_zero((is_short ? short_row[v] : sn_load_part(row + i, values - i, -FLT_MAX)) - greatest);
        sum += term;
        if (is_short) {
            short_row[v] = term;
        } else {
            sn_store_part(row + i, term, values - i);
        }
    }
    const vf factor = vf_set(1.0f / sn_sum_of_lanes(sum));
    for (sn_size i = 0, v = 0; i < values; i += SN_LANES, v++) {
        sn_store_part(row + i, (is_short ? short_row[v] : sn_load_part(row + i, values - i, 0)) * factor, values - i);
    }
}

// Rows become their softmax.
static void sn_softmax_rows(float *rows, sn_size values, sn_size count) {
#define SN_ROWS(n, is_short)                                                              \
    for (sn_size i = 0; i < count; i++) sn_softmax_row(rows + i * (n), n, is_short);      \
    break
    switch (values) {
    case 8: SN_ROWS(8, 1);
    case 16: SN_ROWS(16, 1);
#if SN_LANES > 4
    case 24: SN_ROWS(24, 1);
    case 32: SN_ROWS(32, 1);
    case 40: SN_ROWS(40, 1);
#endif
    default: SN_ROWS(values, 0);
    }
#undef SN_ROWS
}

// Pixels of one vector, from planes to rows.
SN_INLINE void sn_log_rows(const float *in, sn_size plane, sn_size classes, int32_t are_scores, sn_size pixels, float *rows,
                           sn_size values) {
    vf x[1];
    vf greatest = vf_set(-FLT_MAX);
    float lanes[SN_LANES];
    for (sn_size pass = are_scores ? 0 : 1; pass < 2; pass++) {
        for (sn_size c = 0; c < classes; c++) {
            if (pixels == SN_LANES) {
                x[0] = vf_loadu(in + c * plane);
            } else {
                for (sn_size l = 0; l < SN_LANES; l++) lanes[l] = l < pixels ? in[c * plane + l] : 0;
                __builtin_memcpy(x, lanes, sizeof lanes);
            }
            if (pass == 0) {
                greatest = vf_above(x[0], greatest);
                continue;
            }
            if (are_scores) {
                const vf bounded = vf_above(x[0], vf_set(-FLT_MAX));
                x[0] = vf_above((bounded > FLT_MAX ? vf_set(FLT_MAX) : bounded) - greatest, vf_set(SN_LEAST_LOG));
            } else {
                const vf bounded = vf_above(x[0], vf_set(FLT_MIN));
                x[0] = sn_log(bounded > FLT_MAX ? vf_set(FLT_MAX) : bounded);
            }
            __builtin_memcpy(lanes, x, sizeof lanes);
            for (sn_size l = 0; l < pixels; l++) rows[l * values + c] = lanes[l];
        }
        greatest = greatest > FLT_MAX ? vf_set(FLT_MAX) : greatest;
    }
    for (sn_size l = 0; l < pixels; l++) {
        for (sn_size c = classes; c < values; c++) rows[l * values + c] = -FLT_MAX;
    }
}

static void sn_mean_field_start(const float *in, sn_size plane, sn_size classes, int32_t are_scores, sn_size first, sn_size last,
                                sn_size values, float *logs, float *marginals) {
    for (sn_size pixel = first; pixel < last; pixel += SN_LANES) {
        const sn_size pixels = sn_least(SN_LANES, last - pixel);
        sn_log_rows(in + pixel, plane, classes, are_scores, pixels, logs + pixel * values, values);
    }
    __builtin_memcpy(marginals + first * values, logs + first * values, (size_t)((last - first) * values) * sizeof(float));
    sn_softmax_rows(marginals + first * values, values, last - first);
}

static void sn_mean_field_update(const sn_corners *corners, const float *data, sn_size values, const float *logs, sn_size first,
                                 sn_size last, float *marginals) {
    // Some pixels at a time: their rows stay in the first-level cache, and one pixel's softmax need not wait for its own sums.
    for (sn_size start = first; start < last; start += 128) {
        const sn_size end = sn_least(start + 128, last);
        sn_slice(corners, data, values, logs, start, end, marginals);
        sn_softmax_rows(marginals + start * values, values, end - start);
    }
}

static void sn_mean_field_read(const float *marginals, sn_size values, sn_size classes, sn_size first, sn_size last,
                               float *probabilities, sn_size plane, uint16_t *ids) {
    for (sn_size start = first; start < last; start += 16) {
        const sn_size end = sn_least(start + 16, last);
        if (probabilities) {
            for (sn_size c = 0; c < classes; c++) {
                for (sn_size pixel = start; pixel < end; pixel++) probabilities[c * plane + pixel] = marginals[pixel * values + c];
            }
        }
        for (sn_size pixel = start; pixel < end; pixel++) {
            const float *row = marginals + pixel * values;
            float best = row[0];
            uint16_t id = 0;
            for (sn_size c = 1; c < classes; c++) {
                if (row[c] > best) {
                    best = row[c];
                    id = (uint16_t)c;
                }
            }
            ids[pixel] = id;
        }
    }
}

static const sn_lattice_kernels sn_lattice = {
    .embed = sn_lattice_embed,
    .insert = sn_lattice_insert,
    .rehash = sn_lattice_rehash,
    .chains = sn_lattice_chains,
    .sort = sn_lattice_sort,
    .weigh = sn_lattice_weigh,
    .weigh_entries = sn_lattice_weigh_entries,
    .splat = sn_lattice_splat,
    .blur = sn_lattice_blur,
    .slice = sn_lattice_slice,
    .start = sn_mean_field_start,
    .update = sn_mean_field_update,
    .read = sn_mean_field_read,
};
