//  Pooling, element by element, across channels, between layouts.

#include "cases.h"

void case_max_pool_2x2(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, awkward, 30 + i);
        const sn_map out = blocked(channels, (height + 1) / 2, (width + 1) / 2, NULL, 0);
        const sn_indices places = indices(in.blocks, height, width, 0, 0);
        for (sn_size block = 0; block < in.blocks; block++) {
            k->max_pool_2x2(&in, &out, &places, block, 0, out.height / 2);
            k->max_pool_2x2(&in, &out, i % 2 ? &places : &no_indices, block, out.height / 2, out.height);
        }
        // A padding lane's maximum is that of zeros.
        record_map("maxima of 2x2", &out, channels, 0, 0);
        record_words("their indices", places.data, places.blocks * places.height * places.width);
    }
}

void case_max_pool(const sn_kernels *k) {
    static const sn_window windows[] = {
        {3, 3, 2, 2, -1, -1, 1, 1}, {3, 3, 1, 1, -1, -1, 1, 1}, {2, 3, 2, 3, 0, -2, 1, 1}, {3, 2, 1, 2, -2, 0, 2, 3},
    };
    FOR_MAPS {
        const sn_window *window = &windows[i % 4];
        const sn_map in = blocked(channels, height, width, awkward, 31 + i);
        const sn_map out = blocked(channels, (height + window->stride_y - 1) / window->stride_y,
                                   (width + window->stride_x - 1) / window->stride_x, NULL, 0);
        for (sn_size block = 0; block < in.blocks; block++) {
            k->max_pool(&in, window, &out, block, 0, 1);
            k->max_pool(&in, window, &out, block, 1, out.height);
        }
        record_map("maxima", &out, out.blocks * 16, 0, 0);
    }
}

void case_unpool_2x2(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map pooled = blocked(channels, (height + 1) / 2, (width + 1) / 2, awkward, 32 + i);
        const sn_indices places = indices(pooled.blocks, height, width, 1, 33);
        const sn_map out = blocked(channels, height, width, NULL, 0);
        for (sn_size block = 0; block < pooled.blocks; block++) {
            k->unpool_2x2(&pooled, &places, &out, block, 0, height / 2);
            k->unpool_2x2(&pooled, &places, &out, block, height / 2, height);
        }
        record_map("an unpooled map", &out, channels, 0, 0);
    }
}

void case_affine(const sn_kernels *k) {
    FOR_MAPS {
        for (int kind = 0; kind < 3; kind++) {
            // Whole numbers are exact however they are rounded; any others agree to the rounding of a product.
            const filling fill = kind == 0 ? whole : kind == 1 ? awkward : uniform;
            const sn_map in = blocked(channels, height, width, fill, 34 + i), out = blocked(channels, height, width, NULL, 0);
            const float *scale = i % 3 ? vector(channels, kind == 2 ? uniform : whole, 35) : NULL;
            const float *shift = i % 2 ? vector(channels, kind == 2 ? uniform : whole, 36) : NULL;
            for (sn_size block = 0; block < in.blocks; block++) {
                k->affine(&in, scale, shift, i % 2, &out, block, 0, height / 2);
                k->affine(&in, scale, shift, i % 2, &out, block, height / 2, height);
            }
            record_map("scale and shift", &out, channels, kind == 2 ? 2e-7 : 0, 0);
            for (sn_size block = 0; block < in.blocks; block++) k->affine(&in, scale, shift, 1, &in, block, 0, height);
            record_map("in place", &in, channels, kind == 2 ? 2e-7 : 0, 0);
        }
    }
}

void case_add(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map a = blocked(channels, height, width, awkward, 37 + i), b = blocked(channels, height, width, awkward, 38 + i);
        const sn_map out = blocked(channels, height, width, NULL, 0);
        for (sn_size block = 0; block < a.blocks; block++) {
            k->add(&a, &b, i % 2, &out, block, 0, height);
            k->add(&a, &b, 1, &a, block, 0, height);
        }
        record_map("sums", &out, channels, 0, 0);
        record_map("in place", &a, channels, 0, 0);
    }
}

// ---- across channels

static const struct {
    sn_size size;
    float alpha, beta, k;
} normalisations[] = {{5, 1e-4f, 0.75f, 1}, {3, 0.02f, 0.6f, 2}, {1, 1, 0.75f, 0.5f}, {17, 0.5f, 0.75f, 1}, {4, 0.3f, 0.5f, 1}};

void case_lrn(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, i % 3 ? bell : awkward, 39 + i), out = blocked(channels, height, width, NULL, 0);
        const int n = i % 5;
        const float alpha = normalisations[n].alpha, beta = normalisations[n].beta;
        k->lrn(&in, channels, normalisations[n].size, alpha, beta, normalisations[n].k, &out, 0, height / 2);
        k->lrn(&in, channels, normalisations[n].size, alpha, beta, normalisations[n].k, &out, height / 2, height);
        record_map("normalised responses", &out, channels, 0x1p-126, 2e-6);
    }
}

