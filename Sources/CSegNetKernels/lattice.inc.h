//  The permutohedral lattice (Adams, Baek and Davis 2010): Gaussian filtering in 2 or 5 dimensions, in time linear in the pixels.
//
//  Three choices make it fast.
//  - The points of one remainder class have tables, numbers and sorted pixels of their own, since a pixel has exactly one corner in
//    each class: classes are built side by side without locks, and come out the same for any number of threads.
//  - A point sums its pixels (they are sorted by point first) instead of pixels adding to points: no two threads write one value.
//  - Blurring walks along chains of neighbouring points and keeps the last three in registers: each value is read and written once,
//    in place. Points without a neighbour, most of them where the picture has texture, are not touched.

#include <math.h>

#include "lines.inc.h"

typedef int64_t vl __attribute__((ext_vector_type(SN_LANES)));

#define SN_CORNERS 6  // of a pixel in five dimensions

// ---- where pixels lie

// Keys as in the contract, from coordinates in units of d + 1.
SN_INLINE void sn_store_keys(uint64_t *keys, sn_size step, const vi *coordinates, const vi *ranks, const int dimensions) {
    const int bits = 60 / dimensions;
    vl key = (vl)0;
    for (int i = 0; i < dimensions; i++) {
        const vl field = __builtin_convertvector(coordinates[i] + (1 << (bits - 1)), vl);
        key |= field << (bits * i);
    }
    for (int q = 0; q <= dimensions; q++) {
        vl corner = key;
        for (int i = 0; i < dimensions; i++) {
            // -1 where the rank is above d - q.
            const vl lower = __builtin_convertvector(ranks[i] > (vi)(dimensions - q), vl);
            corner += lower << (bits * i);
        }
        __builtin_memcpy(keys + q * step, &corner, sizeof corner);
    }
}

// No fused multiply-adds: a feature near a tie then falls to the same side on every instruction set.
SN_INLINE void sn_embed(const float *features, sn_size feature_step, const int dimensions, sn_size pixels, uint64_t *keys,
                        sn_size key_step, float *weights, sn_size weight_step) {
#pragma clang fp contract(off)
    float scale[SN_CORNERS];
    for (int i = 0; i < dimensions; i++) {
        scale[i] = (float)(sqrt(2.0 / 3) * (dimensions + 1) / sqrt((double)(i + 1) * (i + 2)));
    }
    const float inverse = 1.0f / (dimensions + 1);
    const vf magic = vf_set(12582912);  // adding 1.5 * 2^23 rounds to an integer, ties to even
    for (sn_size pixel = 0; pixel < pixels; pixel += SN_LANES) {
        vf elevated[SN_CORNERS], sum = vf_zero();
        for (int j = dimensions; j > 0; j--) {
            const vf feature = vf_loadu(features + (j - 1) * feature_step + pixel) * scale[j - 1];
            elevated[j] = sum - (float)j * feature;
            sum += feature;
        }
        elevated[0] = sum;

        // The nearest point of remainder 0, before the correction below.
        vf nearest[SN_CORNERS];
        vi coordinate[SN_CORNERS], rank[SN_CORNERS], total = (vi)0;
        for (int i = 0; i <= dimensions; i++) {
            const vf rounded = elevated[i] * inverse + magic;
            coordinate[i] = sn_bits(rounded) - sn_bits(magic);
            nearest[i] = (rounded - magic) * (float)(dimensions + 1);
            total += coordinate[i];
            rank[i] = (vi)0;
        }
        for (int i = 0; i < dimensions; i++) {
            for (int j = i + 1; j <= dimensions; j++) {
                const vi below = elevated[i] - nearest[i] < elevated[j] - nearest[j];  // -1 or 0
                rank[i] -= below;
                rank[j] += below + 1;
            }
        }
        for (int i = 0; i <= dimensions; i++) {
            rank[i] += total;
            const vi low = rank[i] < (vi)0, high = rank[i] > (vi)dimensions;
            const vi step = high - low;  // 1 where too low, -1 where too high
            rank[i] += step * (dimensions + 1);
            coordinate[i] += step;
            nearest[i] += __builtin_convertvector(step, vf) * (float)(dimensions + 1);
        }

        vf barycentric[SN_CORNERS + 1];
        for (int q = 0; q <= dimensions + 1; q++) barycentric[q] = vf_zero();
        for (int i = 0; i <= dimensions; i++) {
            const vf v = (elevated[i] - nearest[i]) * inverse;
            for (int q = 0; q <= dimensions; q++) {
                const vi here = rank[i] == (vi)(dimensions - q);
                barycentric[q] += sn_choose(here, v, vf_zero());
                barycentric[q + 1] -= sn_choose(here, v, vf_zero());
            }
        }
        barycentric[0] += 1.0f + barycentric[dimensions + 1];

        float *to = weights + pixel / 16 * weight_step + pixel % 16;
        for (int q = 0; q <= dimensions; q++) vf_store(to + 16 * q, barycentric[q]);
        sn_store_keys(keys + pixel, key_step, coordinate, rank, dimensions);
    }
}

