#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

// Little CMS 2: lcms2.h, any version.
enum {
    RGB_8 = 4 << 16 | 3 << 3 | 1,
    RGBA_8 = RGB_8 | 1 << 7,
    PERCEPTUAL = 0,
    NO_CACHE = 0x0040,
    COPY_ALPHA = 0x04000000,
    RGB_DATA = 0x52474220,
    DESCRIPTION = 0,
};

static struct {
    void *(*open)(const void *, uint32_t);
    int (*close)(void *);
    void *(*srgb)(void);
    uint32_t (*color_space)(void *);
    uint32_t (*text)(void *, int, const char *, const char *, char *, uint32_t);
    void *(*transform)(void *, uint32_t, void *, uint32_t, uint32_t, uint32_t);
    void (*convert)(void *, const void *, void *, uint32_t);
    void (*drop)(void *);
} lcms;

static int is_there;

static void load(void) {
    static const int versions[] = {2, 0};
    static const char *const names[] = {
        "cmsOpenProfileFromMem", "cmsCloseProfile", "cmsCreate_sRGBProfile", "cmsGetColorSpace",
        "cmsGetProfileInfoASCII", "cmsCreateTransform", "cmsDoTransform", "cmsDeleteTransform", NULL};
    void *library = snc_library_open("lcms2", versions);
    is_there = library && snc_library_functions(library, names, (void **)&lcms);
}

int snc_lcms_is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there;
}

struct snc_colors {
    void *transform;
    size_t channels;
};

int snc_colors_open(const uint8_t *bytes, size_t count, int channels, snc_colors **result, char *message) {
    *result = NULL;
    if (!snc_lcms_is_there()) {
        snc_copy_message(message, "liblcms2");
        return SNC_LIBRARY_MISSING;
    }
    void *profile = count <= UINT32_MAX ? lcms.open(bytes, (uint32_t)count) : NULL;
    if (!profile) {
        snc_copy_message(message, "its colour profile is damaged");
        return SNC_OPTIONAL_FAILED;
    }
    char text[128] = "";
    lcms.text(profile, DESCRIPTION, "en", "US", text, sizeof text);
    text[sizeof text - 1] = 0;
    if (lcms.color_space(profile) != RGB_DATA || strstr(text, "sRGB")) {
        lcms.close(profile);
        return 0;
    }
    snc_colors *colors = malloc(sizeof *colors);
    void *srgb = lcms.srgb();
    const uint32_t form = channels == 4 ? RGBA_8 : RGB_8;
    void *transform = colors && srgb ? lcms.transform(profile, form, srgb, form, PERCEPTUAL, NO_CACHE | COPY_ALPHA) : NULL;
    if (srgb) {
        lcms.close(srgb);
    }
    lcms.close(profile);
    if (!transform) {
        free(colors);
        snc_copy_message(message, "its colour profile cannot be used");
        return SNC_OPTIONAL_FAILED;
    }
    colors->transform = transform;
    colors->channels = (size_t)channels;
    *result = colors;
    return 0;
}

void snc_colors_convert(snc_colors *colors, uint8_t *pixels, size_t count) {
    // The library counts pixels in 32 bits.
    const size_t most = 1 << 24;
    while (count > 0) {
        const size_t part = count < most ? count : most;
        lcms.convert(colors->transform, pixels, pixels, (uint32_t)part);
        pixels += part * colors->channels;
        count -= part;
    }
}

void snc_colors_close(snc_colors *colors) {
    if (colors) {
        lcms.drop(colors->transform);
        free(colors);
    }
}
