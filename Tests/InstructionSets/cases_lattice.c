//  The permutohedral lattice and the mean field steps on it. Each case makes its own lattice, so that a kernel that does nothing
//  is noticed there, and not by the next kernel's stumbling over what is missing.

#include <string.h>

#include "cases.h"

// Rows of one value, of each number of parts that has a loop of its own, and of more than one such loop.
static const sn_size row_lengths[] = {1, 8, 16, 24, 32, 40, 48, 88};
enum { row_length_count = sizeof row_lengths / sizeof *row_lengths };

static int32_t *integers(sn_size count) { return guarded((size_t)count * sizeof(int32_t)); }
static uint64_t *longs(sn_size count) { return guarded((size_t)count * sizeof(uint64_t)); }

static void record_integers(const char *what, const int32_t *x, sn_size count) { record_words(what, (const uint32_t *)x, count); }
static void record_longs(const char *what, const uint64_t *x, sn_size count) { record_words(what, (const uint32_t *)x, 2 * count); }

static int32_t below(uint64_t seed, sn_size place, sn_size limit) { return (int32_t)(mixed_bits(seed, place) % (uint64_t)limit); }

// ---- where pixels lie

void case_lattice_embed(const sn_kernels *k) {
    for (int i = 0; i < 8; i++) {
        const sn_size dimensions = i % 2 ? 5 : 2, pixels = 16 * (1 + i / 2), step = 16 * (dimensions + 3), feature_step = pixels + i;
        // Whole numbers lie on ties: which side they fall to has to be the same everywhere.
        float *features = floats((dimensions - 1) * feature_step + pixels, i < 4 ? bell : whole, 90 + i);
        uint64_t *keys = longs(dimensions * (pixels + 3) + pixels);
        float *weights = floats(pixels / 16 * step, NULL, 0);
        k->lattice->embed(features, feature_step, dimensions, pixels, keys, pixels + 3, weights, step);
        record_longs("keys", keys, dimensions * (pixels + 3) + pixels);
        record_floats("barycentric weights", weights, pixels / 16 * step, 0, 0);
    }
}

// ---- points by key

static sn_lattice_table table_of(sn_size capacity, sn_size slot_count) {
    sn_lattice_table table = {longs(capacity), integers(slot_count), slot_count, capacity, 0, 0};
    for (sn_size slot = 0; slot < slot_count; slot++) table.slots[slot] = -1;
    return table;
}

void case_lattice_insert(const sn_kernels *k) {
    for (int i = 0; i < 6; i++) {
        const sn_size pixels = 77, step = 48, capacity = i < 3 ? 64 : 9;
        uint64_t *keys = longs(pixels);
        // Some follow each other, most come again.
        for (sn_size p = 0; p < pixels; p++) keys[p] = mixed_bits(100 + i, mixed_bits(101, p / 2) % 40);
        int32_t *points = integers((pixels + 15) / 16 * step);
        sn_lattice_table table = table_of(capacity, 128);
        double stopped[] = {0, 0};
        stopped[0] = (double)k->lattice->insert(&table, keys, 0, 20, points, step);
        stopped[1] = (double)k->lattice->insert(&table, keys, 20, pixels, points, step);
        record("the pixels where it stopped", stopped, 2, 0, 0);
        const double count = (double)table.count;
        record("points", &count, 1, 0, 0);
        record_longs("their keys", table.keys, capacity);
        record_integers("slots", table.slots, table.slot_count);
        record_integers("a corner table", points, (pixels + 15) / 16 * step);
    }
}

void case_lattice_rehash(const sn_kernels *k) {
    sn_lattice_table table = table_of(50, 64);
    table.count = 45;
    for (sn_size p = 0; p < table.count; p++) table.keys[p] = mixed_bits(102, p);
    for (sn_size slot = 0; slot < table.slot_count; slot++) table.slots[slot] = 7;
    k->lattice->rehash(&table);
    record_integers("slots", table.slots, table.slot_count);
}

void case_lattice_chains(const sn_kernels *k) {
    for (int i = 0; i < 4; i++) {
        const sn_size dimensions = i % 2 ? 5 : 2;
        const int bits = (int)(60 / dimensions);
        sn_lattice_table tables[6];
        sn_size points = 0;
        for (sn_size q = 0; q <= dimensions; q++) {
            // A cube of three points a side, less some of them.
            sn_size cube = 1;
            for (sn_size axis = 0; axis < dimensions; axis++) cube *= 3;
            tables[q] = table_of(cube, 512);
            tables[q].first = points;
            for (sn_size p = 0; p < cube; p++) {
                if (mixed_bits(103 + (uint64_t)(i * 6 + q), p) % 4 == 0) continue;
                uint64_t key = 0;
                for (sn_size axis = 0, rest = p; axis < dimensions; axis++, rest /= 3) {
                    key |= (uint64_t)((1 << (bits - 1)) + rest % 3) << (bits * axis);
                }
                tables[q].keys[tables[q].count++] = key;
            }
            k->lattice->rehash(&tables[q]);
            points += tables[q].count;
        }
        for (sn_size axis = 0; axis <= dimensions; axis++) {
            int32_t *chains = integers(points);
            const double length = (double)k->lattice->chains(tables, dimensions, axis, integers(2 * points), chains);
            record("their length", &length, 1, 0, 0);
            record_integers("chains", chains, points);
        }
    }
}

