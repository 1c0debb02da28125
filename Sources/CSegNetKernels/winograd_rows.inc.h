//  A Winograd algorithm in one dimension, along the rows of a picture. Part of winograd.inc.h.

static void SN_W(sn_row_weights)(const float *packed, sn_size columns, float *u) {
    const sn_size point_step = SN_R * SN_RGB * columns;
    for (sn_size i = 0; i < SN_R; i++) {
        for (sn_size c = 0; c < SN_RGB; c++) {
            const float *from = packed + (i * SN_R * SN_RGB + c) * columns;
            float *to = u + (i * SN_RGB + c) * columns;
            for (sn_size lane = 0; lane < columns; lane += SN_LANES) {
                vf g[SN_R], o[SN_N];
                SN_UNROLL for (int j = 0; j < SN_R; j++) g[j] = vf_load(from + j * SN_RGB * columns + lane);
                SN_W(sn_weight_transform)(g, o);
                SN_UNROLL for (int p = 0; p < SN_N; p++) vf_store(to + p * point_step + lane, o[p]);
            }
        }
    }
}

static void SN_W(sn_row_input)(const float *phases, sn_size phase_step, sn_size floats, float *v, sn_size point_step) {
    for (sn_size f = 0; f < floats; f += SN_LANES) {
        vf d[SN_N], o[SN_N];
        SN_UNROLL for (int k = 0; k < SN_N; k++) d[k] = vf_loadu(phases + k % SN_M * phase_step + k / SN_M * SN_RGB + f);
        SN_W(sn_input_transform)(d, o);
        SN_UNROLL for (int p = 0; p < SN_N; p++) vf_storeu(v + p * point_step + f, o[p]);
    }
}

// The sums of a micro tile's points stay in the first-level cache until they are transformed back.
static void SN_W(sn_row_tiles)(const float *v, sn_size point_step, sn_size row_step, sn_size tiles, const float *u, sn_size columns,
                               float *products) {
    float m[SN_N * SN_MICRO_TILE * SN_PANEL] __attribute__((aligned(64)));
    const sn_size m_step = SN_MICRO_TILE * columns;
    for (sn_size first = 0; first < tiles; first += SN_MICRO_TILE) {
        for (sn_size p = 0; p < SN_N; p++) {
            (columns == 16 ? sn_row_micro_16 : sn_row_micro_panel)(v + p * point_step + first * SN_RGB, row_step, SN_R, SN_RGB,
                                                                   u + p * SN_R * SN_RGB * columns, m + p * m_step);
        }
        float *to = products + first * SN_M * columns;
        for (sn_size t = 0; t < SN_MICRO_TILE; t++, to += SN_M * columns) {
            for (sn_size lane = 0; lane < columns; lane += SN_LANES) {
                vf d[SN_N], o[SN_M];
                SN_UNROLL for (int p = 0; p < SN_N; p++) d[p] = vf_load(m + p * m_step + t * columns + lane);
                SN_W(sn_output_transform)(d, o);
                SN_UNROLL for (int j = 0; j < SN_M; j++) vf_store(to + j * columns + lane, o[j]);
            }
        }
    }
}
