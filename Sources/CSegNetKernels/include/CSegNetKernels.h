//  The arithmetic of SegNet: every kernel's contract on one page.
//  Goals, in order: right results; the same results for any number of threads; speed; few kernels.
//
//  Rules that hold for all of them
//  - Kernels never check, allocate, print or exit. Their Swift callers check shapes first.
//  - Sizes are `sn_size` (Swift's Int). Float pointers into blocked maps, tile buffers, weights and products are aligned to 64 bytes.
//  - Outputs never alias inputs, unless a comment says so.
//  - Each output value is computed by one call in a fixed order of operations that does not depend on how the caller cuts the work into
//    calls, so results do not depend on the number of threads.
//  - A kernel's body is written once (`*.inc.h`) and compiled for each instruction set (`portable.c`, `avx2.c`, ...).
//
//  Layouts
//  - Blocked map: [C/16][rows][W][16] float32. One pixel of one block of 16 channels is one 64-byte line. Channels beyond C in the last
//    block are padding: they hold 0, and kernels keep them 0 as long as all real values are finite (a convolution multiplies them by
//    weights of 0, so 0 x infinity may make NaN there). A map may keep fewer rows than it is high (a ring): row y lives at y % rows.
//  - Thin map: [H][W][C] float32, interleaved, for pictures and whatever else has fewer than 16 channels.
//  - Pooling indices: one uint32 per pooled pixel and block of 16 channels. Bit l: lane l's maximum stood in the right column of its
//    2x2 window; bit 16+l: in the lower row. That is 2 bits per value (paper, section 3.2).
//  - Tile buffer (GEMM left side): see `sn_tiles`. Weights (GEMM right side): [depth][columns].

#ifndef CSEGNETKERNELS_H
#define CSEGNETKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "CSegNetLattice.h"
#include "CSegNetMachine.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A blocked map. (block, y, x, lane) lies at data[block * block_stride + (y % rows) * width * 16 + x * 16 + lane].
typedef struct sn_map {
    float *_Nullable data;
    sn_size blocks, height, width;
    sn_size rows;          // stored rows, at most height; equal to it for a whole map
    sn_size block_stride;  // floats from one channel block to the next, at least rows * width * 16
} sn_map;

/// A thin map: (y, x, c) lies at data[(y * width + x) * channels + c]. No alignment asked.
typedef struct sn_thin {
    float *_Nullable data;
    sn_size channels, height, width;
} sn_thin;

/// 2-bit pooling indices: (block, y, x) lies at data[(block * height + y) * width + x]; see "Layouts".
typedef struct sn_indices {
    uint32_t *_Nullable data;
    sn_size blocks, height, width;  // of the pooled map
} sn_indices;

/// The left side of a GEMM, in exactly the order in which the micro-kernel reads it.
///
/// `tiles` rows (Winograd tiles or output pixels) of `depth` values (a multiple of 16). The rows are cut into micro tiles:
/// count = ceil(tiles / kernels.micro_tile), micro tile m starts at m * (tiles / count) + min(m, tiles % count) and holds tiles / count
/// rows or one more, mr. The depth is cut into blocks of `depth_block` (a multiple of 16; the last may be shorter). Row t of micro tile
/// m (starting at row a), depth d in block b (starting at depth b0, of length bl):
///     data[b0 * tiles + a * bl + ((d - b0) / 16 * mr + t) * 16 + (d - b0) % 16]
typedef struct sn_tiles {
    float *_Nonnull data;
    sn_size tiles, depth, depth_block;
} sn_tiles;

/// What happens to a convolution's sums before they are stored: + bias, ReLU, then 2x2 max pooling or a plain store.
typedef struct sn_epilogue {
    const float *_Nonnull bias;  // [blocks of out * 16]: padding lanes hold 0
    int32_t relu;                // 1: max(x, 0) that keeps NaN
    sn_map out;                  // the stored map; data NULL if only the pooled map is wanted
    sn_map pooled;               // data NULL: no pooling. Else [ceil(out.height/2)] x [ceil(out.width/2)]
    sn_indices indices;          // data may be NULL if nobody unpools
} sn_epilogue;

