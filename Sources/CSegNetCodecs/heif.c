#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

// libheif's heif.h, version 1.6 and later. Errors are returned by value, so their layout has to be declared.
typedef struct heif_error {
    int code;
    int subcode;
    const char *message;
} heif_error;

// Only the library allocates these. Later versions append fields; those here keep their places.
typedef struct decoding_options {
    uint8_t version;
    uint8_t ignore_transformations;
    void (*progress[3])(void);
    void *progress_user_data;
    // Since version 2 of the structure.
    uint8_t convert_hdr_to_8bit;
    // Since version 3.
    uint8_t strict_decoding;
} decoding_options;

enum { COLORSPACE_RGB = 1, CHROMA_RGB = 10, CHROMA_RGBA = 11, CHANNEL_INTERLEAVED = 10 };
enum { UNSUPPORTED_FEATURE = 4, DECODER_PLUGIN = 7, UNSUPPORTED_CODEC = 3000 };

static struct {
    void *(*context_alloc)(void);
    void (*context_free)(void *);
    heif_error (*read)(void *, const void *, size_t, const void *);
    heif_error (*primary)(void *, void **);
    void (*handle_release)(const void *);
    int (*width)(const void *);
    int (*height)(const void *);
    int (*has_alpha)(const void *);
    size_t (*profile_size)(const void *);
    heif_error (*profile)(const void *, void *);
    decoding_options *(*options_alloc)(void);
    void (*options_free)(decoding_options *);
    heif_error (*decode)(const void *, void **, int, int, const decoding_options *);
    void (*image_release)(const void *);
    const uint8_t *(*plane)(const void *, int, int *);
    int (*image_width)(const void *, int);
    int (*image_height)(const void *, int);
} heif;

static int is_there;

static void load(void) {
    static const int versions[] = {1, 0};
    static const char *const names[] = {
        "heif_context_alloc", "heif_context_free", "heif_context_read_from_memory_without_copy",
        "heif_context_get_primary_image_handle", "heif_image_handle_release", "heif_image_handle_get_width",
        "heif_image_handle_get_height", "heif_image_handle_has_alpha_channel",
        "heif_image_handle_get_raw_color_profile_size", "heif_image_handle_get_raw_color_profile",
        "heif_decoding_options_alloc", "heif_decoding_options_free", "heif_decode_image", "heif_image_release",
        "heif_image_get_plane_readonly", "heif_image_get_width", "heif_image_get_height", NULL};
    void *library = snc_library_open("heif", versions);
    is_there = library && snc_library_functions(library, names, (void **)&heif);
}

int snc_heif_is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there;
}

struct snc_heif {
    void *context;
    void *handle;
};

static int failure(heif_error error, char *message) {
    snc_copy_message(message, error.message);
    return error.code == UNSUPPORTED_FEATURE || error.subcode == UNSUPPORTED_CODEC ? SNC_UNSUPPORTED : SNC_OPTIONAL_FAILED;
}

void snc_heif_close(snc_heif *file) {
    if (!file) {
        return;
    }
    if (file->handle) {
        heif.handle_release(file->handle);
    }
    if (file->context) {
        heif.context_free(file->context);
    }
    free(file);
}

int snc_heif_open(const uint8_t *bytes, size_t count, snc_heif **result, snc_picture_info *info, char *message) {
    *result = NULL;
    if (!snc_heif_is_there()) {
        snc_copy_message(message, "libheif");
        return SNC_LIBRARY_MISSING;
    }
    snc_heif *file = calloc(1, sizeof *file);
    if (!file || !(file->context = heif.context_alloc())) {
        free(file);
        snc_copy_message(message, "out of memory");
        return SNC_OPTIONAL_FAILED;
    }
    heif_error error = heif.read(file->context, bytes, count, NULL);
    if (!error.code) {
        error = heif.primary(file->context, &file->handle);
    }
    if (error.code) {
        const int code = failure(error, message);
        snc_heif_close(file);
        return code;
    }
    const int width = heif.width(file->handle);
    const int height = heif.height(file->handle);
    if (width <= 0 || height <= 0) {
        snprintf(message, SNC_MESSAGE_BYTES, "its header says %dx%d pixels", width, height);
        snc_heif_close(file);
        return SNC_OPTIONAL_FAILED;
    }
    info->width = (uint32_t)width;
    info->height = (uint32_t)height;
    info->channels = heif.has_alpha(file->handle) ? 4 : 3;
    info->is_animated = 0;
    *result = file;
    return 0;
}

void snc_heif_profile(snc_heif *file, uint8_t **bytes, size_t *count) {
    *bytes = NULL;
    const size_t size = heif.profile_size(file->handle);
    // Larger ones belong to printers.
    if (size == 0 || size > 64 << 20) {
        return;
    }
    uint8_t *profile = malloc(size);
    if (!profile || heif.profile(file->handle, profile).code) {
        free(profile);
        return;
    }
    *bytes = profile;
    *count = size;
}

int snc_heif_read_pixels(snc_heif *file, const snc_picture_info *info, uint8_t *pixels, char *message) {
    decoding_options *options = heif.options_alloc();
    if (options && options->version >= 2) {
        options->convert_hdr_to_8bit = 1;
    }
    if (options && options->version >= 3) {
        options->strict_decoding = 1;
    }
    void *image = NULL;
    const int chroma = info->channels == 4 ? CHROMA_RGBA : CHROMA_RGB;
    const heif_error error = heif.decode(file->handle, &image, COLORSPACE_RGB, chroma, options);
    if (options) {
        heif.options_free(options);
    }
    if (error.code) {
        return failure(error, message);
    }
    int stride = 0;
    const uint8_t *plane = heif.plane(image, CHANNEL_INTERLEAVED, &stride);
    const size_t row = (size_t)info->width * (size_t)info->channels;
    const int fits = plane && heif.image_width(image, CHANNEL_INTERLEAVED) == (int)info->width &&
                     heif.image_height(image, CHANNEL_INTERLEAVED) == (int)info->height && stride >= (int)row;
    for (size_t y = 0; fits && y < info->height; y++) {
        memcpy(pixels + y * row, plane + y * (size_t)stride, row);
    }
    heif.image_release(image);
    if (!fits) {
        snc_copy_message(message, "its pixels have another size than its header says");
        return SNC_OPTIONAL_FAILED;
    }
    return 0;
}
