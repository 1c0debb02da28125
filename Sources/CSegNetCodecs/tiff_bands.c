#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "tiff_reader.h"

#define LIB snc_tiff_functions

// Rows from strips and tiles.

static size_t pixel_bytes(const snc_tiff *t, enum snc_tiff_form form) {
    return form == SNC_TIFF_NUMBERS ? 2 : (size_t)t->info.channels;
}

static int fail(char *message, const char *text) {
    if (!message[0]) {
        snc_copy_message(message, text);
    }
    return SNC_OPTIONAL_FAILED;
}

static int allocate(uint8_t **memory, uint64_t bytes, char *message) {
    if (!*memory) {
        *memory = bytes > 0 && bytes < SIZE_MAX / 2 ? malloc((size_t)bytes) : NULL;
    }
    return *memory ? 0 : fail(message, "out of memory");
}

/// Where the samples of a row begin in the decoded data.
static void find_planes(
    const snc_tiff *t, const uint8_t *row, uint64_t plane_bytes, const uint8_t **planes, size_t *step) {
    const size_t sample_bytes = t->info.bits == 16 ? 2 : 1;
    *step = t->is_planar ? 1 : (size_t)t->info.samples;
    for (int i = 0; i < 4; i++) {
        // The first samples are the colours. The fourth place is for alpha, which convert() moves there.
        planes[i] = row + (t->is_planar ? (uint64_t)i * plane_bytes : (uint64_t)i * sample_bytes);
    }
}

/// Converts pixels with their samples in the order that snc_tiff_convert expects.
static void convert(
    const snc_tiff *t, enum snc_tiff_form form, const uint8_t *row, uint64_t plane_bytes, uint32_t pixels, void *out) {
    const uint8_t *planes[4];
    size_t step;
    find_planes(t, row, plane_bytes, planes, &step);
    snc_tiff converted = {0};
    if (t->alpha > 3) {
        // Alpha is beyond the four places: a copy of the reader says that it is in the last one.
        const size_t sample_bytes = t->info.bits == 16 ? 2 : 1;
        planes[3] = row + (uint64_t)t->alpha * (t->is_planar ? plane_bytes : sample_bytes);
        converted = *t;
        converted.alpha = 3;
        snc_tiff_convert(&converted, form, planes, step, pixels, out);
        return;
    }
    snc_tiff_convert(t, form, planes, step, pixels, out);
}

/// Decodes a row of a strip.
static int read_row(snc_tiff *t, uint32_t y, char *message) {
    const uint32_t top = y / t->tile_height * t->tile_height;
    uint32_t row = t->next_row >= top && t->next_row <= y ? t->next_row : top;
    for (; row <= y; row++) {
        // If reading fails, the position in the strip is unknown.
        t->next_row = UINT32_MAX;
        if (LIB.read_row(t->tiff, t->samples, row, 0) < 0) {
            return fail(message, "its pixels cannot be decoded");
        }
        t->next_row = row + 1;
    }
    return 0;
}

/// Rows from strips whose samples are interleaved.
static int read_plain_rows(
    snc_tiff *t, enum snc_tiff_form form, uint32_t first, uint32_t count, uint8_t *out, char *message) {
    if (allocate(&t->samples, t->row_bytes, message)) {
        return SNC_OPTIONAL_FAILED;
    }
    const size_t row = pixel_bytes(t, form) * t->info.width;
    for (uint32_t y = first; y < first + count; y++, out += row) {
        if (LIB.byte_count(t->tiff, y / t->tile_height) == 0) {
            // GDAL leaves out strips whose samples are all 0.
            memset(t->samples, 0, (size_t)t->row_bytes);
        } else if (read_row(t, y, message)) {
            return SNC_OPTIONAL_FAILED;
        }
        convert(t, form, t->samples, 0, t->info.width, out);
    }
    return 0;
}

/// Decodes a tile or strip, with all its planes.
static int decode(snc_tiff *t, uint32_t x, uint32_t y, char *message) {
    const int planes = t->is_planar ? t->info.samples : 1;
    for (int plane = 0; plane < planes; plane++) {
        const uint32_t strips = (t->info.height + t->tile_height - 1) / t->tile_height;
        const uint32_t number = t->is_tiled ? LIB.tile_at(t->tiff, x, y, 0, (uint16_t)plane)
                                            : y / t->tile_height + (uint32_t)plane * strips;
        uint8_t *out = t->samples + (uint64_t)plane * t->tile_bytes;
        if (LIB.byte_count(t->tiff, number) == 0) {
            memset(out, 0, (size_t)t->tile_bytes);
            continue;
        }
        const tiff_size got = t->is_tiled ? LIB.read_tile(t->tiff, number, out, (tiff_size)t->tile_bytes)
                                          : LIB.read_strip(t->tiff, number, out, (tiff_size)t->tile_bytes);
        if (got < 0) {
            return fail(message, "its pixels cannot be decoded");
        }
    }
    return 0;
}

