#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "CSegNetCodecs.h"

// Every function below keeps what must survive a longjmp in a struct that is passed by address, so that nothing
// depends on which locals the compiler kept in registers when setjmp returned a second time.

static void copy_message(char *message, const char *text) {
    snprintf(message, SNC_MESSAGE_BYTES, "%s", text ? text : "unknown error");
}

static void on_error(png_structp png, png_const_charp text) {
    copy_message(png_get_error_ptr(png), text);
    png_longjmp(png, 1);
}

// Warnings are about ancillary chunks; what damages pixels is an error in libpng.
static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

// ---- Reading

typedef struct reader {
    const uint8_t *bytes;
    size_t count;
    size_t position;
    png_structp png;
    png_infop info;
} reader;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    reader *from = png_get_io_ptr(png);
    if (count > from->count - from->position) {
        png_error(png, "the file ends too early");
    }
    memcpy(out, from->bytes + from->position, count);
    from->position += count;
}

static int open_reader(reader *r, const uint8_t *bytes, size_t count, char *message) {
    memset(r, 0, sizeof *r);
    r->bytes = bytes;
    r->count = count;
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, on_error, on_warning);
    if (!r->png) {
        copy_message(message, "libpng does not start (out of memory, or another version than the one compiled for)");
        return 1;
    }
    r->info = png_create_info_struct(r->png);
    if (!r->info) {
        png_destroy_read_struct(&r->png, NULL, NULL);
        copy_message(message, "out of memory");
        return 1;
    }
    return 0;
}

static void close_reader(reader *r) { png_destroy_read_struct(&r->png, &r->info, NULL); }

static void read_header_chunks(reader *r) {
    png_set_read_fn(r->png, r, read_bytes);
    // Colour profiles, texts and times do not change the pixels we hand out; skipping them takes away a class of
    // attacks (compressed chunks) and of complaints (odd profiles).
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(r->png, r->info);
}

int snc_png_read_info(const uint8_t *bytes, size_t count, snc_png_info *info, char *message) {
    reader r;
    if (open_reader(&r, bytes, count, message)) {
        return 1;
    }
    if (setjmp(png_jmpbuf(r.png))) {
        close_reader(&r);
        return 1;
    }
    memset(info, 0, sizeof *info);
    read_header_chunks(&r);
    info->width = png_get_image_width(r.png, r.info);
    info->height = png_get_image_height(r.png, r.info);
    info->bit_depth = png_get_bit_depth(r.png, r.info);
    info->color_type = png_get_color_type(r.png, r.info);
    info->has_transparency = png_get_valid(r.png, r.info, PNG_INFO_tRNS) != 0;
    close_reader(&r);
    return 0;
}

static void ask_for_picture(reader *r, int color_type, int bit_depth) {
    const int has_transparency = png_get_valid(r->png, r->info, PNG_INFO_tRNS) != 0;
    if (color_type == PNG_COLOR_TYPE_PALETTE) {
        png_set_palette_to_rgb(r->png);
    }
    if (color_type == PNG_COLOR_TYPE_GRAY && bit_depth < 8) {
        png_set_expand_gray_1_2_4_to_8(r->png);
    }
    if (has_transparency) {
        png_set_tRNS_to_alpha(r->png);
    }
    if (bit_depth == 16) {
        png_set_scale_16(r->png);
    }
    if (color_type == PNG_COLOR_TYPE_GRAY_ALPHA || (color_type == PNG_COLOR_TYPE_GRAY && has_transparency)) {
        png_set_gray_to_rgb(r->png);
    }
}

