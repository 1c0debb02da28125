//  Gradients of convolutions: the outer product of what a GEMM read and the gradient of what it gave, and the way to its operands.
//
//  The reduction runs over tiles or pixels, outputs are the vector lanes: for each row load a line of the gradient once, then one
//  broadcast of V and a multiply-add for each of some depths. SN_OUTER_DEPTHS x SN_PANEL accumulators fill the registers
//  (AVX-512: 8 x 2 of 32, AVX2: 6 or 5 x 2 of 16). The rows of a line of 16 depths lie together within a micro tile, the next
//  micro tile's lie further on, where hardware does not look for them. So the first pass over a line prefetches the next line, and the
//  others the same line of the matrix that lies behind this one, the next point's in Winograd convolution: a whole pass ahead.
//  Measured on an Intel Xeon (Emerald Rapids, 2026-11), AVX-512, 64 x 64 at 100 points, V and D in L3, share of the FMA peak of the
//  same run: one micro tile ahead 73 % (160 rows) and 75 % (80), a pass ahead 76 % and 83 %; all in the first cache 94 %.

#include "lines.inc.h"

#if SN_LANES == 16
#define SN_OUTER_DEPTHS 8
#elif SN_LANES == 8
#define SN_OUTER_DEPTHS 6
#else
#define SN_OUTER_DEPTHS 2
#endif

// Depths [offset, offset + depths) of a line: u[depths][columns] (+)= sum over the rows. `depths` and `parts` are constants. The sum
// starts at zero and is added at the end: long sums over many calls lose less.
SN_INLINE void sn_outer(const sn_tiles *v, sn_size line, const int offset, const float *g, float *u, int add, const int depths,
                        const int parts) {
    const int columns = parts * SN_LANES;
    const sn_size count = (v->tiles + SN_MICRO_TILE - 1) / SN_MICRO_TILE;
    const sn_size rows = v->tiles / count, larger = v->tiles % count;
    // As `sn_line`, with its divisions outside of the loop.
    const sn_size block = line * 16 / v->depth_block * v->depth_block;
    const sn_size length = sn_least(v->depth - block, v->depth_block), within = line * 16 - block;
    const float *micro_tile = v->data + block * v->tiles + offset;
    vf sum[16][SN_PANEL / SN_LANES];
    SN_UNROLL for (int k = 0; k < depths; k++) {
        SN_UNROLL for (int s = 0; s < parts; s++) sum[k][s] = vf_zero();
    }
    for (sn_size micro = 0; micro < count; micro++) {
        const sn_size mr = rows + (micro < larger);
        const float *from = micro_tile + within * mr;
        micro_tile += mr * length;
        const float *ahead = from - offset + (offset == 0 ? mr * 16 : v->tiles * v->depth);
        for (sn_size t = 0; t < mr; t++, from += 16, ahead += 16, g += columns) {
            __builtin_prefetch(ahead);
            vf row[SN_PANEL / SN_LANES];
            SN_UNROLL for (int s = 0; s < parts; s++) row[s] = vf_load(g + s * SN_LANES);
            SN_UNROLL for (int k = 0; k < depths; k++) {
                const vf x = vf_set(from[k]);
                SN_UNROLL for (int s = 0; s < parts; s++) sum[k][s] = vf_fma(x, row[s], sum[k][s]);
            }
        }
    }
    SN_UNROLL for (int k = 0; k < depths; k++) {
        SN_UNROLL for (int s = 0; s < parts; s++) {
            float *to = u + k * columns + s * SN_LANES;
            vf_store(to, add ? vf_load(to) + sum[k][s] : sum[k][s]);
        }
    }
}

static SN_NOINLINE void sn_outer_line_panel(const sn_tiles *v, sn_size line, const float *g, float *u, int add) {
    enum { parts = SN_PANEL / SN_LANES };
#if SN_LANES == 8
    sn_outer(v, line, 0, g, u, add, 6, parts);
    sn_outer(v, line, 6, g, u + 6 * SN_PANEL, add, 5, parts);
    sn_outer(v, line, 11, g, u + 11 * SN_PANEL, add, 5, parts);
#else
    for (int offset = 0; offset < 16; offset += SN_OUTER_DEPTHS) {
        sn_outer(v, line, offset, g, u + offset * SN_PANEL, add, SN_OUTER_DEPTHS, parts);
    }
#endif
}

