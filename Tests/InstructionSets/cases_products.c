//  Matrix products and what surrounds them: gathering, storing, their gradients.

#include "cases.h"

// 48 columns of whole numbers, [depth][48], cut into panels.
static float *right_side(sn_size depth, sn_size first, sn_size columns, uint64_t seed) {
    float *u = floats(depth * columns, NULL, 0);
    for (sn_size i = 0; i < depth * columns; i++) u[i] = whole(seed, i / columns * 48 + first + i % columns);
    return u;
}

void case_gemm(const sn_kernels *k) {
    static const sn_size depths[] = {16, 48, 80}, blocks[] = {16, 32, 512};
    for (int i = 0; i < 9; i++) {
        for (sn_size tiles = 1; tiles <= 13; tiles++) {
            const sn_tiles v = tile_buffer(k, tiles, depths[i % 3], blocks[i / 3], whole, 1);
            FOR_PANELS(k, 48) {
                const float *u = right_side(v.depth, first, columns, 2);
                float *m = floats(tiles * columns, NULL, 0);
                k->gemm(&v, u, columns, m);
                for (sn_size part = 0; part < columns; part += 16) {
                    for (sn_size t = 0; t < tiles; t++) record_floats("exact sums of products", m + t * columns + part, 16, 0, 0);
                }
            }
        }
    }
    // Rounding, NaN and infinities.
    const sn_tiles v = tile_buffer(k, 7, 160, 64, uniform, 3), strange = tile_buffer(k, 7, 16, 16, awkward, 3);
    float *m = floats(7 * 16, NULL, 0);
    k->gemm(&v, floats(160 * 16, uniform, 4), 16, m);
    record_floats("rounded sums of products", m, 7 * 16, 1e-5, 0);
    k->gemm(&strange, floats(16 * 16, positive, 5), 16, m);
    record_floats("sums with NaN and infinities", m, 7 * 16, 1e-5, 1e-6);
}

void case_peak(const sn_kernels *k) {
    float sink = 1;
    const double one = k->peak(1, &sink), many = k->peak(1000, &sink);
    const double results[] = {many / one, one > 0, sink > 1 && sink < 1000};
    record("operations are counted and done", results, 3, 0, 0);
}

void case_gemm_outer(const sn_kernels *k) {
    static const sn_size counts[] = {1, 2, 5, 6, 7, 13}, blocks[] = {16, 32, 512};
    for (int i = 0; i < 18; i++) {
        const sn_size tiles = counts[i % 6], depth = 48;
        const sn_tiles v = tile_buffer(k, tiles, depth, blocks[i / 6], whole, 6);
        float products[2][32][48];
        FOR_PANELS(k, 48) {
            const float *g = right_side(tiles, first, columns, 7);
            float *u = floats(32 * columns, NULL, 0);
            for (int add = 0; add < 2; add++) {
                k->gemm_outer(&v, 1, 3, g, columns, add, u);
                for (sn_size j = 0; j < 32 * columns; j++) products[add][j / columns][first + j % columns] = u[j];
            }
        }
        record_floats("exact outer products", &products[0][0][0], 2 * 32 * 48, 0, 0);
    }
}

// ---- gathering. Windows of every kind, on maps of a few pixels, in micro tiles of a buffer of all outputs.

typedef struct geometry {
    sn_window window;
    sn_size height, width;  // of the input
} geometry;

static const geometry geometries[] = {
    {{1, 1, 1, 1, 0, 0, 1, 1}, 1, 1},     {{1, 1, 2, 3, 0, 0, 1, 1}, 7, 8},    {{2, 2, 2, 2, -1, -1, 1, 1}, 9, 11},
    {{3, 3, 1, 1, -1, -1, 1, 1}, 5, 9},   {{3, 3, 1, 1, -1, -1, 1, 1}, 1, 2},  {{3, 3, 2, 1, -3, -2, 3, 2}, 11, 7},
    {{3, 3, 1, 1, -2, -2, 2, 2}, 6, 13},  {{5, 5, 1, 3, -4, 1, 1, 3}, 12, 14}, {{7, 7, 2, 2, -3, -3, 1, 1}, 9, 8},
    {{3, 3, 1, 1, 1, 2, 1, 1}, 6, 9},
};
enum { geometry_count = sizeof geometries / sizeof *geometries };

static sn_pixels all_pixels(const geometry *g) {
    const sn_size height = (g->height + g->window.stride_y - 1) / g->window.stride_y;
    const sn_size width = (g->width + g->window.stride_x - 1) / g->window.stride_x;
    return (sn_pixels){0, 0, width, height * width, 1, 1, 0, 0};
}