/// Where a window's taps lie: tap (i, j) of output (y, x) reads input row y * stride_y + origin_y + i * dilation_y, column
/// likewise; outside the input it reads 0. origin = -padding for an ordinary convolution.
typedef struct sn_window {
    sn_size height, width;
    sn_size stride_y, stride_x, origin_y, origin_x, dilation_y, dilation_x;
} sn_window;

/// A rectangle of output pixels: pixel i is (y + i / width, x + i % width), `count` = height * width of them. Pixel (y, x) is stored at
/// row y * step_y + offset_y, column x * step_x + offset_x of the output map (1 and 0, except in the phases of a transposed convolution).
typedef struct sn_pixels {
    sn_size y, x, width, count;
    sn_size step_y, step_x, offset_y, offset_x;
} sn_pixels;

/// A grid of Winograd tiles on the output: tile t covers m output rows, from row t / across * m on, and m columns, from t % across * m on.
typedef struct sn_tile_grid {
    sn_size across;                     // tiles in a row of tiles
    sn_size first;                      // the grid tile that is row 0 of the tile buffer or of the products
    sn_size padding_y, padding_x;       // zero padding at the top and left, less than the window's extent
    sn_size height, width;              // of the convolution's output
    // With a dilated window, a map's interleaved pixels ("phases") have dilation_y * dilation_x plain convolutions. The grid then has
    // `down` rows of tiles per phase, one phase under the other: a tile of phase (p, q) covers output rows p + dilation_y * i and columns
    // q + dilation_x * j. Dilations up to 1 mean a plain window; `down` is then not read.
    sn_size dilation_y, dilation_x, down;
} sn_tile_grid;