static void ask_for_numbers(reader *r, int color_type, int bit_depth) {
    if (bit_depth < 8) {
        png_set_packing(r->png);
    }
    if (color_type == PNG_COLOR_TYPE_GRAY_ALPHA) {
        png_set_strip_alpha(r->png);
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (bit_depth == 16) {
        png_set_swap(r->png);
    }
#endif
}

int snc_png_read_pixels(
    const uint8_t *bytes, size_t count, enum snc_png_form form, uint8_t *pixels, size_t pixel_bytes, char *message) {
    reader r;
    if (open_reader(&r, bytes, count, message)) {
        return 1;
    }
    if (setjmp(png_jmpbuf(r.png))) {
        close_reader(&r);
        return 1;
    }
    read_header_chunks(&r);
    const int color_type = png_get_color_type(r.png, r.info);
    const int bit_depth = png_get_bit_depth(r.png, r.info);
    if (form == SNC_PNG_PICTURE) {
        ask_for_picture(&r, color_type, bit_depth);
    } else {
        ask_for_numbers(&r, color_type, bit_depth);
    }
    const int passes = png_set_interlace_handling(r.png);
    png_read_update_info(r.png, r.info);
    const size_t height = png_get_image_height(r.png, r.info);
    const size_t row_bytes = png_get_rowbytes(r.png, r.info);
    if (height == 0 || pixel_bytes / height != row_bytes || pixel_bytes % height != 0) {
        png_error(r.png, "the header chunks disagree about the size of a row");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < height; y++) {
            png_read_row(r.png, pixels + y * row_bytes, NULL);
        }
    }
    png_read_end(r.png, NULL);
    close_reader(&r);
    return 0;
}

// ---- Writing

typedef struct writer {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
    png_structp png;
    png_infop info;
} writer;

static void write_bytes(png_structp png, png_bytep in, size_t count) {
    writer *to = png_get_io_ptr(png);
    if (count > to->capacity - to->count) {
        size_t capacity = to->capacity * 2 + count;
        uint8_t *bytes = realloc(to->bytes, capacity);
        if (!bytes) {
            png_error(png, "out of memory");
        }
        to->bytes = bytes;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->count, in, count);
    to->count += count;
}

static void flush_bytes(png_structp png) { (void)png; }

static size_t channels_of(int color_type) {
    switch (color_type) {
        case PNG_COLOR_TYPE_RGB: return 3;
        case PNG_COLOR_TYPE_RGB_ALPHA: return 4;
        default: return 1;
    }
}

int snc_png_write(const snc_png_picture *picture, uint8_t **bytes, size_t *count, char *message) {
    writer w;
    memset(&w, 0, sizeof w);
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, on_error, on_warning);
    if (!w.png) {
        copy_message(message, "libpng does not start (out of memory, or another version than the one compiled for)");
        return 1;
    }
    w.info = png_create_info_struct(w.png);
    if (!w.info || setjmp(png_jmpbuf(w.png))) {
        if (!w.info) {
            copy_message(message, "out of memory");
        }
        png_destroy_write_struct(&w.png, &w.info);
        free(w.bytes);
        return 1;
    }
    const size_t row_bytes = channels_of(picture->color_type) * picture->width * (size_t)(picture->bit_depth / 8);
    png_set_write_fn(w.png, &w, write_bytes, flush_bytes);
    png_set_compression_level(w.png, picture->level);
    png_set_compression_strategy(w.png, picture->strategy);
    // The default of 8 KiB a chunk costs a call and a checksum each; one chunk of 256 KiB does not.
    png_set_compression_buffer_size(w.png, 1 << 18);
    png_set_filter(w.png, PNG_FILTER_TYPE_BASE, picture->filters);
    png_set_IHDR(
        w.png, w.info, picture->width, picture->height, picture->bit_depth, picture->color_type, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (picture->palette_count > 0 && picture->palette) {
        png_color palette[256];
        const int colors = picture->palette_count < 256 ? picture->palette_count : 256;
        for (int i = 0; i < colors; i++) {
            palette[i].red = picture->palette[3 * i];
            palette[i].green = picture->palette[3 * i + 1];
            palette[i].blue = picture->palette[3 * i + 2];
        }
        png_set_PLTE(w.png, w.info, palette, colors);
    }
    png_write_info(w.png, w.info);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (picture->bit_depth == 16) {
        png_set_swap(w.png);
    }
#endif
    for (size_t y = 0; y < picture->height; y++) {
        png_write_row(w.png, picture->pixels + y * row_bytes);
    }
    png_write_end(w.png, NULL);
    png_destroy_write_struct(&w.png, &w.info);
    *bytes = w.bytes;
    *count = w.count;
    return 0;
}
