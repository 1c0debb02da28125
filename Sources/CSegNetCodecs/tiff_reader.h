#ifndef SNC_TIFF_READER_H
#define SNC_TIFF_READER_H

#include "tiff_library.h"

/// How the pixels of a file are read.
enum tiff_way {
    /// From samples, by tiff_rows.c: gray, RGB and palettes.
    WAY_SAMPLES,
    /// The same from strips with interleaved samples: row by row, however large the strips are.
    WAY_ROWS,
    /// By libtiff's own conversion to RGBA: CMYK, YCbCr outside JPEG, Lab and rarer kinds.
    WAY_RGBA,
};

struct snc_tiff {
    TIFF *tiff;
    snc_tiff_info info;
    enum tiff_way way;

    // Where the bytes come from: a file or memory.
    int descriptor;
    const uint8_t *bytes;
    uint64_t count;
    uint64_t position;

    int is_tiled;
    int is_planar;
    /// The size of a tile, or of a strip.
    uint32_t tile_width;
    uint32_t tile_height;
    uint64_t tile_bytes;
    /// The bytes of one row that WAY_ROWS reads.
    uint64_t row_bytes;
    /// The row that WAY_ROWS reads next. Most compressions can only continue from there, or start the strip again.
    uint32_t next_row;
    /// The number of the sample that is alpha; -1 if there is none.
    int alpha;
    int is_premultiplied;
    /// Colours of a palette, 8 bits each.
    uint8_t palette[256][3];

    /// Decoded samples: one row, or one tile (its planes one after the other).
    uint8_t *samples;
    /// A row of tiles in the form that was asked for, with its number (-1: none) and its form.
    uint8_t *band;
    int64_t band_number;
    enum snc_tiff_form band_form;
};

/// Converts pixels of one row.
/// @param planes For each sample, its place in the first pixel. With interleaved samples these differ by an offset only.
/// @param step Samples from one pixel to the next.
void snc_tiff_convert(
    const snc_tiff *tiff, enum snc_tiff_form form, const uint8_t *const *planes, size_t step, uint32_t pixels, void *out);

#endif
