//  Matrix multiplication: one micro-kernel for every height of a micro tile, and the loop around it.
//
//  Outputs are the vector lanes, a value of V is broadcast to all of them: for each depth, load a row of U once, then for each
//  of the mr rows one broadcast and a multiply-add per vector. SN_MICRO_TILE x SN_PANEL accumulators fill the registers
//  (AVX-512: 14 x 2 of 32, AVX2: 6 x 2 of 16). The depth loop is unrolled by four only: unrolled by 16, clang moved loads up
//  and spilled sums where nearly all registers are taken (13 and 14 rows).
//
//  All mr lines of a block of 16 depths are touched in its first step and then not again for a few hundred cycles. Hardware
//  does not follow this pattern, so V is prefetched SN_PREFETCH_BLOCKS blocks ahead. U is a plain stream, but one that is over soon
//  where the depth is small: up to SN_PREFETCH_NEXT_DEPTH, if that is defined, the matrix behind U, the next point's in Winograd
//  convolution, is prefetched meanwhile. (100 points, 64 x 64, 28 rows, on an Intel Xeon with AVX-512: 87 % of the peak without, 91 % with.
//  With AVX2 each of the more and lower micro tiles would do it again: 89 and 72 %.)
//
//  Measured on an AMD EPYC (Zen 5, 2026-11), share of the FMA peak of the same run, operands in the first two caches: AVX2
//  97 to 100 % (84 rows), AVX-512 97 to 100 % with 32 columns and 87 to 91 % with 16, which need one load per multiply-add. V in
//  L3, 80 rows of 512: 96 to 98 % with both; with AVX-512, 94 % if prefetched one block ahead, 96 % two, 97 % three.

// mr rows and `parts` vectors of columns; both are constants where this is inlined, so `sum` lives in registers.
// v: [blocks of 16 depths][mr][16], u: [depth][columns], m: [mr][columns], added to if `add`.
SN_INLINE void sn_micro(const float *v, const float *u, float *m, sn_size blocks, int add, const int mr, const int parts) {
    const int columns = parts * SN_LANES;
    vf sum[SN_MICRO_TILE][SN_PANEL / SN_LANES];
    SN_UNROLL for (int t = 0; t < mr; t++) {
        SN_UNROLL for (int s = 0; s < parts; s++) {
            sum[t][s] = add ? vf_load(m + t * columns + s * SN_LANES) : vf_zero();
        }
    }
#ifdef SN_PREFETCH_NEXT_DEPTH
    const sn_size next = blocks * 16 <= SN_PREFETCH_NEXT_DEPTH ? blocks * 16 * columns : 0;
#endif
    for (sn_size block = 0; block < blocks; block++) {
        const float *ahead = v + SN_PREFETCH_BLOCKS * mr * 16;
        SN_NO_UNROLL for (int quarter = 0; quarter < 4; quarter++) {
            SN_UNROLL for (int t = 0; t < (mr + 3) / 4; t++) __builtin_prefetch(ahead + t * 16);
            SN_UNROLL for (int d = 0; d < 4; d++) {
                vf row[SN_PANEL / SN_LANES];
                SN_UNROLL for (int s = 0; s < parts; s++) row[s] = vf_load(u + d * columns + s * SN_LANES);
#ifdef SN_PREFETCH_NEXT_DEPTH
                SN_UNROLL for (int s = 0; s < parts; s++) __builtin_prefetch(u + next + d * columns + s * SN_LANES);
#endif
                SN_UNROLL for (int t = 0; t < mr; t++) {
                    const vf x = vf_set(v[t * 16 + d]);
                    SN_UNROLL for (int s = 0; s < parts; s++) sum[t][s] = vf_fma(x, row[s], sum[t][s]);
                }
            }
            ahead += (mr + 3) / 4 * 16;
            v += 4;
            u += 4 * columns;
        }
        v += mr * 16 - 16;
    }
    SN_UNROLL for (int t = 0; t < mr; t++) {
        SN_UNROLL for (int s = 0; s < parts; s++) vf_store(m + t * columns + s * SN_LANES, sum[t][s]);
    }
}

typedef void (*sn_micro_kernel)(const float *v, const float *u, float *m, sn_size blocks, int add);

