//  A vector of SN_LANES floats: the only file with intrinsics.
//
//  Included first by each instruction set's file, which defines SN_LANES (4, 8 or 16), SN_PANEL (columns of a GEMM panel),
//  SN_MICRO_TILE (rows of a GEMM micro tile), SN_AVX2 or SN_AVX512 where the target attribute has them (the compiler's own
//  __AVX2__ is not defined under the pragma), and SN_FMA where multiply-add is one instruction.
//  Everything is static: vector types never cross a file, so no ABI question arises.

#ifndef SN_VECTOR_INC_H
#define SN_VECTOR_INC_H

#include "CSegNetKernels.h"

#define SN_INLINE static inline __attribute__((always_inline))
#define SN_UNROLL _Pragma("clang loop unroll(full)")
#define SN_PARTS (16 / SN_LANES)  // vectors in a line of 16 channels

typedef float vf __attribute__((vector_size(4 * SN_LANES)));
typedef int32_t vi __attribute__((vector_size(4 * SN_LANES)));

SN_INLINE vf vf_load(const float *p) { return *(const vf *)p; }
SN_INLINE void vf_store(float *p, vf x) { *(vf *)p = x; }
SN_INLINE vf vf_loadu(const float *p) {
    vf x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}
SN_INLINE void vf_storeu(float *p, vf x) { __builtin_memcpy(p, &x, sizeof x); }
SN_INLINE vf vf_set(float x) { return (vf){} + x; }
SN_INLINE vf vf_zero(void) { return (vf){}; }

// a * b + c, one rounding where the instruction set has it (contraction is allowed within this expression).
SN_INLINE vf vf_fma(vf a, vf b, vf c) {
#pragma clang fp contract(fast)
    return a * b + c;
}

// x > best ? x : best. Keeps `best` when x is NaN; this is what x86's max does with its operands in this order.
SN_INLINE vf vf_above(vf x, vf best) {
    return x > best ? x : best;
}

// max(x, 0) that keeps NaN.
SN_INLINE vf vf_relu(vf x) {
    return x < vf_zero() ? vf_zero() : x;
}

#endif
