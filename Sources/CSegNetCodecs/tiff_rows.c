#include <string.h>

#include "tiff_reader.h"

// Converts samples as the file has them to pictures of 8 bits or numbers of 16.

/// The sample of a pixel as the file has it.
static inline uint32_t sample(const uint8_t *plane, size_t index, int bits) {
    switch (bits) {
        case 8: return plane[index];
        case 16: return ((const uint16_t *)(const void *)plane)[index];
        default: {
            const size_t bit = index * (size_t)bits;
            return (uint32_t)(plane[bit / 8] >> (8 - bits - (int)(bit % 8))) & ((1u << bits) - 1);
        }
    }
}

/// To 8 bits: 16 are rounded, as libpng does it; fewer are spread over 0...255.
static inline uint8_t byte(uint32_t value, int bits) {
    switch (bits) {
        case 8: return (uint8_t)value;
        case 16: return (uint8_t)((value * 255 + 32895) >> 16);
        default: return (uint8_t)(value * 255 / ((1u << bits) - 1));
    }
}

static uint8_t divided(uint8_t color, uint8_t alpha) {
    const unsigned value = alpha ? (color * 255u + alpha / 2) / alpha : 0;
    return (uint8_t)(value > 255 ? 255 : value);
}

static void numbers(const snc_tiff *tiff, const uint8_t *plane, size_t step, uint32_t pixels, uint16_t *out) {
    for (size_t x = 0; x < pixels; x++) {
        out[x] = (uint16_t)sample(plane, x * step, tiff->info.bits);
    }
}

void snc_tiff_convert(
    const snc_tiff *tiff, enum snc_tiff_form form, const uint8_t *const *planes, size_t step, uint32_t pixels, void *out) {
    const int bits = tiff->info.bits;
    if (form == SNC_TIFF_NUMBERS) {
        numbers(tiff, planes[0], step, pixels, out);
        return;
    }
    const size_t channels = (size_t)tiff->info.channels;
    uint8_t *target = out;
    const int colors = tiff->info.photometric == WHITE_IS_ZERO || tiff->info.photometric == BLACK_IS_ZERO ? 1 : 3;
    if (bits == 8 && colors == 3 && channels == 3 && step == 3 && tiff->info.photometric != PALETTE && !tiff->is_planar) {
        memcpy(target, planes[0], (size_t)pixels * 3);
        return;
    }
    for (size_t x = 0; x < pixels; x++, target += channels) {
        uint8_t color[3];
        if (tiff->info.photometric == PALETTE) {
            memcpy(color, tiff->palette[sample(planes[0], x * step, bits)], 3);
        } else if (colors == 1) {
            const uint8_t gray = byte(sample(planes[0], x * step, bits), bits);
            color[0] = color[1] = color[2] = tiff->info.photometric == WHITE_IS_ZERO ? (uint8_t)(255 - gray) : gray;
        } else {
            for (int c = 0; c < 3; c++) {
                color[c] = byte(sample(planes[c], x * step, bits), bits);
            }
        }
        if (channels == 4) {
            const uint8_t alpha = byte(sample(planes[tiff->alpha], x * step, bits), bits);
            for (int c = 0; c < 3 && tiff->is_premultiplied; c++) {
                color[c] = divided(color[c], alpha);
            }
            target[3] = alpha;
        }
        memcpy(target, color, channels == 1 ? 1 : 3);
    }
}
