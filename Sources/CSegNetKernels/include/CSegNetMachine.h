//  What Swift cannot ask the machine by itself.

#ifndef CSEGNETMACHINE_H
#define CSEGNETMACHINE_H

/// Tells the processor that this thread is spinning.
static inline void sn_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// The number of cores that this process may use (its affinity mask where the system has one), at least 1.
int sn_available_cores(void);

/// Bytes of a core's second-level cache, as the C library tells; 0 where it does not.
long sn_level2_cache(void);

#endif
