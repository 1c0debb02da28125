//  Vectors of four lanes by the compiler's vector extension alone: SSE2 or NEON registers. (On ARM the compiler may still fuse.)
//  The reference that every processor can run.

#include "tables.h"

#define SN_TABLE sn_portable_table
#define SN_NAME "portable"
#define SN_LANES 4
#define SN_PANEL 16
#define SN_MICRO_TILE 2
#define SN_DEPTH_BLOCK 128
#define SN_PREFETCH_BLOCKS 2

#include "table.inc.h"