#if SN_PANEL != 16
// One vector of columns: all 16 depths at once, so that there are as many sums as the multiply-add's latency needs.
static SN_NOINLINE void sn_outer_line_16(const sn_tiles *v, sn_size line, const float *g, float *u, int add) {
    sn_outer(v, line, 0, g, u, add, 16, SN_PARTS);
}
#endif

static void sn_gemm_outer(const sn_tiles *v, sn_size first_line, sn_size last_line, const float *g, sn_size columns, int32_t add,
                          float *u) {
    for (sn_size line = first_line; line < last_line; line++, u += 16 * columns) {
#if SN_PANEL != 16
        if (columns == 16) {
            sn_outer_line_16(v, line, g, u, add);
            continue;
        }
#endif
        sn_outer_line_panel(v, line, g, u, add);
    }
}

// `taps` (a constant) neighbouring taps of a row of the window, from `first_tap` on. A line of the gradient is loaded once for all of
// them, and there are as many sums as the multiply-add's latency needs, or nearly.
SN_INLINE void sn_depthwise_taps(const float *from, sn_size in_width, const float *gradient, sn_size width, const sn_window *window,
                                 sn_size first_tap, const int taps, float *line) {
    const sn_size step = window->stride_x, apart = window->dilation_x;
    const sn_size start = window->origin_x + first_tap * apart;
    const sn_size room = in_width - start - (taps - 1) * apart;
    // All taps are inside the map from column `first` up to `last`.
    const sn_size first = sn_least(width, start < 0 ? (-start + step - 1) / step : 0);
    const sn_size last = sn_most(first, sn_least(width, room > 0 ? (room + step - 1) / step : 0));
    for (int p = 0; p < SN_PARTS; p++) {
        const float *in = from + p * SN_LANES, *g = gradient + p * SN_LANES;
        vf sum[7];
        SN_UNROLL for (int k = 0; k < taps; k++) sum[k] = vf_zero();
        for (sn_size x = 0; x < width; x++) {
            const sn_size column = start + x * step;
            const vf y = vf_load(g + x * 16);
            if (x >= first && x < last) {
                SN_UNROLL for (int k = 0; k < taps; k++) sum[k] = vf_fma(vf_load(in + (column + k * apart) * 16), y, sum[k]);
            } else {
                SN_UNROLL for (int k = 0; k < taps; k++) {
                    const sn_size at = column + k * apart;
                    if (at >= 0 && at < in_width) sum[k] = vf_fma(vf_load(in + at * 16), y, sum[k]);
                }
            }
        }
        SN_UNROLL for (int k = 0; k < taps; k++) vf_store(line + (first_tap + k) * 16 + p * SN_LANES, sum[k]);
    }
}

static void sn_depthwise_gradient(const sn_map *in, const sn_window *window, const sn_map *gradient, sn_size block, sn_size y, sn_size i,
                                  float *line) {
    const sn_size row = y * window->stride_y + window->origin_y + i * window->dilation_y;
    if (row < 0 || row >= in->height) {
        for (sn_size k = 0; k < window->width * 16; k++) line[k] = 0;
        return;
    }
    const float *from = sn_row(in, block, row), *g = sn_row(gradient, block, y);
    for (sn_size tap = 0; tap < window->width;) {
        const sn_size rest = window->width - tap;
        if (rest >= 7) {
            sn_depthwise_taps(from, in->width, g, gradient->width, window, tap, 7, line);
            tap += 7;
        } else if (rest >= 3) {
            sn_depthwise_taps(from, in->width, g, gradient->width, window, tap, 3, line);
            tap += 3;
        } else {
            sn_depthwise_taps(from, in->width, g, gradient->width, window, tap, 1, line);
            tap += 1;
        }
    }
}

static void sn_fetch(const sn_map *map, const sn_pixels *pixels, sn_size block, sn_size columns, float *m) {
    for (sn_size part = 0; part < columns / 16; part++, m += 16) {
        for (sn_size row = 0; row * pixels->width < pixels->count; row++) {
            const float *from = sn_row(map, block + part, (pixels->y + row) * pixels->step_y + pixels->offset_y)
                + (pixels->x * pixels->step_x + pixels->offset_x) * 16;
            float *to = m + row * pixels->width * columns;
            for (sn_size x = 0; x < pixels->width; x++, to += columns, from += pixels->step_x * 16) {
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) vf_store(to + p * SN_LANES, vf_load(from + p * SN_LANES));
            }
        }
    }
}
