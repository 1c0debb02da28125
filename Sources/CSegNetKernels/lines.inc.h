//  What the kernels of maps share: where a line of 16 channels lies, and the 2x2 window.

#ifndef SN_LINES_INC_H
#define SN_LINES_INC_H

#include <float.h>

#include "vector.inc.h"

SN_INLINE sn_size sn_least(sn_size a, sn_size b) { return a < b ? a : b; }
SN_INLINE sn_size sn_most(sn_size a, sn_size b) { return a > b ? a : b; }

// The first line of row y of a block. Whole maps need no division.
SN_INLINE float *sn_row(const sn_map *map, sn_size block, sn_size y) {
    const sn_size stored = y < map->rows ? y : y % map->rows;
    return map->data + block * map->block_stride + stored * map->width * 16;
}

// The taps [first, last) of a window of `taps` that starts at `start` and lie within 0..<size. Divides only at the border.
SN_INLINE void sn_clip(sn_size start, sn_size dilation, sn_size taps, sn_size size, sn_size *first, sn_size *last) {
    *first = start >= 0 ? 0 : sn_least(taps, (-start + dilation - 1) / dilation);
    if (start + (taps - 1) * dilation < size) {
        *last = taps;
    } else {
        *last = start >= size ? *first : sn_most(*first, (size - start + dilation - 1) / dilation);
    }
}

// -1 in the lanes below `count`, 0 in the others, for the vector whose first lane is `lane`.
SN_INLINE vi sn_lanes_below(sn_size count, sn_size lane) {
    vi index;
    SN_UNROLL for (int l = 0; l < SN_LANES; l++) index[l] = l;
    return index < (vi)(int32_t)sn_most(0, sn_least(count - lane, SN_LANES));
}

SN_INLINE vf sn_choose(vi chosen, vf a, vf b) { return chosen ? a : b; }

// The same bits as integers, and back.
SN_INLINE vi sn_bits(vf x) {
    vi bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}
SN_INLINE vf sn_from_bits(vi bits) {
    vf x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

SN_INLINE vf sn_lowest(void) { return vf_set(-FLT_MAX); }

// The maximum of a 2x2 window (a b over c d) by the rule of the contract; sn_lowest() stands for a value beyond the border.
// right and lower: bit l tells lane l's position.
SN_INLINE vf sn_greatest(vf a, vf b, vf c, vf d, uint32_t *right, uint32_t *lower) {
    vf best = vf_above(a, sn_lowest());
    const uint32_t b_wins = vf_greater_bits(b, best);
    best = vf_above(b, best);
    const uint32_t c_wins = vf_greater_bits(c, best);
    best = vf_above(c, best);
    const uint32_t d_wins = vf_greater_bits(d, best);
    *right = (b_wins & ~c_wins) | d_wins;
    *lower = c_wins | d_wins;
    return vf_above(d, best);
}

// The lanes whose maximum stood at (y, x) of their windows, as the low 16 bits of the result. y and x: any pixel, only parity counts.
SN_INLINE uint32_t sn_position_bits(uint32_t word, sn_size y, sn_size x) {
    const uint32_t right = word & 0xffff, lower = word >> 16;
    return (x & 1 ? right : ~right) & (y & 1 ? lower : ~lower) & 0xffff;
}

#endif
