// The functions of a message-passing library that `segnet` calls: sums over all ranks, and copies of rank 0's bytes.
//
// Each function that can fail returns 0, or a number that `segnet_ranks_words` explains. `segnet_ranks_sum_floats` is called by one thread,
// the others by another; calls of the two threads may overlap. All ranks call each in the same order with the same counts.
#ifndef SEGNET_RANKS_H
#define SEGNET_RANKS_H

#include <stdint.h>

#define SEGNET_RANKS_VERSION 1

/// The version of this interface: `segnet` refuses a library with another one.
int segnet_ranks_version(void);

/// Joins the ranks that were started together.
/// - gives_up: Called while a call waits, with the seconds that it has waited. A result other than 0 ends the wait with a failure.
int segnet_ranks_join(int *rank, int *count, int (*gives_up)(double seconds));

/// Replaces each number by its sum over all ranks, with the same bits on all of them.
int segnet_ranks_sum_floats(float *numbers, int64_t count);
int segnet_ranks_sum_doubles(double *numbers, int64_t count);

/// Gives rank 0's bytes to the other ranks.
int segnet_ranks_broadcast(void *bytes, int64_t count);

/// Waits until all ranks have come here, and leaves them.
int segnet_ranks_finish(void);

/// Writes the meaning of a number into `text`: at most `size` bytes, including the 0 at the end.
void segnet_ranks_words(int code, char *text, int size);

/// The library's own name and version.
void segnet_ranks_name(char *text, int size);

#endif
