#ifndef SNC_LIBRARY_H
#define SNC_LIBRARY_H

#include "CSegNetCodecs.h"

/// Looks for a shared library: where the system looks, then where Homebrew puts them.
/// @param name `tiff` for libtiff.
/// @param versions The numbers in the names of its files, the newest first, 0 at the end: `libtiff.so.6`, `libtiff.6.dylib`.
void *snc_library_open(const char *name, const int *versions);

/// Fills a table of functions, one pointer for each of the names (NULL at the end).
/// @return 1 if all are there.
int snc_library_functions(void *library, const char *const *names, void **table);

void snc_copy_message(char *message, const char *text);

#endif
