//  The transforms of one Winograd algorithm F(m x m, r x r). Included once for each, after SN_M and SN_R are defined.
//
//  A two-dimensional transform X d X^T is a column pass and a row pass of the one-dimensional X. The rows of X come in pairs
//  that share their even and odd parts (scripts/generate-winograd.py), so the passes are interleaved: form one pair of rows
//  for all columns, which fills half of AVX-512's registers, finish these two rows, go on to the next pair. Each input is
//  loaded again for each pair, from the first-level cache, and nothing is stored in between. The 1-D functions return all
//  rows; what a pair does not use is never computed, because everything is inlined.
//
//  Measured on an AMD EPYC (Zen 5, 2026-11; 64 channels of 240 x 180, in L3), CPU cycles at 4.07 GHz per tile and block of 16
//  channels, input / input_unpooled / output stored / output pooled:
//      F(6,3)  AVX-512 330 / 360 / 335 / 315   AVX2  550 /  640 / 470 / 530
//      F(4,3)  AVX-512 150 / 170 / 117 / 100   AVX2  230 /  310 / 200 / 205
//      F(4,7)  AVX-512 710 / 750 / 315 / 300   AVX2 1350 / 1650 / 485 / 505
//      F(2,7)  AVX-512 240 / 325 / 136 / 127   AVX2  510 /  630 / 155 / 150
//
//  Infinity and NaN may spread over the outputs of their tile (inf - inf), and nowhere else.

#include "winograd_tiles.inc.h"

#define SN_N (SN_M + SN_R - 1)
#define SN_JOIN(name, m, r) name##_##m##r
#define SN_EXPAND(name, m, r) SN_JOIN(name, m, r)
#define SN_W(name) SN_EXPAND(name, SN_M, SN_R)

// ---- weights

SN_INLINE vf SN_W(sn_packed)(const void *packed, const int half, sn_size index) {
    return half ? vf_load_half((const uint16_t *)packed + index) : vf_load((const float *)packed + index);
}

// Point rows `row` and, if `pair`, row + 1 of U = G g G^T. All flags and rows are constants where this is inlined.
SN_INLINE void SN_W(sn_weight_rows)(const void *packed, const int half, sn_size first, sn_size last, const int row, const int pair,
                                    float *u, sn_size point_stride, sn_size columns) {
    for (sn_size channel = first; channel < last; channel++, u += columns) {
        for (int s = 0; s < SN_PARTS; s++) {
            vf upper[SN_R], lower[SN_R], result[SN_N];
            SN_UNROLL for (int j = 0; j < SN_R; j++) {
                vf g[SN_R], o[SN_N];
                SN_UNROLL for (int i = 0; i < SN_R; i++) {
                    g[i] = SN_W(sn_packed)(packed, half, (channel * SN_R * SN_R + i * SN_R + j) * 16 + s * SN_LANES);
                }
                SN_W(sn_weight_transform)(g, o);
                upper[j] = o[row];
                lower[j] = o[pair ? row + 1 : row];
            }
            float *out = u + s * SN_LANES;
            SN_W(sn_weight_transform)(upper, result);
            SN_UNROLL for (int j = 0; j < SN_N; j++) vf_store(out + j * point_stride, result[j]);
            if (pair) {
                SN_W(sn_weight_transform)(lower, result);
                SN_UNROLL for (int j = 0; j < SN_N; j++) vf_store(out + (SN_N + j) * point_stride, result[j]);
            }
        }
    }
}

SN_INLINE void SN_W(sn_weight_range)(const void *packed, const int half, sn_size first, sn_size last, sn_size first_row,
                                     sn_size last_row, float *u, sn_size point_stride, sn_size columns) {
#define SN_ROW(n)                                                                                                       \
    case n:                                                                                                             \
        if (n < SN_N) SN_W(sn_weight_rows)(packed, half, first, last, n < SN_N ? n : 0, 0, u, point_stride, columns);   \
        break;
#define SN_PAIR(n)                                                                                                      \
    case n:                                                                                                             \
        if (n + 2 < SN_N) SN_W(sn_weight_rows)(packed, half, first, last, n + 2 < SN_N ? n : 0, 1, u, point_stride, columns); \
        break;
    for (sn_size row = first_row; row < last_row;) {
        const int pair = row % 2 == 1 && row + 2 < SN_N && row + 2 <= last_row;
        if (pair) {
            switch (row) { SN_PAIR(1) SN_PAIR(3) SN_PAIR(5) SN_PAIR(7) }
        } else {
            switch (row) { SN_ROW(0) SN_ROW(1) SN_ROW(2) SN_ROW(3) SN_ROW(4) SN_ROW(5) SN_ROW(6) SN_ROW(7) SN_ROW(8) SN_ROW(9) }
        }
        row += 1 + pair;
        u += (1 + pair) * SN_N * point_stride;
    }
#undef SN_ROW
#undef SN_PAIR
}

