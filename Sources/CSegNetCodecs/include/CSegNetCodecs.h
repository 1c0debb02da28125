#ifndef CSEGNETCODECS_H
#define CSEGNETCODECS_H

#include <stddef.h>
#include <stdint.h>

// PNG, JPEG and whole files behind functions that return: libpng reports errors by longjmp, which must never cross a
// Swift frame, so every setjmp and every library callback lives in this target.
//
// Rules of all functions:
// - Memory: functions that return bytes allocate them with malloc; the caller releases them with snc_release.
// - Errors: 0 is success. Otherwise `message` holds the library's own words, cut at SNC_MESSAGE_BYTES - 1.
// - Threads: no shared state; call from any thread.

#if __has_feature(nullability)
#define SNC_NONNULL _Nonnull
#define SNC_NULLABLE _Nullable
#else
#define SNC_NONNULL
#define SNC_NULLABLE
#endif

#define SNC_MESSAGE_BYTES 256

/// Releases what a function of this header allocated.
void snc_release(void *SNC_NULLABLE bytes);

// ---- PNG

/// How pixels leave the decoder.
enum snc_png_form {
    /// A picture, 8 bits per sample: gray scaled to 0...255 (1 channel), colour (3), or colour and alpha (4). Palettes
    /// become colour, transparent colours become alpha, 16 bits are rounded to 8.
    SNC_PNG_PICTURE = 0,
    /// Numbers, 8 bits each: palette indices or gray values of at most 8 bits as they stand in the file. Alpha is
    /// dropped.
    SNC_PNG_NUMBERS8 = 1,
    /// The same with 16 bits each in the machine's byte order, for files of 16 bits per sample.
    SNC_PNG_NUMBERS16 = 2,
};

/// What a PNG's header chunks say, after libpng has checked them.
typedef struct snc_png_info {
    uint32_t width;
    uint32_t height;
    int32_t bit_depth;
    /// 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA.
    int32_t color_type;
    /// 1 if a transparent colour or palette alpha is given.
    int32_t has_transparency;
} snc_png_info;

/// Reads a PNG up to its first pixel. Allocates no pixels.
int snc_png_read_info(
    const uint8_t *SNC_NONNULL bytes, size_t count, snc_png_info *SNC_NONNULL info, char *SNC_NONNULL message);

/// Reads a PNG's pixels, rows without gaps, and its end.
/// @param pixels `pixel_bytes` bytes. Fails, having written nothing, when the picture needs another number of bytes.
int snc_png_read_pixels(
    const uint8_t *SNC_NONNULL bytes, size_t count, enum snc_png_form form, uint8_t *SNC_NONNULL pixels,
    size_t pixel_bytes, char *SNC_NONNULL message);

/// What to write.
typedef struct snc_png_picture {
    /// Rows without gaps; 16-bit samples in the machine's byte order.
    const uint8_t *SNC_NONNULL pixels;
    uint32_t width;
    uint32_t height;
    /// As in snc_png_info: 0, 2, 3 or 6.
    int32_t color_type;
    /// 8 or 16.
    int32_t bit_depth;
    /// Colours of the palette for colour type 3, else 0.
    int32_t palette_count;
    const uint8_t *SNC_NULLABLE palette;
    /// zlib's level 0...9.
    int32_t level;
    /// zlib's strategy: 0 default, 1 filtered, 2 Huffman only, 3 run lengths, 4 fixed.
    int32_t strategy;
    /// Bits of libpng's filters: 0x08 none, 0x10 sub, 0x20 up, 0x40 average, 0x80 Paeth; several = libpng chooses per
    /// row.
    int32_t filters;
} snc_png_picture;

/// Writes a PNG into memory.
int snc_png_write(
    const snc_png_picture *SNC_NONNULL picture, uint8_t *SNC_NULLABLE *SNC_NONNULL bytes, size_t *SNC_NONNULL count,
    char *SNC_NONNULL message);

// ---- JPEG