/// One Winograd algorithm F(m x m, r x r): n = m + r - 1 points per axis, n * n in all, point p = row * n + column.
/// Source of the matrices: scripts/generate-winograd.py, which also proves them in exact fractions.
typedef struct sn_winograd {
    sn_size tile;    // m
    sn_size taps;    // r
    sn_size points;  // n

    /// U = G g G^T for the point rows [first_row, last_row), one block of 16 outputs, input channels [first, last).
    /// packed: that block's weights [channels][r*r][16], float32, or IEEE float16 if `half`.
    /// u[(p - first_row * n) * point_stride + (c - first) * columns + lane]; pass u advanced to the block's first column.
    void (*_Nonnull weights)(const void *_Nonnull packed, int32_t half, sn_size first, sn_size last,
                             sn_size first_row, sn_size last_row, float *_Nonnull u, sn_size point_stride, sn_size columns);

    /// The algorithm in one dimension, along the rows of a picture of three channels (`row_fetch`), with a window of r rows.
    /// U = G g for the packed weights of one panel, [r * r * 3 or more][columns]: u[(p * r * 3 + i * 3 + c) * columns + lane].
    void (*_Nonnull row_weights)(const float *_Nonnull packed, sn_size columns, float *_Nonnull u);

    /// V = B^T d of one row that `row_fetch` cut into m phases: v[p * point_step + tile * 3 + c] for the first `floats` floats of a
    /// point, rounded up to whole vectors. Reads as many of each phase and 3 * (n / m) more.
    void (*_Nonnull row_input)(const float *_Nonnull phases, sn_size phase_step, sn_size floats, float *_Nonnull v, sn_size point_step);

    /// Y = A^T M of one output row: products[(tile * m + j) * columns + lane], M summed over r rows of V that lie row_step floats
    /// apart. `tiles` is rounded up to whole micro tiles, in what is read and in what is written.
    void (*_Nonnull row_tiles)(const float *_Nonnull v, sn_size point_step, sn_size row_step, sn_size tiles,
                               const float *_Nonnull u, sn_size columns, float *_Nonnull products);

    /// V = B^T d B for micro tile `micro` of the tile buffer, channel blocks [first_block, last_block) of `in`, which become depth lines
    /// first_block... of the buffer. Point p of V lies point_stride floats behind point p - 1. Outside the map a tile reads 0.
    void (*_Nonnull input)(const sn_map *_Nonnull in, const sn_tile_grid *_Nonnull grid, const sn_tiles *_Nonnull v,
                           sn_size point_stride, sn_size micro, sn_size first_block, sn_size last_block);

    /// The same from the unpooled map of `pooled` and `indices`, which never exists: its height and width are twice the
    /// pooled ones or one less (no index points into a missing last row, so it need not be told which).
    /// Needs m even, both paddings odd and no dilation. `pooled` may be a ring, `indices` are whole.
    void (*_Nonnull input_unpooled)(const sn_map *_Nonnull pooled, const sn_indices *_Nonnull indices,
                                    const sn_tile_grid *_Nonnull grid, const sn_tiles *_Nonnull v,
                                    sn_size point_stride, sn_size micro, sn_size first_block, sn_size last_block);

    /// Y = A^T M A + bias, ReLU, store or pool, for `tiles` tiles from grid->first on and the blocks of 16 outputs
    /// [block, block + columns / 16). m[p * point_stride + t * columns + lane]. Pooling needs m even and no dilation.
    void (*_Nonnull output)(const float *_Nonnull m, sn_size point_stride, sn_size columns, const sn_tile_grid *_Nonnull grid,
                            sn_size tiles, sn_size block, const sn_epilogue *_Nonnull epilogue);

    /// Training: D = A dY A^T for `tiles` tiles from grid->first on of the output's gradient, blocks [block, block + columns / 16):
    /// d[p * point_stride + t * columns + lane]. dY is 0 outside the map. Then dU_p = sum over tiles of V_p^T D_p (`gemm_outer`).
    void (*_Nonnull gradient)(const sn_map *_Nonnull gradient, const sn_tile_grid *_Nonnull grid, sn_size tiles, sn_size block,
                              sn_size columns, float *_Nonnull d, sn_size point_stride);

    /// Training: packed += G^T dU G for one block of 16 outputs, input channels [first, last); `packed` as in `weights`, float32.
    /// u[p * point_stride + (c - first) * columns + lane]; pass u advanced to the block's first column.
    void (*_Nonnull weight_gradient)(const float *_Nonnull u, sn_size point_stride, sn_size columns, sn_size first, sn_size last,
                                     float *_Nonnull packed);
} sn_winograd;

/// A map's gradient as the layer behind it left it: at each pixel, or, if `indices.data` is set, of the pooled map, from which each
/// value goes back to the place of its maximum.
typedef struct sn_gradient {
    sn_map map;
    sn_indices indices;
} sn_gradient;

/// What a step of an optimiser needs to know of a range of parameters.
typedef struct sn_update {
    float learning_rate;   // the parameters' own multiplier included
    float decay;           // weight decay, the parameters' own multiplier included
    float gradient_scale;  // multiplied to the gradient first: accumulated batches, clipping
    float kept;            // share of the old velocity (SGD: momentum) or first moment (AdamW: beta 1)
    float beta2, epsilon;  // AdamW
    float correction1, correction2;  // AdamW: 1 / (1 - beta1^t), 1 / (1 - beta2^t)
} sn_update;

