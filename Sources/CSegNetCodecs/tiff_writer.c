#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tiff_library.h"

#define LIB snc_tiff_functions

// The tile size that GDAL and QGIS use by default.
enum { TILE = 256 };

struct snc_tiff_writer {
    TIFF *tiff;
    snc_tiff_picture picture;
    char *path;
    char *beside;
    size_t pixel_bytes;
    /// Up to TILE rows that are not in tiles yet.
    uint8_t *band;
    /// Room for one tile.
    uint8_t *tile;
    uint32_t band_rows;
    /// Rows that have been written in tiles.
    uint32_t rows;
};

// Tags of GeoTIFF and GDAL, which libtiff does not know. -3: any count, in 32 bits.
static const tiff_field geo_fields[] = {
    {33550, -3, -3, TYPE_DOUBLE, 65, 1, 1, "ModelPixelScale"},
    {33922, -3, -3, TYPE_DOUBLE, 65, 1, 1, "ModelTiepoint"},
    {34264, -3, -3, TYPE_DOUBLE, 65, 1, 1, "ModelTransformation"},
    {34735, -3, -3, TYPE_SHORT, 65, 1, 1, "GeoKeyDirectory"},
    {34736, -3, -3, TYPE_DOUBLE, 65, 1, 1, "GeoDoubleParams"},
    {34737, -1, -1, TYPE_ASCII, 65, 1, 0, "GeoAsciiParams"},
    {42113, -1, -1, TYPE_ASCII, 65, 1, 0, "GDALNoData"},
};

static void release(snc_tiff_writer *w) {
    if (w->tiff) {
        // This also closes the file.
        LIB.close(w->tiff);
    }
    if (w->beside) {
        unlink(w->beside);
    }
    free(w->path);
    free(w->beside);
    free(w->band);
    free(w->tile);
    free(w);
}

static int fail(char *message, const char *text) {
    if (!message[0]) {
        snc_copy_message(message, text);
    }
    return SNC_OPTIONAL_FAILED;
}

static int open_beside(snc_tiff_writer *w, int is_big, char *message) {
    int file = snc_file_open_beside(w->path, w->beside, O_RDWR);
    if (file < 0) {
        snc_file_error_text(errno, message);
        return SNC_OPTIONAL_FAILED;
    }
    w->tiff = LIB.fd_open(file, "TIFF", is_big ? "w8" : "w");
    if (!w->tiff) {
        close(file);
        return fail(message, "libtiff does not begin the file");
    }
    return 0;
}

static int describe(snc_tiff_writer *w, char *message) {
    const snc_tiff_picture *picture = &w->picture;
    TIFF *tiff = w->tiff;
    int done = LIB.add_fields(tiff, geo_fields, sizeof geo_fields / sizeof *geo_fields) == 0;
    done = done && LIB.set(tiff, TAG_WIDTH, picture->width) && LIB.set(tiff, TAG_HEIGHT, picture->height) &&
           LIB.set(tiff, TAG_BITS, picture->bits) && LIB.set(tiff, TAG_SAMPLES, picture->samples) &&
           LIB.set(tiff, TAG_TILE_WIDTH, TILE) && LIB.set(tiff, TAG_TILE_HEIGHT, TILE) &&
           LIB.set(tiff, TAG_PLANAR, 1) &&
           LIB.set(tiff, TAG_PHOTOMETRIC, picture->palette ? PALETTE : picture->samples == 3 ? RGB : BLACK_IS_ZERO);
    const int can_deflate = LIB.has_codec(COMPRESSION_DEFLATE);
    done = done && LIB.set(tiff, TAG_COMPRESSION, can_deflate ? COMPRESSION_DEFLATE : COMPRESSION_LZW);
    if (done && picture->samples == 3) {
        done = LIB.set(tiff, TAG_PREDICTOR, 2);
        // More work would not make photos much smaller.
        if (can_deflate) {
            LIB.set(tiff, TAG_DEFLATE_QUALITY, 1);
        }
    }
    if (done && picture->palette) {
        uint16_t colors[3][256];
        for (int i = 0; i < 256; i++) {
            for (int c = 0; c < 3; c++) {
                colors[c][i] = (uint16_t)(picture->palette[3 * i + c] * 257);
            }
        }
        done = LIB.set(tiff, TAG_COLORMAP, colors[0], colors[1], colors[2]);
    }
    return done ? 0 : fail(message, "libtiff does not take its header");
}

