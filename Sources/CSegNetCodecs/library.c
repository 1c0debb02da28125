#include <dlfcn.h>
#include <stdio.h>

#include "library.h"

void *snc_library_open(const char *name, const int *versions) {
    char path[256];
    for (const int *version = versions; *version; version++) {
#ifdef __APPLE__
        static const char *const folders[] = {"", "/opt/homebrew/lib/", "/usr/local/lib/", "/opt/local/lib/"};
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            snprintf(path, sizeof path, "%slib%s.%d.dylib", folders[i], name, *version);
            void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
            if (library) {
                return library;
            }
        }
#else
        snprintf(path, sizeof path, "lib%s.so.%d", name, *version);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library) {
            return library;
        }
#endif
    }
    return NULL;
}

int snc_library_functions(void *library, const char *const *names, void **table) {
    for (size_t i = 0; names[i]; i++) {
        table[i] = dlsym(library, names[i]);
        if (!table[i]) {
            return 0;
        }
    }
    return 1;
}

void snc_copy_message(char *message, const char *text) {
    snprintf(message, SNC_MESSAGE_BYTES, "%s", text ? text : "unknown error");
}

int snc_tiff_is_there(void);
int snc_webp_is_there(void);
int snc_heif_is_there(void);
int snc_gif_is_there(void);
int snc_lcms_is_there(void);

int snc_library_is_there(enum snc_library library) {
    switch (library) {
        case SNC_LIBRARY_TIFF: return snc_tiff_is_there();
        case SNC_LIBRARY_WEBP: return snc_webp_is_there();
        case SNC_LIBRARY_HEIF: return snc_heif_is_there();
        case SNC_LIBRARY_GIF: return snc_gif_is_there();
        case SNC_LIBRARY_LCMS: return snc_lcms_is_there();
    }
    return 0;
}
