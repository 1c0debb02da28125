//  Every kernel of the tables, and the case that tries it. A kernel without a line here does not compile (main.c counts them), and one
//  that its case does not notice when it does nothing fails (`--check-cases`).

#ifndef CASES_H
#define CASES_H

#include "harness.h"

#define EACH_KERNEL(X)                                   \
    X(gemm, gemm)                                        \
    X(peak, peak)                                        \
    X(pack, pack)                                        \
    X(pack_unpooled, pack_unpooled)                      \
    X(pack_thin, pack_thin)                              \
    X(row_fetch, row_fetch)                              \
    X(row_products, row_products)                        \
    X(store, store)                                      \
    X(depthwise, depthwise)                              \
    X(max_pool_2x2, max_pool_2x2)                        \
    X(max_pool, max_pool)                                \
    X(unpool_2x2, unpool_2x2)                            \
    X(affine, affine)                                    \
    X(add, add)                                          \
    X(lrn, lrn)                                          \
    X(lrn_thin, lrn_thin)                                \
    X(copy, copy)                                        \
    X(bilinear, bilinear)                                \
    X(softmax, softmax)                                  \
    X(argmax, argmax)                                    \
    X(confidence, confidence)                            \
    X(gemm_outer, gemm_outer)                            \
    X(depthwise_gradient, depthwise_gradient)            \
    X(fetch, fetch)                                      \
    X(sums, sums)                                        \
    X(affine_max_pool_2x2, affine_max_pool_2x2)          \
    X(normalization_sums, normalization)                 \
    X(normalization_gradient, normalization)             \
    X(gather_2x2, gather_2x2)                            \
    X(dropout, dropout)                                  \
    X(cross_entropy, cross_entropy)                      \
    X(probability_sums, probability_sums)                \
    X(distillation, distillation)                        \
    X(sgd, sgd)                                          \
    X(adamw, adamw)                                      \
    X(average, average)                                  \
    X(squares, squares)                                  \
    X(picture, picture)                                  \
    X(block_thin, block_thin)                            \
    X(block_planar, planar)                              \
    X(unblock_planar, planar)                            \
    X(widen, widen)                                      \
    X(narrow, narrow)                                    \
    X(narrow_saturated, narrow_saturated)

#define EACH_ALGORITHM(X) X(winograd63) X(winograd43) X(winograd47) X(winograd27) X(winograd45)

#define EACH_WINOGRAD_KERNEL(X)                          \
    X(weights, winograd_forward)                         \
    X(row_weights, winograd_rows)                        \
    X(row_input, winograd_rows)                          \
    X(row_tiles, winograd_rows)                          \
    X(input, winograd_forward)                           \
    X(input_unpooled, winograd_unpooled)                 \
    X(output, winograd_forward)                          \
    X(gradient, winograd_gradient)                       \
    X(weight_gradient, winograd_gradient)

#define EACH_LATTICE_KERNEL(X)                           \
    X(embed, lattice_embed)                              \
    X(insert, lattice_insert)                            \
    X(rehash, lattice_rehash)                            \
    X(chains, lattice_chains)                            \
    X(sort, lattice_sort)                                \
    X(weigh, lattice_weigh)                              \
    X(weigh_entries, lattice_weigh_entries)              \
    X(splat, lattice_splat)                              \
    X(blur, lattice_blur)                                \
    X(slice, lattice_slice)                              \
    X(start, mean_field_start)                           \
    X(update, mean_field_update)                         \
    X(read, mean_field_read)

#define DECLARE(kernel, case) void case_##case(const sn_kernels *k);
EACH_KERNEL(DECLARE)
EACH_LATTICE_KERNEL(DECLARE)
#undef DECLARE
#define DECLARE(kernel, case) void case_##case(const sn_kernels *k, const sn_winograd *w);
EACH_WINOGRAD_KERNEL(DECLARE)
#undef DECLARE

#endif