// Functions of their own, so that each has the registers to itself.
#define SN_MICRO(mr)                                                                                             \
    static void sn_micro_16_##mr(const float *v, const float *u, float *m, sn_size blocks, int add) {            \
        sn_micro(v, u, m, blocks, add, mr, SN_PARTS);                                                            \
    }                                                                                                            \
    static void sn_micro_panel_##mr(const float *v, const float *u, float *m, sn_size blocks, int add) {         \
        sn_micro(v, u, m, blocks, add, mr, SN_PANEL / SN_LANES);                                                 \
    }

#if SN_MICRO_TILE == 2
#define SN_EACH_HEIGHT(f) f(1) f(2)
#elif SN_MICRO_TILE == 6
#define SN_EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5) f(6)
#elif SN_MICRO_TILE == 14
#define SN_EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14)
#endif

SN_EACH_HEIGHT(SN_MICRO)

#define SN_MICRO_16(mr) [mr] = sn_micro_16_##mr,
#define SN_MICRO_PANEL(mr) [mr] = sn_micro_panel_##mr,
static const sn_micro_kernel sn_micro_16[] = {SN_EACH_HEIGHT(SN_MICRO_16)};
static const sn_micro_kernel sn_micro_panel[] = {SN_EACH_HEIGHT(SN_MICRO_PANEL)};

// The rows of micro tile `micro` of a tile buffer.
typedef struct {
    sn_size first, count;
} sn_row_range;

SN_INLINE sn_row_range sn_rows_of_micro(const sn_tiles *v, sn_size micro) {
    const sn_size count = (v->tiles + SN_MICRO_TILE - 1) / SN_MICRO_TILE;
    const sn_size rows = v->tiles / count, larger = v->tiles % count;
    return (sn_row_range){micro * rows + (micro < larger ? micro : larger), rows + (micro < larger)};
}

// Depth line `line` (16 depths) of the micro tile's first row; the next row's is 16 floats behind it.
SN_INLINE float *sn_line(const sn_tiles *v, sn_row_range rows, sn_size line) {
    const sn_size block = line * 16 / v->depth_block * v->depth_block;
    const sn_size rest = v->depth - block;
    const sn_size length = rest < v->depth_block ? rest : v->depth_block;
    return v->data + block * v->tiles + rows.first * length + (line * 16 - block) * rows.count;
}

static void sn_gemm(const sn_tiles *v, const float *u, sn_size columns, float *m) {
    const sn_micro_kernel *kernels = columns == 16 ? sn_micro_16 : sn_micro_panel;
    const sn_size count = (v->tiles + SN_MICRO_TILE - 1) / SN_MICRO_TILE;
    const sn_size rows = v->tiles / count, larger = v->tiles % count;
    for (sn_size depth = 0; depth < v->depth; depth += v->depth_block) {
        const sn_size rest = v->depth - depth;
        const sn_size length = rest < v->depth_block ? rest : v->depth_block;
        const float *left = v->data + depth * v->tiles;
        float *out = m;
        for (sn_size micro = 0; micro < count; micro++) {
            const sn_size mr = rows + (micro < larger);
            kernels[mr](left, u + depth * columns, out, length / 16, depth > 0);
            left += mr * length;
            out += mr * columns;
        }
    }
}

// One multiply-add on each of many independent sums: as many as latency (4 or 5) times throughput (2 a cycle) needs, and no
// more than registers hold. Where multiply-add is two instructions it counts as two operations all the same.
static double sn_peak(sn_size rounds, float *sink) {
    const vf a = vf_set(*sink * 0.0f + 0.999f), b = vf_set(*sink * 0.0f + 0.001f);
    vf s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
    for (sn_size round = 0; round < rounds; round++) {
        SN_UNROLL for (int i = 0; i < 4; i++) {
            s0 = vf_fma(s0, a, b);
            s1 = vf_fma(s1, a, b);
            s2 = vf_fma(s2, a, b);
            s3 = vf_fma(s3, a, b);
            s4 = vf_fma(s4, a, b);
            s5 = vf_fma(s5, a, b);
            s6 = vf_fma(s6, a, b);
            s7 = vf_fma(s7, a, b);
            s8 = vf_fma(s8, a, b);
            s9 = vf_fma(s9, a, b);
            s10 = vf_fma(s10, a, b);
            s11 = vf_fma(s11, a, b);
        }
    }
    const vf sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + ((s8 + s9) + (s10 + s11));
    *sink = sum[0];
    return 2.0 * 4 * 12 * SN_LANES * (double)rounds;
}
