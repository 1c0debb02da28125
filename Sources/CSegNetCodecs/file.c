#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CSegNetCodecs.h"

void snc_release(void *bytes) { free(bytes); }

void snc_file_error_text(int error_number, char *message) {
    // strerror_r has two signatures in the wild; strerror's text is only ever read here, and at once.
    snprintf(message, SNC_MESSAGE_BYTES, "%s", strerror(error_number));
}

// ---- Reading

static int read_all(int file, size_t limit, uint8_t **bytes, size_t *count, int *error_number) {
    struct stat status;
    if (fstat(file, &status)) {
        *error_number = errno;
        return SNC_FILE_SYSTEM;
    }
    if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > limit) {
        return SNC_FILE_TOO_LARGE;
    }
    // A regular file fits at once; a pipe, whose size nobody knows, doubles its buffer.
    size_t capacity = 1 << 16;
    if (S_ISREG(status.st_mode)) {
        capacity = (size_t)status.st_size + 1;
    }
    if (capacity > limit + 1) {
        capacity = limit + 1;
    }
    uint8_t *buffer = malloc(capacity);
    size_t used = 0;
    while (buffer) {
        if (used == capacity) {
            if (used > limit) {
                free(buffer);
                return SNC_FILE_TOO_LARGE;
            }
            capacity = capacity > limit / 2 ? limit + 1 : capacity * 2;
            uint8_t *larger = realloc(buffer, capacity);
            if (!larger) {
                free(buffer);
                buffer = NULL;
                break;
            }
            buffer = larger;
        }
        ssize_t got = read(file, buffer + used, capacity - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            *error_number = errno;
            free(buffer);
            return SNC_FILE_SYSTEM;
        }
        if (got == 0) {
            break;
        }
        used += (size_t)got;
    }
    if (!buffer) {
        return SNC_FILE_NO_MEMORY;
    }
    if (used > limit) {
        free(buffer);
        return SNC_FILE_TOO_LARGE;
    }
    *bytes = buffer;
    *count = used;
    return 0;
}

int snc_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count, int *error_number) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        *error_number = errno;
        return SNC_FILE_SYSTEM;
    }
    int result = read_all(file, limit, bytes, count, error_number);
    close(file);
    return result;
}

int snc_file_read_start(const char *path, size_t most, uint8_t **bytes, size_t *count, int *error_number) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        *error_number = errno;
        return SNC_FILE_SYSTEM;
    }
    struct stat status;
    int result = SNC_FILE_SYSTEM;
    if (fstat(file, &status)) {
        *error_number = errno;
    } else if (!S_ISREG(status.st_mode)) {
        *error_number = S_ISDIR(status.st_mode) ? EISDIR : ESPIPE;
    } else {
        uint8_t *buffer = malloc(most > 0 ? most : 1);
        size_t used = 0;
        ssize_t got = 1;
        while (buffer && got > 0 && used < most) {
            got = read(file, buffer + used, most - used);
            if (got < 0 && errno == EINTR) {
                got = 1;
                continue;
            }
            used += got > 0 ? (size_t)got : 0;
        }
        if (!buffer) {
            result = SNC_FILE_NO_MEMORY;
        } else if (got < 0) {
            *error_number = errno;
            free(buffer);
        } else {
            *bytes = buffer;
            *count = used;
            result = 0;
        }
    }
    close(file);
    return result;
}

// ---- Writing

static int write_all(int file, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t put = write(file, bytes, count);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -1;
        }
        bytes += put;
        count -= (size_t)put;
    }
    return 0;
}

/// "folder/.segnet-<process>-<number>": short, so that a name of any legal length can be written, and hidden, so that a
/// program that lists the folder meanwhile does not meet it.
char *snc_file_name_beside(const char *path) {
    static atomic_uint next;
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    char *name = malloc((size_t)folder + 64);
    if (name) {
        snprintf(
            name, (size_t)folder + 64, "%.*s.segnet-%ld-%u", folder, path, (long)getpid(), atomic_fetch_add(&next, 1));
    }
    return name;
}