static void sn_lattice_embed(const float *features, sn_size feature_step, sn_size dimensions, sn_size pixels, uint64_t *keys,
                             sn_size key_step, float *weights, sn_size weight_step) {
    if (dimensions == 2) {
        sn_embed(features, feature_step, 2, pixels, keys, key_step, weights, weight_step);
    } else {
        sn_embed(features, feature_step, 5, pixels, keys, key_step, weights, weight_step);
    }
}

// ---- points by key

SN_INLINE sn_size sn_slot(const sn_lattice_table *table, uint64_t key) {
    const uint64_t mixed = (key ^ (key >> 29)) * 0x9e3779b97f4a7c15u;
    return (sn_size)(mixed >> 20) & (table->slot_count - 1);
}

// The slot of the key, or the empty one where it would be.
SN_INLINE sn_size sn_probe(const sn_lattice_table *table, uint64_t key) {
    sn_size slot = sn_slot(table, key);
    while (table->slots[slot] >= 0 && table->keys[table->slots[slot]] != key) slot = (slot + 1) & (table->slot_count - 1);
    return slot;
}

static sn_size sn_lattice_insert(sn_lattice_table *table, const uint64_t *keys, sn_size first, sn_size last, int32_t *points,
                                 sn_size point_step) {
    int32_t point = -1;
    for (sn_size pixel = first; pixel < last; pixel++) {
        const uint64_t key = keys[pixel];
        // Neighbouring pixels often share their corners.
        if (point < 0 || table->keys[point] != key) {
            const sn_size slot = sn_probe(table, key);
            point = table->slots[slot];
            if (point < 0) {
                if (table->count == table->capacity) return pixel;
                point = (int32_t)table->count++;
                table->keys[point] = key;
                table->slots[slot] = point;
            }
        }
        points[pixel / 16 * point_step + pixel % 16] = point;
    }
    return last;
}

static void sn_lattice_rehash(const sn_lattice_table *table) {
    for (sn_size slot = 0; slot < table->slot_count; slot++) table->slots[slot] = -1;
    for (sn_size point = 0; point < table->count; point++) table->slots[sn_probe(table, table->keys[point])] = (int32_t)point;
}

static sn_size sn_lattice_chains(const sn_lattice_table *tables, sn_size dimensions, sn_size axis, int32_t *next, int32_t *chains) {
    const int bits = (int)(60 / dimensions);
    const uint64_t opposite = axis < dimensions ? (uint64_t)1 << (bits * axis) : 0;
    uint64_t ones = 0;
    for (int i = 0; i < dimensions; i++) ones |= (uint64_t)1 << (bits * i);
    sn_size points = 0;
    for (sn_size q = 0; q <= dimensions; q++) points += tables[q].count;

    // next[p]: the neighbour whose key is greater by 1 in every entry but this axis', or -1. No chain begins at a follower.
    int32_t *is_follower = next + points;
    for (sn_size p = 0; p < points; p++) is_follower[p] = 0;
    for (sn_size q = 0; q <= dimensions; q++) {
        const sn_lattice_table *from = &tables[q], *to = &tables[q == dimensions ? 0 : q + 1];
        const uint64_t step = (q == dimensions ? ones : 0) - opposite;
        for (sn_size p = 0; p < from->count; p++) {
            const int32_t found = to->slots[sn_probe(to, from->keys[p] + step)];
            next[from->first + p] = found < 0 ? -1 : (int32_t)(to->first + found);
            if (found >= 0) is_follower[to->first + found] = 1;
        }
    }
    sn_size count = 0;
    for (sn_size head = 0; head < points; head++) {
        if (is_follower[head] || next[head] < 0) continue;
        int32_t p = (int32_t)head;
        for (; next[p] >= 0; p = next[p]) chains[count++] = p;
        chains[count++] = ~p;
    }
    return count;
}

