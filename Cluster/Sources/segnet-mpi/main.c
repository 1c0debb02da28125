// segnet-mpi ARGUMENTS...: runs `segnet ARGUMENTS...` as one of several ranks.
//
// It tells `segnet` where the library for MPI is, and then becomes `segnet`. Both are looked for next to this program, and `segnet` then in
// the folders of PATH. SEGNET and SEGNET_RANKS name others.
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#define LIBRARY "libSegNetRanks.dylib"
static int own_path(char *path, unsigned size) {
    char raw[PATH_MAX];
    unsigned length = sizeof raw;
    (void)size;
    return _NSGetExecutablePath(raw, &length) == 0 && realpath(raw, path) != NULL;
}
#else
#define LIBRARY "libSegNetRanks.so"
static int own_path(char *path, unsigned size) {
    const ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return 1;
}
#endif

// A file next to this program, or in the folder next to its own (`lib` for `bin`).
static int beside(char *path, size_t size, const char *folder, const char *name, int mode) {
    return snprintf(path, size, "%s/%s", folder, name) < (int)size && access(path, mode) == 0;
}

int main(int count, char **words) {
    (void)count;
    char folder[PATH_MAX] = "", path[PATH_MAX + 64];
    if (own_path(folder, sizeof folder)) {
        char *slash = strrchr(folder, '/');
        if (slash) *slash = 0;
    }
    if (!getenv("SEGNET_RANKS")) {
        if (!beside(path, sizeof path, folder, LIBRARY, R_OK) && !beside(path, sizeof path, folder, "../lib/" LIBRARY, R_OK)) {
            fprintf(stderr, "error: segnet-mpi: %s/%s: does not exist; build it with 'make mpi'.\n", folder, LIBRARY);
            return 1;
        }
        setenv("SEGNET_RANKS", path, 1);
    }
    const char *given = getenv("SEGNET");
    words[0] = "segnet";
    if (given && *given) {
        execv(given, words);
        fprintf(stderr, "error: segnet-mpi: %s: cannot be run; check SEGNET, which names the segnet command.\n", given);
        return 1;
    }
    if (beside(path, sizeof path, folder, "segnet", X_OK)) execv(path, words);
    // As built by `make mpi`: the command is in the main package's build folder.
    if (beside(path, sizeof path, folder, "../../../../.build/release/segnet", X_OK)) execv(path, words);
    execvp("segnet", words);
    fprintf(stderr, "error: segnet-mpi: the segnet command was not found next to it or in PATH; build it with 'make build', or name it with SEGNET.\n");
    return 1;
}