void case_lrn_thin(const sn_kernels *k) {
    for (sn_size channels = 1; channels <= 15; channels++) {
        for (int n = 0; n < 5; n++) {
            const sn_thin in = thin(channels, 3, 7 * n + 2, n % 2 ? awkward : bell, 40), out = thin(channels, 3, 7 * n + 2, NULL, 0);
            const sn_size counted = n % 2 ? channels : (channels + 1) / 2;
            const float alpha = normalisations[n].alpha, beta = normalisations[n].beta;
            k->lrn_thin(&in, counted, normalisations[n].size, alpha, beta, normalisations[n].k, &out, 0, 1);
            k->lrn_thin(&in, counted, normalisations[n].size, alpha, beta, normalisations[n].k, &out, 1, 3);
            record_floats("normalised responses", out.data, channels * 3 * out.width, 0x1p-126, 2e-6);
        }
    }
}

void case_softmax(const sn_kernels *k) {
    FOR_MAPS {
        for (int kind = 0; kind < 2; kind++) {
            const sn_map in = blocked(channels, height, width, kind ? awkward : bell, 41 + i), out = blocked(channels, height, width, NULL, 0);
            k->softmax(&in, channels, &out, 0, height / 2);
            k->softmax(&in, channels, &out, height / 2, height);
            record_map("probabilities", &out, channels, 0x1p-126, 2e-6);
            k->softmax(&in, channels, &in, 0, height);
            record_map("in place", &in, channels, 0x1p-126, 2e-6);
        }
    }
    // Down to where the exponential vanishes.
    const sn_map in = blocked(2, 1, 2000, whole, 42), out = blocked(2, 1, 2000, NULL, 0);
    for (sn_size x = 0; x < 2000; x++) {
        in.data[x * 16] = 0;
        in.data[x * 16 + 1] = -0.0525f * (float)x;
    }
    k->softmax(&in, 2, &out, 0, 1);
    record_map("small probabilities", &out, 2, 0x1p-149, 5e-7);
}

void case_argmax(const sn_kernels *k) {
    for (sn_size channels = 1; channels <= 40; channels++) {
        const sn_map in = blocked(channels, 5, 11, awkward, (uint64_t)channels);
        // Pixels of nothing but NaN, and of negative numbers, which a padding lane's 0 would beat.
        for (sn_size c = 0; c < channels; c++) {
            in.data[c / 16 * in.block_stride + c % 16] = __builtin_nanf("");
            in.data[c / 16 * in.block_stride + 16 + c % 16] = -1;
        }
        uint16_t *ids = guarded(55 * sizeof *ids);
        k->argmax(&in, channels, ids, 0, 2);
        k->argmax(&in, channels, ids, 2, 5);
        record_ids("class ids", ids, 55);
    }
}

void case_confidence(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, i % 3 ? bell : awkward, 43 + i);
        float *out = floats(height * width, NULL, 0);
        k->confidence(&in, channels, out, 0, height / 2);
        k->confidence(&in, channels, out, height / 2, height);
        record_floats("the greatest probabilities", out, height * width, 0, 2e-6);
    }
}

// ---- between maps and layouts

void case_copy(const sn_kernels *k) {
    for (sn_size channels = 1; channels <= 35; channels += 2) {
        for (sn_size first = 0; first <= 20; first += 4) {
            const sn_map in = blocked(channels, 5, 6, awkward, 44), out = blocked(first + channels + 3, 3, 4, whole, 45);
            k->copy(&in, channels, 1, 2, &out, first, 0, 1);
            k->copy(&in, channels, 1, 2, &out, first, 1, 3);
            record_map("channels copied among others", &out, first + channels + 3, 0, 0);
        }
    }
}

void case_bilinear(const sn_kernels *k) {
    FOR_MAPS {
        for (int j = 0; j < 8; j++) {
            const sn_map in = blocked(channels, height, width, i % 8 == j ? awkward : uniform, 46 + i);
            const sn_map out = blocked(channels, map_sizes[j].height, map_sizes[j].width, NULL, 0);
            for (sn_size block = 0; block < in.blocks; block++) {
                k->bilinear(&in, &out, block, 0, out.height / 2);
                k->bilinear(&in, &out, block, out.height / 2, out.height);
            }
            record_map("a resized map", &out, channels, i % 8 == j ? 0 : 5e-7, 0);
        }
    }
}