static void sn_lattice_sort(int32_t *points, const float *weights, sn_size step, sn_size pixels, sn_size first_point, sn_size count,
                            sn_size first_entry, int32_t *starts, sn_lattice_entry *entries) {
    int32_t *own = starts + first_point;
    for (sn_size p = 0; p < count; p++) own[p] = 0;
    for (sn_size pixel = 0; pixel < pixels; pixel++) own[points[pixel / 16 * step + pixel % 16]]++;
    for (sn_size p = 0, next = first_entry; p < count; p++) {
        const int32_t entries_of_p = own[p];
        own[p] = (int32_t)next;
        next += entries_of_p;
    }
    // Each start moves to its point's end while the pixels are laid down, and back afterwards.
    for (sn_size pixel = 0; pixel < pixels; pixel++) {
        const sn_size at = pixel / 16 * step + pixel % 16;
        sn_lattice_entry *entry = &entries[own[points[at]]++];
        entry->pixel = (int32_t)pixel;
        entry->weight = weights[at];
        points[at] += (int32_t)first_point;
    }
    for (sn_size p = count - 1; p > 0; p--) own[p] = own[p - 1];
    if (count > 0) own[0] = (int32_t)first_entry;
}

static void sn_lattice_weigh(float *weights, sn_size step, sn_size corners, sn_size first, sn_size last, const float *factors,
                             float factor) {
    for (sn_size pixel = first; pixel < last; pixel++) {
        float *to = weights + pixel / 16 * step + pixel % 16;
        for (sn_size q = 0; q < corners; q++) to[16 * q] *= factors[pixel] * factor;
    }
}

static void sn_lattice_weigh_entries(sn_lattice_entry *entries, sn_size first, sn_size last, const float *factors) {
    for (sn_size i = first; i < last; i++) entries[i].weight *= factors[entries[i].pixel];
}

// ---- filtering. Rows of values are worked on in parts of 8 values; a part is one AVX register, or two of four lanes.

#if SN_LANES == 4
#define SN_PART_VECTORS 2
typedef vf vp;
#elif SN_LANES == 8
#define SN_PART_VECTORS 1
typedef vf vp;
#else
#define SN_PART_VECTORS 1
typedef sn_8f vp;
#endif
#define SN_PART_LANES (8 / SN_PART_VECTORS)

SN_INLINE vp vp_load(const float *p) { return *(const vp *)p; }
SN_INLINE void vp_store(float *p, vp x) { *(vp *)p = x; }
SN_INLINE vp vp_fma(float a, vp b, vp c) {
#ifdef SN_FMA
    return __builtin_elementwise_fma((vp)a, b, c);
#else
    return (vp)a * b + c;
#endif
}

// Calls body(at, vectors) with constant numbers of vectors for all values of a row: as many of them as registers hold at once.
#define SN_ROW_PARTS(values, body)                                                                          \
    {                                                                                                       \
        sn_size at = 0;                                                                                     \
        for (; at + 40 <= (values); at += 40) body(at, 5 * SN_PART_VECTORS);                                \
        switch ((values) - at) {                                                                            \
        case 8: body(at, 1 * SN_PART_VECTORS); break;                                                       \
        case 16: body(at, 2 * SN_PART_VECTORS); break;                                                      \
        case 24: body(at, 3 * SN_PART_VECTORS); break;                                                      \
        case 32: body(at, 4 * SN_PART_VECTORS); break;                                                      \
        }                                                                                                   \
    }

SN_INLINE void sn_splat_point(const sn_lattice_entry *entry, const sn_lattice_entry *end, const float *in, sn_size values, float *out, sn_size at,
                              const int vectors) {
    vp sum[5 * SN_PART_VECTORS];
    SN_UNROLL for (int v = 0; v < vectors; v++) sum[v] = (vp)0.0f;
    for (; entry < end; entry++) {
        const float *from = in + entry->pixel * values + at;
        const float *later = in + entry[SN_LATTICE_SPARE].pixel * values + at;
        SN_UNROLL for (int v = 0; v < vectors * SN_PART_LANES; v += 16) __builtin_prefetch(later + v);
        SN_UNROLL for (int v = 0; v < vectors; v++) sum[v] = vp_fma(entry->weight, vp_load(from + v * SN_PART_LANES), sum[v]);
    }
    SN_UNROLL for (int v = 0; v < vectors; v++) vp_store(out + at + v * SN_PART_LANES, sum[v]);
}

