//  A Winograd algorithm's transforms for the gradient of the weights. Part of winograd.inc.h.

// Rows a and b of D = A dY A^T, for one vector of lanes of a tile whose rows start at rows[0...m-1].
SN_INLINE void SN_W(sn_gradient_rows)(const float *const *rows, const int a, const int b, float *d, sn_size point_stride) {
    vf upper[SN_M], lower[SN_M], result[SN_N];
    SN_UNROLL for (int j = 0; j < SN_M; j++) {
        vf y[SN_M], o[SN_N];
        SN_UNROLL for (int i = 0; i < SN_M; i++) y[i] = vf_load(rows[i] + j * 16);
        SN_W(sn_gradient_transform)(y, o);
        upper[j] = o[a];
        lower[j] = o[b];
    }
    SN_W(sn_gradient_transform)(upper, result);
    SN_UNROLL for (int j = 0; j < SN_N; j++) vf_store(d + (a * SN_N + j) * point_stride, result[j]);
    SN_W(sn_gradient_transform)(lower, result);
    SN_UNROLL for (int j = 0; j < SN_N; j++) vf_store(d + (b * SN_N + j) * point_stride, result[j]);
}

static SN_NOINLINE void SN_W(sn_gradient_tile)(const float *const *tile, float *d, sn_size point_stride) {
    const float *rows[SN_M];
    for (int s = 0; s < SN_PARTS; s++) {
        SN_UNROLL for (int i = 0; i < SN_M; i++) {
            rows[i] = tile[i] + s * SN_LANES;
            if (s == 0) __builtin_prefetch(tile[i] + SN_M * 16);
        }
        SN_W(sn_gradient_rows)(rows, 0, SN_N - 1, d + s * SN_LANES, point_stride);
        SN_UNROLL for (int pair = 1; pair + 2 < SN_N; pair += 2) {
            SN_W(sn_gradient_rows)(rows, pair, pair + 1, d + s * SN_LANES, point_stride);
        }
    }
}

static void SN_W(sn_gradient)(const sn_map *gradient, const sn_tile_grid *grid, sn_size tiles, sn_size block, sn_size columns,
                              float *d, sn_size point_stride) {
    static const float zeros[SN_M * 16] __attribute__((aligned(64)));
    float edge[SN_M * SN_M * 16] __attribute__((aligned(64)));
    for (sn_size part = 0; part < columns / 16; part++) {
        const float *plane = gradient->data + (block + part) * gradient->block_stride;
        sn_tile_walk at = sn_tile_at(grid, grid->first);
        sn_size offsets[SN_M], offsets_of = -1;
        for (sn_size t = 0; t < tiles; t++, sn_next_tile(&at)) {
            const float *tile[SN_M];
            if (sn_is_dilated(grid)) {
                sn_gather_dilated(gradient, plane, grid, sn_dilated_corner(grid, &at, SN_M), SN_M, edge);
                for (int i = 0; i < SN_M; i++) tile[i] = edge + i * SN_M * 16;
                SN_W(sn_gradient_tile)(tile, d + t * columns + part * 16, point_stride);
                continue;
            }
            if (offsets_of != at.row) {
                sn_row_offsets(at.row * SN_M, SN_M, gradient->height, gradient->rows, gradient->width, offsets);
                offsets_of = at.row;
            }
            const sn_size x = at.column * SN_M, inside = gradient->width - x;
            for (int i = 0; i < SN_M; i++) {
                tile[i] = offsets[i] < 0 ? zeros : plane + offsets[i] + x * 16;
                if (offsets[i] < 0 || inside >= SN_M) continue;
                float *row = edge + i * SN_M * 16;
                __builtin_memset(row, 0, SN_M * 64);
                __builtin_memcpy(row, tile[i], (size_t)inside * 64);
                tile[i] = row;
            }
            SN_W(sn_gradient_tile)(tile, d + t * columns + part * 16, point_stride);
        }
    }
}

static void SN_W(sn_weight_gradient)(const float *u, sn_size point_stride, sn_size columns, sn_size first, sn_size last,
                                     float *packed) {
    for (sn_size channel = first; channel < last; channel++, u += columns) {
        for (int s = 0; s < SN_PARTS; s++) {
            vf passed[SN_R][SN_N];
            SN_UNROLL for (int j = 0; j < SN_N; j++) {
                vf d[SN_N], o[SN_R];
                SN_UNROLL for (int i = 0; i < SN_N; i++) d[i] = vf_load(u + (i * SN_N + j) * point_stride + s * SN_LANES);
                SN_W(sn_weight_gradient_transform)(d, o);
                SN_UNROLL for (int i = 0; i < SN_R; i++) passed[i][j] = o[i];
            }
            SN_UNROLL for (int i = 0; i < SN_R; i++) {
                vf o[SN_R];
                SN_W(sn_weight_gradient_transform)(passed[i], o);
                SN_UNROLL for (int j = 0; j < SN_R; j++) {
                    float *to = packed + (channel * SN_R * SN_R + i * SN_R + j) * 16 + s * SN_LANES;
                    vf_store(to, vf_load(to) + o[j]);
                }
            }
        }
    }
}
