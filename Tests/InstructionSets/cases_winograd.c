//  The Winograd algorithms: each in two dimensions as a convolution and as its gradient, and in one along a picture's rows.

#include "cases.h"

enum { channels = 32, outputs = 16 };

// The error allowed for results with a deviation of about 1 from each of two tables: twice the contract's error of the algorithm.
static double tolerance(const sn_winograd *w) {
    if (w->tile == 4 && w->taps == 3) return 2e-5;
    if (w->tile == 4 && w->taps == 7) return 4e-4;
    return 1e-4;
}

typedef struct layer {
    sn_tile_grid grid;
    sn_size tiles, point_stride, u_stride, m_stride;  // strides with a gap behind each point
    sn_tiles v;
    float *u, *m;
} layer;

static sn_size tiles_of(const sn_winograd *w, sn_size size, sn_size dilation) {
    return ((size + dilation - 1) / dilation + w->tile - 1) / w->tile;
}

static layer dilated_layer(const sn_winograd *w, sn_size height, sn_size width, sn_size padding_y, sn_size padding_x, sn_size dilation) {
    const sn_size across = tiles_of(w, width, dilation), down = tiles_of(w, height, dilation);
    layer l = {.grid = {across, 0, padding_y, padding_x, height, width, dilation, dilation, down}};
    const sn_size points = w->points * w->points;
    l.tiles = across * down * dilation * dilation;
    l.point_stride = l.tiles * channels + 16;
    l.u_stride = channels * outputs + 16;
    l.m_stride = l.tiles * outputs + 16;
    l.v = (sn_tiles){floats(points * l.point_stride, NULL, 0), l.tiles, channels, 16};
    l.u = floats(points * l.u_stride, NULL, 0);
    l.m = floats(points * l.m_stride, NULL, 0);
    return l;
}

static layer layer_of(const sn_winograd *w, sn_size height, sn_size width, sn_size padding_y, sn_size padding_x) {
    return dilated_layer(w, height, width, padding_y, padding_x, 1);
}

static sn_tiles at_point(const layer *l, sn_size point) {
    sn_tiles v = l->v;
    v.data += point * l->point_stride;
    return v;
}

// Weights with deviation sqrt(2 / (taps * channels)), as a network starts; as float32 or float16.
static const void *packed_weights(const sn_kernels *k, const sn_winograd *w, int half) {
    const sn_size area = w->taps * w->taps, count = channels * area * 16;
    float *packed = floats(count, bell, 100);
    const float deviation = 1 / (float)w->taps / 4;
    for (sn_size i = 0; i < count; i++) packed[i] *= deviation;
    uint16_t *halves = guarded((size_t)count * sizeof *halves);
    k->narrow(packed, halves, count);
    return half ? (const void *)halves : packed;
}

static void transform_weights(const sn_kernels *k, const sn_winograd *w, const layer *l, int half) {
    const void *packed = packed_weights(k, w, half);
    // In two ranges of channels and, from the second row of points on, in pairs of rows or single ones.
    for (sn_size row = 0; row < w->points;) {
        const sn_size last = row == 0 ? 1 : row + 3 < w->points ? row + 3 : w->points;
        for (sn_size first = 0; first < channels; first += channels / 2) {
            w->weights(packed, half, first, first + channels / 2, row, last, l->u + row * w->points * l->u_stride + first * outputs,
                       l->u_stride, outputs);
        }
        row = last;
    }
}

static void multiply(const sn_kernels *k, const sn_winograd *w, const layer *l) {
    for (sn_size point = 0; point < w->points * w->points; point++) {
        const sn_tiles v = at_point(l, point);
        k->gemm(&v, l->u + point * l->u_stride, outputs, l->m + point * l->m_stride);
    }
}

// 1 for each gap behind a point that was written to.
static void record_gaps(const char *what, const float *data, sn_size points, sn_size stride) {
    double written = 0;
    for (sn_size point = 0; point < points; point++) {
        for (sn_size i = (point + 1) * stride - 16; i < (point + 1) * stride; i++) written += data[i] == data[i];
    }
    record(what, &written, 1, 0, 0);
}

