//  Convolution around a GEMM: windows are gathered into the tile buffer (pack), products leave through the epilogue (store).
//
//  Packing is bound by memory and is paid once for all outputs. It costs one load and one store per line inside the map;
//  what lies outside is found once per window tap and run of pixels, not per pixel.

#include "lines.inc.h"

// The pixels of a micro tile that lie in one row of the output: buffer rows [first, first + count), from pixel (y, x) on.
typedef struct sn_run {
    sn_size first, count, y, x;
} sn_run;

// Cuts buffer rows [first, first + mr) into runs; returns their number, at most mr.
SN_INLINE sn_size sn_cut_into_runs(const sn_pixels *pixels, sn_size first, sn_size mr, sn_run *runs) {
    sn_size y = first / pixels->width, x = first % pixels->width, count = 0;
    for (sn_size t = 0; t < mr; y++, x = 0) {
        const sn_size length = sn_least(mr - t, pixels->width - x);
        runs[count++] = (sn_run){t, length, pixels->y + y, pixels->x + x};
        t += length;
    }
    return count;
}

// Walks a micro tile's depth lines in ascending order, across the borders of depth blocks.
typedef struct sn_cursor {
    float *line;      // row 0 of the micro tile on the current depth line
    sn_size left;     // lines left in the depth block, this one included
    sn_size start;    // first depth of the block
} sn_cursor;

SN_INLINE void sn_enter_block(sn_cursor *cursor, const sn_tiles *v, sn_size first) {
    const sn_size length = sn_least(v->depth_block, v->depth - cursor->start);
    cursor->line = v->data + cursor->start * v->tiles + first * length;
    cursor->left = length / 16;
}

SN_INLINE void sn_next_line(sn_cursor *cursor, const sn_tiles *v, sn_size first, sn_size mr) {
    cursor->line += mr * 16;
    if (--cursor->left == 0 && cursor->start + v->depth_block < v->depth) {
        cursor->start += v->depth_block;
        sn_enter_block(cursor, v, first);
    }
}

SN_INLINE void sn_zero_lines(float *to, sn_size count) {
    for (sn_size t = 0; t < count * SN_PARTS; t++) vf_store(to + t * SN_LANES, vf_zero());
}

// Both packs of blocked maps. `indices` is a constant NULL where the input is a plain map.
SN_INLINE void sn_pack_blocks(const sn_map *in, const sn_indices *indices, sn_size in_height, sn_size in_width,
                              const sn_window *window, const sn_pixels *pixels, const sn_tiles *v, sn_size micro,
                              sn_size first_block, sn_size last_block) {
    const sn_row_range rows = sn_rows_of_micro(v, micro);
    const sn_size first = rows.first, mr = rows.count;
    sn_run runs[SN_MICRO_TILE];
    const sn_size run_count = sn_cut_into_runs(pixels, first, mr, runs);
    sn_cursor cursor = {.start = 0};
    sn_enter_block(&cursor, v, first);

    for (sn_size i = 0; i < window->height; i++) {
        for (sn_size j = 0; j < window->width; j++) {
            // Where this tap reads for each run: input row y, columns x, x + stride_x, ... for the pixels [inside, outside).
            struct {
                sn_size y, x, inside, outside;
            } taps[SN_MICRO_TILE];
            for (sn_size r = 0; r < run_count; r++) {
                taps[r].y = runs[r].y * window->stride_y + window->origin_y + i * window->dilation_y;
                taps[r].x = runs[r].x * window->stride_x + window->origin_x + j * window->dilation_x;
                sn_clip(taps[r].x, window->stride_x, runs[r].count, in_width, &taps[r].inside, &taps[r].outside);
                if (taps[r].y < 0 || taps[r].y >= in_height) taps[r].outside = taps[r].inside;
            }
            for (sn_size block = first_block; block < last_block; block++) {
                for (sn_size r = 0; r < run_count; r++) {
                    float *to = cursor.line + runs[r].first * 16;
                    const sn_size inside = taps[r].inside, outside = taps[r].outside;
                    sn_zero_lines(to, inside);
                    sn_zero_lines(to + outside * 16, runs[r].count - outside);
                    if (inside == outside) continue;
                    if (indices) {
                        const sn_size y = taps[r].y;
                        const float *row = sn_row(in, block, y / 2);
                        const uint32_t *words = indices->data + (block * indices->height + y / 2) * indices->width;
                        for (sn_size t = inside; t < outside; t++) {
                            const sn_size x = taps[r].x + t * window->stride_x;
                            const uint32_t here = sn_position_bits(words[x / 2], y, x);
                            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                                const vf value = vf_load(row + x / 2 * 16 + p * SN_LANES);
                                vf_store(to + t * 16 + p * SN_LANES, vf_where_bits(here >> (p * SN_LANES), value));
                            }
                        }
                    } else {
                        const sn_size step = window->stride_x * 16;
                        const float *from = sn_row(in, block, taps[r].y) + (taps[r].x + inside * window->stride_x) * 16;
                        for (sn_size t = inside; t < outside; t++, from += step) {
                            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                                vf_store(to + t * 16 + p * SN_LANES, vf_load(from + p * SN_LANES));
                            }
                        }
                    }
                }
                sn_next_line(&cursor, v, first, mr);
            }
        }
    }
}

