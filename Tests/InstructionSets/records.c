#include "records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

results *recording;

// Memory that the program cannot go on without.
static void *memory(void *old, size_t bytes) {
    void *result = realloc(old, bytes ? bytes : 1);
    if (!result) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return result;
}

void record(const char *what, const double *values, sn_size count, double absolute, double relative) {
    if (recording->count == recording->capacity) {
        recording->capacity = recording->capacity * 2 + 16;
        recording->list = memory(recording->list, (size_t)recording->capacity * sizeof(result));
    }
    result *new = &recording->list[recording->count++];
    const size_t bytes = (size_t)count * sizeof(double), length = strlen(what) + 1;
    *new = (result){memory(NULL, length), count, absolute, relative, memory(NULL, bytes)};
    memcpy(new->what, what, length);
    memcpy(new->values, values, bytes);
}

#define RECORD(type, value)                                                 \
    double *wide = memory(NULL, (size_t)count * sizeof(double));            \
    for (sn_size i = 0; i < count; i++) wide[i] = value;                    \
    record(what, wide, count, absolute, relative);                          \
    free(wide)

void record_floats(const char *what, const float *x, sn_size count, double absolute, double relative) {
    RECORD(float, x[i]);
}

void record_doubles(const char *what, const double *x, sn_size count, double relative) { record(what, x, count, 0, relative); }

void record_words(const char *what, const uint32_t *x, sn_size count) {
    const double absolute = 0, relative = 0;
    RECORD(uint32_t, x[i]);
}

void record_ids(const char *what, const uint16_t *x, sn_size count) {
    const double absolute = 0, relative = 0;
    RECORD(uint16_t, x[i]);
}

void record_halves(const char *what, const uint16_t *x, sn_size count) {
    const double absolute = 0, relative = 0;
    RECORD(uint16_t, (x[i] & 0x7fff) > 0x7c00 ? NAN : x[i]);
}

void record_map(const char *what, const sn_map *map, sn_size channels, double absolute, double relative) {
    const sn_size pixels = map->rows * map->width;
    double *real = memory(NULL, (size_t)(channels * pixels) * sizeof(double));
    double padding = 0, untouched = 1;
    for (sn_size c = 0; c < map->blocks * 16; c++) {
        for (sn_size i = 0; i < pixels; i++) {
            const float x = map->data[c / 16 * map->block_stride + i * 16 + c % 16];
            if (c < channels) real[c * pixels + i] = x;
            else if (!(x == 0)) padding = 1;
        }
    }
    for (sn_size block = 1; block < map->blocks; block++) {
        const unsigned char *gap = (const unsigned char *)(map->data + (block - 1) * map->block_stride + pixels * 16);
        for (size_t i = 0; i < (size_t)(map->block_stride - pixels * 16) * sizeof(float); i++) untouched *= gap[i] == 0xff;
    }
    record(what, real, channels * pixels, absolute, relative);
    record("padding lanes that are not 0", &padding, 1, 0, 0);
    record("space between blocks left alone", &untouched, 1, 0, 0);
    free(real);
}

void record_tiles(const char *what, const sn_kernels *k, const sn_tiles *v) {
    const sn_size count = v->tiles * v->depth;
    const double absolute = 0, relative = 0;
    RECORD(float, *tile_value(k, v, i / v->depth, i % v->depth));
}

void clear_results(results *all) {
    for (sn_size i = 0; i < all->count; i++) {
        free(all->list[i].what);
        free(all->list[i].values);
    }
    all->count = 0;
}

// ---- comparing

static int agree(double a, double b, double absolute, double relative) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (absolute == 0 && relative == 0) return a == b && signbit(a) == signbit(b);
    return a == b || fabs(a - b) <= absolute + relative * fabs(a);
}

int compare_results(const char *name, const results *needed, const results *found) {
    if (needed->count != found->count) {
        if (name) printf("%s: %td results instead of %td\n", name, found->count, needed->count);
        return 1;
    }
    int wrong = 0;
    for (sn_size i = 0; i < needed->count; i++) {
        const result *a = &needed->list[i], *b = &found->list[i];
        if (a->count != b->count || strcmp(a->what, b->what) != 0) {
            if (name) printf("%s: %s of %td numbers instead of %s of %td\n", name, b->what, b->count, a->what, a->count);
            return wrong + 1;
        }
        for (sn_size j = 0; j < a->count; j++) {
            if (agree(a->values[j], b->values[j], a->absolute, a->relative)) continue;
            if (name && wrong < 5) {
                printf("%s: %s, number %td: found %.9g, needed %.9g\n", name, a->what, j, b->values[j], a->values[j]);
            }
            wrong++;
            break;
        }
    }
    return wrong;
}

// ---- files: a line with the kernel and its number of results; for each result its text, its counts and its numbers

void write_results(FILE *file, const char *name, const results *all) {
    fprintf(file, "%s %td\n", name, all->count);
    for (sn_size i = 0; i < all->count; i++) {
        const result *r = &all->list[i];
        fprintf(file, "%s\n%td %a %a", r->what, r->count, r->absolute, r->relative);
        for (sn_size j = 0; j < r->count; j++) fprintf(file, " %a", r->values[j]);
        fprintf(file, "\n");
    }
}

int read_results(FILE *file, const char *name, results *all) {
    char text[256];
    sn_size count;
    if (fscanf(file, "%255s %td\n", text, &count) != 2 || strcmp(text, name) != 0) return 0;
    recording = all;
    for (sn_size i = 0; i < count; i++) {
        sn_size length;
        double absolute, relative;
        if (!fgets(text, sizeof text, file)) return 0;
        text[strcspn(text, "\n")] = 0;
        if (fscanf(file, "%td %la %la", &length, &absolute, &relative) != 3) return 0;
        double *values = memory(NULL, (size_t)length * sizeof(double));
        int complete = 1;
        for (sn_size j = 0; j < length; j++) complete &= fscanf(file, " %la", &values[j]) == 1;
        record(text, values, length, absolute, relative);
        free(values);
        if (!complete || fgetc(file) != '\n') return 0;
    }
    return 1;
}
