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
#define SN_NOINLINE __attribute__((noinline))
#define SN_UNROLL _Pragma("clang loop unroll(full)")
#define SN_NO_UNROLL _Pragma("clang loop unroll(disable)")
#define SN_PARTS (16 / SN_LANES)  // vectors in a line of 16 channels

typedef float vf __attribute__((ext_vector_type(SN_LANES)));
typedef int32_t vi __attribute__((ext_vector_type(SN_LANES)));
#if defined(SN_AVX2) || defined(SN_AVX512) || defined(__aarch64__)
typedef _Float16 vh __attribute__((ext_vector_type(SN_LANES)));
#endif
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
#if defined(SN_AVX2) || defined(SN_AVX512) || defined(__aarch64__)
    vh x;
    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, vf);
#else
    // Exponent and fraction in float32's places, then 2^112 for the difference of the biases: exact, subnormals included.
    typedef uint16_t half_bits __attribute__((ext_vector_type(SN_LANES)));
    half_bits x;
    __builtin_memcpy(&x, p, sizeof x);
    const vi bits = __builtin_convertvector(x, vi);
    const vi sign = (bits & 0x8000) << 16;
    const vi special = ((bits & 0x7c00) == 0x7c00) & 0x7f800000;  // infinity and NaN
    const vi magnitude = (bits & 0x7fff) << 13;
    vf value;
    __builtin_memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    vi result;
    __builtin_memcpy(&result, &value, sizeof result);
    result |= special | sign;
    __builtin_memcpy(&value, &result, sizeof value);
    return value;
#endif
}

// One bit per lane: a mask register on AVX-512, all ones or zeros in a lane elsewhere.
#ifdef SN_AVX512
typedef __mmask16 vm;
#else
typedef vi vm;
#endif

// Bits first...first + SN_LANES - 1 of `word`, the lowest for lane 0. `first` is a constant.
SN_INLINE vm vm_from_bits(uint32_t word, const int first) {
#ifdef SN_AVX512
    return (vm)(word >> first);
#else
    vi lane;
    SN_UNROLL for (int l = 0; l < SN_LANES; l++) lane[l] = (int32_t)(1u << (first + l));
    return ((vi)(int32_t)word & lane) == lane;
#endif
}

// x in the mask's lanes, 0 in the others.
SN_INLINE vf vf_where(vm mask, vf x) {
#ifdef SN_AVX512
    return (vf)_mm512_maskz_mov_ps(mask, (__m512)x);
#else
    return (vf)((vi)x & mask);
#endif
}

// 0 in the mask's lanes, x in the others.
SN_INLINE vf vf_where_not(vm mask, vf x) {
#ifdef SN_AVX512
    return (vf)_mm512_maskz_mov_ps((vm)~mask, (__m512)x);
#else
    return (vf)((vi)x & ~mask);
#endif
}

// x where lane l's bit is set, else 0. Only the lowest SN_LANES bits count.
SN_INLINE vf vf_where_bits(uint32_t bits, vf x) {
    return vf_where(vm_from_bits(bits, 0), x);
}

// Bit l: lane l of a > lane l of b. False if either is NaN.
SN_INLINE uint32_t vf_greater_bits(vf a, vf b) {
#ifdef SN_AVX512
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
#else
    const vb greater = __builtin_convertvector(a > b, vb);
    uint8_t bits;
    __builtin_memcpy(&bits, &greater, sizeof bits);
    return bits & ((1u << SN_LANES) - 1);
#endif
}

#endif