void case_pack(const sn_kernels *k) {
    for (int i = 0; i < geometry_count; i++) {
        const geometry *g = &geometries[i];
        const sn_map in = blocked(i % 2 ? 33 : 16, g->height, g->width, awkward, 8);
        const sn_pixels pixels = all_pixels(g);
        const sn_tiles v = tile_buffer(k, pixels.count, g->window.height * g->window.width * in.blocks * 16, 48, NULL, 0);
        for (sn_size micro = 0; micro < micro_tiles(k, v.tiles); micro++) {
            k->pack(&in, &g->window, &pixels, &v, micro, 0, in.blocks);
        }
        record_tiles("gathered windows", k, &v);
    }
    // Two rows of outputs in the middle of a ring, one block of it.
    const sn_window window = {3, 3, 1, 1, -1, -1, 1, 1};
    const sn_map in = ring(64, 20, 6, 4, 7, awkward, 9);
    const sn_pixels pixels = {8, 0, 6, 12, 1, 1, 0, 0};
    const sn_tiles v = tile_buffer(k, 12, 9 * 16, 64, NULL, 0);
    for (sn_size micro = 0; micro < micro_tiles(k, 12); micro++) k->pack(&in, &window, &pixels, &v, micro, 2, 3);
    record_tiles("gathered windows of a ring", k, &v);
}

void case_pack_unpooled(const sn_kernels *k) {
    for (int i = 0; i < geometry_count; i++) {
        const geometry *g = &geometries[i];
        const sn_map pooled = blocked(33, (g->height + 1) / 2, (g->width + 1) / 2, uniform, 10);
        const sn_indices places = indices(pooled.blocks, g->height, g->width, 1, 11);
        const sn_pixels pixels = all_pixels(g);
        const sn_tiles v = tile_buffer(k, pixels.count, g->window.height * g->window.width * 48, 48, NULL, 0);
        for (sn_size micro = 0; micro < micro_tiles(k, v.tiles); micro++) {
            k->pack_unpooled(&pooled, &places, g->height, g->width, &g->window, &pixels, &v, micro, 0, 3);
        }
        record_tiles("windows of an unpooled map", k, &v);
    }
}

void case_pack_thin(const sn_kernels *k) {
    for (int i = 0; i < geometry_count; i++) {
        for (sn_size channels = 1; channels <= 15; channels += channels < 5 ? 1 : 5) {
            const geometry *g = &geometries[i];
            const sn_thin in = thin(channels, g->height, g->width, awkward, 12);
            const sn_pixels pixels = all_pixels(g);
            const sn_size depth = (g->window.height * g->window.width * channels + 15) / 16 * 16;
            const sn_tiles v = tile_buffer(k, pixels.count, depth, 48, NULL, 0);
            for (sn_size micro = 0; micro < micro_tiles(k, v.tiles); micro++) k->pack_thin(&in, &g->window, &pixels, &v, micro);
            record_tiles("windows of a thin map", k, &v);
        }
    }
}

void case_row_fetch(const sn_kernels *k) {
    static const sn_size places[][3] = {{0, 0, 9}, {2, -3, 15}, {3, 5, 4}, {-1, 0, 9}, {4, 2, 3}, {1, 20, 5}, {1, -9, 7}};
    const sn_thin in = thin(3, 4, 9, awkward, 13);
    for (int i = 0; i < 7; i++) {
        for (sn_size phases = 1; phases <= 6; phases++) {
            const sn_size step = (places[i][2] + phases - 1) / phases * 3;
            float *to = floats(phases * step, NULL, 0);
            k->row_fetch(&in, places[i][0], places[i][1], places[i][2], phases, to, step);
            record_floats("a row in phases", to, phases * step, 0, 0);
        }
    }
}

void case_row_products(const sn_kernels *k) {
    for (sn_size taps = 1; taps <= 7; taps += 2) {
        for (sn_size pixels = 1; pixels <= 19; pixels += 3) {
            const sn_size padded = micro_tiles(k, pixels) * k->micro_tile;
            // The same rows for every micro tile: their step is that of the widest.
            const float *rows = floats(taps * (48 + taps) * 3, whole, 14);
            FOR_PANELS(k, 48) {
                const float *u = right_side(taps * taps * 3, first, columns, 15);
                float *m = floats(padded * columns, NULL, 0);
                k->row_products(rows, (48 + taps) * 3, taps, taps * 3, pixels, u, columns, m);
                for (sn_size part = 0; part < columns; part += 16) {
                    for (sn_size t = 0; t < pixels; t++) record_floats("products along a row", m + t * columns + part, 16, 0, 0);
                }
            }
        }
    }
}

// ---- storing and fetching

