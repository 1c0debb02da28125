//  A vector of SN_LANES floats: the only file with intrinsics.
//
//  Included first by each instruction set's file, which defines SN_LANES (4, 8 or 16), SN_PANEL (columns of a GEMM panel),
//  SN_MICRO_TILE (rows of a GEMM micro tile), SN_AVX2, SN_AVX512 or SN_NEON where the target has them (the compiler's own
//  __AVX2__ is not defined under the pragma), and SN_FMA where multiply-add is one instruction.
//  Everything is static: vector types never cross a file, so no ABI question arises.

#ifndef SN_VECTOR_INC_H
#define SN_VECTOR_INC_H

#include "CSegNetKernels.h"

#define SN_INLINE static inline __attribute__((always_inline))
#define SN_UNROLL _Pragma("clang loop unroll(full)")
#define SN_PARTS (16 / SN_LANES)  // vectors in a line of 16 channels

typedef float vf __attribute__((ext_vector_type(SN_LANES)));
typedef int32_t vi __attribute__((ext_vector_type(SN_LANES)));
typedef _Float16 vh __attribute__((ext_vector_type(SN_LANES)));
typedef _Bool vb __attribute__((ext_vector_type(SN_LANES)));

SN_INLINE vf vf_load(const float *p) { return *(const vf *)p; }
SN_INLINE void vf_store(float *p, vf x) { *(vf *)p = x; }
SN_INLINE vf vf_loadu(const float *p) {
    vf x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}
SN_INLINE void vf_storeu(float *p, vf x) { __builtin_memcpy(p, &x, sizeof x); }
SN_INLINE vf vf_set(float x) { return (vf)x; }
SN_INLINE vf vf_zero(void) { return (vf)0.0f; }

// a * b + c, one rounding where the instruction set has it.
SN_INLINE vf vf_fma(vf a, vf b, vf c) {
#ifdef SN_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

// x > best ? x : best. Keeps `best` when x is NaN; this is what x86's max does with its operands in this order.
SN_INLINE vf vf_above(vf x, vf best) {
    return x > best ? x : best;
}

// max(x, 0) that keeps NaN.
SN_INLINE vf vf_relu(vf x) {
    return x < vf_zero() ? vf_zero() : x;
}

// SN_LANES IEEE float16 values, not necessarily aligned.
SN_INLINE vf vf_load_half(const uint16_t *p) {
    vh x;
    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, vf);
}

// Bit l: lane l of a > lane l of b. False if either is NaN.
SN_INLINE uint32_t vf_greater_bits(vf a, vf b) {
    vb greater = __builtin_convertvector(a > b, vb);
    uint32_t bits = 0;
    __builtin_memcpy(&bits, &greater, (SN_LANES + 7) / 8);
    return bits & ((1u << (SN_LANES - 1) << 1) - 1);
}

// x where lane l's bit is set, else 0. Only the lowest SN_LANES bits count.
SN_INLINE vf vf_where_bits(uint32_t bits, vf x) {
#if SN_LANES == 16
    uint16_t low = (uint16_t)bits;
    vb chosen;
    __builtin_memcpy(&chosen, &low, sizeof low);
    return __builtin_convertvector(chosen, vi) != 0 ? x : vf_zero();
#else
    vi lane;
    SN_UNROLL for (int l = 0; l < SN_LANES; l++) lane[l] = 1 << l;
    return ((vi)(int32_t)bits & lane) == lane ? x : vf_zero();
#endif
}

#endif
