//  Where the tiles of Winograd convolution lie in a map, also with dilation. All variants share it.

#ifndef SN_WINOGRAD_TILES_INC_H
#define SN_WINOGRAD_TILES_INC_H

#include "lines.inc.h"

static const float sn_zero_line[16] __attribute__((aligned(64)));

// Walks over the tiles of a grid without a division each.
typedef struct {
    sn_size across, row, column;
} sn_tile_walk;

SN_INLINE sn_tile_walk sn_tile_at(const sn_tile_grid *grid, sn_size tile) {
    return (sn_tile_walk){grid->across, tile / grid->across, tile % grid->across};
}

SN_INLINE void sn_next_tile(sn_tile_walk *walk) {
    if (++walk->column == walk->across) {
        walk->column = 0;
        walk->row++;
    }
}

// Where map rows first...first + count - 1 lie: floats from the block's start, or -1 outside the map.
SN_INLINE void sn_row_offsets(sn_size first, const int count, sn_size height, sn_size rows, sn_size width, sn_size *offsets) {
    sn_size row = first > 0 ? first % rows : 0;
    for (int i = 0; i < count; i++) {
        const sn_size y = first + i;
        if (y < 0 || y >= height) {
            offsets[i] = -1;
            continue;
        }
        offsets[i] = row * width * 16;
        if (++row == rows) row = 0;
    }
}

SN_INLINE int sn_is_dilated(const sn_tile_grid *grid) { return grid->dilation_y > 1 || grid->dilation_x > 1; }

// The output pixel of a dilated tile's upper left corner.
typedef struct {
    sn_size y, x;
} sn_corner;

SN_INLINE sn_corner sn_dilated_corner(const sn_tile_grid *grid, const sn_tile_walk *at, sn_size tile) {
    const sn_size phase = at->row / grid->down, row = at->row % grid->down;
    return (sn_corner){phase / grid->dilation_x + row * tile * grid->dilation_y,
                       phase % grid->dilation_x + at->column * tile * grid->dilation_x};
}

// Copies the size * size pixels of a dilated tile next to each other; 0 where the map has none.
static SN_NOINLINE void sn_gather_dilated(const sn_map *map, const float *plane, const sn_tile_grid *grid, sn_corner corner, sn_size size,
                                          float *tile) {
    for (sn_size i = 0; i < size; i++) {
        const sn_size y = corner.y + i * grid->dilation_y;
        const float *row = y >= 0 && y < map->height ? plane + y % map->rows * map->width * 16 : NULL;
        for (sn_size j = 0; j < size; j++, tile += 16) {
            const sn_size x = corner.x + j * grid->dilation_x;
            __builtin_memcpy(tile, row && x >= 0 && x < map->width ? row + x * 16 : sn_zero_line, 64);
        }
    }
}

// The way back, for the pixels that are on the map.
static SN_NOINLINE void sn_scatter_dilated(const float *tile, const sn_map *map, float *plane, const sn_tile_grid *grid, sn_corner corner,
                                           sn_size size) {
    for (sn_size i = 0; i < size; i++) {
        const sn_size y = corner.y + i * grid->dilation_y;
        if (y >= grid->height) return;
        float *row = plane + y % map->rows * map->width * 16;
        for (sn_size j = 0; j < size; j++) {
            const sn_size x = corner.x + j * grid->dilation_x;
            if (x < grid->width) __builtin_memcpy(row + x * 16, tile + (i * size + j) * 16, 64);
        }
    }
}

#endif
