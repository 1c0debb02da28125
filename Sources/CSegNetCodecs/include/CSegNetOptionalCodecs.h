#ifndef CSEGNETOPTIONALCODECS_H
#define CSEGNETOPTIONALCODECS_H

#include "CSegNetCodecs.h"

// Formats whose libraries are loaded when the first file of the kind is read (dlopen), so that a program can be built and
// started without them. The .c files declare the functions that they call; these are the same in all versions that
// distributions still carry.
//
// The rules of CSegNetCodecs.h hold. Every function can also return SNC_LIBRARY_MISSING, before it does anything.

/// Errors of the functions in this header; 0 means success.
enum snc_optional_failure {
    /// The file is damaged, or the library refuses it; `message` has the library's words.
    SNC_OPTIONAL_FAILED = 1,
    /// The library is not on this machine; `message` names it.
    SNC_LIBRARY_MISSING = 2,
    /// The file is sound but has a feature that is not supported; `message` names it.
    SNC_UNSUPPORTED = 3,
};

/// The libraries.
enum snc_library { SNC_LIBRARY_TIFF, SNC_LIBRARY_WEBP, SNC_LIBRARY_HEIF, SNC_LIBRARY_GIF, SNC_LIBRARY_LCMS };

/// 1 if the library is on this machine and has all the functions that are called.
int snc_library_is_there(enum snc_library library);

// ---- TIFF, through libtiff

/// A TIFF that is open for reading: its first picture. One thread at a time.
typedef struct snc_tiff snc_tiff;

/// The contents of a TIFF's first directory.
typedef struct snc_tiff_info {
    uint32_t width;
    uint32_t height;
    /// Bits per sample.
    int32_t bits;
    /// Samples per pixel, alpha and others included.
    int32_t samples;
    /// 0 white is zero, 1 black is zero, 2 RGB, 3 palette, ... (TIFF 6.0, PhotometricInterpretation)
    int32_t photometric;
    /// EXIF's 1...8. Rows are read as stored, not turned.
    int32_t orientation;
    /// Channels in the form SNC_TIFF_PICTURE: 1, 3 or 4.
    int32_t channels;
    /// Whether it can be read as SNC_TIFF_NUMBERS: gray or palette of at most 16 bits.
    int32_t has_numbers;
    /// Bytes that reading takes, in addition to the rows that are asked for.
    uint64_t reading_bytes;
} snc_tiff_info;

/// How rows leave the decoder.
enum snc_tiff_form {
    /// As SNC_PNG_PICTURE: 8 bits per sample, `channels` of them.
    SNC_TIFF_PICTURE = 0,
    /// The first sample of each pixel as the file has it, 16 bits in the machine's byte order.
    SNC_TIFF_NUMBERS = 1,
};

/// Opens a TIFF that is in memory. Reads directories but no pixels; checks that all strips or tiles are within the file.
/// @param bytes Remain the caller's, and must stay valid until snc_tiff_close.
int snc_tiff_open(
    const uint8_t *SNC_NONNULL bytes, size_t count, snc_tiff *SNC_NULLABLE *SNC_NONNULL tiff,
    snc_tiff_info *SNC_NONNULL info, char *SNC_NONNULL message);

/// The same for a file. Only what is asked for is read.
int snc_tiff_open_file(
    const char *SNC_NONNULL path, snc_tiff *SNC_NULLABLE *SNC_NONNULL tiff, snc_tiff_info *SNC_NONNULL info,
    char *SNC_NONNULL message);

void snc_tiff_close(snc_tiff *SNC_NULLABLE tiff);

/// Reads whole rows. From top to bottom this is fast: each strip or row of tiles is decoded once.
/// @param out `count` rows without gaps.
int snc_tiff_read_rows(
    snc_tiff *SNC_NONNULL tiff, enum snc_tiff_form form, uint32_t first, uint32_t count, void *SNC_NONNULL out,
    char *SNC_NONNULL message);

/// The numbers of a tag if the file has it with this type; otherwise `*bytes` is NULL.
/// @param type 2 ASCII, 3 SHORT, 7 UNDEFINED, 12 DOUBLE (TIFF 6.0).
/// @param count Gets how many numbers there are.
void snc_tiff_tag(
    snc_tiff *SNC_NONNULL tiff, uint32_t tag, int type, uint8_t *SNC_NULLABLE *SNC_NONNULL bytes,
    size_t *SNC_NONNULL count);

/// A TIFF that is being written, in tiles of 256 x 256, compressed by Deflate, under a temporary name.
typedef struct snc_tiff_writer snc_tiff_writer;

