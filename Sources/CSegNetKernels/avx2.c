//  AVX2 with FMA and F16C: eight lanes, 16 registers.

#if defined(__x86_64__)

#include <immintrin.h>

#include "tables.h"

#define SN_TABLE sn_avx2_table
#define SN_NAME "avx2"
#define SN_LANES 8
#define SN_PANEL 16
#define SN_MICRO_TILE 6
#define SN_DEPTH_BLOCK 128
#define SN_PREFETCH_BLOCKS 4
#define SN_FMA 1
#define SN_AVX2 1

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "table.inc.h"
#pragma clang attribute pop

#endif
