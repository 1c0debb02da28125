//  Compares the kernels of an instruction set with the portable ones, on the same inputs.
//
//      compare NAME                 the kernels NAME against "portable" of this build
//      compare --write FILE         records what the portable kernels of this machine compute
//      compare NAME --against FILE  the kernels NAME against another machine's record
//      compare NAME --check-cases   replaces each kernel in turn by one that does nothing; its case must notice
//
//  Prints a line for each kernel that differs and one line with the counts at the end. Ends with 1 if a kernel differs, 2 if it cannot
//  be run. scripts/test-neon builds it for 64-bit ARM.

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "operands.h"
#include "records.h"

typedef struct entry {
    const char *name;
    kernel_case run;        // or, with an algorithm:
    winograd_case run_winograd;
    size_t place;           // of the kernel in its table
    size_t table;           // of that table in `sn_kernels`: an algorithm's or the lattice's; 0 for `sn_kernels` itself
} entry;

#define KERNEL(kernel, case) {#kernel, case_##case, NULL, offsetof(sn_kernels, kernel), 0},
#define LATTICE(kernel, case) \
    {"lattice." #kernel, case_##case, NULL, offsetof(sn_lattice_kernels, kernel), offsetof(sn_kernels, lattice)},
#define WINOGRAD(algorithm)                                                                                          \
    ALGORITHM(algorithm, weights, winograd_forward)                                                                  \
    ALGORITHM(algorithm, row_weights, winograd_rows)                                                                 \
    ALGORITHM(algorithm, row_input, winograd_rows)                                                                   \
    ALGORITHM(algorithm, row_tiles, winograd_rows)                                                                   \
    ALGORITHM(algorithm, input, winograd_forward)                                                                    \
    ALGORITHM(algorithm, input_unpooled, winograd_unpooled)                                                          \
    ALGORITHM(algorithm, output, winograd_forward)                                                                   \
    ALGORITHM(algorithm, gradient, winograd_gradient)                                                                \
    ALGORITHM(algorithm, weight_gradient, winograd_gradient)
#define ALGORITHM(algorithm, kernel, case) \
    {#algorithm "." #kernel, NULL, case_##case, offsetof(sn_winograd, kernel), offsetof(sn_kernels, algorithm)},

static const entry entries[] = {EACH_KERNEL(KERNEL) EACH_LATTICE_KERNEL(LATTICE) EACH_ALGORITHM(WINOGRAD)};
enum { entry_count = sizeof entries / sizeof *entries };

// A pointer for each: a kernel that was added to the tables without a case stops here.
#define ONE(...) +1
enum { kernels = 0 EACH_KERNEL(ONE), algorithms = 0 EACH_ALGORITHM(ONE), winograd_kernels = 0 EACH_WINOGRAD_KERNEL(ONE) };
enum { lattice_kernels = 0 EACH_LATTICE_KERNEL(ONE) };
_Static_assert(sizeof(sn_kernels) - offsetof(sn_kernels, gemm) == (kernels + algorithms) * sizeof(void (*)(void)),
               "a kernel of sn_kernels has no line in cases.h");
_Static_assert(sizeof(sn_winograd) - offsetof(sn_winograd, weights) == winograd_kernels * sizeof(void (*)(void)),
               "a kernel of sn_winograd has no line in cases.h");
_Static_assert(sizeof(sn_lattice_kernels) == lattice_kernels * sizeof(void (*)(void)),
               "a kernel of sn_lattice_kernels has no line in cases.h");
_Static_assert(sizeof entries / sizeof *entries == kernels + lattice_kernels + algorithms * winograd_kernels,
               "WINOGRAD in main.c lacks a kernel");

static const char *running = "nothing";

static void stray(int number) {
    static const char text[] = ": read or wrote beyond an operand\n";
    if (write(STDOUT_FILENO, running, strlen(running)) < 0 || write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(number);
    _exit(1);
}

static const sn_winograd *algorithm_of(const sn_kernels *table, const entry *e) {
    const sn_winograd *result;
    memcpy(&result, (const char *)table + e->table, sizeof result);
    return result;
}

// Runs an entry's case. Returns 0 if it wrote in front of an operand.
static int run(const entry *e, const sn_kernels *table, const sn_winograd *algorithm, results *into) {
    running = e->name;
    clear_results(into);
    recording = into;
    if (e->run) {
        e->run(table);
    } else {
        e->run_winograd(table, algorithm ? algorithm : algorithm_of(table, e));
    }
    return release_operands();
}

static void nothing(void) {}

// The case of `e` with that kernel replaced by nothing.
static void run_without(const entry *e, const sn_kernels *table, results *into) {
    void (*const empty)(void) = nothing;
    if (e->run) {
        sn_kernels changed = *table;
        sn_lattice_kernels lattice = *table->lattice;
        memcpy((e->table ? (char *)&lattice : (char *)&changed) + e->place, &empty, sizeof empty);
        changed.lattice = &lattice;
        run(e, &changed, NULL, into);
    } else {
        sn_winograd changed = *algorithm_of(table, e);
        memcpy((char *)&changed + e->place, &empty, sizeof empty);
        run(e, table, &changed, into);
    }
}

static int usage(void) {
    fprintf(stderr, "usage: compare NAME [--against FILE | --check-cases], or compare --write FILE\n");
    return 2;
}

int main(int count, char **arguments) {
    const int writes = count == 3 && strcmp(arguments[1], "--write") == 0;
    const int reads = count == 4 && strcmp(arguments[2], "--against") == 0;
    const int checks = count == 3 && !writes && strcmp(arguments[2], "--check-cases") == 0;
    if (count != 2 && !writes && !reads && !checks) return usage();
    const sn_kernels *portable = sn_kernels_named("portable"), *tested = sn_kernels_named(writes ? "portable" : arguments[1]);
    if (!portable || !tested) {
        fprintf(stderr, "this build or this machine has no kernels '%s'\n", arguments[1]);
        return 2;
    }
    FILE *file = writes ? fopen(arguments[2], "w") : reads ? fopen(arguments[3], "r") : NULL;
    if ((writes || reads) && !file) {
        perror(arguments[count - 1]);
        return 2;
    }
    signal(SIGSEGV, stray);
    signal(SIGBUS, stray);

    results needed = {0}, found = {0};
    int passed = 0;
    for (int i = 0; i < entry_count; i++) {
        const entry *e = &entries[i];
        int good = run(e, tested, NULL, &found);
        if (!good) printf("%s: wrote in front of an operand\n", e->name);
        if (writes) {
            write_results(file, e->name, &found);
        } else if (checks) {
            run_without(e, tested, &needed);
            const int noticed = compare_results(NULL, &found, &needed) > 0;
            if (!noticed) printf("%s: its case does not notice that it does nothing\n", e->name);
            good = good && noticed;
        } else if (reads) {
            clear_results(&needed);
            if (!read_results(file, e->name, &needed)) {
                fprintf(stderr, "%s: not a record of these cases, at %s\n", arguments[3], e->name);
                return 2;
            }
            good = compare_results(e->name, &needed, &found) == 0 && good;
        } else {
            good = run(e, portable, NULL, &needed) && good;
            good = compare_results(e->name, &needed, &found) == 0 && good;
        }
        passed += good;
    }
    if (file && fclose(file) != 0) {
        perror(arguments[count - 1]);
        return 2;
    }
    if (!writes) printf("%s: %d of %d kernels %s\n", tested->name, passed, entry_count, checks ? "have a case that can fail" : "agree");
    return passed == entry_count ? 0 : 1;
}