int snc_tiff_create(const char *path, const snc_tiff_picture *picture, snc_tiff_writer **result, char *message) {
    *result = NULL;
    if (!snc_tiff_is_there()) {
        snc_copy_message(message, "libtiff");
        return SNC_LIBRARY_MISSING;
    }
    message[0] = 0;
    snc_tiff_writer *w = calloc(1, sizeof *w);
    if (!w) {
        return fail(message, "out of memory");
    }
    w->picture = *picture;
    w->pixel_bytes = (size_t)(picture->samples * picture->bits / 8);
    int is_replaced = 0;
    w->path = snc_file_target(path, &is_replaced);
    w->beside = w->path ? snc_file_name_beside(w->path) : NULL;
    w->band = malloc(w->pixel_bytes * picture->width * TILE);
    w->tile = malloc(w->pixel_bytes * TILE * TILE);
    if (!w->path || !w->beside || !w->band || !w->tile) {
        release(w);
        return fail(message, "out of memory");
    }
    if (!is_replaced) {
        // libtiff goes back and forth in the file that it writes.
        release(w);
        return fail(message, "it is a device or a pipe, and a TIFF needs a file");
    }
    // Deflate lengthens incompressible data by less than 1 %; the rest is for the tables of tiles.
    const double bytes = (double)w->pixel_bytes * picture->width * picture->height;
    snc_tiff_listen(message);
    const int failed = open_beside(w, bytes * 1.02 > 4e9, message) || describe(w, message);
    snc_tiff_listen(NULL);
    if (failed) {
        release(w);
        return SNC_OPTIONAL_FAILED;
    }
    *result = w;
    return 0;
}

int snc_tiff_set_tag(snc_tiff_writer *w, uint32_t tag, int type, const uint8_t *bytes, size_t count, char *message) {
    snc_tiff_listen(message);
    int done;
    if (type == TYPE_ASCII) {
        char *text = malloc(count + 1);
        if (text) {
            memcpy(text, bytes, count);
            text[count] = 0;
        }
        done = text && LIB.set(w->tiff, tag, text);
        free(text);
    } else {
        done = LIB.set(w->tiff, tag, (uint32_t)count, bytes);
    }
    snc_tiff_listen(NULL);
    return done ? 0 : fail(message, "libtiff does not take a tag");
}

/// Writes the waiting rows as tiles.
static int flush(snc_tiff_writer *w, char *message) {
    const size_t row = w->pixel_bytes * w->picture.width;
    for (uint32_t x = 0; x < w->picture.width; x += TILE) {
        const uint32_t left = w->picture.width - x;
        const size_t bytes = w->pixel_bytes * (left < TILE ? left : TILE);
        memset(w->tile, 0, w->pixel_bytes * TILE * TILE);
        for (uint32_t y = 0; y < w->band_rows; y++) {
            memcpy(w->tile + y * w->pixel_bytes * TILE, w->band + y * row + x * w->pixel_bytes, bytes);
        }
        const uint32_t number = w->rows / TILE * ((w->picture.width + TILE - 1) / TILE) + x / TILE;
        if (LIB.write_tile(w->tiff, number, w->tile, (tiff_size)(w->pixel_bytes * TILE * TILE)) < 0) {
            return fail(message, "its pixels cannot be written; check the free space");
        }
        if (left <= TILE) {
            break;
        }
    }
    w->rows += w->band_rows;
    w->band_rows = 0;
    return 0;
}

int snc_tiff_write_rows(snc_tiff_writer *w, const void *rows, uint32_t count, char *message) {
    const size_t row = w->pixel_bytes * w->picture.width;
    const uint8_t *from = rows;
    snc_tiff_listen(message);
    int failed = count > w->picture.height - w->rows - w->band_rows ? fail(message, "it has too many rows") : 0;
    while (count > 0 && !failed) {
        const uint32_t room = TILE - w->band_rows, taken = count < room ? count : room;
        memcpy(w->band + w->band_rows * row, from, taken * row);
        w->band_rows += taken;
        from += taken * row;
        count -= taken;
        if (w->band_rows == TILE || w->rows + w->band_rows == w->picture.height) {
            failed = flush(w, message);
        }
    }
    snc_tiff_listen(NULL);
    return failed;
}

int snc_tiff_finish(snc_tiff_writer *w, int keeps, char *message) {
    int failed = 0;
    message[0] = 0;
    if (keeps) {
        snc_tiff_listen(message);
        LIB.close(w->tiff);
        snc_tiff_listen(NULL);
        w->tiff = NULL;
        if (message[0] || w->rows != w->picture.height) {
            failed = fail(message, "it has too few rows");
        } else if (snc_file_put_in_place(w->beside, w->path)) {
            snc_file_error_text(errno, message);
            failed = SNC_OPTIONAL_FAILED;
        } else {
            free(w->beside);
            w->beside = NULL;
        }
    }
    release(w);
    return failed;
}