// Stored, then stored and pooled with ReLU, then pooled alone.
static void record_outputs(const sn_winograd *w, const layer *l) {
    const sn_size height = l->grid.height, width = l->grid.width;
    float *bias = floats(outputs, uniform, 101);
    bias[1] = -100;  // all zeros after ReLU: ties
    bias[2] = __builtin_nanf("");
    bias[3] = -__builtin_inff();
    for (int kind = 0; kind < 3; kind++) {
        const sn_map out = blocked(outputs, height, width, NULL, 0), pooled = blocked(outputs, (height + 1) / 2, (width + 1) / 2, NULL, 0);
        const sn_indices places = indices(1, height, width, 0, 0);
        const sn_epilogue epilogue = {bias, kind > 0, kind < 2 ? out : no_map, kind > 0 ? pooled : no_map,
                                      kind > 0 ? places : no_indices};
        w->output(l->m, l->m_stride, outputs, &l->grid, l->tiles, 0, &epilogue);
        if (kind < 2) record_map("the convolution", &out, outputs, tolerance(w), 0);
        if (kind == 0) continue;
        record_map("pooled", &pooled, outputs, tolerance(w), 0);
        // Positions of near ties may differ between tables; the value at each must be the maximum, and the bias alone decides two lanes.
        for (sn_size i = 0; kind == 1 && i < places.height * places.width; i++) {
            for (sn_size lane = 0; lane < 16; lane++) {
                const sn_size y = i / places.width * 2 + (places.data[i] >> (16 + lane) & 1);
                const sn_size x = i % places.width * 2 + (places.data[i] >> lane & 1);
                const float there = y < height && x < width ? out.data[(y * width + x) * 16 + lane] : 0;
                // NaN never wins: the first position.
                const double right = lane == 2 ? (places.data[i] >> lane & 0x10001) == 0 : there == pooled.data[i * 16 + lane];
                record("the value at its index", &right, 1, 0, 0);
                if (lane == 1) record_words("ties", &(uint32_t){places.data[i] >> lane & 0x10001}, 1);
            }
        }
    }
    record_gaps("gaps of products", l->m, w->points * w->points, l->m_stride);
}

// Sizes around those of a tile.
static void sizes_of(const sn_winograd *w, int i, sn_size *height, sn_size *width) {
    const sn_size m = w->tile;
    const sn_size all[][2] = {{1, 1}, {m - 1, m + 1}, {m, m}, {m + 1, 2 * m - 1}, {2 * m + 1, 2 * m}, {3 * m + 2, 4 * m + 1}};
    *height = all[i][0];
    *width = all[i][1];
}

// A dilated window: tiles of several phases, and phases that are smaller than a tile.
static void dilated_forward(const sn_kernels *k, const sn_winograd *w) {
    for (int i = 0; i < 6; i++) {
        sn_size height, width;
        sizes_of(w, i, &height, &width);
        const sn_size dilation = 2 + i % 3;
        const layer l = dilated_layer(w, height, width, (w->taps / 2) * dilation, i, dilation);
        const sn_map in = blocked(channels, height, width, rectified, 110 + i), out = blocked(outputs, height, width, NULL, 0);
        for (sn_size micro = 0; micro < micro_tiles(k, l.tiles); micro++) {
            w->input(&in, &l.grid, &l.v, l.point_stride, micro, 0, 2);
        }
        transform_weights(k, w, &l, 0);
        multiply(k, w, &l);
        const sn_epilogue epilogue = {floats(outputs, uniform, 112), 1, out, no_map, no_indices};
        w->output(l.m, l.m_stride, outputs, &l.grid, l.tiles, 0, &epilogue);
        record_map("the dilated convolution", &out, outputs, tolerance(w), 0);
        record_gaps("gaps of products", l.m, w->points * w->points, l.m_stride);
        record_gaps("gaps of inputs", l.v.data, w->points * w->points, l.point_stride);
    }
}

void case_winograd_forward(const sn_kernels *k, const sn_winograd *w) {
    for (int i = 0; i < 12; i++) {
        sn_size height, width;
        sizes_of(w, i % 6, &height, &width);
        const sn_size top = i % w->taps, left = i < 6 ? w->taps / 2 : 0;
        const layer l = layer_of(w, height, width, top, left);
        const sn_map in = blocked(channels, height, width, rectified, 102 + i);
        for (sn_size micro = 0; micro < micro_tiles(k, l.tiles); micro++) {
            w->input(&in, &l.grid, &l.v, l.point_stride, micro, 0, 1);
            w->input(&in, &l.grid, &l.v, l.point_stride, micro, 1, 2);
        }
        transform_weights(k, w, &l, i % 2);
        multiply(k, w, &l);
        record_outputs(w, &l);
        record_gaps("gaps of inputs", l.v.data, w->points * w->points, l.point_stride);
        record_gaps("gaps of weights", l.u, w->points * w->points, l.u_stride);
    }
    dilated_forward(k, w);
}