static void sn_pack(const sn_map *in, const sn_window *window, const sn_pixels *pixels, const sn_tiles *v, sn_size micro,
                    sn_size first_block, sn_size last_block) {
    sn_pack_blocks(in, NULL, in->height, in->width, window, pixels, v, micro, first_block, last_block);
}

static void sn_pack_unpooled(const sn_map *pooled, const sn_indices *indices, sn_size in_height, sn_size in_width,
                             const sn_window *window, const sn_pixels *pixels, const sn_tiles *v, sn_size micro,
                             sn_size first_block, sn_size last_block) {
    sn_pack_blocks(pooled, indices, in_height, in_width, window, pixels, v, micro, first_block, last_block);
}

// ---- thin maps

// Windows of at most SN_PATCH floats are put together in patches, as many at a time as fit SN_PATCHES; 7x7 taps of 15 channels do.
#define SN_PATCH 768
#define SN_PATCHES 2048

SN_INLINE void sn_append(float *to, const float *from, sn_size count) {
    for (sn_size d = 0; d < count; d++) to[d] = from[d];
}

SN_INLINE void sn_append_zeros(float *to, sn_size count) {
    for (sn_size d = 0; d < count; d++) to[d] = 0;
}

// A window that lies inside a thin map, with room after it: rows are copied by whole vectors in ascending order, so that what
// one row wrote too far is overwritten by the next, or by the zeros up to `depth`.
SN_INLINE void sn_patch_inside(const float *from, sn_size row_step, sn_size rows, sn_size row_floats, float *patch, sn_size depth) {
    float *to = patch;
    for (sn_size i = 0; i < rows; i++, to += row_floats, from += row_step) {
        for (sn_size d = 0; d < row_floats; d += SN_LANES) vf_storeu(to + d, vf_loadu(from + d));
    }
    for (; to < patch + depth; to += SN_LANES) vf_storeu(to, vf_zero());
}

// A window that may reach beyond the map.
static void sn_patch_at_border(const sn_thin *in, const sn_window *window, sn_size top, sn_size left, float *patch, sn_size depth) {
    const sn_size channels = in->channels, row_floats = window->width * channels;
    sn_size first, last;
    sn_clip(left, 1, window->width, in->width, &first, &last);
    float *to = patch;
    for (sn_size i = 0; i < window->height; i++, to += row_floats) {
        const sn_size y = top + i * window->dilation_y;
        if (y < 0 || y >= in->height || first == last) {
            sn_append_zeros(to, row_floats);
        } else {
            sn_append_zeros(to, first * channels);
            sn_append(to + first * channels, in->data + (y * in->width + left + first) * channels, (last - first) * channels);
            sn_append_zeros(to + last * channels, (window->width - last) * channels);
        }
    }
    sn_append_zeros(to, patch + depth - to);
}

// Any window, one value after the other.
SN_INLINE float sn_thin_value(const sn_thin *in, const sn_window *window, sn_size top, sn_size left, sn_size d) {
    const sn_size tap = d / in->channels;
    const sn_size y = top + tap / window->width * window->dilation_y, x = left + tap % window->width * window->dilation_x;
    if (tap >= window->height * window->width || y < 0 || y >= in->height || x < 0 || x >= in->width) return 0;
    return in->data[(y * in->width + x) * in->channels + d % in->channels];
}