static void sn_lattice_splat(const int32_t *starts, const sn_lattice_entry *entries, sn_size first, sn_size last, const float *in,
                             sn_size values, float *out) {
    for (sn_size p = first; p < last; p++) {
        const sn_lattice_entry *begin = entries + starts[p], *end = entries + starts[p + 1];
        float *to = out + p * values;
        if (values == 1) {
            float sum = 0;
            for (const sn_lattice_entry *entry = begin; entry < end; entry++) sum += entry->weight * in[entry->pixel];
            *to = sum;
            continue;
        }
#define SN_BODY(at, vectors) sn_splat_point(begin, end, in, values, to, at, vectors)
        SN_ROW_PARTS(values, SN_BODY)
#undef SN_BODY
    }
}

SN_INLINE void sn_blur_chains(const int32_t *chains, sn_size first, sn_size last, float *data, sn_size values, sn_size at,
                              const int vectors) {
    data += at;
    for (sn_size i = first; i < last;) {
        vp before[5 * SN_PART_VECTORS], here[5 * SN_PART_VECTORS];
        float *to = data + chains[i++] * values;
        SN_UNROLL for (int v = 0; v < vectors; v++) {
            before[v] = (vp)0.0f;
            here[v] = vp_load(to + v * SN_PART_LANES);
        }
        for (int32_t more = 1; more;) {
            const int32_t point = chains[i++];
            more = point >= 0;
            float *after = data + (more ? point : ~point) * values;
            SN_UNROLL for (int v = 0; v < vectors; v++) {
                const vp next = vp_load(after + v * SN_PART_LANES);
                vp_store(to + v * SN_PART_LANES, vp_fma(0.5f, before[v] + next, here[v]));
                before[v] = here[v];
                here[v] = next;
            }
            to = after;
        }
        SN_UNROLL for (int v = 0; v < vectors; v++) vp_store(to + v * SN_PART_LANES, vp_fma(0.5f, before[v], here[v]));
    }
}

static void sn_lattice_blur(const int32_t *chains, sn_size first, sn_size last, float *data, sn_size values) {
    if (values == 1) {
        for (sn_size i = first; i < last;) {
            float before = 0, *to = data + chains[i++], here = *to;
            for (int32_t more = 1; more;) {
                const int32_t point = chains[i++];
                more = point >= 0;
                float *after = data + (more ? point : ~point);
                const float next = *after;
                *to = here + 0.5f * (before + next);
                before = here;
                here = next;
                to = after;
            }
            *to = here + 0.5f * before;
        }
        return;
    }
#define SN_BODY(at, vectors) sn_blur_chains(chains, first, last, data, values, at, vectors)
    SN_ROW_PARTS(values, SN_BODY)
#undef SN_BODY
}

SN_INLINE void sn_slice_pixel(const int32_t *points, const float *weights, sn_size corners, const float *data, sn_size values,
                              const float *start, float *out, sn_size at, const int vectors) {
    vp sum[5 * SN_PART_VECTORS];
    SN_UNROLL for (int v = 0; v < vectors; v++) sum[v] = start ? vp_load(start + at + v * SN_PART_LANES) : (vp)0.0f;
    for (sn_size q = 0; q < corners; q++) {
        const float *from = data + points[16 * q] * values + at;
        SN_UNROLL for (int v = 0; v < vectors; v++) {
            sum[v] = vp_fma(weights[16 * q], vp_load(from + v * SN_PART_LANES), sum[v]);
        }
    }
    SN_UNROLL for (int v = 0; v < vectors; v++) vp_store(out + at + v * SN_PART_LANES, sum[v]);
}

// out = start + sums; start may be NULL.
SN_INLINE void sn_slice(const sn_corners *corners, const float *data, sn_size values, const float *start, sn_size first, sn_size last,
                        float *out) {
    for (sn_size pixel = first; pixel < last; pixel++) {
        const sn_size corner = pixel / 16 * corners->step + pixel % 16;
        const int32_t *points = corners->points + corner;
        const float *weights = corners->weights + corner, *from = start ? start + pixel * values : NULL;
        float *to = out + pixel * values;
        if (values == 1) {
            float sum = 0;
            for (sn_size q = 0; q < corners->count; q++) sum += weights[16 * q] * data[points[16 * q]];
            *to = sum;
            continue;
        }
#define SN_BODY(at, vectors) sn_slice_pixel(points, weights, corners->count, data, values, from, to, at, vectors)
        SN_ROW_PARTS(values, SN_BODY)
#undef SN_BODY
    }
}

static void sn_lattice_slice(const sn_corners *corners, const float *data, sn_size values, sn_size first, sn_size last, float *out) {
    sn_slice(corners, data, values, NULL, first, last, out);
}
