//  What came out of the cases.

#ifndef RECORDS_H
#define RECORDS_H

#include <stdio.h>

#include "harness.h"

typedef struct result {
    char *what;
    sn_size count;
    double absolute, relative;
    double *values;
} result;

typedef struct results {
    result *list;
    sn_size count, capacity;
} results;

/// Where `record` puts what a case hands it.
extern results *recording;

void clear_results(results *all);
/// How many results of `found` differ from those of `needed`; the first few are printed, unless `name` is NULL.
int compare_results(const char *name, const results *needed, const results *found);
void write_results(FILE *file, const char *name, const results *all);
/// The results of `name`, which must come next in the file. Returns 0 if they do not.
int read_results(FILE *file, const char *name, results *all);

#endif