static void SN_W(sn_weights)(const void *packed, int32_t half, sn_size first, sn_size last, sn_size first_row,
                             sn_size last_row, float *u, sn_size point_stride, sn_size columns) {
    if (half) {
        SN_W(sn_weight_range)(packed, 1, first, last, first_row, last_row, u, point_stride, columns);
    } else {
        SN_W(sn_weight_range)(packed, 0, first, last, first_row, last_row, u, point_stride, columns);
    }
}

// ---- input

// Rows a and b of V, for one vector of lanes of a tile whose rows start at rows[0...n-1].
SN_INLINE void SN_W(sn_input_rows)(const float *const *rows, const int a, const int b, float *v, sn_size point_stride) {
    vf upper[SN_N], lower[SN_N], result[SN_N];
    SN_UNROLL for (int j = 0; j < SN_N; j++) {
        vf d[SN_N], o[SN_N];
        SN_UNROLL for (int i = 0; i < SN_N; i++) d[i] = vf_load(rows[i] + j * 16);
        SN_W(sn_input_transform)(d, o);
        upper[j] = o[a];
        lower[j] = o[b];
    }
    SN_W(sn_input_transform)(upper, result);
    SN_UNROLL for (int j = 0; j < SN_N; j++) vf_store(v + (a * SN_N + j) * point_stride, result[j]);
    SN_W(sn_input_transform)(lower, result);
    SN_UNROLL for (int j = 0; j < SN_N; j++) vf_store(v + (b * SN_N + j) * point_stride, result[j]);
}

// Prefetches what the tile to the right reads beyond this one, in rows a and b. Without it, F(6,3)'s input transform of a map in L3 takes
// half as long again.
SN_INLINE void SN_W(sn_prefetch_next)(const float *const *rows, const int a, const int b) {
    SN_UNROLL for (int j = 0; j < SN_M; j++) {
        __builtin_prefetch(rows[a] + (SN_N + j) * 16);
        __builtin_prefetch(rows[b] + (SN_N + j) * 16);
    }
}

static SN_NOINLINE void SN_W(sn_input_tile)(const float *const *tile, float *v, sn_size point_stride) {
    const float *rows[SN_N];
    for (int s = 0; s < SN_PARTS; s++) {
        SN_UNROLL for (int i = 0; i < SN_N; i++) rows[i] = tile[i] + s * SN_LANES;
        if (s == 0) SN_W(sn_prefetch_next)(rows, 0, SN_N - 1);
        SN_W(sn_input_rows)(rows, 0, SN_N - 1, v + s * SN_LANES, point_stride);
        SN_UNROLL for (int pair = 1; pair + 2 < SN_N; pair += 2) {
            if (s == 0) SN_W(sn_prefetch_next)(rows, pair, pair + 1);
            SN_W(sn_input_rows)(rows, pair, pair + 1, v + s * SN_LANES, point_stride);
        }
    }
}

