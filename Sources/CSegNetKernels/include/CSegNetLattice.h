//  Gaussian filtering on a permutohedral lattice, and the mean field inference that is made of it (dense CRF).
//
//  Source: Adams, Baek, Davis, "Fast high-dimensional filtering using the permutohedral lattice" (2010); Kraehenbuehl and Koltun,
//  arXiv 1210.5644. The rules of CSegNetKernels.h hold here, too.
//
//  Words
//  - Features: d = 2 or 5 numbers of a pixel, each divided by its standard deviation: where the Gaussian is round.
//  - Corner q = 0...d of a pixel: the point of remainder class q of the simplex in which the pixel's features lie. Each pixel has
//    one corner in each class, so the points of a class are numbered, looked up and sorted apart from all others.
//  - Key of a point: the first d of its d + 1 coordinates k_i, which all have remainder q modulo d + 1, as (k_i - q) / (d + 1)
//    + 2^(b-1) in b = 60 / d bits each, the first in the lowest. Callers make sure that they fit.
//  - Row: the values of a pixel or point, side by side. Their number is a multiple of 8, or 1; rows of 8 are aligned to 32 bytes.
//  - Corner tables: point and weight of corner q of pixel p lie at [p / 16 * step + q * 16 + p % 16]. Lattices may stand side by
//    side in one table (step = 16 * all corners) if their points are numbered through.

#ifndef CSEGNETLATTICE_H
#define CSEGNETLATTICE_H

#include <stddef.h>
#include <stdint.h>

typedef ptrdiff_t sn_size;

/// Logarithm of the smallest normal float32: what the logarithm of a probability of 0 counts as.
#define SN_LEAST_LOG -87.33654f

/// How many entries ahead of a sum its rows are prefetched.
#define SN_LATTICE_SPARE 16

/// The points of one remainder class by key. slots: the number of a point, counted from 0 in the class, or -1; `slot_count`, a power
/// of two greater than `capacity`, of them. keys: [capacity], by number.
typedef struct sn_lattice_table {
    uint64_t *_Nonnull keys;
    int32_t *_Nonnull slots;
    sn_size slot_count, capacity;
    sn_size count;  // points so far
    sn_size first;  // number of the class's first point among those of all classes
} sn_lattice_table;

/// What a pixel adds to a point.
typedef struct sn_lattice_entry {
    int32_t pixel;
    float weight;
} sn_lattice_entry;

/// A dense CRF's filters as the mean field step sees them.
typedef struct sn_corners {
    const int32_t *_Nonnull points;
    const float *_Nonnull weights;
    sn_size step;   // of these tables
    sn_size count;  // corners of a pixel, of all lattices together
} sn_corners;

