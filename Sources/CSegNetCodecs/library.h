#ifndef SNC_LIBRARY_H
#define SNC_LIBRARY_H

#include "CSegNetCodecs.h"

/// Loads a shared library from where the system looks or, on macOS, from where Homebrew and MacPorts put libraries.
/// @param name `tiff` for libtiff.
/// @param versions The numbers in its file names (`libtiff.so.6`, `libtiff.6.dylib`), newest first, with 0 at the end.
void *snc_library_open(const char *name, const int *versions);

/// Fills a table of functions with one pointer for each name (NULL at the end).
/// @return 1 if all are there.
int snc_library_functions(void *library, const char *const *names, void **table);

void snc_copy_message(char *message, const char *text);

#endif
