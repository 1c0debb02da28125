//  What the cases share: operands in guarded memory with inputs that are the same on every machine, and a record of what came out.
//
//  A case computes with one table of kernels and records its outputs in an order that does not depend on the table. The program
//  runs every case with two tables, or with one and the record of another machine, and compares.

#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "CSegNetKernels.h"

// ---- inputs: a number as a function of a seed and a place

typedef float (*filling)(uint64_t seed, sn_size place);

uint64_t mixed_bits(uint64_t seed, sn_size place);
/// -1...1.
float uniform(uint64_t seed, sn_size place);
/// Mean 0, deviation 1, nearly Gaussian; and the same after ReLU, as the layers of a network see it.
float bell(uint64_t seed, sn_size place);
float rectified(uint64_t seed, sn_size place);
/// Whole numbers -6...6: their products and sums are exact in any order.
float whole(uint64_t seed, sn_size place);
/// Few values, so that ties are frequent, and those that break rules: zeros of both signs, infinities, NaN, extremes.
float awkward(uint64_t seed, sn_size place);
/// 1...2.
float positive(uint64_t seed, sn_size place);

// ---- operands. Each ends where a page begins that nobody may touch, and starts as a pattern (read as a float: NaN), also in the bytes
// before it. They live until the case ends; then the bytes before them must still hold the pattern.

void *guarded(size_t bytes);
float *floats(sn_size count, filling fill, uint64_t seed);  // fill NULL: not written yet
double *zeros(sn_size count);
/// [ceil(channels / 16)] blocks with a line of space between them. Padding lanes of a filled map hold 0.
sn_map blocked(sn_size channels, sn_size height, sn_size width, filling fill, uint64_t seed);
/// The same with only `rows` stored rows, which hold those of the map from `first_row` on.
sn_map ring(sn_size channels, sn_size height, sn_size width, sn_size rows, sn_size first_row, filling fill, uint64_t seed);
sn_thin thin(sn_size channels, sn_size height, sn_size width, filling fill, uint64_t seed);
/// Random positions, none of which lies outside a map of in_height x in_width; or, with `written` 0, not written yet.
sn_indices indices(sn_size blocks, sn_size in_height, sn_size in_width, int written, uint64_t seed);
sn_tiles tile_buffer(const sn_kernels *k, sn_size tiles, sn_size depth, sn_size depth_block, filling fill, uint64_t seed);
float *tile_value(const sn_kernels *k, const sn_tiles *v, sn_size row, sn_size depth);
sn_size micro_tiles(const sn_kernels *k, sn_size tiles);

extern const sn_map no_map;
extern const sn_indices no_indices;

/// [blocks * 16] numbers of channels; 0 in padding lanes.
float *vector(sn_size channels, filling fill, uint64_t seed);

/// Sizes around the ends of windows and registers, and channels around those of blocks.
typedef struct map_size {
    sn_size height, width;
} map_size;
extern const map_size map_sizes[8];
extern const sn_size channel_counts[5];

/// The block behind it once for each of them, as `height`, `width` and `channels`; `i` counts them.
#define FOR_MAPS                                                                     \
    for (int i = 0; i < 40; i++)                                                     \
        for (sn_size height = map_sizes[i % 8].height, width = map_sizes[i % 8].width, \
                     channels = channel_counts[i / 8];                               \
             height > 0; height = 0)

// ---- what came out. Two numbers agree if they differ by at most `absolute` + `relative` times the first; at 0 and 0 they must be
// identical: equal with equal signs, or both NaN.

void record(const char *what, const double *values, sn_size count, double absolute, double relative);
void record_floats(const char *what, const float *x, sn_size count, double absolute, double relative);
void record_doubles(const char *what, const double *x, sn_size count, double relative);
void record_words(const char *what, const uint32_t *x, sn_size count);
void record_ids(const char *what, const uint16_t *x, sn_size count);
/// float16 values; every NaN counts as the same.
void record_halves(const char *what, const uint16_t *x, sn_size count);
/// All rows; padding lanes must agree exactly. The space between blocks must be untouched.
void record_map(const char *what, const sn_map *map, sn_size channels, double absolute, double relative);
void record_tiles(const char *what, const sn_kernels *k, const sn_tiles *v);

// ---- cases

typedef void (*kernel_case)(const sn_kernels *k);
typedef void (*winograd_case)(const sn_kernels *k, const sn_winograd *w);

/// Columns of a matrix of `total` (a multiple of 16), cut into the panels of a table.
#define FOR_PANELS(k, total)                                                                                         \
    for (sn_size first = 0, columns; columns = (total) - first >= (k)->panel ? (k)->panel : 16, first < (total); \
         first += columns)

#endif