void case_lattice_sort(const sn_kernels *k) {
    for (sn_size pixels = 1; pixels <= 65; pixels += 16) {
        const sn_size step = 48, first_point = 3, count = 12, first_entry = 5, size = (pixels + 15) / 16 * step;
        int32_t *points = integers(size), *starts = integers(first_point + count);
        // Point 11 has no pixels.
        for (sn_size at = 0; at < size; at++) points[at] = below(110, at, 11);
        sn_lattice_entry *entries = guarded((size_t)(first_entry + pixels) * sizeof *entries);
        k->lattice->sort(points, floats(size, uniform, 111), step, pixels, first_point, count, first_entry, starts, entries);
        record_integers("numbers of points", points, size);
        record_integers("starts", starts, first_point + count);
        record_words("entries", (const uint32_t *)entries, 2 * (first_entry + pixels));
    }
}

void case_lattice_weigh(const sn_kernels *k) {
    float *weights = floats(3 * 64, uniform, 112);
    k->lattice->weigh(weights, 64, 3, 2, 45, floats(45, positive, 113), 0.75f);
    record_floats("weights", weights, 3 * 64, 0, 0);
}

// Entries of `points` points, of which every fifth has none, and those that may be prefetched.
static sn_lattice_entry *entries_of(int32_t *starts, sn_size points, sn_size pixels, filling fill, sn_size *count) {
    *count = 0;
    for (sn_size p = 0; p < points; p++) *count += p % 5 == 4 ? 0 : p % 7 + 1;
    sn_lattice_entry *entries = guarded((size_t)(*count + SN_LATTICE_SPARE) * sizeof *entries);
    for (sn_size i = 0; i < *count + SN_LATTICE_SPARE; i++) {
        entries[i].pixel = below(114, i, pixels);
        entries[i].weight = fill(115, i);
    }
    starts[0] = 0;
    for (sn_size p = 0; p < points; p++) starts[p + 1] = starts[p] + (int32_t)(p % 5 == 4 ? 0 : p % 7 + 1);
    return entries;
}

void case_lattice_weigh_entries(const sn_kernels *k) {
    sn_size count;
    sn_lattice_entry *entries = entries_of(integers(14), 13, 20, uniform, &count);
    k->lattice->weigh_entries(entries, 1, count - 1, floats(20, positive, 116));
    record_words("entries", (const uint32_t *)entries, 2 * count);
}

// ---- filtering. Sums of whole numbers are exact in any order; any others agree to their rounding.

void case_lattice_splat(const sn_kernels *k) {
    for (int i = 0; i < 2 * row_length_count; i++) {
        const sn_size values = row_lengths[i / 2], points = 13, pixels = 20;
        const filling fill = i % 2 ? uniform : whole;
        int32_t *starts = integers(points + 1);
        sn_size count;
        const sn_lattice_entry *entries = entries_of(starts, points, pixels, fill, &count);
        const float *in = floats(pixels * values, fill, 117);
        float *out = floats(points * values, NULL, 0);
        k->lattice->splat(starts, entries, 1, 6, in, values, out);
        k->lattice->splat(starts, entries, 6, points, in, values, out);
        record_floats("points' rows", out, points * values, i % 2 ? 2e-6 : 0, 0);
    }
}

void case_lattice_blur(const sn_kernels *k) {
    static const int32_t list[] = {0, 2, 4, 6, ~8, 1, ~3, 9, 7, ~5, 11, ~10};
    const sn_size length = sizeof list / sizeof *list;
    int32_t *chains = integers(length);
    memcpy(chains, list, sizeof list);
    for (int i = 0; i < 2 * row_length_count; i++) {
        const sn_size values = row_lengths[i / 2];
        // Point 12 has no neighbour.
        float *data = floats(13 * values, i % 2 ? uniform : whole, 118);
        k->lattice->blur(chains, 0, 7, data, values);
        k->lattice->blur(chains, 7, length, data, values);
        record_floats("points' rows", data, 13 * values, i % 2 ? 3e-7 : 0, 0);
    }
}

