#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <signal.h>
#include <unistd.h>

#include "CSegNetMachine.h"

int sn_available_cores(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        int count = CPU_COUNT(&set);
        if (count > 0) return count;
    }
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

long sn_level2_cache(void) {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? bytes : 0;
#else
    return 0;
#endif
}

static volatile sig_atomic_t sn_stop_signal;

static void sn_stop(int number) {
    sn_stop_signal = number;
    // The next one, whichever it is, takes the system's way: the process ends.
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void sn_listen_for_stop(void) {
    signal(SIGINT, sn_stop);
    signal(SIGTERM, sn_stop);
    // Some parents leave signals blocked in their children.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int sn_stop_is_asked(void) { return sn_stop_signal; }
