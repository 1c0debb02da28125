//  Convolution of a picture with three channels, stride 1, straight from its rows: nothing is gathered.
//
//  The values that a window's row holds lie side by side in the map, and the next pixel's begin three floats further on: the
//  micro-kernel takes each of them as the operand that it broadcasts. Rows are copied once to a small buffer that has zeros
//  where the window reaches beyond the map. The one-dimensional Winograd algorithms (winograd.inc.h) run the same micro-kernel
//  on transformed rows, a point at a time.

#ifndef SN_ROWS_INC_H
#define SN_ROWS_INC_H

enum { SN_RGB = 3 };

// SN_MICRO_TILE pixels: m[t * columns + lane] = sum over rows i and floats d of rows[i * row_step + t * 3 + d] * u[.][lane].
// `parts` is a constant where this is inlined, so `sum` lives in registers.
SN_INLINE void sn_row_micro(const float *rows, sn_size row_step, sn_size window_rows, sn_size row_floats, const float *u, float *m,
                            const int parts) {
    const int columns = parts * SN_LANES;
    vf sum[SN_MICRO_TILE][SN_PANEL / SN_LANES];
    SN_UNROLL for (int t = 0; t < SN_MICRO_TILE; t++) {
        SN_UNROLL for (int s = 0; s < parts; s++) sum[t][s] = vf_zero();
    }
    for (sn_size i = 0; i < window_rows; i++, rows += row_step) {
        const float *from = rows;
        SN_NO_UNROLL for (sn_size d = 0; d < row_floats; d += SN_RGB) {
            SN_UNROLL for (int c = 0; c < SN_RGB; c++) {
                vf row[SN_PANEL / SN_LANES];
                SN_UNROLL for (int s = 0; s < parts; s++) row[s] = vf_load(u + c * columns + s * SN_LANES);
                SN_UNROLL for (int t = 0; t < SN_MICRO_TILE; t++) {
                    const vf x = vf_set(from[t * SN_RGB + c]);
                    SN_UNROLL for (int s = 0; s < parts; s++) sum[t][s] = vf_fma(x, row[s], sum[t][s]);
                }
            }
            from += SN_RGB;
            u += SN_RGB * columns;
        }
    }
    SN_UNROLL for (int t = 0; t < SN_MICRO_TILE; t++) {
        SN_UNROLL for (int s = 0; s < parts; s++) vf_store(m + t * columns + s * SN_LANES, sum[t][s]);
    }
}

// Functions of their own, so that each has the registers to itself.
static SN_NOINLINE void sn_row_micro_16(const float *rows, sn_size row_step, sn_size window_rows, sn_size row_floats, const float *u,
                                        float *m) {
    sn_row_micro(rows, row_step, window_rows, row_floats, u, m, SN_PARTS);
}

static SN_NOINLINE void sn_row_micro_panel(const float *rows, sn_size row_step, sn_size window_rows, sn_size row_floats,
                                           const float *u, float *m) {
    sn_row_micro(rows, row_step, window_rows, row_floats, u, m, SN_PANEL / SN_LANES);
}

static void sn_row_products(const float *rows, sn_size row_step, sn_size window_rows, sn_size row_floats, sn_size pixels,
                            const float *u, sn_size columns, float *m) {
    for (sn_size first = 0; first < pixels; first += SN_MICRO_TILE) {
        (columns == 16 ? sn_row_micro_16 : sn_row_micro_panel)(rows + first * SN_RGB, row_step, window_rows, row_floats, u,
                                                               m + first * columns);
    }
}

static void sn_row_fetch(const sn_thin *in, sn_size y, sn_size x, sn_size count, sn_size phases, float *to, sn_size phase_step) {
    const float *row = in->data + y * in->width * SN_RGB;
    const int outside = y < 0 || y >= in->height;
    sn_size phase = 0;
    for (sn_size i = 0; i < count; i++, x++) {
        float *pixel = to + phase * phase_step;
        const int inside = !outside && x >= 0 && x < in->width;
        SN_UNROLL for (int c = 0; c < SN_RGB; c++) pixel[c] = inside ? row[x * SN_RGB + c] : 0;
        if (++phase == phases) {
            phase = 0;
            to += SN_RGB;
        }
    }
}

#endif
