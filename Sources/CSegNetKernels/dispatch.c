//  Which instruction sets this machine has. Asking reads a word that the C runtime filled at start, so it is not cached here.

#include <string.h>

#include "tables.h"

#if defined(__x86_64__)

// Both tests include that the operating system saves the wide registers.
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#endif

const sn_kernels *sn_kernels_best(void) {
#if defined(__x86_64__)
    if (has_avx512()) return &sn_avx512_table;
    if (has_avx2()) return &sn_avx2_table;
#endif
#if defined(__aarch64__)
    return &sn_neon_table;
#else
    return &sn_portable_table;
#endif
}

const sn_kernels *sn_kernels_named(const char *name) {
    if (strcmp(name, "portable") == 0) return &sn_portable_table;
#if defined(__x86_64__)
    if (strcmp(name, "avx2") == 0 && has_avx2()) return &sn_avx2_table;
    if (strcmp(name, "avx512") == 0 && has_avx512()) return &sn_avx512_table;
#endif
#if defined(__aarch64__)
    if (strcmp(name, "neon") == 0) return &sn_neon_table;
#endif
    return NULL;
}