static void sn_pack_thin(const sn_thin *in, const sn_window *window, const sn_pixels *pixels, const sn_tiles *v, sn_size micro) {
    const sn_row_range rows = sn_rows_of_micro(v, micro);
    const sn_size first = rows.first, mr = rows.count;
    const sn_size channels = in->channels, row_floats = window->width * channels, depth = v->depth;
    const int fits = depth <= SN_PATCH && (window->dilation_x == 1 || window->width == 1);

    // Where a window inside the map begins at the latest: its last row is read by whole vectors, which must end with the map.
    const sn_size row_step = window->dilation_y * in->width * channels;
    const sn_size below = (window->height - 1) * window->dilation_y;
    const sn_size read = (row_floats + SN_LANES - 1) / SN_LANES * SN_LANES;
    const sn_size latest = in->height * in->width * channels - read - below * in->width * channels;

    // A line is read long after the stores that made it, which are not aligned to it and would have to be waited for.
    _Alignas(64) float patches[SN_PATCHES + 16];
    const sn_size patch_step = depth + 16;
    const sn_size group = fits ? sn_least(mr, SN_PATCHES / patch_step) : mr;
    sn_size y = pixels->y + first / pixels->width, x = pixels->x + first % pixels->width;
    for (sn_size t = 0; t < mr; t += group) {
        const sn_size count = sn_least(group, mr - t);
        sn_size top[SN_MICRO_TILE], left[SN_MICRO_TILE];
        for (sn_size g = 0; g < count; g++) {
            top[g] = y * window->stride_y + window->origin_y;
            left[g] = x * window->stride_x + window->origin_x;
            const sn_size start = (top[g] * in->width + left[g]) * channels;
            const int inside = top[g] >= 0 && top[g] + below < in->height && left[g] >= 0
                && left[g] + window->width <= in->width && start <= latest;
            if (fits && inside) {
                const float *from = in->data + start;
                float *patch = patches + g * patch_step;
                // The first layers of SegNet and SegNet-Basic, with loops that the compiler unrolls.
                if (window->height == 3 && row_floats == 9 && depth == 32) {
                    sn_patch_inside(from, row_step, 3, 9, patch, 32);
                } else if (window->height == 7 && row_floats == 21 && depth == 160) {
                    sn_patch_inside(from, row_step, 7, 21, patch, 160);
                } else {
                    sn_patch_inside(from, row_step, window->height, row_floats, patch, depth);
                }
            } else if (fits) {
                sn_patch_at_border(in, window, top[g], left[g], patches + g * patch_step, depth);
            }
            if (++x == pixels->x + pixels->width) {
                x = pixels->x;
                y++;
            }
        }
        sn_cursor cursor = {.start = 0};
        sn_enter_block(&cursor, v, first);
        for (sn_size d = 0; d < depth; d += 16) {
            for (sn_size g = 0; g < count; g++) {
                float *to = cursor.line + (t + g) * 16;
                if (fits) {
                    const float *line = patches + g * patch_step + d;
                    SN_UNROLL for (int p = 0; p < SN_PARTS; p++) vf_store(to + p * SN_LANES, vf_load(line + p * SN_LANES));
                } else {
                    for (sn_size l = 0; l < 16; l++) to[l] = sn_thin_value(in, window, top[g], left[g], d + l);
                }
            }
            sn_next_line(&cursor, v, first, mr);
        }
    }
}

// ---- the epilogue

SN_INLINE vf sn_finish(vf sum, vf bias, int32_t relu) {
    const vf x = sum + bias;
    return relu ? vf_relu(x) : x;
}

// Stores two rows of products, or one if `rows` is 1, pooled and, if wanted, as they are.
SN_INLINE void sn_store_pooled(const float *m, sn_size columns, const sn_pixels *pixels, sn_size block, const float *bias,
                               const sn_epilogue *epilogue) {
    const sn_map *out = &epilogue->out, *pooled = &epilogue->pooled;
    const sn_indices *indices = &epilogue->indices;
    const sn_size width = pixels->width, rows = pixels->count / width, y = pixels->y / 2;
    float *to = sn_row(pooled, block, y) + pixels->x / 2 * 16;
    uint32_t *words = indices->data ? indices->data + (block * indices->height + y) * indices->width + pixels->x / 2 : NULL;
    float *above = out->data ? sn_row(out, block, pixels->y) + pixels->x * 16 : NULL;
    float *below = out->data && rows > 1 ? sn_row(out, block, pixels->y + 1) + pixels->x * 16 : NULL;
    for (sn_size x = 0; x < width; x += 2) {
        const int has_right = x + 1 < width;
        const float *upper = m + x * columns, *lower = m + (width + x) * columns;
        uint32_t rights = 0, lowers = 0;
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const int lane = p * SN_LANES;
            const vf shift = vf_load(bias + lane);
            const int32_t relu = epilogue->relu;
            const vf a = sn_finish(vf_load(upper + lane), shift, relu);
            const vf b = has_right ? sn_finish(vf_load(upper + columns + lane), shift, relu) : sn_lowest();
            const vf c = rows > 1 ? sn_finish(vf_load(lower + lane), shift, relu) : sn_lowest();
            const vf d = rows > 1 && has_right ? sn_finish(vf_load(lower + columns + lane), shift, relu) : sn_lowest();
            uint32_t right_bits, lower_bits;
            vf_store(to + x / 2 * 16 + lane, sn_greatest(a, b, c, d, &right_bits, &lower_bits));
            rights |= right_bits << lane;
            lowers |= lower_bits << lane;
            if (above) {
                vf_store(above + x * 16 + lane, a);
                if (has_right) vf_store(above + (x + 1) * 16 + lane, b);
            }
            if (below) {
                vf_store(below + x * 16 + lane, c);
                if (has_right) vf_store(below + (x + 1) * 16 + lane, d);
            }
        }
        if (words) words[x / 2] = rights | lowers << 16;
    }
}

