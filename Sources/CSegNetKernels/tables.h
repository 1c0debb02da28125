//  The tables that the instruction sets' files define; `dispatch.c` chooses among them.

#ifndef SN_TABLES_H
#define SN_TABLES_H

#include "CSegNetKernels.h"

extern const sn_kernels sn_portable_table;
#if defined(__x86_64__)
extern const sn_kernels sn_avx2_table;
extern const sn_kernels sn_avx512_table;
#endif
#if defined(__aarch64__)
extern const sn_kernels sn_neon_table;
#endif

#endif