void case_winograd_unpooled(const sn_kernels *k, const sn_winograd *w) {
    for (int i = 0; i < 6; i++) {
        sn_size height, width;
        sizes_of(w, i, &height, &width);
        if (height == 0) continue;
        const layer l = layer_of(w, height, width, 1, w->taps > 3 ? 3 : 1);
        const sn_map pooled = blocked(channels, (height + 1) / 2, (width + 1) / 2, rectified, 103 + i);
        const sn_indices places = indices(2, height, width, 1, 104);
        for (sn_size micro = 0; micro < micro_tiles(k, l.tiles); micro++) {
            w->input_unpooled(&pooled, &places, &l.grid, &l.v, l.point_stride, micro, 0, 2);
        }
        transform_weights(k, w, &l, 0);
        multiply(k, w, &l);
        record_outputs(w, &l);
    }
}

void case_winograd_gradient(const sn_kernels *k, const sn_winograd *w) {
    const sn_size points = w->points * w->points, area = w->taps * w->taps;
    for (int i = 0; i < 12; i++) {
        sn_size height, width;
        sizes_of(w, i % 6, &height, &width);
        const sn_size dilation = i < 6 ? 1 : 2 + i % 3;
        const layer l = dilated_layer(w, height, width, w->taps / 2 * dilation, w->taps / 2, dilation);
        const sn_map in = blocked(channels, height, width, uniform, 105 + i), gradient = blocked(48, height, width, uniform, 106 + i);
        for (sn_size micro = 0; micro < micro_tiles(k, l.tiles); micro++) {
            w->input(&in, &l.grid, &l.v, l.point_stride, micro, 0, 2);
        }
        float *d = l.m;
        w->gradient(&gradient, &l.grid, l.tiles, 1, outputs, d, l.m_stride);
        for (sn_size point = 0; point < points; point++) {
            const sn_tiles v = at_point(&l, point);
            k->gemm_outer(&v, 0, 2, d + point * l.m_stride, outputs, 0, l.u + point * l.u_stride);
        }
        float *packed = floats(channels * area * 16, whole, 107);
        w->weight_gradient(l.u, l.u_stride, outputs, 0, channels / 2, packed);
        w->weight_gradient(l.u + channels / 2 * outputs, l.u_stride, outputs, channels / 2, channels, packed);
        const double deviation = __builtin_sqrt((double)(height * width)) / 3;
        record_floats("the weights' gradient", packed, channels * area * 16, tolerance(w) * (deviation > 1 ? deviation : 1), 0);
        record_gaps("gaps of gradients", d, points, l.m_stride);
        record_gaps("gaps of products", l.u, points, l.u_stride);
    }
}

void case_winograd_rows(const sn_kernels *k, const sn_winograd *w) {
    const sn_size m = w->tile, r = w->taps, n = w->points, columns = 16;
    for (sn_size width = 1; width <= 6 * m + 3; width += 2 * m + 1) {
        const sn_size tiles = micro_tiles(k, (width + m - 1) / m) * k->micro_tile;
        const sn_thin picture = thin(3, r, width, uniform, 108);
        const sn_size phase_step = (tiles * 3 + 3 * (n / m) + k->lanes + 15) / 16 * 16;
        const sn_size point_step = (tiles * 3 + k->lanes + 15) / 16 * 16;
        float *phases = floats(m * phase_step, NULL, 0), *v = floats(r * n * point_step, NULL, 0);
        for (sn_size row = 0; row < r; row++) {
            k->row_fetch(&picture, row, -(r / 2), tiles * m + r - 1, m, phases, phase_step);
            w->row_input(phases, phase_step, tiles * 3, v + row * n * point_step, point_step);
        }
        float *u = floats(n * r * 3 * columns, NULL, 0), *products = floats(tiles * m * columns, NULL, 0);
        w->row_weights(floats(r * r * 3 * columns, uniform, 109), columns, u);
        w->row_tiles(v, point_step, n * point_step, tiles, u, columns, products);
        record_floats("a row's convolution", products, width * columns, tolerance(w), 0);
    }
}