typedef struct sn_lattice_kernels {
    /// Keys and barycentric weights of the corners of `pixels` pixels, a multiple of 16. Feature i of pixel p is
    /// features[i * feature_step + p]; key q of pixel p goes to keys[q * key_step + p], its weight to its place in a corner table.
    /// The same bits on every instruction set: no multiply-add is fused here.
    void (*_Nonnull embed)(const float *_Nonnull features, sn_size feature_step, sn_size dimensions, sn_size pixels,
                           uint64_t *_Nonnull keys, sn_size key_step, float *_Nonnull weights, sn_size weight_step);

    /// Looks the keys of pixels [first, last) up, adding those that are new, and writes their numbers (without table.first) to a
    /// corner table. Stops where the table is full; returns the first pixel that is still to do.
    sn_size (*_Nonnull insert)(sn_lattice_table *_Nonnull table, const uint64_t *_Nonnull keys, sn_size first, sn_size last,
                               int32_t *_Nonnull points, sn_size step);

    /// Fills the slots of a table anew from its keys.
    void (*_Nonnull rehash)(const sn_lattice_table *_Nonnull table);

    /// The chains of neighbouring points along `axis` 0...d: numbers in the order of the chain, the last of each as its complement
    /// (~number). Points without a neighbour are left out. Returns the length, at most the number of all points. tables: [d + 1];
    /// scratch: twice as long as there are points.
    sn_size (*_Nonnull chains)(const sn_lattice_table *_Nonnull tables, sn_size dimensions, sn_size axis, int32_t *_Nonnull scratch,
                               int32_t *_Nonnull chains);

    /// Sorts one class's pixels by point: entries[starts[p]] ... entries[starts[p + 1] - 1] are those of point p, pixels ascending.
    /// Adds `first_point` to the numbers in the corner table and writes starts and entries of the `count` points from there on;
    /// starts[first_point] = first_entry, and the next class, or a last element, continues.
    void (*_Nonnull sort)(int32_t *_Nonnull points, const float *_Nonnull weights, sn_size step, sn_size pixels, sn_size first_point,
                          sn_size count, sn_size first_entry, int32_t *_Nonnull starts, sn_lattice_entry *_Nonnull entries);

    /// Multiplies what pixels [first, last) take from `corners` corners by factors[p] * factor, and what entries [first, last) give by
    /// factors[pixel]: normalisation, once for all steps.
    void (*_Nonnull weigh)(float *_Nonnull weights, sn_size step, sn_size corners, sn_size first, sn_size last,
                           const float *_Nonnull factors, float factor);
    void (*_Nonnull weigh_entries)(sn_lattice_entry *_Nonnull entries, sn_size first, sn_size last, const float *_Nonnull factors);

    /// out[p] = sum of weight * in[pixel] over the entries of the points p in [first, last). Rows of `values`. SN_LATTICE_SPARE further
    /// entries have to be readable and name pixels that exist: they are prefetched.
    void (*_Nonnull splat)(const int32_t *_Nonnull starts, const sn_lattice_entry *_Nonnull entries, sn_size first, sn_size last,
                           const float *_Nonnull in, sn_size values, float *_Nonnull out);

    /// new = old + (one neighbour + the other) / 2 for the points of whole chains, in place: elements [first, last) of the list.
    void (*_Nonnull blur)(const int32_t *_Nonnull chains, sn_size first, sn_size last, float *_Nonnull data, sn_size values);

    /// out[p] = sum over corners of weight * data[point], for pixels [first, last).
    void (*_Nonnull slice)(const sn_corners *_Nonnull corners, const float *_Nonnull data, sn_size values, sn_size first, sn_size last,
                           float *_Nonnull out);

    /// Rows for pixels [first, last) from planes of K classes, in[k * plane + p]: logs = the logarithms of the probabilities (at
    /// least SN_LEAST_LOG; NaN counts as 0, above FLT_MAX as FLT_MAX), or the scores minus their greatest (at least SN_LEAST_LOG; NaN
    /// counts as -infinity); -FLT_MAX in the padding. marginals = their softmax, 0 in the padding and where it is below 1.8e-35 times the
    /// greatest.
    void (*_Nonnull start)(const float *_Nonnull in, sn_size plane, sn_size classes, int32_t are_scores, sn_size first, sn_size last,
                           sn_size values, float *_Nonnull logs, float *_Nonnull marginals);

    /// One mean field step: marginals = softmax(logs + sum over corners of weight * data[point]), likewise, for pixels [first, last).
    void (*_Nonnull update)(const sn_corners *_Nonnull corners, const float *_Nonnull data, sn_size values, const float *_Nonnull logs,
                            sn_size first, sn_size last, float *_Nonnull marginals);

    /// Rows back to planes (probabilities may be NULL), and the class with the greatest value: the lowest among exactly equal ones.
    void (*_Nonnull read)(const float *_Nonnull marginals, sn_size values, sn_size classes, sn_size first, sn_size last,
                          float *_Nullable probabilities, sn_size plane, uint16_t *_Nonnull ids);
} sn_lattice_kernels;

#endif
