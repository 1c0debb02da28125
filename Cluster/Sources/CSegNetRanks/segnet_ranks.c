// `segnet_ranks.h` over MPI. Calls wait by asking MPI now and then and sleeping in between: a wait inside MPI would spin, and take a core
// from the threads that compute. One thread at a time is inside MPI, which every MPI library with support for threads allows.
#include "segnet_ranks.h"

#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

static pthread_mutex_t inside = PTHREAD_MUTEX_INITIALIZER;
// Gradients and everything else have separate communicators, so that they may overtake each other.
static MPI_Comm gradients, control;
static int (*should_give_up)(double seconds);

enum { gave_up = -1, no_threads = -2, no_memory = -3 };
// MPI counts with an int.
static const int64_t most = 1 << 28;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Waits for a request. In the first microseconds it keeps asking, since small messages arrive at once; then its sleeps grow to `longest`
// nanoseconds.
static int wait_for(MPI_Request *request, long longest) {
#ifdef __linux__
    // Makes sleeps as short as asked for: by default Linux adds up to 50 microseconds.
    static _Thread_local int is_exact;
    if (!is_exact) is_exact = prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0) == 0;
#endif
    const double start = now();
    long sleep = 5000;
    double asked = start;
    for (;;) {
        int done = 0;
        pthread_mutex_lock(&inside);
        int code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        pthread_mutex_unlock(&inside);
        if (code != MPI_SUCCESS || done) return code;
        const double time = now();
        if (time - start < 30e-6) {
            sched_yield();
            continue;
        }
        if (time - asked > 0.2) {
            asked = time;
            if (should_give_up && should_give_up(time - start)) return gave_up;
        }
        const struct timespec pause = {0, sleep};
        nanosleep(&pause, NULL);
        if (sleep < longest) sleep += sleep / 4;
    }
}

int segnet_ranks_version(void) { return SEGNET_RANKS_VERSION; }

int segnet_ranks_join(int *rank, int *count, int (*gives_up)(double seconds)) {
    should_give_up = gives_up;
    int level = MPI_THREAD_SINGLE;
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    if (code != MPI_SUCCESS) return code;
    if (level < MPI_THREAD_SERIALIZED) return no_threads;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if ((code = MPI_Comm_dup(MPI_COMM_WORLD, &gradients)) != MPI_SUCCESS) return code;
    if ((code = MPI_Comm_dup(MPI_COMM_WORLD, &control)) != MPI_SUCCESS) return code;
    MPI_Comm_set_errhandler(gradients, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(control, MPI_ERRORS_RETURN);
    if ((code = MPI_Comm_rank(MPI_COMM_WORLD, rank)) != MPI_SUCCESS) return code;
    return MPI_Comm_size(MPI_COMM_WORLD, count);
}

static int wait_for_sum(const void *from, void *to, int count, MPI_Datatype type, MPI_Comm ranks, long longest) {
    MPI_Request request;
    pthread_mutex_lock(&inside);
    int code = MPI_Iallreduce(from, to, count, type, MPI_SUM, ranks, &request);
    pthread_mutex_unlock(&inside);
    return code == MPI_SUCCESS ? wait_for(&request, longest) : code;
}

int segnet_ranks_sum_floats(float *numbers, int64_t count) {
    // The sums go into other memory: in place, Open MPI sends all numbers up and down a tree; otherwise it uses a ring, in which each link
    // carries each number only 2 (N - 1) / N times.
    static float *sums;
    static int64_t room;
    const int64_t longest = count < most ? count : most;
    if (room < longest) {
        float *larger = realloc(sums, (size_t)longest * sizeof *sums);
        if (!larger) return no_memory;
        sums = larger;
        room = longest;
    }
    for (int64_t start = 0; start < count; start += most) {
        const int part = (int)(count - start < most ? count - start : most);
        const int code = wait_for_sum(numbers + start, sums, part, MPI_FLOAT, gradients, 50000);
        if (code != MPI_SUCCESS) return code;
        memcpy(numbers + start, sums, (size_t)part * sizeof *sums);
    }
    return 0;
}

int segnet_ranks_sum_doubles(double *numbers, int64_t count) {
    for (int64_t start = 0; start < count; start += most) {
        const int part = (int)(count - start < most ? count - start : most);
        const int code = wait_for_sum(MPI_IN_PLACE, numbers + start, part, MPI_DOUBLE, control, 50000);
        if (code != MPI_SUCCESS) return code;
    }
    return 0;
}

int segnet_ranks_broadcast(void *bytes, int64_t count) {
    for (int64_t start = 0; start < count; start += most) {
        const int part = (int)(count - start < most ? count - start : most);
        MPI_Request request;
        pthread_mutex_lock(&inside);
        int code = MPI_Ibcast((char *)bytes + start, part, MPI_BYTE, 0, control, &request);
        pthread_mutex_unlock(&inside);
        if (code == MPI_SUCCESS) code = wait_for(&request, 200000);
        if (code != MPI_SUCCESS) return code;
    }
    return 0;
}

int segnet_ranks_finish(void) {
    // Others may still be writing files, for minutes. This wait sleeps; the one in MPI_Finalize would not.
    MPI_Request request;
    pthread_mutex_lock(&inside);
    int code = MPI_Ibarrier(control, &request);
    pthread_mutex_unlock(&inside);
    if (code == MPI_SUCCESS) code = wait_for(&request, 5000000);
    if (code != MPI_SUCCESS) return code;
    return MPI_Finalize();
}

void segnet_ranks_words(int code, char *text, int size) {
    if (size <= 0) return;
    char words[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == gave_up) {
        snprintf(words, sizeof words, "the others no longer answered");
    } else if (code == no_threads) {
        snprintf(words, sizeof words, "this MPI library was built without threads (MPI_THREAD_SERIALIZED)");
    } else if (code == no_memory) {
        snprintf(words, sizeof words, "there is no memory for what they sent");
    } else if (MPI_Error_string(code, words, &length) != MPI_SUCCESS) {
        snprintf(words, sizeof words, "error %d", code);
    }
    snprintf(text, (size_t)size, "%s", words);
}

void segnet_ranks_name(char *text, int size) {
    char name[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    if (size <= 0) return;
    if (MPI_Get_library_version(name, &length) != MPI_SUCCESS) name[0] = 0;
    name[strcspn(name, ",\n")] = 0;
    // MPICH writes "MPICH Version:\t4.0.2".
    char *version = strstr(name, "Version:\t");
    if (version) memmove(version, version + 9, strlen(version + 9) + 1);
    snprintf(text, (size_t)size, "%s", name);
}
