#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tiff_library.h"

tiff_functions snc_tiff_functions;

static int is_there;

// The library has one error handler and one warning handler for the whole process (handlers for single files came with
// 4.5). Ours check the thread: messages that are not for us go to the handlers that were there before.
static _Thread_local char *listener;
static _Thread_local int is_listening;
static tiff_old_message errors_before, warnings_before;

static void on_error(const char *module, const char *format, va_list arguments) {
    (void)module;
    if (!is_listening) {
        if (errors_before) {
            errors_before(module, format, arguments);
        }
        return;
    }
    // The first message has the cause; the following ones say what failed because of it.
    if (listener && !listener[0]) {
        vsnprintf(listener, SNC_MESSAGE_BYTES, format, arguments);
        size_t length = strlen(listener);
        while (length > 0 && (listener[length - 1] == '.' || listener[length - 1] == '\n')) {
            listener[--length] = 0;
        }
    }
}

static void on_warning(const char *module, const char *format, va_list arguments) {
    if (!is_listening && warnings_before) {
        warnings_before(module, format, arguments);
    }
}

void snc_tiff_listen(char *message) {
    listener = message;
    is_listening = message != NULL;
    if (message) {
        message[0] = 0;
    }
}

static void load(void) {
    static const int versions[] = {6, 5, 0};
    // In the order of tiff_functions.
    static const char *const names[] = {
        "TIFFClientOpen", "TIFFFdOpen", "TIFFClose", "TIFFGetField", "TIFFGetFieldDefaulted", "TIFFSetField",
        "TIFFFindField", "TIFFFieldDataType", "TIFFIsTiled", "TIFFNumberOfTiles", "TIFFNumberOfStrips",
        "TIFFTileSize64", "TIFFStripSize64", "TIFFScanlineSize64", "TIFFGetStrileOffset", "TIFFGetStrileByteCount",
        "TIFFComputeTile", "TIFFReadEncodedTile", "TIFFReadEncodedStrip", "TIFFReadScanline", "TIFFRGBAImageOK",
        "TIFFReadRGBAStripExt", "TIFFReadRGBATileExt", "TIFFWriteEncodedTile", "TIFFMergeFieldInfo",
        "TIFFIsCODECConfigured", "TIFFSetErrorHandler", "TIFFSetWarningHandler", NULL};
    void *library = snc_library_open("tiff", versions);
    is_there = library && snc_library_functions(library, names, (void **)&snc_tiff_functions);
    if (is_there) {
        errors_before = snc_tiff_functions.set_errors(on_error);
        warnings_before = snc_tiff_functions.set_warnings(on_warning);
    }
}

int snc_tiff_is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there;
}