static sn_corners corners_of(sn_size pixels, sn_size count, sn_size points, filling fill) {
    const sn_size step = 16 * count, size = (pixels + 15) / 16 * step;
    int32_t *numbers = integers(size);
    for (sn_size at = 0; at < size; at++) numbers[at] = below(119, at, points);
    return (sn_corners){numbers, floats(size, fill, 120), step, count};
}

void case_lattice_slice(const sn_kernels *k) {
    for (int i = 0; i < 2 * row_length_count; i++) {
        const sn_size values = row_lengths[i / 2], pixels = 37, points = 15;
        const filling fill = i % 2 ? uniform : whole;
        const sn_corners corners = corners_of(pixels, i % 4 < 2 ? 3 : 9, points, fill);
        const float *data = floats(points * values, fill, 121);
        float *out = floats(pixels * values, NULL, 0);
        k->lattice->slice(&corners, data, values, 2, 19, out);
        k->lattice->slice(&corners, data, values, 19, pixels, out);
        record_floats("pixels' rows", out, pixels * values, i % 2 ? 2e-6 : 0, 0);
    }
}

// ---- mean field steps

static const sn_size class_counts[] = {1, 2, 8, 11, 16, 21, 32, 37, 40, 45};
enum { class_count_count = sizeof class_counts / sizeof *class_counts };

static float scores(uint64_t seed, sn_size place) { return 6 * bell(seed, place); }
// 0...1, some of them 0 and some too small to be normal numbers.
static float probabilities(uint64_t seed, sn_size place) {
    const float x = positive(seed, place) - 1;
    return place % 11 == 3 ? 0 : place % 11 == 7 ? x * 0x1p-130f : x;
}

void case_mean_field_start(const sn_kernels *k) {
    for (int i = 0; i < 4 * class_count_count; i++) {
        const sn_size classes = class_counts[i / 4], values = (classes + 7) / 8 * 8, pixels = 45, plane = pixels + 2;
        const int are_scores = i % 2;
        const filling fill = i % 4 >= 2 ? awkward : are_scores ? scores : probabilities;
        const float *in = floats((classes - 1) * plane + pixels, fill, 122 + i);
        float *logs = floats(pixels * values, NULL, 0), *marginals = floats(pixels * values, NULL, 0);
        k->lattice->start(in, plane, classes, are_scores, 1, 18, values, logs, marginals);
        k->lattice->start(in, plane, classes, are_scores, 18, pixels, values, logs, marginals);
        record_floats("logarithms", logs, pixels * values, 3e-7, 3e-7);
        record_floats("marginals", marginals, pixels * values, 0x1p-110, 3e-6);
    }
}

void case_mean_field_update(const sn_kernels *k) {
    for (int i = 0; i < class_count_count; i++) {
        const sn_size classes = class_counts[i], values = (classes + 7) / 8 * 8, pixels = 150, points = 15;
        const sn_corners corners = corners_of(pixels, 9, points, positive);
        float *data = floats(points * values, uniform, 123), *logs = floats(pixels * values, scores, 124 + i);
        for (sn_size p = 0; p < points; p++) {
            for (sn_size c = classes; c < values; c++) data[p * values + c] = 0;
        }
        for (sn_size p = 0; p < pixels; p++) {
            for (sn_size c = classes; c < values; c++) logs[p * values + c] = -0x1.fffffep127f;
        }
        float *marginals = floats(pixels * values, NULL, 0);
        k->lattice->update(&corners, data, values, logs, 2, 9, marginals);
        k->lattice->update(&corners, data, values, logs, 9, pixels, marginals);
        record_floats("marginals", marginals, pixels * values, 0x1p-110, 2e-5);
    }
}

void case_mean_field_read(const sn_kernels *k) {
    for (int i = 0; i < class_count_count; i++) {
        const sn_size classes = class_counts[i], values = (classes + 7) / 8 * 8, pixels = 37, plane = pixels + 2;
        // Ties are frequent.
        const float *marginals = floats(pixels * values, whole, 125 + i);
        float *planes = floats((classes - 1) * plane + pixels, NULL, 0);
        uint16_t *ids = guarded((size_t)pixels * sizeof *ids), *alone = guarded((size_t)pixels * sizeof *alone);
        k->lattice->read(marginals, values, classes, 1, pixels, planes, plane, ids);
        k->lattice->read(marginals, values, classes, 1, pixels, NULL, plane, alone);
        record_floats("probabilities", planes, (classes - 1) * plane + pixels, 0, 0);
        record_ids("class ids", ids, pixels);
        record_ids("class ids alone", alone, pixels);
    }
}