static void SN_W(sn_input)(const sn_map *in, const sn_tile_grid *grid, const sn_tiles *v, sn_size point_stride, sn_size micro,
                           sn_size first_block, sn_size last_block) {
    static const float zeros[SN_N * 16] __attribute__((aligned(64)));
    float edge[SN_N * SN_N * 16] __attribute__((aligned(64)));
    const sn_row_range rows = sn_rows_of_micro(v, micro);
    for (sn_size block = first_block; block < last_block; block++) {
        const float *plane = in->data + block * in->block_stride;
        float *line = sn_line(v, rows, block);
        sn_tile_walk at = sn_tile_at(grid, grid->first + rows.first);
        sn_size offsets[SN_N], offsets_of = -1;
        for (sn_size t = 0; t < rows.count; t++, line += 16, sn_next_tile(&at)) {
            const float *tile[SN_N];
            if (sn_is_dilated(grid)) {
                sn_corner corner = sn_dilated_corner(grid, &at, SN_M);
                corner.y -= grid->padding_y;
                corner.x -= grid->padding_x;
                sn_gather_dilated(in, plane, grid, corner, SN_N, edge);
                SN_UNROLL for (int i = 0; i < SN_N; i++) tile[i] = edge + i * SN_N * 16;
                SN_W(sn_input_tile)(tile, line, point_stride);
                continue;
            }
            if (offsets_of != at.row) {
                sn_row_offsets(at.row * SN_M - grid->padding_y, SN_N, in->height, in->rows, in->width, offsets);
                offsets_of = at.row;
            }
            const sn_size x = at.column * SN_M - grid->padding_x;
            if (x >= 0 && x + SN_N <= in->width) {
                SN_UNROLL for (int i = 0; i < SN_N; i++) tile[i] = offsets[i] < 0 ? zeros : plane + offsets[i] + x * 16;
            } else {
                for (int i = 0; i < SN_N; i++) {
                    tile[i] = offsets[i] < 0 ? zeros : edge + i * SN_N * 16;
                    for (int j = 0; j < SN_N && offsets[i] >= 0; j++) {
                        const int inside = x + j >= 0 && x + j < in->width;
                        const float *pixel = inside ? plane + offsets[i] + (x + j) * 16 : zeros;
                        __builtin_memcpy(edge + (i * SN_N + j) * 16, pixel, 64);
                    }
                }
            }
            SN_W(sn_input_tile)(tile, line, point_stride);
        }
    }
}

// Writes the unpooled tile [n][n][16] of the (n / 2 + 1)^2 pooled pixels with these values and indices. The tile begins at an
// odd row and column: its row i stems from the pooled row (i + 1) / 2, whose lower row it is where i is even.
static SN_NOINLINE void SN_W(sn_unpool_tile)(const float *const *values, const uint32_t *words, float *tile) {
    enum { count = SN_N / 2 + 1 };
    SN_UNROLL for (int a = 0; a < count; a++) {
        float *above = tile + (2 * a - 1) * SN_N * 16, *below = above + SN_N * 16;
        for (int b = 0; b < count; b++) {
            SN_UNROLL for (int s = 0; s < SN_PARTS; s++) {
                const uint32_t word = words[a * count + b];
                const vf x = vf_load(values[a * count + b] + s * SN_LANES);
                const vm right = vm_from_bits(word, s * SN_LANES), low = vm_from_bits(word, 16 + s * SN_LANES);
                const vf at_right = vf_where(right, x), at_left = vf_where_not(right, x);
                const int column = (2 * b - 1) * 16 + s * SN_LANES;
                if (a > 0 && b > 0) vf_store(above + column, vf_where_not(low, at_left));
                if (a > 0 && b < count - 1) vf_store(above + column + 16, vf_where_not(low, at_right));
                if (a < count - 1 && b > 0) vf_store(below + column, vf_where(low, at_left));
                if (a < count - 1 && b < count - 1) vf_store(below + column + 16, vf_where(low, at_right));
            }
        }
    }
}

static void SN_W(sn_input_unpooled)(const sn_map *pooled, const sn_indices *indices, const sn_tile_grid *grid, const sn_tiles *v,
                                    sn_size point_stride, sn_size micro, sn_size first_block, sn_size last_block) {
    enum { count = SN_N / 2 + 1 };
    float sparse[SN_N * SN_N * 16] __attribute__((aligned(64)));
    const float *tile[SN_N];
    for (int i = 0; i < SN_N; i++) tile[i] = sparse + i * SN_N * 16;
    const sn_row_range rows = sn_rows_of_micro(v, micro);
    for (sn_size block = first_block; block < last_block; block++) {
        const float *plane = pooled->data + block * pooled->block_stride;
        const uint32_t *index_plane = indices->data + block * indices->height * indices->width;
        float *line = sn_line(v, rows, block);
        sn_tile_walk at = sn_tile_at(grid, grid->first + rows.first);
        sn_size offsets[count], offsets_of = -1;
        for (sn_size t = 0; t < rows.count; t++, line += 16, sn_next_tile(&at)) {
            // The tile starts at an odd row: the lower one of its first pooled row.
            const sn_size y = (at.row * SN_M - grid->padding_y - 1) / 2;
            const sn_size x = (at.column * SN_M - grid->padding_x - 1) / 2;
            if (offsets_of != at.row) {
                sn_row_offsets(y, count, pooled->height, pooled->rows, pooled->width, offsets);
                offsets_of = at.row;
            }
            const float *values[count * count];
            uint32_t words[count * count];
            for (int a = 0; a < count; a++) {
                const uint32_t *index_row = index_plane + (y + a) * indices->width + x;
                const float *row = plane + offsets[a] + x * 16;
                SN_UNROLL for (int b = 0; b < count; b++) {
                    const int inside = offsets[a] >= 0 && x + b >= 0 && x + b < pooled->width;
                    values[a * count + b] = inside ? row + b * 16 : sn_zero_line;
                    words[a * count + b] = inside ? index_row[b] : 0;
                }
            }
            SN_W(sn_unpool_tile)(values, words, sparse);
            SN_W(sn_input_tile)(tile, line, point_stride);
        }
    }
}

