//  64-bit ARM: four lanes, 32 registers, fused multiply-add. NEON is part of every such processor, so no target attribute.

#if defined(__aarch64__)

#include <arm_neon.h>

#include "tables.h"

#define SN_TABLE sn_neon_table
#define SN_NAME "neon"
#define SN_LANES 4
#define SN_PANEL 16
#define SN_MICRO_TILE 6
#define SN_DEPTH_BLOCK 128
#define SN_PREFETCH_BLOCKS 2
#define SN_FMA 1
#define SN_NEON 1

#include "table.inc.h"

#endif
