#include "operands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"

const sn_map no_map = {0};
const sn_indices no_indices = {0};

// ---- inputs

// SplitMix64's finaliser, over seed and place.
uint64_t mixed_bits(uint64_t seed, sn_size place) {
    uint64_t x = (seed << 40) + (uint64_t)place + 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// 24 bits, so that every operation is exact and the number the same on every machine.
float uniform(uint64_t seed, sn_size place) { return (float)(mixed_bits(seed, place) >> 40) * 0x1p-23f - 1; }

float bell(uint64_t seed, sn_size place) {
    return uniform(seed, 3 * place) + uniform(seed, 3 * place + 1) + uniform(seed, 3 * place + 2);
}

float rectified(uint64_t seed, sn_size place) {
    const float x = bell(seed, place);
    return x > 0 ? x : 0;
}

float whole(uint64_t seed, sn_size place) { return (float)(mixed_bits(seed, place) % 13) - 6; }

float awkward(uint64_t seed, sn_size place) {
    static const float values[] = {0, -0.0f, 1, 1, -1, -2, __builtin_inff(), -__builtin_inff(), __builtin_nanf(""),
                                   -0x1.fffffep127f, 0x1.fffffep127f, 0x1p-149f};
    return values[mixed_bits(seed, place) % (sizeof values / sizeof *values)];
}

float positive(uint64_t seed, sn_size place) { return 1.5f + uniform(seed, place) / 2; }

// ---- guarded memory

enum { most_operands = 4096, head = 256, pattern = 0xff };

static struct {
    unsigned char *base;
    size_t length, before;  // bytes in front of the operand
} operands[most_operands];
static int operand_count;

void *guarded(size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t length = (bytes + head + page - 1) / page * page + page;
    unsigned char *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || operand_count == most_operands) {
        fprintf(stderr, "no memory for another operand: a case makes too many, or too large ones\n");
        exit(2);
    }
    memset(base, pattern, length);
    mprotect(base + length - page, page, PROT_NONE);
    operands[operand_count].base = base;
    operands[operand_count].length = length;
    operands[operand_count++].before = length - page - bytes;
    return base + length - page - bytes;
}

int release_operands(void) {
    int intact = 1;
    while (operand_count > 0) {
        operand_count--;
        const unsigned char *base = operands[operand_count].base;
        for (size_t i = 0; i < operands[operand_count].before; i++) intact &= base[i] == pattern;
        munmap(operands[operand_count].base, operands[operand_count].length);
    }
    return intact;
}

// ---- operands

float *floats(sn_size count, filling fill, uint64_t seed) {
    float *x = guarded((size_t)count * sizeof(float));
    for (sn_size i = 0; fill && i < count; i++) x[i] = fill(seed, i);
    return x;
}

double *zeros(sn_size count) {
    double *x = guarded((size_t)count * sizeof(double));
    for (sn_size i = 0; i < count; i++) x[i] = 0;
    return x;
}

const map_size map_sizes[8] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 5}, {5, 4}, {7, 9}, {8, 17}};
const sn_size channel_counts[5] = {1, 15, 16, 17, 33};

float *vector(sn_size channels, filling fill, uint64_t seed) {
    const sn_size count = (channels + 15) / 16 * 16;
    float *x = floats(count, fill, seed);
    for (sn_size c = channels; c < count; c++) x[c] = 0;
    return x;
}

sn_map ring(sn_size channels, sn_size height, sn_size width, sn_size rows, sn_size first_row, filling fill, uint64_t seed) {
    const sn_size blocks = (channels + 15) / 16, stride = (rows * width + 1) * 16;
    sn_map map = {floats((blocks - 1) * stride + rows * width * 16, NULL, 0), blocks, height, width, rows, stride};
    for (sn_size c = 0; fill && c < blocks * 16; c++) {
        for (sn_size y = first_row; y < first_row + rows && y < height; y++) {
            for (sn_size x = 0; x < width; x++) {
                map.data[c / 16 * stride + (y % rows * width + x) * 16 + c % 16] =
                    c < channels ? fill(seed, (c * height + y) * width + x) : 0;
            }
        }
    }
    return map;
}

sn_map blocked(sn_size channels, sn_size height, sn_size width, filling fill, uint64_t seed) {
    return ring(channels, height, width, height, 0, fill, seed);
}

sn_thin thin(sn_size channels, sn_size height, sn_size width, filling fill, uint64_t seed) {
    return (sn_thin){floats(channels * height * width, fill, seed), channels, height, width};
}

sn_indices indices(sn_size blocks, sn_size in_height, sn_size in_width, int written, uint64_t seed) {
    const sn_size height = (in_height + 1) / 2, width = (in_width + 1) / 2, count = blocks * height * width;
    sn_indices result = {guarded((size_t)count * sizeof(uint32_t)), blocks, height, width};
    for (sn_size i = 0; written && i < count; i++) {
        uint32_t word = (uint32_t)mixed_bits(seed, i);
        if (2 * (i % width) + 1 >= in_width) word &= 0xffff0000u;
        if (2 * (i / width % height) + 1 >= in_height) word &= 0xffffu;
        result.data[i] = word;
    }
    return result;
}

sn_size micro_tiles(const sn_kernels *k, sn_size tiles) { return (tiles + k->micro_tile - 1) / k->micro_tile; }

float *tile_value(const sn_kernels *k, const sn_tiles *v, sn_size row, sn_size depth) {
    const sn_size count = micro_tiles(k, v->tiles), rows = v->tiles / count, larger = v->tiles % count;
    sn_size micro = 0, start = 0, height = rows + (larger > 0);
    while (row >= start + height) {
        start += height;
        micro++;
        height = rows + (micro < larger);
    }
    const sn_size block = depth / v->depth_block * v->depth_block;
    const sn_size length = v->depth - block < v->depth_block ? v->depth - block : v->depth_block;
    return v->data + block * v->tiles + start * length + ((depth - block) / 16 * height + row - start) * 16 + (depth - block) % 16;
}

sn_tiles tile_buffer(const sn_kernels *k, sn_size tiles, sn_size depth, sn_size depth_block, filling fill, uint64_t seed) {
    const sn_tiles v = {floats(tiles * depth, NULL, 0), tiles, depth, depth_block};
    for (sn_size t = 0; fill && t < tiles; t++) {
        for (sn_size d = 0; d < depth; d++) *tile_value(k, &v, t, d) = fill(seed, t * depth + d);
    }
    return v;
}