static int read_sample_band(snc_tiff *t, enum snc_tiff_form form, uint32_t top, uint32_t rows, char *message) {
    const uint64_t planes = t->is_planar ? (uint64_t)t->info.samples : 1;
    if (allocate(&t->samples, t->tile_bytes * planes, message)) {
        return SNC_OPTIONAL_FAILED;
    }
    const uint64_t row_bytes = t->tile_bytes / t->tile_height;
    const size_t pixel = pixel_bytes(t, form);
    for (uint32_t x = 0; x < t->info.width; x += t->tile_width) {
        if (decode(t, x, top, message)) {
            return SNC_OPTIONAL_FAILED;
        }
        const uint32_t left = t->info.width - x;
        const uint32_t pixels = left < t->tile_width ? left : t->tile_width;
        for (uint32_t y = 0; y < rows; y++) {
            convert(
                t, form, t->samples + y * row_bytes, t->tile_bytes, pixels,
                t->band + ((uint64_t)y * t->info.width + x) * pixel);
        }
        if (left <= t->tile_width) {
            break;
        }
    }
    return 0;
}

static int read_rgba_band(snc_tiff *t, uint32_t top, uint32_t rows, char *message) {
    if (allocate(&t->samples, (uint64_t)t->tile_width * t->tile_height * 4, message)) {
        return SNC_OPTIONAL_FAILED;
    }
    uint32_t *raster = (uint32_t *)(void *)t->samples;
    for (uint32_t x = 0; x < t->info.width; x += t->tile_width) {
        const int done = t->is_tiled ? LIB.read_rgba_tile(t->tiff, x, top, raster, 1)
                                     : LIB.read_rgba_strip(t->tiff, top, raster, 1);
        if (!done) {
            return fail(message, "its pixels cannot be decoded");
        }
        const uint32_t left = t->info.width - x;
        const uint32_t pixels = left < t->tile_width ? left : t->tile_width;
        const uint32_t height = t->is_tiled ? t->tile_height : rows;
        for (uint32_t y = 0; y < rows; y++) {
            // libtiff stores these rows from the bottom up.
            const uint32_t *from = raster + (uint64_t)(height - 1 - y) * t->tile_width;
            uint8_t *to = t->band + ((uint64_t)y * t->info.width + x) * 3;
            for (uint32_t i = 0; i < pixels; i++, to += 3) {
                to[0] = (uint8_t)from[i];
                to[1] = (uint8_t)(from[i] >> 8);
                to[2] = (uint8_t)(from[i] >> 16);
            }
        }
        if (left <= t->tile_width) {
            break;
        }
    }
    return 0;
}

/// Rows from whole rows of tiles. The last row of tiles is kept.
static int read_banded_rows(
    snc_tiff *t, enum snc_tiff_form form, uint32_t first, uint32_t count, uint8_t *out, char *message) {
    const uint64_t widest = t->info.channels > 2 ? (uint64_t)t->info.channels : 2;
    if (allocate(&t->band, t->info.width * widest * t->tile_height, message)) {
        return SNC_OPTIONAL_FAILED;
    }
    const size_t row = pixel_bytes(t, form) * t->info.width;
    uint32_t y = first;
    while (y < first + count) {
        const uint32_t number = y / t->tile_height, top = number * t->tile_height;
        const uint32_t left = t->info.height - top;
        const uint32_t rows = left < t->tile_height ? left : t->tile_height;
        if (t->band_number != number || t->band_form != form) {
            t->band_number = -1;
            if (t->way == WAY_RGBA ? read_rgba_band(t, top, rows, message) : read_sample_band(t, form, top, rows, message)) {
                return SNC_OPTIONAL_FAILED;
            }
            t->band_number = number;
            t->band_form = form;
        }
        const uint32_t wanted = first + count - y, there = top + rows - y;
        const uint32_t taken = wanted < there ? wanted : there;
        memcpy(out, t->band + (uint64_t)(y - top) * row, (uint64_t)taken * row);
        out += (uint64_t)taken * row;
        y += taken;
    }
    return 0;
}

int snc_tiff_read_rows(
    snc_tiff *t, enum snc_tiff_form form, uint32_t first, uint32_t count, void *out, char *message) {
    if (first > t->info.height || count > t->info.height - first || (form == SNC_TIFF_NUMBERS && !t->info.has_numbers)) {
        snc_copy_message(message, "rows that it does not have were asked for");
        return SNC_OPTIONAL_FAILED;
    }
    snc_tiff_listen(message);
    const int failed = t->way == WAY_ROWS ? read_plain_rows(t, form, first, count, out, message)
                                          : read_banded_rows(t, form, first, count, out, message);
    snc_tiff_listen(NULL);
    return failed;
}
