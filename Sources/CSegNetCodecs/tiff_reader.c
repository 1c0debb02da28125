#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tiff_reader.h"

#define LIB snc_tiff_functions

// ---- Bytes for libtiff

static tiff_size read_bytes(void *from, void *out, tiff_size wanted) {
    snc_tiff *tiff = from;
    if (wanted < 0 || tiff->position >= tiff->count) {
        return 0;
    }
    const uint64_t left = tiff->count - tiff->position;
    size_t count = (uint64_t)wanted < left ? (size_t)wanted : (size_t)left;
    if (tiff->bytes) {
        memcpy(out, tiff->bytes + tiff->position, count);
        tiff->position += count;
        return (tiff_size)count;
    }
    size_t done = 0;
    while (done < count) {
        const ssize_t got =
            pread(tiff->descriptor, (uint8_t *)out + done, count - done, (off_t)(tiff->position + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    tiff->position += done;
    return (tiff_size)done;
}

static tiff_size write_nothing(void *to, void *bytes, tiff_size count) {
    (void)to, (void)bytes, (void)count;
    return -1;
}

static uint64_t seek(void *from, uint64_t offset, int whence) {
    snc_tiff *tiff = from;
    const uint64_t base = whence == SEEK_CUR ? tiff->position : whence == SEEK_END ? tiff->count : 0;
    tiff->position = base + offset;
    return tiff->position;
}

static int close_nothing(void *from) {
    (void)from;
    return 0;
}

static uint64_t size(void *from) { return ((snc_tiff *)from)->count; }

static int map(void *from, void **base, uint64_t *count) {
    snc_tiff *tiff = from;
    if (!tiff->bytes) {
        return 0;
    }
    *base = (void *)(uintptr_t)tiff->bytes;
    *count = tiff->count;
    return 1;
}

static void unmap(void *from, void *base, uint64_t count) { (void)from, (void)base, (void)count; }

// ---- The directory

static uint32_t number(TIFF *tiff, uint32_t tag, uint32_t otherwise) {
    uint32_t value = 0;
    return LIB.get_defaulted(tiff, tag, &value) ? value : otherwise;
}

static int short_number(TIFF *tiff, uint32_t tag, int otherwise) {
    uint16_t value = 0;
    return LIB.get_defaulted(tiff, tag, &value) ? value : otherwise;
}

static uint64_t product(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX / 4 : result < UINT64_MAX / 4 ? result : UINT64_MAX / 4;
}

static void find_alpha(snc_tiff *t) {
    uint16_t count = 0, *kinds = NULL;
    t->alpha = -1;
    if (!LIB.get_defaulted(t->tiff, TAG_EXTRA_SAMPLES, &count, &kinds) || !kinds) {
        return;
    }
    for (int i = 0; i < count && count <= t->info.samples; i++) {
        // 1: premultiplied alpha; 2: alpha that is not; 0: anything else, such as infrared.
        if (kinds[i] == 1 || kinds[i] == 2) {
            t->alpha = t->info.samples - count + i;
            t->is_premultiplied = kinds[i] == 1;
            return;
        }
    }
}

static int read_palette(snc_tiff *t, char *message) {
    uint16_t *red = NULL, *green = NULL, *blue = NULL;
    if (!LIB.get(t->tiff, TAG_COLORMAP, &red, &green, &blue)) {
        snc_copy_message(message, "its palette is missing");
        return SNC_OPTIONAL_FAILED;
    }
    const int colors = 1 << t->info.bits;
    // Some programs write 8-bit values where 16-bit values belong.
    int are_deep = 0;
    for (int i = 0; i < colors; i++) {
        are_deep |= red[i] > 255 || green[i] > 255 || blue[i] > 255;
    }
    for (int i = 0; i < colors; i++) {
        t->palette[i][0] = (uint8_t)(are_deep ? red[i] >> 8 : red[i]);
        t->palette[i][1] = (uint8_t)(are_deep ? green[i] >> 8 : green[i]);
        t->palette[i][2] = (uint8_t)(are_deep ? blue[i] >> 8 : blue[i]);
    }
    return 0;
}

/// Chooses how the pixels are read.
static int choose_way(snc_tiff *t, int format, char *message) {
    snc_tiff_info *info = &t->info;
    const int bits = info->bits;
    if (format != 1 && format != 4) {
        const char *kind = format == 2 ? "signed integers" : format == 3 ? "floating point numbers" : "complex numbers";
        snprintf(message, SNC_MESSAGE_BYTES, "its samples are %s of %d bits", kind, bits);
        return SNC_UNSUPPORTED;
    }
    const int is_gray = info->photometric == WHITE_IS_ZERO || info->photometric == BLACK_IS_ZERO;
    const int is_narrow = bits == 1 || bits == 2 || bits == 4;
    const int is_whole = bits == 8 || bits == 16;
    const int is_direct = (is_gray && (is_whole || (is_narrow && info->samples == 1))) ||
                          (info->photometric == RGB && is_whole && info->samples >= 3) ||
                          (info->photometric == PALETTE && bits <= 8 && (bits == 8 || (is_narrow && info->samples == 1)));
    if (is_direct) {
        t->way = !t->is_tiled && !t->is_planar ? WAY_ROWS : WAY_SAMPLES;
        info->channels = t->alpha >= 0 ? 4 : is_gray ? 1 : 3;
        info->has_numbers = info->photometric != RGB;
        return info->photometric == PALETTE ? read_palette(t, message) : 0;
    }
    char reason[1024] = "";
    if (!LIB.rgba_is_possible(t->tiff, reason)) {
        snprintf(message, SNC_MESSAGE_BYTES, "%.200s", reason);
        for (size_t length = strlen(message); length > 0 && message[length - 1] == '.'; length--) {
            message[length - 1] = 0;
        }
        return SNC_UNSUPPORTED;
    }
    t->way = WAY_RGBA;
    info->channels = 3;
    info->has_numbers = 0;
    return 0;
}

/// Checks that all strips or tiles are within the file. The largest counts as memory, since it is read before it is decoded.
static int check_extent(snc_tiff *t, char *message) {
    uint64_t largest = 0;
    const uint32_t count = t->is_tiled ? LIB.tile_count(t->tiff) : LIB.strip_count(t->tiff);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t offset = LIB.offset(t->tiff, i), bytes = LIB.byte_count(t->tiff, i);
        if (offset > t->count || bytes > t->count - offset) {
            snprintf(
                message, SNC_MESSAGE_BYTES, "%s %u of %u ends beyond the end of the file", t->is_tiled ? "tile" : "strip",
                i + 1, count);
            return SNC_OPTIONAL_FAILED;
        }
        largest = bytes > largest ? bytes : largest;
    }
    // A file in memory is there already, and uncompressed data are read in pieces.
    t->info.reading_bytes += t->bytes || short_number(t->tiff, TAG_COMPRESSION, 1) == 1 ? 0 : largest;
    return 0;
}

static int read_directory(snc_tiff *t, char *message) {
    snc_tiff_info *info = &t->info;
    info->width = number(t->tiff, TAG_WIDTH, 0);
    info->height = number(t->tiff, TAG_HEIGHT, 0);
    if (info->width == 0 || info->height == 0 || info->width > INT32_MAX || info->height > INT32_MAX) {
        snprintf(message, SNC_MESSAGE_BYTES, "its header says %ux%u pixels", info->width, info->height);
        return SNC_OPTIONAL_FAILED;
    }
    const int compression = short_number(t->tiff, TAG_COMPRESSION, 1);
    if (!LIB.has_codec((uint16_t)compression)) {
        snprintf(message, SNC_MESSAGE_BYTES, "its compression, number %d, is one that this libtiff does not read", compression);
        return SNC_UNSUPPORTED;
    }
    info->bits = short_number(t->tiff, TAG_BITS, 1);
    info->samples = short_number(t->tiff, TAG_SAMPLES, 1);
    info->photometric = short_number(t->tiff, TAG_PHOTOMETRIC, info->samples >= 3 ? RGB : BLACK_IS_ZERO);
    info->orientation = short_number(t->tiff, TAG_ORIENTATION, 1);
    t->is_tiled = LIB.is_tiled(t->tiff);
    t->is_planar = info->samples > 1 && short_number(t->tiff, TAG_PLANAR, 1) == 2;
    if (compression == COMPRESSION_JPEG && info->photometric == YCBCR && !t->is_planar) {
        LIB.set(t->tiff, TAG_JPEG_COLOR_MODE, 1);
        info->photometric = RGB;
    }
    find_alpha(t);
    const int failed = choose_way(t, short_number(t->tiff, TAG_SAMPLE_FORMAT, 1), message);
    if (failed) {
        return failed;
    }
    t->tile_width = t->is_tiled ? number(t->tiff, TAG_TILE_WIDTH, 0) : info->width;
    t->tile_height = t->is_tiled ? number(t->tiff, TAG_TILE_HEIGHT, 0) : number(t->tiff, TAG_ROWS_PER_STRIP, info->height);
    if (!t->is_tiled && t->tile_height > info->height) {
        t->tile_height = info->height;
    }
    if (t->tile_width == 0 || t->tile_height == 0 || t->tile_width > INT32_MAX || t->tile_height > INT32_MAX) {
        snc_copy_message(message, "its tiles or strips have no size");
        return SNC_OPTIONAL_FAILED;
    }
    t->tile_bytes = t->is_tiled ? LIB.tile_bytes(t->tiff) : LIB.strip_bytes(t->tiff);
    t->row_bytes = LIB.row_bytes(t->tiff);
    if (t->way == WAY_ROWS) {
        info->reading_bytes = t->row_bytes;
    } else {
        const uint64_t band = product(product(info->width, 4), t->tile_height);
        const uint64_t samples = t->way == WAY_RGBA ? product(product(t->tile_width, t->tile_height), 4)
                                                    : product(t->tile_bytes, t->is_planar ? (uint64_t)info->samples : 1);
        info->reading_bytes = band + samples;
    }
    return check_extent(t, message);
}

static int start(snc_tiff *t, snc_tiff **result, snc_tiff_info *info, char *message) {
    snc_tiff_listen(message);
    // Without mapping ("m"), unless everything is in memory anyway. libtiff then reads uncompressed strips in pieces of 8 KiB.
    t->tiff = LIB.client_open(
        "TIFF", t->bytes ? "r" : "rm", t, read_bytes, write_nothing, seek, close_nothing, size, map, unmap);
    int failed = SNC_OPTIONAL_FAILED;
    if (t->tiff) {
        failed = read_directory(t, message);
    }
    snc_tiff_listen(NULL);
    if (failed) {
        if (!message[0]) {
            snc_copy_message(message, "libtiff does not accept its header");
        }
        snc_tiff_close(t);
        return failed;
    }
    t->band_number = -1;
    *info = t->info;
    *result = t;
    return 0;
}

int snc_tiff_open(const uint8_t *bytes, size_t count, snc_tiff **result, snc_tiff_info *info, char *message) {
    *result = NULL;
    if (!snc_tiff_is_there()) {
        snc_copy_message(message, "libtiff");
        return SNC_LIBRARY_MISSING;
    }
    snc_tiff *t = calloc(1, sizeof *t);
    if (!t) {
        snc_copy_message(message, "out of memory");
        return SNC_OPTIONAL_FAILED;
    }
    t->descriptor = -1;
    t->bytes = bytes;
    t->count = count;
    return start(t, result, info, message);
}

int snc_tiff_open_file(const char *path, snc_tiff **result, snc_tiff_info *info, char *message) {
    *result = NULL;
    if (!snc_tiff_is_there()) {
        snc_copy_message(message, "libtiff");
        return SNC_LIBRARY_MISSING;
    }
    snc_tiff *t = calloc(1, sizeof *t);
    struct stat status;
    if (t) {
        t->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (!t || t->descriptor < 0 || fstat(t->descriptor, &status)) {
        snc_file_error_text(errno, message);
        if (t && t->descriptor >= 0) {
            close(t->descriptor);
        }
        free(t);
        return SNC_OPTIONAL_FAILED;
    }
    t->count = (uint64_t)status.st_size;
    return start(t, result, info, message);
}

void snc_tiff_close(snc_tiff *tiff) {
    if (!tiff) {
        return;
    }
    if (tiff->tiff) {
        LIB.close(tiff->tiff);
    }
    if (tiff->descriptor >= 0) {
        close(tiff->descriptor);
    }
    free(tiff->samples);
    free(tiff->band);
    free(tiff);
}

void snc_tiff_tag(snc_tiff *tiff, uint32_t tag, int type, uint8_t **bytes, size_t *count) {
    *bytes = NULL;
    // The type that the library knows, from the file or from other code that has registered the tag.
    const void *field = LIB.field(tiff->tiff, tag, 0);
    if (!field || LIB.field_type(field) != type) {
        return;
    }
    // Other code may have registered the tag with a count of 16 bits, which leaves the upper half 0, or with none: then the
    // library writes its pointer where the count belongs, and `data` stays NULL.
    union {
        uint32_t count;
        const void *pointer;
    } first = {0};
    const void *data = NULL;
    if (!LIB.get(tiff->tiff, tag, &first, &data) || !data || first.count == 0) {
        return;
    }
    const uint32_t found = first.count;
    const size_t one = type == TYPE_DOUBLE ? 8 : type == TYPE_SHORT ? 2 : 1;
    uint8_t *copy = malloc(found * one);
    if (copy) {
        memcpy(copy, data, found * one);
        *bytes = copy;
        *count = found;
    }
}