static const float *bias_of(sn_size channels) {
    float *bias = floats((channels + 15) / 16 * 16, NULL, 0);
    for (sn_size c = 0; c < (channels + 15) / 16 * 16; c++) bias[c] = c < channels ? whole(16, c) / 2 : 0;
    if (channels > 3) {
        bias[2] = __builtin_nanf("");
        bias[3] = -__builtin_inff();
    }
    return bias;
}

void case_store(const sn_kernels *k) {
    static const sn_pixels rectangles[] = {
        {0, 0, 10, 90, 1, 1, 0, 0}, {2, 4, 4, 8, 1, 1, 0, 0}, {8, 0, 10, 10, 1, 1, 0, 0}, {0, 4, 3, 9, 2, 2, 1, 0},
    };
    for (int i = 0; i < 8; i++) {
        const sn_pixels *pixels = &rectangles[i % 4];
        const sn_map out = blocked(32, 9, 18, whole, 17);
        const sn_epilogue epilogue = {bias_of(32), i / 4, out, no_map, no_indices};
        k->store(floats(pixels->count * 16, awkward, 18), 16, pixels, 1, &epilogue);
        record_map("stored products", &out, 32, 0, 0);
    }
    // Pooled as they are stored: two rows, or the last one of an odd map; odd and even widths.
    for (int i = 0; i < 16; i++) {
        const sn_size height = i % 2 ? 3 : 4, width = i / 2 % 2 ? 7 : 8;
        const sn_pixels pixels = {2, 0, width, (height - 2) * width, 1, 1, 0, 0};
        const sn_map out = blocked(16, height, width, whole, 19), pooled = blocked(16, 2, (width + 1) / 2, whole, 20);
        const sn_indices places = indices(1, height, width, 1, 21);
        const sn_epilogue epilogue = {bias_of(16), i / 4 % 2, i / 8 ? out : no_map, pooled, places};
        k->store(floats(pixels.count * 16, awkward, 22), 16, &pixels, 0, &epilogue);
        record_map("stored products", &out, 16, 0, 0);
        record_map("pooled products", &pooled, 16, 0, 0);
        record_words("their indices", places.data, places.height * places.width);
    }
}

void case_fetch(const sn_kernels *k) {
    static const sn_pixels rectangles[] = {
        {0, 0, 10, 90, 1, 1, 0, 0}, {2, 3, 4, 8, 1, 1, 0, 0}, {1, 1, 3, 9, 2, 2, 1, 0}, {0, 0, 1, 3, 3, 4, 2, 3},
    };
    const sn_map map = blocked(48, 9, 10, awkward, 23);
    for (int i = 0; i < 4; i++) {
        float *m = floats(rectangles[i].count * 16, NULL, 0);
        k->fetch(&map, &rectangles[i], 1, 16, m);
        record_floats("fetched pixels", m, rectangles[i].count * 16, 0, 0);
    }
}

void case_depthwise(const sn_kernels *k) {
    for (int i = 0; i < geometry_count; i++) {
        const geometry *g = &geometries[i];
        const sn_pixels pixels = all_pixels(g);
        const sn_map in = blocked(20, g->height, g->width, whole, 24);
        const sn_map out = blocked(20, pixels.count / pixels.width, pixels.width, NULL, 0);
        const sn_size taps = g->window.height * g->window.width;
        float *weights = floats(2 * taps * 16, whole, 25);
        for (sn_size t = 0; t < taps; t++) {
            for (sn_size lane = 4; lane < 16; lane++) weights[(taps + t) * 16 + lane] = 0;
        }
        const sn_epilogue epilogue = {bias_of(20), i % 2, out, no_map, no_indices};
        for (sn_size block = 0; block < 2; block++) {
            k->depthwise(&in, &g->window, weights, block, 0, out.height / 2, &epilogue);
            k->depthwise(&in, &g->window, weights, block, out.height / 2, out.height, &epilogue);
        }
        record_map("a depthwise convolution", &out, 20, 0, 0);
    }
}

void case_depthwise_gradient(const sn_kernels *k) {
    for (int i = 0; i < geometry_count; i++) {
        const geometry *g = &geometries[i];
        const sn_pixels pixels = all_pixels(g);
        const sn_map in = blocked(20, g->height, g->width, whole, 26);
        const sn_map gradient = blocked(20, pixels.count / pixels.width, pixels.width, whole, 27);
        float *line = floats(g->window.width * 16, NULL, 0);
        for (sn_size row = 0; row < g->window.height; row++) {
            for (sn_size y = 0; y < gradient.height; y++) {
                k->depthwise_gradient(&in, &g->window, &gradient, 1, y, row, line);
                record_floats("exact sums over a row of a depthwise convolution's gradient", line, g->window.width * 16, 0, 0);
            }
        }
    }
}