/// What to write.
typedef struct snc_tiff_picture {
    uint32_t width;
    uint32_t height;
    /// Bits per sample, 8 or 16.
    int32_t bits;
    /// 1 or 3.
    int32_t samples;
    /// A palette of 256 colours, three bytes each: red, green and blue. NULL for gray or RGB.
    const uint8_t *SNC_NULLABLE palette;
} snc_tiff_picture;

/// Begins a file. It is a BigTIFF if it might not fit in 4 GiB.
int snc_tiff_create(
    const char *SNC_NONNULL path, const snc_tiff_picture *SNC_NONNULL picture,
    snc_tiff_writer *SNC_NULLABLE *SNC_NONNULL writer, char *SNC_NONNULL message);

/// Gives it a tag. Call this before the first row.
/// @param type As in snc_tiff_tag: 2, 3 or 12.
int snc_tiff_set_tag(
    snc_tiff_writer *SNC_NONNULL writer, uint32_t tag, int type, const uint8_t *SNC_NONNULL bytes, size_t count,
    char *SNC_NONNULL message);

/// Appends rows without gaps, in the machine's byte order.
int snc_tiff_write_rows(
    snc_tiff_writer *SNC_NONNULL writer, const void *SNC_NONNULL rows, uint32_t count, char *SNC_NONNULL message);

/// Ends the file. If `keeps` is not 0 and all rows are there, the file gets its name; otherwise it is deleted. Releases the
/// writer in any case.
int snc_tiff_finish(snc_tiff_writer *SNC_NONNULL writer, int keeps, char *SNC_NONNULL message);

// ---- WebP, through libwebp

typedef struct snc_picture_info {
    uint32_t width;
    uint32_t height;
    /// 3 or 4.
    int32_t channels;
    int32_t is_animated;
} snc_picture_info;

int snc_webp_read_info(
    const uint8_t *SNC_NONNULL bytes, size_t count, snc_picture_info *SNC_NONNULL info, char *SNC_NONNULL message);

/// @param pixels width x height x channels bytes.
int snc_webp_read_pixels(
    const uint8_t *SNC_NONNULL bytes, size_t count, const snc_picture_info *SNC_NONNULL info,
    uint8_t *SNC_NONNULL pixels, char *SNC_NONNULL message);

// ---- HEIC and AVIF, through libheif

/// A file's main picture, before its pixels are decoded.
typedef struct snc_heif snc_heif;

/// @param bytes Remain the caller's, and must stay valid until snc_heif_close.
int snc_heif_open(
    const uint8_t *SNC_NONNULL bytes, size_t count, snc_heif *SNC_NULLABLE *SNC_NONNULL file,
    snc_picture_info *SNC_NONNULL info, char *SNC_NONNULL message);

void snc_heif_close(snc_heif *SNC_NULLABLE file);

/// The ICC profile; NULL if there is none.
void snc_heif_profile(
    snc_heif *SNC_NONNULL file, uint8_t *SNC_NULLABLE *SNC_NONNULL bytes, size_t *SNC_NONNULL count);

/// Turned as the file says, rounded to 8 bits.
int snc_heif_read_pixels(
    snc_heif *SNC_NONNULL file, const snc_picture_info *SNC_NONNULL info, uint8_t *SNC_NONNULL pixels,
    char *SNC_NONNULL message);

// ---- GIF, through giflib

/// The first frame: `info` gets the size of the whole canvas.
int snc_gif_read_info(
    const uint8_t *SNC_NONNULL bytes, size_t count, snc_picture_info *SNC_NONNULL info, char *SNC_NONNULL message);

/// @param pixels width x height x 4 bytes, RGBA; the part of the canvas outside the frame is transparent.
int snc_gif_read_pixels(
    const uint8_t *SNC_NONNULL bytes, size_t count, const snc_picture_info *SNC_NONNULL info,
    uint8_t *SNC_NONNULL pixels, char *SNC_NONNULL message);

// ---- Colour profiles, through lcms2

/// From the colours of an ICC profile to sRGB. Several threads may use one.
typedef struct snc_colors snc_colors;

/// @param colors Gets NULL if there is nothing to do: the profile is sRGB itself, or is not for RGB.
int snc_colors_open(
    const uint8_t *SNC_NONNULL profile, size_t count, int channels, snc_colors *SNC_NULLABLE *SNC_NONNULL colors,
    char *SNC_NONNULL message);

/// In place; alpha is unchanged.
void snc_colors_convert(snc_colors *SNC_NONNULL colors, uint8_t *SNC_NONNULL pixels, size_t count);

void snc_colors_close(snc_colors *SNC_NULLABLE colors);

#endif