/// How pixels leave the decoder or enter the encoder, with their bytes per pixel.
enum snc_jpeg_form {
    SNC_JPEG_GRAY = 1,
    SNC_JPEG_RGB = 3,
    SNC_JPEG_CMYK = 4,
    /// Encoder only: RGBA, its alpha unused.
    SNC_JPEG_RGBX = 5,
};

/// Errors of snc_jpeg_read; 0 means success.
enum snc_jpeg_failure {
    SNC_JPEG_FATAL = 1,
    /// The library could go on, but the pixels are not all the file's.
    SNC_JPEG_WARNING = 2,
};

/// Reads a JPEG. EXIF is not looked at; CMYK samples are left as stored.
/// @param stops_on_warning 1: the first warning ends the work. 0: the work is finished, and the first warning reported.
/// @return 0 or one of snc_jpeg_failure.
int snc_jpeg_read(
    const uint8_t *SNC_NONNULL bytes, size_t count, enum snc_jpeg_form form, int width, int height,
    int stops_on_warning, uint8_t *SNC_NONNULL pixels, size_t pixel_bytes, char *SNC_NONNULL message);

/// Writes a baseline JPEG into memory.
/// @param quality 1...100
/// @param keeps_full_colour 1: colour at full resolution (4:4:4). 0: at half resolution both ways (4:2:0).
int snc_jpeg_write(
    const uint8_t *SNC_NONNULL pixels, enum snc_jpeg_form form, int width, int height, int quality,
    int keeps_full_colour, uint8_t *SNC_NULLABLE *SNC_NONNULL bytes, size_t *SNC_NONNULL count,
    char *SNC_NONNULL message);

// ---- Files

/// Errors of reading or writing a file; 0 means success.
enum snc_file_failure {
    /// `error_number` is errno.
    SNC_FILE_SYSTEM = 1,
    /// The file holds more than `limit` bytes.
    SNC_FILE_TOO_LARGE = 2,
    SNC_FILE_NO_MEMORY = 3,
};

/// Reads a whole file of at most `limit` bytes.
int snc_file_read(
    const char *SNC_NONNULL path, size_t limit, uint8_t *SNC_NULLABLE *SNC_NONNULL bytes,
    size_t *SNC_NONNULL count, int *SNC_NONNULL error_number);

/// Reads the first bytes of a regular file, at most `most`; nothing else is waited for, so that a pipe cannot hold a program up.
int snc_file_read_start(
    const char *SNC_NONNULL path, size_t most, uint8_t *SNC_NULLABLE *SNC_NONNULL bytes,
    size_t *SNC_NONNULL count, int *SNC_NONNULL error_number);

/// Writes a file next to `path` (`snc_file_target`) and renames it into place, so that `path` never names half a file.
int snc_file_write(
    const char *SNC_NONNULL path, const uint8_t *SNC_NONNULL bytes, size_t count, int *SNC_NONNULL error_number);

/// The path to which the bytes of a file are written, by the rule of SegNetFormats/Files/FileTarget.swift. Links are followed, and the file
/// at their end is replaced (`is_replaced` 1). A device, a pipe or an open file such as /dev/stdout is opened and written to (0). Returns
/// NULL if memory runs out; the caller frees the path.
char *SNC_NULLABLE snc_file_target(const char *SNC_NONNULL path, int *SNC_NONNULL is_replaced);

/// A temporary name, in the same folder, for a file that will become `path`; NULL if there is no memory. The caller releases it.
char *SNC_NULLABLE snc_file_name_beside(const char *SNC_NONNULL path);

/// Makes the file `beside`, which will become `path`, and locks it; `access` is O_WRONLY or O_RDWR. No more people may read it than the
/// file that it replaces. -1 where that fails, with the cause in errno.
int snc_file_open_beside(const char *SNC_NONNULL path, const char *SNC_NONNULL beside, int access);

/// Gives `beside` the permissions of `path`, if that is there, and its name. -1 where that fails, with the cause in errno.
int snc_file_put_in_place(const char *SNC_NONNULL beside, const char *SNC_NONNULL path);

/// The system's words for errno, cut at SNC_MESSAGE_BYTES - 1.
void snc_file_error_text(int error_number, char *SNC_NONNULL message);

#include "CSegNetOptionalCodecs.h"

#endif
