#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include "CSegNetCodecs.h"

// The tj...2 functions are those that libjpeg-turbo 2.x and 3.x share.

static void copy_message(char *message, const char *text) {
    snprintf(message, SNC_MESSAGE_BYTES, "%s", text ? text : "unknown error");
}

static int pixel_format(enum snc_jpeg_form form) {
    switch (form) {
        case SNC_JPEG_GRAY: return TJPF_GRAY;
        case SNC_JPEG_RGB: return TJPF_RGB;
        case SNC_JPEG_CMYK: return TJPF_CMYK;
        case SNC_JPEG_RGBX: return TJPF_RGBX;
    }
    return TJPF_RGB;
}

int snc_jpeg_read(
    const uint8_t *bytes, size_t count, enum snc_jpeg_form form, int width, int height, int stops_on_warning,
    uint8_t *pixels, size_t pixel_bytes, char *message) {
    const int format = pixel_format(form);
    const size_t row_bytes = (size_t)width * (size_t)tjPixelSize[format];
    if (width < 1 || height < 1 || row_bytes > 0x7fffffff || pixel_bytes / row_bytes != (size_t)height
        || pixel_bytes % row_bytes != 0) {
        copy_message(message, "the buffer does not fit the picture");
        return SNC_JPEG_FATAL;
    }
    tjhandle decoder = tjInitDecompress();
    if (!decoder) {
        copy_message(message, "libjpeg-turbo does not start (out of memory)");
        return SNC_JPEG_FATAL;
    }
    // The size was read by our own parser. Where the library's differs it would scale the picture to fit: the buffer is
    // safe, the picture would be wrong. A failure here is reported by the decoding below, in better words.
    int found_width = 0, found_height = 0, subsampling = 0, colorspace = 0;
    tjDecompressHeader3(decoder, bytes, count, &found_width, &found_height, &subsampling, &colorspace);
    if (found_width > 0 && found_height > 0 && (found_width != width || found_height != height)) {
        copy_message(message, "its headers disagree about the size");
        tjDestroy(decoder);
        return SNC_JPEG_FATAL;
    }
    int flags = TJFLAG_ACCURATEDCT;
#ifdef TJFLAG_LIMITSCANS
    flags |= TJFLAG_LIMITSCANS;
#endif
    if (stops_on_warning) {
        flags |= TJFLAG_STOPONWARNING;
    }
    int result = 0;
    if (tjDecompress2(decoder, bytes, count, pixels, width, (int)row_bytes, height, format, flags)) {
        copy_message(message, tjGetErrorStr2(decoder));
        result = tjGetErrorCode(decoder) == TJERR_WARNING ? SNC_JPEG_WARNING : SNC_JPEG_FATAL;
    }
    tjDestroy(decoder);
    return result;
}

int snc_jpeg_write(
    const uint8_t *pixels, enum snc_jpeg_form form, int width, int height, int quality, int keeps_full_colour,
    uint8_t **bytes, size_t *count, char *message) {
    tjhandle encoder = tjInitCompress();
    if (!encoder) {
        copy_message(message, "libjpeg-turbo does not start (out of memory)");
        return 1;
    }
    const int subsampling = form == SNC_JPEG_GRAY ? TJSAMP_GRAY : keeps_full_colour ? TJSAMP_444 : TJSAMP_420;
    unsigned char *from_library = NULL;
    unsigned long size = 0;
    int result = tjCompress2(
        encoder, pixels, width, 0, height, pixel_format(form), &from_library, &size, subsampling, quality,
        TJFLAG_ACCURATEDCT);
    if (result) {
        copy_message(message, tjGetErrorStr2(encoder));
    } else {
        // The library's memory has the library's release; ours is plain malloc.
        *bytes = malloc(size ? size : 1);
        if (*bytes) {
            memcpy(*bytes, from_library, size);
            *count = size;
        } else {
            copy_message(message, "out of memory");
            result = 1;
        }
    }
    tjFree(from_library);
    tjDestroy(encoder);
    return result != 0;
}