#include "winograd_rows.inc.h"

// ---- output

// Where a tile's outputs go: rows of the stored and of the pooled map, NULL where there is nothing to store, and how many
// rows and columns of the tile lie on the map.
typedef struct {
    float *out[SN_M];
    float *pooled[SN_M / 2];
    uint32_t *indices[SN_M / 2];
    sn_size height, width;
} SN_W(sn_target);

// Stores a row of a tile. The map lies in a far cache or in memory: the next tile's lines are fetched meanwhile.
SN_INLINE void SN_W(sn_store_row)(const vf *y, float *out, const int prefetch, sn_size width) {
    SN_UNROLL for (int j = 0; j < SN_M && prefetch; j++) __builtin_prefetch(out + (SN_M + j) * 16, 1);
    if (width == SN_M) {
        SN_UNROLL for (int j = 0; j < SN_M; j++) vf_store(out + j * 16, y[j]);
    } else {
        SN_UNROLL for (int j = 0; j < SN_M; j++) {
            if (j < width) vf_store(out + j * 16, y[j]);
        }
    }
}

// Rows first, first + step, ... of Y = A^T M A + bias, for one vector of lanes. Even rows read only sums of paired points, odd
// rows only differences, so that taking them in turn computes nothing twice and needs half the registers.
SN_INLINE void SN_W(sn_output_rows)(const float *m, sn_size point_stride, const int first, const int step, vf bias, int relu,
                                    vf (*y)[SN_M]) {
    vf passed[SN_M][SN_N];
    const float *lines[SN_N];
    SN_UNROLL for (int i = 0; i < SN_N; i++) lines[i] = m + i * SN_N * point_stride;
    SN_UNROLL for (int j = 0; j < SN_N; j++) {
        vf d[SN_N], o[SN_M];
        SN_UNROLL for (int i = 0; i < SN_N; i++) {
            d[i] = vf_load(lines[i]);
            lines[i] += point_stride;
        }
        SN_W(sn_output_transform)(d, o);
        SN_UNROLL for (int i = first; i < SN_M; i += step) passed[i][j] = o[i];
    }
    SN_UNROLL for (int i = first; i < SN_M; i += step) {
        SN_W(sn_output_transform)(passed[i], y[i]);
        SN_UNROLL for (int j = 0; j < SN_M; j++) {
            y[i][j] += bias;
            if (relu) y[i][j] = vf_relu(y[i][j]);
        }
    }
}

static SN_NOINLINE void SN_W(sn_output_tile)(const float *m, sn_size point_stride, const float *bias, const int relu,
                                 const SN_W(sn_target) *target, const int pool) {
    uint32_t words[SN_M / 2][SN_M / 2] = {0};
    for (int s = 0; s < SN_PARTS; s++) {
        vf y[SN_M][SN_M];
        const vf b = vf_load(bias + s * SN_LANES);
        if (SN_M > 2) {
            SN_W(sn_output_rows)(m + s * SN_LANES, point_stride, 0, 2, b, relu, y);
            SN_W(sn_output_rows)(m + s * SN_LANES, point_stride, 1, 2, b, relu, y);
        } else {
            SN_W(sn_output_rows)(m + s * SN_LANES, point_stride, 0, 1, b, relu, y);
        }
        SN_UNROLL for (int i = 0; i < SN_M; i++) {
            if (target->out[i]) SN_W(sn_store_row)(y[i], target->out[i] + s * SN_LANES, s == 0, target->width);
        }
        if (!pool) continue;
        if (target->height < SN_M || target->width < SN_M) {
            SN_UNROLL for (int i = 0; i < SN_M; i++) {
                SN_UNROLL for (int j = 0; j < SN_M; j++) {
                    if (i >= target->height || j >= target->width) y[i][j] = sn_lowest();
                }
            }
        }
        SN_UNROLL for (int i = 0; i < SN_M / 2; i++) {
            SN_UNROLL for (int j = 0; j < SN_M / 2; j++) {
                uint32_t right, low;
                const vf best = sn_greatest(y[2 * i][2 * j], y[2 * i][2 * j + 1], y[2 * i + 1][2 * j], y[2 * i + 1][2 * j + 1],
                                            &right, &low);
                words[i][j] |= (right | low << 16) << (s * SN_LANES);
                if (target->pooled[i] && 2 * j < target->width) {
                    vf_store(target->pooled[i] + j * 16 + s * SN_LANES, best);
                }
            }
        }
    }
    SN_UNROLL for (int i = 0; i < SN_M / 2; i++) {
        if (!pool || !target->indices[i]) continue;
        SN_UNROLL for (int j = 0; j < SN_M / 2; j++) {
            if (2 * j < target->width) target->indices[i][j] = words[i][j];
        }
    }
}

