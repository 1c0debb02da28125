#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

// giflib's gif_lib.h, version 5.
typedef struct gif_color {
    uint8_t red, green, blue;
} gif_color;

typedef struct gif_map {
    int count;
    int bits;
    bool sorted;
    gif_color *colors;
} gif_map;

typedef struct gif_frame {
    int left, top, width, height;
    bool interlaced;
    gif_map *map;
} gif_frame;

typedef struct gif_file {
    int width, height;
    int resolution;
    int background;
    uint8_t aspect;
    gif_map *map;
    int frame_count;
    gif_frame frame;
    void *saved_frames;
    int extension_count;
    void *extensions;
    int error;
    void *user;
    void *internals;
} gif_file;

enum { RECORD_FRAME = 2, RECORD_EXTENSION = 3, RECORD_END = 4, GRAPHICS_CONTROL = 0xF9 };

static struct {
    gif_file *(*open)(void *, int (*)(gif_file *, uint8_t *, int), int *);
    int (*close)(gif_file *, int *);
    int (*record)(gif_file *, int *);
    int (*frame)(gif_file *);
    int (*line)(gif_file *, uint8_t *, int);
    int (*extension)(gif_file *, int *, uint8_t **);
    int (*next_extension)(gif_file *, uint8_t **);
    const char *(*error)(int);
} gif;

static int is_there;

static void load(void) {
    static const int versions[] = {7, 0};
    static const char *const names[] = {
        "DGifOpen", "DGifCloseFile", "DGifGetRecordType", "DGifGetImageDesc", "DGifGetLine", "DGifGetExtension",
        "DGifGetExtensionNext", "GifErrorString", NULL};
    void *library = snc_library_open("gif", versions);
    is_there = library && snc_library_functions(library, names, (void **)&gif);
}

int snc_gif_is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there;
}

typedef struct source {
    const uint8_t *bytes;
    size_t left;
} source;

static int read_bytes(gif_file *file, uint8_t *out, int wanted) {
    source *from = file->user;
    const size_t count = (size_t)wanted < from->left ? (size_t)wanted : from->left;
    memcpy(out, from->bytes, count);
    from->bytes += count;
    from->left -= count;
    return (int)count;
}

static int failure(int error, char *message) {
    snc_copy_message(message, error ? gif.error(error) : "it has no picture");
    return SNC_OPTIONAL_FAILED;
}

static gif_file *open_file(source *from, int *code, char *message) {
    if (!snc_gif_is_there()) {
        snc_copy_message(message, "libgif");
        *code = SNC_LIBRARY_MISSING;
        return NULL;
    }
    int error = 0;
    gif_file *file = gif.open(from, read_bytes, &error);
    if (!file) {
        *code = failure(error, message);
        return NULL;
    }
    if (file->width <= 0 || file->height <= 0) {
        snprintf(message, SNC_MESSAGE_BYTES, "its header says %dx%d pixels", file->width, file->height);
        gif.close(file, &error);
        *code = SNC_OPTIONAL_FAILED;
        return NULL;
    }
    return file;
}

int snc_gif_read_info(const uint8_t *bytes, size_t count, snc_picture_info *info, char *message) {
    source from = {bytes, count};
    int code = 0;
    gif_file *file = open_file(&from, &code, message);
    if (!file) {
        return code;
    }
    info->width = (uint32_t)file->width;
    info->height = (uint32_t)file->height;
    info->channels = 4;
    info->is_animated = 0;
    gif.close(file, &code);
    return 0;
}

/// Skips to the first frame.
/// @param transparent Gets the index of the transparent colour; -1 if there is none.
static int find_frame(gif_file *file, int *transparent) {
    *transparent = -1;
    for (;;) {
        int record = 0;
        if (!gif.record(file, &record) || record == RECORD_END) {
            return 0;
        }
        if (record == RECORD_FRAME) {
            return gif.frame(file);
        }
        if (record != RECORD_EXTENSION) {
            continue;
        }
        int kind = 0;
        uint8_t *block = NULL;
        if (!gif.extension(file, &kind, &block)) {
            return 0;
        }
        // The first byte of a block is its length.
        if (kind == GRAPHICS_CONTROL && block && block[0] >= 4 && (block[1] & 1)) {
            *transparent = block[4];
        }
        while (block) {
            if (!gif.next_extension(file, &block)) {
                return 0;
            }
        }
    }
}

static int read_frame(gif_file *file, int transparent, uint32_t canvas_width, uint32_t canvas_height, uint8_t *pixels) {
    const gif_frame frame = file->frame;
    const gif_map *map = frame.map ? frame.map : file->map;
    uint8_t *line = frame.width > 0 && map ? malloc((size_t)frame.width) : NULL;
    if (!line) {
        return 0;
    }
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    int done = 1;
    for (int pass = 0; pass < (frame.interlaced ? 4 : 1) && done; pass++) {
        const int step = frame.interlaced ? steps[pass] : 1;
        for (int y = starts[pass]; y < frame.height && done; y += step) {
            done = gif.line(file, line, frame.width);
            const int64_t row = (int64_t)frame.top + y;
            for (int x = 0; done && row >= 0 && row < canvas_height && x < frame.width; x++) {
                const int64_t column = (int64_t)frame.left + x;
                if (column < 0 || column >= canvas_width || line[x] >= map->count || line[x] == transparent) {
                    continue;
                }
                uint8_t *pixel = pixels + 4 * ((size_t)row * canvas_width + (size_t)column);
                const gif_color color = map->colors[line[x]];
                pixel[0] = color.red;
                pixel[1] = color.green;
                pixel[2] = color.blue;
                pixel[3] = 255;
            }
        }
    }
    free(line);
    return done;
}

int snc_gif_read_pixels(
    const uint8_t *bytes, size_t count, const snc_picture_info *info, uint8_t *pixels, char *message) {
    source from = {bytes, count};
    int code = 0;
    gif_file *file = open_file(&from, &code, message);
    if (!file) {
        return code;
    }
    memset(pixels, 0, (size_t)info->width * info->height * 4);
    int transparent = -1;
    const int done = find_frame(file, &transparent) &&
                     read_frame(file, transparent, info->width, info->height, pixels);
    if (!done) {
        code = failure(file->error, message);
    }
    int ignored = 0;
    gif.close(file, &ignored);
    return done ? 0 : code;
}