static void sn_store(const float *m, sn_size columns, const sn_pixels *pixels, sn_size block, const sn_epilogue *epilogue) {
    for (sn_size part = 0; part < columns / 16; part++, m += 16) {
        const float *bias = epilogue->bias + (block + part) * 16;
        if (epilogue->pooled.data) {
            sn_store_pooled(m, columns, pixels, block + part, bias, epilogue);
            continue;
        }
        for (sn_size row = 0; row * pixels->width < pixels->count; row++) {
            float *to = sn_row(&epilogue->out, block + part, (pixels->y + row) * pixels->step_y + pixels->offset_y)
                + (pixels->x * pixels->step_x + pixels->offset_x) * 16;
            const float *from = m + row * pixels->width * columns;
            for (sn_size x = 0; x < pixels->width; x++, from += columns, to += pixels->step_x * 16) {
                SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                    const int lane = p * SN_LANES;
                    vf_store(to + lane, sn_finish(vf_load(from + lane), vf_load(bias + lane), epilogue->relu));
                }
            }
        }
    }
}

// ---- depthwise

// The part of a window that lies inside the map.
typedef struct sn_inside {
    sn_size first_i, last_i, first_j, last_j;
} sn_inside;

// `count` (a constant) neighbouring outputs whose windows have the same part inside. Weights are loaded once for all of them.
SN_INLINE void sn_depthwise_pixels(const sn_map *in, const sn_window *window, const sn_inside *inside, sn_size block, sn_size top,
                                   sn_size left, const float *weights, const float *bias, int32_t relu, float *to, const int count) {
    vf sum[4][SN_PARTS];
    SN_UNROLL for (int t = 0; t < count; t++) {
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) sum[t][p] = vf_zero();
    }
    for (sn_size i = inside->first_i; i < inside->last_i; i++) {
        const float *row = sn_row(in, block, top + i * window->dilation_y);
        for (sn_size j = inside->first_j; j < inside->last_j; j++) {
            const float *line = row + (left + j * window->dilation_x) * 16;
            const float *weight = weights + (i * window->width + j) * 16;
            SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
                const vf w = vf_load(weight + p * SN_LANES);
                SN_UNROLL for (int t = 0; t < count; t++) {
                    sum[t][p] = vf_fma(vf_load(line + t * window->stride_x * 16 + p * SN_LANES), w, sum[t][p]);
                }
            }
        }
    }
    SN_UNROLL for (int t = 0; t < count; t++) {
        SN_UNROLL for (int p = 0; p < SN_PARTS; p++) {
            const int lane = p * SN_LANES;
            vf_store(to + t * 16 + lane, sn_finish(sum[t][p], vf_load(bias + lane), relu));
        }
    }
}

static void sn_depthwise(const sn_map *in, const sn_window *window, const float *weights, sn_size block, sn_size first_row,
                         sn_size last_row, const sn_epilogue *epilogue) {
    const sn_map *out = &epilogue->out;
    const float *bias = epilogue->bias + block * 16;
    const sn_size reach = (window->width - 1) * window->dilation_x;
    weights += block * window->height * window->width * 16;
    for (sn_size y = first_row; y < last_row; y++) {
        const sn_size top = y * window->stride_y + window->origin_y;
        sn_inside inside;
        sn_clip(top, window->dilation_y, window->height, in->height, &inside.first_i, &inside.last_i);
        float *to = sn_row(out, block, y);
        for (sn_size x = 0; x < out->width;) {
            const sn_size left = x * window->stride_x + window->origin_x;
            sn_clip(left, window->dilation_x, window->width, in->width, &inside.first_j, &inside.last_j);
            if (x + 4 <= out->width && left >= 0 && left + 3 * window->stride_x + reach < in->width) {
                sn_depthwise_pixels(in, window, &inside, block, top, left, weights, bias, epilogue->relu, to + x * 16, 4);
                x += 4;
            } else {
                sn_depthwise_pixels(in, window, &inside, block, top, left, weights, bias, epilogue->relu, to + x * 16, 1);
                x += 1;
            }
        }
    }
}