static void SN_W(sn_output)(const float *m, sn_size point_stride, sn_size columns, const sn_tile_grid *grid, sn_size tiles,
                            sn_size block, const sn_epilogue *epilogue) {
    const sn_map *out = &epilogue->out, *pooled = &epilogue->pooled;
    const sn_indices *indices = &epilogue->indices;
    const int pool = pooled->data != NULL;
    float spread[SN_M * SN_M * 16] __attribute__((aligned(64)));
    for (sn_size part = 0; part < columns / 16; part++) {
        const sn_size b = block + part;
        const float *bias = epilogue->bias + b * 16;
        sn_tile_walk at = sn_tile_at(grid, grid->first);
        sn_size offsets[SN_M], pooled_offsets[SN_M / 2], offsets_of = -1;
        for (sn_size t = 0; t < tiles; t++, sn_next_tile(&at)) {
            if (sn_is_dilated(grid)) {
                SN_W(sn_target) target = {.height = SN_M, .width = SN_M};
                SN_UNROLL for (int i = 0; i < SN_M; i++) target.out[i] = spread + i * SN_M * 16;
                SN_W(sn_output_tile)(m + t * columns + part * 16, point_stride, bias, epilogue->relu, &target, 0);
                sn_scatter_dilated(spread, out, out->data + b * out->block_stride, grid, sn_dilated_corner(grid, &at, SN_M), SN_M);
                continue;
            }
            const sn_size y = at.row * SN_M, x = at.column * SN_M;
            if (offsets_of != at.row) {
                if (out->data) sn_row_offsets(y, SN_M, grid->height, out->rows, out->width, offsets);
                if (pool) sn_row_offsets(y / 2, SN_M / 2, (grid->height + 1) / 2, pooled->rows, pooled->width, pooled_offsets);
                offsets_of = at.row;
            }
            SN_W(sn_target) target = {.height = grid->height - y, .width = grid->width - x};
            if (target.height <= 0 || target.width <= 0) continue;
            if (target.width > SN_M) target.width = SN_M;
            SN_UNROLL for (int i = 0; i < SN_M; i++) {
                if (out->data && offsets[i] >= 0) target.out[i] = out->data + b * out->block_stride + offsets[i] + x * 16;
            }
            SN_UNROLL for (int i = 0; i < SN_M / 2; i++) {
                if (!pool || pooled_offsets[i] < 0) continue;
                target.pooled[i] = pooled->data + b * pooled->block_stride + pooled_offsets[i] + x / 2 * 16;
                if (indices->data) target.indices[i] = indices->data + (b * indices->height + y / 2 + i) * indices->width + x / 2;
            }
            SN_W(sn_output_tile)(m + t * columns + part * 16, point_stride, bias, epilogue->relu, &target, pool);
        }
    }
}

#include "winograd_gradients.inc.h"

static const sn_winograd SN_W(sn_winograd) = {
    .tile = SN_M,
    .taps = SN_R,
    .points = SN_N,
    .weights = SN_W(sn_weights),
    .row_weights = SN_W(sn_row_weights),
    .row_input = SN_W(sn_row_input),
    .row_tiles = SN_W(sn_row_tiles),
    .input = SN_W(sn_input),
    .input_unpooled = SN_W(sn_input_unpooled),
    .output = SN_W(sn_output),
    .gradient = SN_W(sn_gradient),
    .weight_gradient = SN_W(sn_weight_gradient),
};

#undef SN_W
#undef SN_EXPAND
#undef SN_JOIN
#undef SN_N
#undef SN_M
#undef SN_R