/// All kernels of one instruction set.
typedef struct sn_kernels {
    const char *_Nonnull name;  // "portable", "avx2", "avx512", "neon"
    sn_size lanes;              // floats in a vector register
    sn_size micro_tile;         // most rows of a GEMM micro tile
    sn_size panel;              // columns of a GEMM panel: 16 or 32. A last panel of 16 is always allowed
    sn_size depth_block;        // how deep a GEMM block should be so that V and U stay in the first-level cache

    /// The kernels of a dense CRF: CSegNetLattice.h.
    const sn_lattice_kernels *_Nonnull lattice;

    // ---- matrix multiplication

    /// m[t * columns + k] = sum over d of v(t, d) * u[d * columns + k], d ascending, one accumulator per value.
    /// columns is 16 or `panel`. Contraction to fused multiply-add where the instruction set has it.
    void (*_Nonnull gemm)(const sn_tiles *_Nonnull v, const float *_Nonnull u, sn_size columns, float *_Nonnull m);

    /// Fused multiply-adds on independent accumulators for `rounds` rounds, for measuring the machine's peak.
    /// Returns the number of floating-point operations done (2 per multiply-add); *sink gets a value so that nothing is removed.
    double (*_Nonnull peak)(sn_size rounds, float *_Nonnull sink);

    // ---- Winograd convolution, stride 1

    const sn_winograd *_Nonnull winograd63;  // F(6,3)  fast 3x3
    const sn_winograd *_Nonnull winograd43;  // F(4,3)  accurate 3x3, points 0, +-5/8, +-3/2
    const sn_winograd *_Nonnull winograd47;  // F(4,7)  fast 7x7
    const sn_winograd *_Nonnull winograd27;  // F(2,7)  accurate 7x7
    const sn_winograd *_Nonnull winograd45;  // F(4,5)  5x5

    // ---- convolution as GEMM over gathered windows

    /// Gathers the windows of micro tile `micro`: buffer row t = pixel (first row of the micro tile + t) of `pixels`, depth
    /// line tap * (last_block - first_block) + block - first_block (16 channels a line), tap = i * window.width + j.
    void (*_Nonnull pack)(const sn_map *_Nonnull in, const sn_window *_Nonnull window, const sn_pixels *_Nonnull pixels,
                          const sn_tiles *_Nonnull v, sn_size micro, sn_size first_block, sn_size last_block);

    /// The same from the unpooled map of size in_height x in_width, which never exists.
    void (*_Nonnull pack_unpooled)(const sn_map *_Nonnull pooled, const sn_indices *_Nonnull indices, sn_size in_height, sn_size in_width,
                                   const sn_window *_Nonnull window, const sn_pixels *_Nonnull pixels, const sn_tiles *_Nonnull v,
                                   sn_size micro, sn_size first_block, sn_size last_block);

    /// The same from a thin map: depth d = tap * channels + c, zeros from there up to the buffer's depth.
    void (*_Nonnull pack_thin)(const sn_thin *_Nonnull in, const sn_window *_Nonnull window, const sn_pixels *_Nonnull pixels,
                               const sn_tiles *_Nonnull v, sn_size micro);

    /// Copies `count` pixels of row y of a thin map of three channels, from column x on, zeros outside the map: pixel i goes to
    /// to[i % phases * phase_step + i / phases * 3 + c].
    void (*_Nonnull row_fetch)(const sn_thin *_Nonnull in, sn_size y, sn_size x, sn_size count, sn_size phases, float *_Nonnull to,
                               sn_size phase_step);

    /// Direct convolution of one output row, from fetched rows of one phase that lie row_step floats apart:
    /// m[t * columns + lane] = sum over rows i < window_rows and floats d < row_floats (a multiple of 3), both ascending, of
    /// rows[i * row_step + t * 3 + d] * u[(i * row_floats + d) * columns + lane].
    /// `pixels` is rounded up to whole micro tiles, in what is read and in what is written. columns is 16 or `panel`.
    void (*_Nonnull row_products)(const float *_Nonnull rows, sn_size row_step, sn_size window_rows, sn_size row_floats, sn_size pixels,
                                  const float *_Nonnull u, sn_size columns, float *_Nonnull m);

    /// Stores the products m[i * columns + lane] of all `pixels`, outputs [block, block + columns / 16), through the epilogue.
    /// Pooling needs pixels.y, pixels.x even, two rows of pixels (or one, at the map's lower end) and steps of 1.
    void (*_Nonnull store)(const float *_Nonnull m, sn_size columns, const sn_pixels *_Nonnull pixels, sn_size block,
                           const sn_epilogue *_Nonnull epilogue);

    /// Depthwise convolution (channel c of the output from channel c of the input): output rows [first_row, last_row) of
    /// `block`. weights: [blocks][taps][16]. No pooling in the epilogue.
    void (*_Nonnull depthwise)(const sn_map *_Nonnull in, const sn_window *_Nonnull window, const float *_Nonnull weights,
                               sn_size block, sn_size first_row, sn_size last_row, const sn_epilogue *_Nonnull epilogue);

    // ---- pooling and unpooling. Rows [first_row, last_row) of the output, one block of 16 channels.

    /// 2x2, stride 2, sizes rounded up. The running best starts at -FLT_MAX in position 0; a value wins only if strictly greater:
    /// the first maximum in row order, NaN and -infinity never win. (Original: pooling_layer.cpp.)
    void (*_Nonnull max_pool_2x2)(const sn_map *_Nonnull in, const sn_map *_Nonnull out, const sn_indices *_Nonnull indices,
                                  sn_size block, sn_size first_row, sn_size last_row);

    /// Any window, the same rule, windows clipped at the border, no indices.
    void (*_Nonnull max_pool)(const sn_map *_Nonnull in, const sn_window *_Nonnull window, const sn_map *_Nonnull out,
                              sn_size block, sn_size first_row, sn_size last_row);

    /// out = 0 everywhere but at the indices, where it is the pooled value.
    void (*_Nonnull unpool_2x2)(const sn_map *_Nonnull pooled, const sn_indices *_Nonnull indices, const sn_map *_Nonnull out,
                                sn_size block, sn_size first_row, sn_size last_row);

    // ---- element by element. `out` may be the same memory as `in` (or `a`).

    /// out = in * scale + shift, then ReLU if asked. scale, shift: [blocks * 16]; either may be NULL (1, 0).
    void (*_Nonnull affine)(const sn_map *_Nonnull in, const float *_Nullable scale, const float *_Nullable shift, int32_t relu,
                            const sn_map *_Nonnull out, sn_size block, sn_size first_row, sn_size last_row);

    /// out = a + b, then ReLU if asked.
    void (*_Nonnull add)(const sn_map *_Nonnull a, const sn_map *_Nonnull b, int32_t relu, const sn_map *_Nonnull out,
                         sn_size block, sn_size first_row, sn_size last_row);

    // ---- across channels and space. Rows [first_row, last_row) of the output, all channels.

    /// Local response normalisation across channels: y_c = x_c * (k + alpha / size * sum of x^2 over the `size` channels around c)^-beta.
    /// alpha is divided by the full size at the borders too (original: lrn_layer.cpp). channels: real ones.
    void (*_Nonnull lrn)(const sn_map *_Nonnull in, sn_size channels, sn_size size, float alpha, float beta, float k,
                         const sn_map *_Nonnull out, sn_size first_row, sn_size last_row);
    /// The same of a thin map, which has fewer than 16 channels: of its first `channels` ones, 1...; the others are copied.
    void (*_Nonnull lrn_thin)(const sn_thin *_Nonnull in, sn_size channels, sn_size size, float alpha, float beta, float k,
                              const sn_thin *_Nonnull out, sn_size first_row, sn_size last_row);

    /// Copies channels [0, channels) of `in`, rows and columns from (top, left) on, to channels [first_channel, first_channel +
    /// channels) of `out`; leaves the other channels of `out` as they are. Serves crop and concat; out.height x out.width pixels.
    void (*_Nonnull copy)(const sn_map *_Nonnull in, sn_size channels, sn_size top, sn_size left,
                          const sn_map *_Nonnull out, sn_size first_channel, sn_size first_row, sn_size last_row);

    /// Bilinear resizing by sampling: output (y, x) reads the input at ((y + 0.5) * in.height / out.height - 0.5), clamped.
    void (*_Nonnull bilinear)(const sn_map *_Nonnull in, const sn_map *_Nonnull out, sn_size block, sn_size first_row, sn_size last_row);

    /// Softmax over `channels`, the maximum subtracted first. Padding lanes become 0. `out` may be `in`.
    void (*_Nonnull softmax)(const sn_map *_Nonnull in, sn_size channels, const sn_map *_Nonnull out, sn_size first_row, sn_size last_row);

    /// ids[y * width + x] = the channel with the greatest score; the highest among exactly equal ones; NaN never wins; 0 if all are NaN.
    void (*_Nonnull argmax)(const sn_map *_Nonnull in, sn_size channels, uint16_t *_Nonnull ids, sn_size first_row, sn_size last_row);

    /// confidence[y * width + x] = the greatest softmax probability of the scores, without storing the others.
    void (*_Nonnull confidence)(const sn_map *_Nonnull in, sn_size channels, float *_Nonnull confidence, sn_size first_row, sn_size last_row);

    // ---- training: gradients of convolutions

    /// u[(d - 16 * first_line) * columns + k] (+)= sum over tiles t of v(t, d) * g[t * columns + k] for the depths d of the lines
    /// [first_line, last_line): weights' gradient from what the forward GEMM read and the gradient of what it gave. Adds if `add`.
    /// columns is 16 or `panel`; t ascending, one accumulator per value.
    void (*_Nonnull gemm_outer)(const sn_tiles *_Nonnull v, sn_size first_line, sn_size last_line, const float *_Nonnull g,
                                sn_size columns, int32_t add, float *_Nonnull u);

    /// A depthwise convolution's weight gradient at tap (i, j), all j: line[j * 16 + lane] = sum over row y of the gradient, x ascending
    /// from 0, of its lanes of `block` times those of the map that tap (i, j) reads for (y, x). 0 outside the map.
    void (*_Nonnull depthwise_gradient)(const sn_map *_Nonnull in, const sn_window *_Nonnull window, const sn_map *_Nonnull gradient,
                                        sn_size block, sn_size y, sn_size i, float *_Nonnull line);

    /// The inverse of `store`: m[i * columns + lane] = the map at the pixels, blocks [block, block + columns / 16).
    void (*_Nonnull fetch)(const sn_map *_Nonnull map, const sn_pixels *_Nonnull pixels, sn_size block, sn_size columns,
                           float *_Nonnull m);

    // ---- training: batch normalisation, ReLU, pooling. One block of 16 channels, rows [first_row, last_row) of the map.

    /// sum[l] += x, squares[l] += x * x in float64, for the 16 lanes of the block (squares may be NULL).
    void (*_Nonnull sums)(const sn_map *_Nonnull in, sn_size block, sn_size first_row, sn_size last_row, double *_Nonnull sum,
                          double *_Nullable squares);

    /// Pools max(x * scale + shift, 0) (without the max unless `relu`), without storing it; rows are those of the pooled map. The
    /// same rule as `max_pool_2x2`, the same rounding as `affine`.
    void (*_Nonnull affine_max_pool_2x2)(const sn_map *_Nonnull in, const float *_Nullable scale, const float *_Nullable shift,
                                         int32_t relu, const sn_map *_Nonnull pooled, const sn_indices *_Nonnull indices,
                                         sn_size block, sn_size first_row, sn_size last_row);

    /// What batch normalisation's gradient sums over the batch, in float64: sum[l] += g, products[l] += g * (x - mean), where g is the
    /// gradient of x * scale + shift (0 where that is not above 0, if `relu`). Rows are those of the map x.
    void (*_Nonnull normalization_sums)(const sn_map *_Nonnull x, const sn_gradient *_Nonnull gradient, const float *_Nullable scale,
                                        const float *_Nullable shift, const float *_Nonnull mean, int32_t relu, sn_size block,
                                        sn_size first_row, sn_size last_row, double *_Nonnull sum, double *_Nonnull products);

    /// out = g * a + (x - mean) * b + c with that g: batch normalisation's gradient, or ReLU's and pooling's alone (a 1, b and c 0).
    /// a, b, c, mean, scale, shift: [blocks * 16]. `out` may be x, or the gradient if that is not pooled.
    void (*_Nonnull normalization_gradient)(const sn_map *_Nonnull x, const sn_gradient *_Nonnull gradient,
                                            const float *_Nullable scale, const float *_Nullable shift, const float *_Nonnull mean,
                                            int32_t relu, const float *_Nonnull a, const float *_Nonnull b, const float *_Nonnull c,
                                            const sn_map *_Nonnull out, sn_size block, sn_size first_row, sn_size last_row);

    /// Unpooling's gradient: pooled = the map at the indices. Rows are those of the pooled map.
    void (*_Nonnull gather_2x2)(const sn_map *_Nonnull in, const sn_indices *_Nonnull indices, const sn_map *_Nonnull pooled,
                                sn_size block, sn_size first_row, sn_size last_row);

    /// Dropout, inverted: out = in / (1 - ratio) or 0, by 16 random bits per value, a function of (seed, first_line + line of 16
    /// channels in the map, lane) alone, so that the backward pass makes the same mask. `out` may be `in`.
    void (*_Nonnull dropout)(const sn_map *_Nonnull in, float ratio, uint64_t seed, const sn_map *_Nonnull out, sn_size block,
                             sn_size first_row, sn_size last_row);

    // ---- training: the loss

    /// Softmax cross-entropy of `scores` (`channels` classes) and its gradient before the division by the loss's divisor:
    /// loss[0] += sum of weights[label] * min(-sum_c q_c log p_c, -log FLT_MIN); gradient = weights[label] * (p - q), 0 where the label is
    /// not below `channels`. The target q is (1 - smoothing) at the label, and smoothing / n at each of the n classes that take part.
    /// These are all if `named` is NULL, else those whose bit is set (class c: bit c % 16 of named[c / 16]) and the pixel's label; the
    /// gradient of every other class is 0, and its score is not read into anything, so that it may be NaN. All bits set, and smoothing
    /// 0, give the bits that NULL gives. counts[0] += labelled pixels, counts[1] += pixels whose greatest score among the classes that
    /// take part is the label's (the highest id among exactly equal ones); weight_sum[0] += weights[label]. labels: [H][W]. predictions,
    /// if not NULL: [H][W], the id of that greatest score, 0 if no class takes part.
    /// `slopes`, if not NULL: another loss's derivatives with respect to p, [2][blocks * 16]: s_c for classes that are not the pixel's
    /// label, then for the one that is. The gradient gains p_c * (s_c - sum_j p_j s_j); the loss gains nothing.
    /// `gradient` may be `scores`; NULL data: none is wanted. Rows [first_row, last_row), all channels; padding lanes become 0.
    void (*_Nonnull cross_entropy)(const sn_map *_Nonnull scores, sn_size channels, const uint16_t *_Nonnull labels,
                                   const float *_Nonnull weights, const uint32_t *_Nullable named, float smoothing,
                                   const float *_Nullable slopes, const sn_map *_Nonnull gradient, uint16_t *_Nullable predictions,
                                   sn_size first_row, sn_size last_row, double *_Nonnull loss, double *_Nonnull weight_sum, int64_t *_Nonnull counts);

    /// What a soft Jaccard index is made of. With p the softmax of `cross_entropy` (`named` as there), over the pixels with a label below
    /// `channels`: predicted[c] += sum of p_c; correct[c] += sum of p_c where c is the label; labelled[c] += the number of these.
    /// scratch: 2 * blocks * 16 floats, aligned to 64 bytes. Rows [first_row, last_row), all channels.
    void (*_Nonnull probability_sums)(const sn_map *_Nonnull scores, sn_size channels, const uint16_t *_Nonnull labels,
                                      const uint32_t *_Nullable named, float *_Nonnull scratch, sn_size first_row, sn_size last_row,
                                      double *_Nonnull predicted, double *_Nonnull correct, double *_Nonnull labelled);

    /// Loss and gradient of learning from another network's scores: with q the softmax of the teacher's scores / temperature and p that of
    /// `scores` / temperature, loss[0] += factor * sum over pixels and classes of q (log q - log p), and the gradient of that with respect
    /// to `scores`, factor / temperature * (p - q), takes the place of the teacher's scores. `scores` is only read.
    /// Rows [first_row, last_row), all channels; padding lanes become 0. temperature > 0.
    void (*_Nonnull distillation)(const sn_map *_Nonnull scores, const sn_map *_Nonnull teacher, sn_size channels, float temperature,
                                  float factor, sn_size first_row, sn_size last_row, double *_Nonnull loss);

    // ---- training: optimisers, over `count` parameters (any count, no alignment asked)

    /// Caffe's momentum: v = kept * v + learning_rate * (gradient_scale * g + decay * w); w -= v.
    void (*_Nonnull sgd)(float *_Nonnull w, const float *_Nonnull g, float *_Nonnull v, sn_size count, const sn_update *_Nonnull update);

    /// AdamW (Loshchilov and Hutter, arXiv 1711.05101): m, s the moments; w -= lr * (m' / (sqrt(s') + epsilon) + decay * w).
    void (*_Nonnull adamw)(float *_Nonnull w, const float *_Nonnull g, float *_Nonnull m, float *_Nonnull s, sn_size count,
                           const sn_update *_Nonnull update);

    /// average += (1 - decay) * (w - average).
    void (*_Nonnull average)(const float *_Nonnull w, float *_Nonnull average, sn_size count, float decay);

    /// The sum of squares in float64, in a fixed order; NaN or infinity if a value is.
    double (*_Nonnull squares)(const float *_Nonnull x, sn_size count);

    // ---- between layouts

    /// A picture's bytes to a thin map: out(y, x, c) = (pixels[y * row_bytes + x * pixel_bytes + order[c]] - mean[c]) * scale[c].
    void (*_Nonnull picture)(const uint8_t *_Nonnull pixels, sn_size row_bytes, sn_size pixel_bytes, const int32_t *_Nonnull order,
                             const float *_Nonnull mean, const float *_Nonnull scale, const sn_thin *_Nonnull out,
                             sn_size first_row, sn_size last_row);

    /// Thin to blocked, padding lanes 0.
    void (*_Nonnull block_thin)(const sn_thin *_Nonnull in, const sn_map *_Nonnull out, sn_size first_row, sn_size last_row);

    /// Planar [C][H][W] to blocked and back.
    void (*_Nonnull block_planar)(const float *_Nonnull in, sn_size channels, const sn_map *_Nonnull out, sn_size first_row, sn_size last_row);
    void (*_Nonnull unblock_planar)(const sn_map *_Nonnull in, sn_size channels, float *_Nonnull out, sn_size first_row, sn_size last_row);

    /// IEEE float16 to float32, and float32 to the nearest float16 (ties to even; beyond 65504 infinity).
    void (*_Nonnull widen)(const uint16_t *_Nonnull in, float *_Nonnull out, sn_size count);
    void (*_Nonnull narrow)(const float *_Nonnull in, uint16_t *_Nonnull out, sn_size count);

    /// The same, but finite numbers beyond 65504 become 65504 of their sign; returns how many there were. Infinities and NaN stay.
    sn_size (*_Nonnull narrow_saturated)(const float *_Nonnull in, uint16_t *_Nonnull out, sn_size count);
} sn_kernels;

/// The kernels of an instruction set by name, or NULL if this build or this machine does not have it. "portable" is always there.
const sn_kernels *_Nullable sn_kernels_named(const char *_Nonnull name);

/// The fastest instruction set of this machine.
const sn_kernels *_Nonnull sn_kernels_best(void);

#ifdef __cplusplus
}
#endif
#endif
