//  AVX-512 (F, BW, DQ, VL): sixteen lanes, 32 registers, masks.

#if defined(__x86_64__)

#include <immintrin.h>

#include "tables.h"

#define SN_TABLE sn_avx512_table
#define SN_NAME "avx512"
#define SN_LANES 16
#define SN_PANEL 32
#define SN_MICRO_TILE 14
#define SN_DEPTH_BLOCK 512
#define SN_PREFETCH_BLOCKS 3
#define SN_PREFETCH_NEXT_DEPTH 128
#define SN_FMA 1
#define SN_AVX512 1

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#include "table.inc.h"
#pragma clang attribute pop

#endif
