//  Steps of optimisers, over any number of parameters, and sums over them. Bound by memory.
//
//  The last few numbers go through a padded vector of their own, so that every number is treated by the same instructions wherever it
//  stands: results do not depend on how parameters are cut into pieces.

#include "lines.inc.h"

// BODY(i, n) for each vector of `count` numbers: n is SN_LANES, a constant, but for the last.
#define SN_FOR_VECTORS(count, BODY)                                     \
    do {                                                                \
        sn_size i = 0;                                                  \
        for (; i + SN_LANES <= (count); i += SN_LANES) BODY(i, SN_LANES) \
        if (i < (count)) BODY(i, (int)((count) - i))                    \
    } while (0)

// The first n of a vector's lanes from memory, 0 in the others; and to memory.
SN_INLINE vf sn_load_some(const float *p, int n) {
    vf x = vf_zero();
    __builtin_memcpy(&x, p, (size_t)n * sizeof(float));
    return x;
}
SN_INLINE void sn_store_some(float *p, vf x, int n) { __builtin_memcpy(p, &x, (size_t)n * sizeof(float)); }

static void sn_sgd(float *w, const float *g, float *v, sn_size count, const sn_update *update) {
    const vf rate = vf_set(update->learning_rate), decay = vf_set(update->decay);
    const vf scale = vf_set(update->gradient_scale), momentum = vf_set(update->kept);
#define SN_STEP(i, n)                                                                                   \
    {                                                                                                   \
        const vf weight = sn_load_some(w + i, n);                                                       \
        const vf gradient = vf_fma(decay, weight, scale * sn_load_some(g + i, n));                      \
        const vf velocity = vf_fma(momentum, sn_load_some(v + i, n), rate * gradient);                  \
        sn_store_some(v + i, velocity, n);                                                              \
        sn_store_some(w + i, weight - velocity, n);                                                     \
    }
    SN_FOR_VECTORS(count, SN_STEP);
#undef SN_STEP
}

static void sn_adamw(float *w, const float *g, float *m, float *s, sn_size count, const sn_update *update) {
    const vf rate = vf_set(update->learning_rate), decay = vf_set(update->decay);
    const vf scale = vf_set(update->gradient_scale), epsilon = vf_set(update->epsilon);
    const vf beta1 = vf_set(update->kept), beta2 = vf_set(update->beta2);
    const vf rest1 = vf_set(1 - update->kept), rest2 = vf_set(1 - update->beta2);
    const vf correction1 = vf_set(update->correction1), correction2 = vf_set(update->correction2);
#define SN_STEP(i, n)                                                                                   \
    {                                                                                                   \
        const vf weight = sn_load_some(w + i, n);                                                       \
        const vf gradient = scale * sn_load_some(g + i, n);                                             \
        const vf first = vf_fma(beta1, sn_load_some(m + i, n), rest1 * gradient);                       \
        const vf second = vf_fma(beta2, sn_load_some(s + i, n), rest2 * gradient * gradient);           \
        const vf step = first * correction1 / (__builtin_elementwise_sqrt(second * correction2) + epsilon); \
        sn_store_some(m + i, first, n);                                                                 \
        sn_store_some(s + i, second, n);                                                                \
        sn_store_some(w + i, weight - rate * vf_fma(decay, weight, step), n);                           \
    }
    SN_FOR_VECTORS(count, SN_STEP);
#undef SN_STEP
}

// In this form the average of what does not change is exactly that: frozen parameters stay to the bit.
static void sn_average(const float *w, float *average, sn_size count, float decay) {
    const vf take = vf_set(1 - decay);
#define SN_STEP(i, n)                                      \
    {                                                      \
        const vf old = sn_load_some(average + i, n);       \
        sn_store_some(average + i, vf_fma(take, sn_load_some(w + i, n) - old, old), n); \
    }
    SN_FOR_VECTORS(count, SN_STEP);
#undef SN_STEP
}

// Sixteen sums in turn, whatever the width of a register, so that every instruction set adds in the same order.
static double sn_squares(const float *x, sn_size count) {
    double sum[16] = {0};
    sn_size i = 0;
    for (; i + 16 <= count; i += 16) {
        for (int l = 0; l < 16; l++) sum[l] += (double)x[i + l] * (double)x[i + l];
    }
    for (int l = 0; i < count; i++, l++) sum[l] += (double)x[i] * (double)x[i];
    double total = 0;
    for (int l = 0; l < 16; l++) total += sum[l];
    return total;
}
