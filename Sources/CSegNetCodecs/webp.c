#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "library.h"

// libwebp's decode.h, version 0.4 and later.
#define ABI_VERSION 0x0209

typedef struct features {
    int width;
    int height;
    int has_alpha;
    int has_animation;
    int format;
    uint32_t pad[5];
} features;

static struct {
    int (*get_features)(const uint8_t *, size_t, features *, int);
    uint8_t *(*decode_rgb)(const uint8_t *, size_t, uint8_t *, size_t, int);
    uint8_t *(*decode_rgba)(const uint8_t *, size_t, uint8_t *, size_t, int);
} webp;

static int is_there;

static void load(void) {
    static const int versions[] = {7, 6, 0};
    static const char *const names[] = {"WebPGetFeaturesInternal", "WebPDecodeRGBInto", "WebPDecodeRGBAInto", NULL};
    void *library = snc_library_open("webp", versions);
    is_there = library && snc_library_functions(library, names, (void **)&webp);
}

int snc_webp_is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there;
}

int snc_webp_read_info(const uint8_t *bytes, size_t count, snc_picture_info *info, char *message) {
    if (!snc_webp_is_there()) {
        snc_copy_message(message, "libwebp");
        return SNC_LIBRARY_MISSING;
    }
    features found;
    memset(&found, 0, sizeof found);
    const int status = webp.get_features(bytes, count, &found, ABI_VERSION);
    if (status || found.width <= 0 || found.height <= 0) {
        // VP8StatusCode: 7 is VP8_STATUS_NOT_ENOUGH_DATA.
        snc_copy_message(message, status == 7 ? "it ends inside its header" : "libwebp does not accept its header");
        return SNC_OPTIONAL_FAILED;
    }
    info->width = (uint32_t)found.width;
    info->height = (uint32_t)found.height;
    info->channels = found.has_alpha ? 4 : 3;
    info->is_animated = found.has_animation != 0;
    return 0;
}

int snc_webp_read_pixels(
    const uint8_t *bytes, size_t count, const snc_picture_info *info, uint8_t *pixels, char *message) {
    if (!snc_webp_is_there()) {
        snc_copy_message(message, "libwebp");
        return SNC_LIBRARY_MISSING;
    }
    const size_t row = (size_t)info->width * (size_t)info->channels;
    uint8_t *(*decode)(const uint8_t *, size_t, uint8_t *, size_t, int) =
        info->channels == 4 ? webp.decode_rgba : webp.decode_rgb;
    if (row > INT32_MAX || !decode(bytes, count, pixels, row * info->height, (int)row)) {
        snc_copy_message(message, "libwebp cannot decode its pixels; they may end too early");
        return SNC_OPTIONAL_FAILED;
    }
    return 0;
}