/// Writes to what is there, a device or a pipe.
static int write_directly(const char *path, const uint8_t *bytes, size_t count, int *error_number) {
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    int failed = file < 0 || write_all(file, bytes, count);
    if (failed) {
        *error_number = errno;
    }
    if (file >= 0 && close(file) && !failed) {
        *error_number = errno;
        failed = 1;
    }
    return failed ? SNC_FILE_SYSTEM : 0;
}

int snc_file_open_beside(const char *path, const char *beside, int access) {
    struct stat status;
    // Nobody may read what is being written who could not read the file that it replaces.
    const mode_t mode = stat(path, &status) ? 0666 : (status.st_mode & 0777) | S_IRUSR | S_IWUSR;
    int file = open(beside, access | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0 && errno == EEXIST) {
        // Left by a killed process whose number has come round again.
        unlink(beside);
        file = open(beside, access | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    }
    if (file >= 0) {
        // The lock ends with the process: who finds the file without one knows that it was left (SegNetFormats/Files/LeftoverFiles.swift).
        (void)flock(file, LOCK_EX | LOCK_NB);
    }
    return file;
}

int snc_file_put_in_place(const char *beside, const char *path) {
    struct stat status;
    if (!stat(path, &status)) {
        // Some file systems have no permissions to set.
        (void)chmod(beside, status.st_mode & 0777);
    }
    return rename(beside, path);
}

/// Replaces the file of this name, which is no link.
static int replace(const char *path, const uint8_t *bytes, size_t count, int *error_number) {
    char *beside = snc_file_name_beside(path);
    if (!beside) {
        return SNC_FILE_NO_MEMORY;
    }
    int file = snc_file_open_beside(path, beside, O_WRONLY);
    if (file < 0) {
        *error_number = errno;
        free(beside);
        return SNC_FILE_SYSTEM;
    }
    int failed = write_all(file, bytes, count);
    int cause = errno;
    if (close(file) && !failed) {
        failed = 1;
        cause = errno;
    }
    if (!failed && snc_file_put_in_place(beside, path)) {
        failed = 1;
        cause = errno;
    }
    if (failed) {
        unlink(beside);
        *error_number = cause;
    }
    free(beside);
    return failed ? SNC_FILE_SYSTEM : 0;
}

/// Whether a path names an open file of this process: what a shell has put there is appended to, as by every program.
static int is_descriptor(const char *path) {
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (!strncmp(path, folders[i], strlen(folders[i]))) {
            return 1;
        }
    }
    return !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/stderr");
}

/// Where a link to a file that is not there yet leads. Where links lead round in a circle there is no such place: `is_replaced` becomes 0,
/// and opening the result says so. NULL if there is no memory.
static char *end_of_links(const char *path, int *is_replaced) {
    char *place = strdup(path);
    char target[4096];
    for (int count = 0; place; count++) {
        const ssize_t length = readlink(place, target, sizeof target);
        // A longer one than fits is left as it is found.
        if (length < 0 || length == (ssize_t)sizeof target) {
            break;
        }
        // As many links as Linux follows.
        if (count == 40) {
            *is_replaced = 0;
            break;
        }
        const char *slash = strrchr(place, '/');
        const int folder = slash && target[0] != '/' ? (int)(slash - place) + 1 : 0;
        char *next = malloc((size_t)folder + (size_t)length + 1);
        if (next) {
            memcpy(next, place, (size_t)folder);
            memcpy(next + folder, target, (size_t)length);
            next[folder + length] = 0;
        }
        free(place);
        place = next;
    }
    return place;
}

char *snc_file_target(const char *path, int *is_replaced) {
    *is_replaced = !is_descriptor(path);
    if (!*is_replaced) {
        return strdup(path);
    }
    struct stat status;
    if (stat(path, &status)) {
        return end_of_links(path, is_replaced);
    }
    *is_replaced = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
    char *target = *is_replaced ? realpath(path, NULL) : NULL;
    return target ? target : strdup(path);
}

int snc_file_write(const char *path, const uint8_t *bytes, size_t count, int *error_number) {
    int is_replaced;
    char *target = snc_file_target(path, &is_replaced);
    if (!target) {
        return SNC_FILE_NO_MEMORY;
    }
    int result = is_replaced ? replace(target, bytes, count, error_number)
                             : write_directly(target, bytes, count, error_number);
    free(target);
    return result;
}
