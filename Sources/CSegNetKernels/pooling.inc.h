//  Max pooling and its inverse, unpooling: SegNet's pair. Memory-bound: each line is read and written once.

#include "lines.inc.h"

// Pools the lines of one window. `below`, and the second column, count only if they exist; `word` gets the positions.
SN_INLINE void sn_pool_lines(const float *above, const float *below, int has_right, float *out, uint32_t *word) {
    uint32_t rights = 0, lowers = 0;
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
        const int lane = p * SN_LANES;
        const vf b = has_right ? vf_load(above + 16 + lane) : sn_lowest();
        const vf c = below ? vf_load(below + lane) : sn_lowest();
        const vf d = below && has_right ? vf_load(below + 16 + lane) : sn_lowest();
        uint32_t right, lower;
        vf_store(out + lane, sn_greatest(vf_load(above + lane), b, c, d, &right, &lower));
        rights |= right << lane;
        lowers |= lower << lane;
    }
    *word = rights | lowers << 16;
}

static void sn_max_pool_2x2(const sn_map *in, const sn_map *out, const sn_indices *indices, sn_size block, sn_size first_row,
                            sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const float *above = sn_row(in, block, 2 * y);
        const float *below = 2 * y + 1 < in->height ? sn_row(in, block, 2 * y + 1) : NULL;
        float *to = sn_row(out, block, y);
        uint32_t *words = indices->data ? indices->data + (block * indices->height + y) * indices->width : NULL;
        for (sn_size x = 0; x < out->width; x++) {
            const int has_right = 2 * x + 1 < in->width;
            uint32_t word;
            if (below && has_right) {
                sn_pool_lines(above + x * 32, below + x * 32, 1, to + x * 16, &word);
            } else {
                sn_pool_lines(above + x * 32, below ? below + x * 32 : NULL, has_right, to + x * 16, &word);
            }
            if (words) words[x] = word;
        }
    }
}

static void sn_max_pool(const sn_map *in, const sn_window *window, const sn_map *out, sn_size block, sn_size first_row,
                        sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const sn_size top = y * window->stride_y + window->origin_y;
        sn_size first_i, last_i;
        sn_clip(top, window->dilation_y, window->height, in->height, &first_i, &last_i);
        float *to = sn_row(out, block, y);
        for (sn_size x = 0; x < out->width; x++) {
            const sn_size left = x * window->stride_x + window->origin_x;
            sn_size first_j, last_j;
            sn_clip(left, window->dilation_x, window->width, in->width, &first_j, &last_j);
            vf best[SN_PARTS];
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) best[p] = sn_lowest();
            for (sn_size i = first_i; i < last_i; i++) {
                const float *row = sn_row(in, block, top + i * window->dilation_y);
                for (sn_size j = first_j; j < last_j; j++) {
                    const float *line = row + (left + j * window->dilation_x) * 16;
                    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) best[p] = vf_above(vf_load(line + p * SN_LANES), best[p]);
                }
            }
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) vf_store(to + x * 16 + p * SN_LANES, best[p]);
        }
    }
}

static void sn_unpool_2x2(const sn_map *pooled, const sn_indices *indices, const sn_map *out, sn_size block, sn_size first_row,
                          sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(pooled, block, y / 2);
        const uint32_t *words = indices->data + (block * indices->height + y / 2) * indices->width;
        float *to = sn_row(out, block, y);
        for (sn_size x = 0; x < out->width; x++) {
            const uint32_t here = sn_position_bits(words[x / 2], y, x);
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const int lane = p * SN_LANES;
                vf_store(to + x * 16 + lane, vf_where(vm_from_bits(here, lane), vf_load(from + x / 2 * 16 + lane)));
            }
        }
    }
}