void case_picture(const sn_kernels *k) {
    static const int32_t orders[4][4] = {{0}, {1, 0}, {2, 1, 0}, {3, 0, 2, 1}};
    static const float mean[] = {104, 116.5f, 122.25f, 1}, scale[] = {1, 0.5f, 2, 0.25f};
    for (sn_size channels = 1; channels <= 4; channels++) {
        for (sn_size width = 1; width <= 35; width += 17) {
            const sn_size pixel = channels + width % 2, row = pixel * width + 3, count = 4 * row - 3;
            uint8_t *bytes = guarded((size_t)count);
            for (sn_size i = 0; i < count; i++) bytes[i] = (uint8_t)mixed_bits(47, i);
            const sn_thin out = thin(channels, 4, width, NULL, 0);
            k->picture(bytes, row, pixel, orders[channels - 1], mean, scale, &out, 0, 1);
            k->picture(bytes, row, pixel, orders[channels - 1], mean, scale, &out, 1, 4);
            record_floats("a picture's values", out.data, 4 * width * channels, 0, 0);
        }
    }
}

void case_block_thin(const sn_kernels *k) {
    for (sn_size channels = 1; channels <= 17; channels++) {
        const sn_thin in = thin(channels, 3, 7, awkward, 48);
        const sn_map out = blocked(channels, 3, 7, NULL, 0);
        k->block_thin(&in, &out, 0, 2);
        k->block_thin(&in, &out, 2, 3);
        record_map("a thin map in blocks", &out, channels, 0, 0);
    }
}

void case_planar(const sn_kernels *k) {
    FOR_MAPS {
        const float *planes = floats(channels * height * width, awkward, 49 + i);
        const sn_map out = blocked(channels, height, width, NULL, 0);
        k->block_planar(planes, channels, &out, 0, height / 2);
        k->block_planar(planes, channels, &out, height / 2, height);
        record_map("planes in blocks", &out, channels, 0, 0);
        const sn_map in = blocked(channels, height, width, awkward, 50);
        float *back = floats(channels * height * width, NULL, 0);
        k->unblock_planar(&in, channels, back, 0, height / 2);
        k->unblock_planar(&in, channels, back, height / 2, height);
        record_floats("blocks as planes", back, channels * height * width, 0, 0);
    }
}

// ---- half precision

void case_widen(const sn_kernels *k) {
    uint16_t *in = guarded(65536 * sizeof *in);
    for (int i = 0; i < 65536; i++) in[i] = (uint16_t)i;
    float *out = floats(65536, NULL, 0);
    k->widen(in, out, 65536);
    record_floats("every float16", out, 65536, 0, 0);
    for (sn_size count = 0; count < 36; count++) {
        float *some = floats(count, NULL, 0);
        k->widen(in + 65536 - count, some, count);
        record_floats("any count", some, count, 0, 0);
    }
}

// Between each two float16 neighbours: the middle, the floats around it, both ends; then what lies beyond.
static float *around_halves(sn_size *count) {
    static const float special[] = {65504, 65504.004f, 65519.996f, -65520, 1e30f, -0x1.fffffep127f, __builtin_inff(),
                                    -__builtin_inff(), __builtin_nanf(""), 0x1p-149f, -0.0f, 1e-8f, 3};
    const sn_size few = sizeof special / sizeof *special;
    *count = 0x7c00 * 5 + few;
    float *x = floats(*count, NULL, 0);
    for (int bits = 0; bits < 0x7c00; bits++) {
        const int exponent = bits >> 10, next = bits + 1;
        const float low = exponent ? __builtin_ldexpf((float)(1024 + bits % 1024), exponent - 25) : __builtin_ldexpf((float)bits, -24);
        const float high = next >> 10 ? __builtin_ldexpf((float)(1024 + next % 1024), (next >> 10) - 25) : __builtin_ldexpf((float)next, -24);
        const float middle = (low + high) / 2;
        const float all[] = {low, __builtin_nextafterf(middle, 0), middle, __builtin_nextafterf(middle, 1e9f), -middle};
        for (int i = 0; i < 5; i++) x[bits * 5 + i] = all[i];
    }
    for (sn_size i = 0; i < few; i++) x[0x7c00 * 5 + i] = special[i];
    return x;
}

void case_narrow(const sn_kernels *k) {
    sn_size count;
    const float *in = around_halves(&count);
    uint16_t *out = guarded((size_t)count * sizeof *out);
    k->narrow(in, out, count);
    record_halves("the nearest float16", out, count);
    for (sn_size some = 0; some < 36; some++) {
        uint16_t *few = guarded((size_t)some * sizeof *few);
        k->narrow(in + count - some, few, some);
        record_halves("any count", few, some);
    }
}

void case_narrow_saturated(const sn_kernels *k) {
    sn_size count;
    const float *in = around_halves(&count);
    for (sn_size some = 0; some < 36; some++) {
        const sn_size n = some == 35 ? count : some;
        uint16_t *out = guarded((size_t)n * sizeof *out);
        const double beyond = (double)k->narrow_saturated(in + count - n, out, n);
        record("how many were too large", &beyond, 1, 0, 0);
        record_halves("the nearest finite float16", out, n);
    }
}
