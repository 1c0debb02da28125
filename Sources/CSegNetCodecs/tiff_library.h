#ifndef SNC_TIFF_LIBRARY_H
#define SNC_TIFF_LIBRARY_H

#include <stdarg.h>
#include <sys/types.h>

#include "library.h"

// libtiff's tiffio.h, version 4.1 and later (2019).

typedef struct tiff TIFF;
typedef struct open_options open_options;
typedef ssize_t tiff_size;
typedef int (*tiff_message)(TIFF *, void *user, const char *module, const char *format, va_list);
typedef void (*tiff_old_message)(const char *module, const char *format, va_list);

/// Describes a tag that libtiff does not know (TIFFFieldInfo).
typedef struct tiff_field {
    uint32_t tag;
    short read_count;
    short write_count;
    int type;
    unsigned short bit;
    unsigned char may_change;
    unsigned char passes_count;
    char *name;
} tiff_field;

typedef struct tiff_functions {
    TIFF *(*client_open)(
        const char *, const char *, void *, tiff_size (*)(void *, void *, tiff_size),
        tiff_size (*)(void *, void *, tiff_size), uint64_t (*)(void *, uint64_t, int), int (*)(void *),
        uint64_t (*)(void *), int (*)(void *, void **, uint64_t *), void (*)(void *, void *, uint64_t));
    TIFF *(*fd_open)(int, const char *, const char *);
    void (*close)(TIFF *);
    int (*get)(TIFF *, uint32_t, ...);
    int (*get_defaulted)(TIFF *, uint32_t, ...);
    int (*set)(TIFF *, uint32_t, ...);
    const void *(*field)(TIFF *, uint32_t, int type);
    int (*field_type)(const void *);
    int (*is_tiled)(TIFF *);
    uint32_t (*tile_count)(TIFF *);
    uint32_t (*strip_count)(TIFF *);
    uint64_t (*tile_bytes)(TIFF *);
    uint64_t (*strip_bytes)(TIFF *);
    uint64_t (*row_bytes)(TIFF *);
    uint64_t (*offset)(TIFF *, uint32_t);
    uint64_t (*byte_count)(TIFF *, uint32_t);
    uint32_t (*tile_at)(TIFF *, uint32_t, uint32_t, uint32_t, uint16_t);
    tiff_size (*read_tile)(TIFF *, uint32_t, void *, tiff_size);
    tiff_size (*read_strip)(TIFF *, uint32_t, void *, tiff_size);
    int (*read_row)(TIFF *, void *, uint32_t, uint16_t);
    int (*rgba_is_possible)(TIFF *, char *);
    int (*read_rgba_strip)(TIFF *, uint32_t, uint32_t *, int);
    int (*read_rgba_tile)(TIFF *, uint32_t, uint32_t, uint32_t *, int);
    tiff_size (*write_tile)(TIFF *, uint32_t, void *, tiff_size);
    int (*add_fields)(TIFF *, const tiff_field *, uint32_t);
    int (*has_codec)(uint16_t);
    tiff_old_message (*set_errors)(tiff_old_message);
    tiff_old_message (*set_warnings)(tiff_old_message);
} tiff_functions;

extern tiff_functions snc_tiff_functions;

/// 1 if the library is on this machine.
int snc_tiff_is_there(void);

/// Until the next call on this thread, the library's messages go to `message`; with NULL, to the handlers that were there before.
void snc_tiff_listen(char *message);

enum tiff_tag {
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_BITS = 258,
    TAG_COMPRESSION = 259,
    TAG_PHOTOMETRIC = 262,
    TAG_ORIENTATION = 274,
    TAG_SAMPLES = 277,
    TAG_ROWS_PER_STRIP = 278,
    TAG_PLANAR = 284,
    TAG_PREDICTOR = 317,
    TAG_COLORMAP = 320,
    TAG_TILE_WIDTH = 322,
    TAG_TILE_HEIGHT = 323,
    TAG_EXTRA_SAMPLES = 338,
    TAG_SAMPLE_FORMAT = 339,
    TAG_JPEG_COLOR_MODE = 65538,
    TAG_DEFLATE_QUALITY = 65557,
};

enum tiff_value {
    WHITE_IS_ZERO = 0,
    BLACK_IS_ZERO = 1,
    RGB = 2,
    PALETTE = 3,
    YCBCR = 6,
    COMPRESSION_LZW = 5,
    COMPRESSION_JPEG = 7,
    COMPRESSION_DEFLATE = 8,
    TYPE_ASCII = 2,
    TYPE_SHORT = 3,
    TYPE_UNDEFINED = 7,
    TYPE_DOUBLE = 12,
};

#endif
