//  Element by element, in place if asked. Bound by memory.

#include "lines.inc.h"

static void sn_affine(const sn_map *in, const float *scale, const float *shift, int32_t relu, const sn_map *out, sn_size block,
                      sn_size first_row, sn_size last_row) {
    vf factor[SN_PARTS], term[SN_PARTS];
    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
        factor[p] = scale ? vf_load(scale + block * 16 + p * SN_LANES) : vf_set(1);
        term[p] = shift ? vf_load(shift + block * 16 + p * SN_LANES) : vf_zero();
    }
    for (sn_size y = first_row; y < last_row; y++) {
        const float *from = sn_row(in, block, y);
        float *to = sn_row(out, block, y);
        for (sn_size i = 0; i < out->width * 16; i += 16) {
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const vf x = vf_fma(vf_load(from + i + p * SN_LANES), factor[p], term[p]);
                vf_store(to + i + p * SN_LANES, relu ? vf_relu(x) : x);
            }
        }
    }
}

static void sn_add(const sn_map *a, const sn_map *b, int32_t relu, const sn_map *out, sn_size block, sn_size first_row,
                   sn_size last_row) {
    for (sn_size y = first_row; y < last_row; y++) {
        const float *left = sn_row(a, block, y), *right = sn_row(b, block, y);
        float *to = sn_row(out, block, y);
        for (sn_size i = 0; i < out->width * 16; i += SN_LANES) {
            const vf x = vf_load(left + i) + vf_load(right + i);
            vf_store(to + i, relu ? vf_relu(x) : x);
        }
    }
}
