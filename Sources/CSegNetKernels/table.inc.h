//  Compiles every kernel for one instruction set and lists them in its table.
//
//  Included once by each instruction set's file, after the macros that `vector.inc.h` names and SN_TABLE, SN_NAME,
//  SN_DEPTH_BLOCK (depth of a GEMM block), SN_PREFETCH_BLOCKS (how many blocks of 16 depths ahead V is prefetched) and, where it pays,
//  SN_PREFETCH_NEXT_DEPTH (see gemm.inc.h).
//  The kernel behind field `x` of `sn_kernels` is the static function `sn_x`.

#include "vector.inc.h"

#include "gemm.inc.h"
#include "rows.inc.h"

#include "winograd_transforms.inc.h"

#define SN_M 6
#define SN_R 3
#include "winograd.inc.h"
#define SN_M 4
#define SN_R 3
#include "winograd.inc.h"
#define SN_M 4
#define SN_R 7
#include "winograd.inc.h"
#define SN_M 2
#define SN_R 7
#include "winograd.inc.h"
#define SN_M 4
#define SN_R 5
#include "winograd.inc.h"

#include "convolution.inc.h"
#include "pooling.inc.h"
#include "elementwise.inc.h"
#include "across.inc.h"
#include "layouts.inc.h"
#include "training.inc.h"
#include "loss.inc.h"
#include "gradients.inc.h"
#include "optimizers.inc.h"
#include "lattice.inc.h"
#include "mean_field.inc.h"

const sn_kernels SN_TABLE = {
    .name = SN_NAME,
    .lanes = SN_LANES,
    .micro_tile = SN_MICRO_TILE,
    .panel = SN_PANEL,
    .depth_block = SN_DEPTH_BLOCK,

    .gemm = sn_gemm,
    .peak = sn_peak,

    .winograd63 = &sn_winograd_63,
    .winograd43 = &sn_winograd_43,
    .winograd47 = &sn_winograd_47,
    .winograd27 = &sn_winograd_27,
    .winograd45 = &sn_winograd_45,

    .pack = sn_pack,
    .pack_unpooled = sn_pack_unpooled,
    .pack_thin = sn_pack_thin,
    .row_fetch = sn_row_fetch,
    .row_products = sn_row_products,
    .store = sn_store,
    .depthwise = sn_depthwise,

    .max_pool_2x2 = sn_max_pool_2x2,
    .max_pool = sn_max_pool,
    .unpool_2x2 = sn_unpool_2x2,

    .affine = sn_affine,
    .add = sn_add,

    .lrn = sn_lrn,
    .lrn_thin = sn_lrn_thin,
    .copy = sn_copy,
    .bilinear = sn_bilinear,
    .softmax = sn_softmax,
    .argmax = sn_argmax,
    .confidence = sn_confidence,

    .gemm_outer = sn_gemm_outer,
    .depthwise_gradient = sn_depthwise_gradient,
    .fetch = sn_fetch,
    .sums = sn_sums,
    .affine_max_pool_2x2 = sn_affine_max_pool_2x2,
    .normalization_sums = sn_normalization_sums,
    .normalization_gradient = sn_normalization_gradient,
    .gather_2x2 = sn_gather_2x2,
    .dropout = sn_dropout,
    .cross_entropy = sn_cross_entropy,
    .probability_sums = sn_probability_sums,
    .distillation = sn_distillation,
    .sgd = sn_sgd,
    .adamw = sn_adamw,
    .average = sn_average,
    .squares = sn_squares,

    .picture = sn_picture,
    .block_thin = sn_block_thin,
    .block_planar = sn_block_planar,
    .unblock_planar = sn_unblock_planar,
    .widen = sn_widen,
    .narrow = sn_narrow,
    .narrow_saturated = sn_narrow_saturated,

    .lattice = &sn_lattice,
};
