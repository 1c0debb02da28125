//  Training: batch normalisation, the loss, optimisers.

#include "cases.h"

void case_sums(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, i % 5 == 4 ? awkward : positive, 60 + i);
        for (sn_size block = 0; block < in.blocks; block++) {
            double *sum = zeros(16), *squares = zeros(16);
            k->sums(&in, block, 0, height / 2, sum, NULL);
            k->sums(&in, block, height / 2, height, sum, squares);
            record_doubles("sums in float64", sum, 16, 1e-13);
            record_doubles("sums of squares", squares, 16, 1e-13);
        }
    }
}

void case_affine_max_pool_2x2(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, i % 2 ? whole : awkward, 61 + i);
        const sn_map out = blocked(channels, (height + 1) / 2, (width + 1) / 2, NULL, 0);
        const sn_indices places = indices(in.blocks, height, width, 0, 0);
        const float *scale = i % 3 ? vector(channels, whole, 62) : NULL, *shift = i % 3 ? vector(channels, whole, 63) : NULL;
        for (sn_size block = 0; block < in.blocks; block++) {
            k->affine_max_pool_2x2(&in, scale, shift, i / 2 % 2, &out, &places, block, 0, out.height / 2);
            k->affine_max_pool_2x2(&in, scale, shift, i / 2 % 2, &out, &places, block, out.height / 2, out.height);
        }
        record_map("maxima of scale and shift", &out, channels, 0, 0);
        record_words("their indices", places.data, places.blocks * places.height * places.width);
    }
}

void case_normalization(const sn_kernels *k) {
    FOR_MAPS {
        for (int kind = 0; kind < 4; kind++) {
            const int relu = kind % 2, pooled = kind / 2;
            // x * scale + shift is exact, so that ReLU's mask is the same however it is rounded.
            const sn_map x = blocked(channels, height, width, whole, 64 + i), out = blocked(channels, height, width, NULL, 0);
            sn_gradient gradient = {pooled ? blocked(channels, (height + 1) / 2, (width + 1) / 2, uniform, 65)
                                           : blocked(channels, height, width, uniform, 65),
                                    no_indices};
            if (pooled) gradient.indices = indices(x.blocks, height, width, 1, 66);
            const float *scale = vector(channels, whole, 67), *shift = vector(channels, whole, 68);
            const float *mean = vector(channels, uniform, 69);
            const float *a = vector(channels, uniform, 70), *b = vector(channels, uniform, 71), *c = vector(channels, uniform, 72);
            for (sn_size block = 0; block < x.blocks; block++) {
                double *sum = zeros(16), *products = zeros(16);
                for (int half = 0; half < 2; half++) {
                    const sn_size first = half ? height / 2 : 0, last = half ? height : height / 2;
                    k->normalization_sums(&x, &gradient, scale, shift, mean, relu, block, first, last, sum, products);
                    k->normalization_gradient(&x, &gradient, scale, shift, mean, relu, a, b, c, &out, block, first, last);
                }
                record("sums of gradients", sum, 16, 1e-12, 0);
                record("sums of gradients times values", products, 16, 1e-9, 0);
            }
            record_map("the gradient", &out, channels, 8e-6, 0);
        }
    }
    // ReLU of NaN, of both zeros and of infinities lets nothing through but what is above 0. It may work in place.
    const sn_map x = blocked(20, 5, 7, awkward, 73);
    const sn_gradient gradient = {blocked(20, 5, 7, whole, 74), no_indices};
    float *zero = vector(20, NULL, 0), *one = vector(20, NULL, 0);
    for (int c = 0; c < 20; c++) {
        zero[c] = 0;
        one[c] = 1;
    }
    for (sn_size block = 0; block < 2; block++) {
        k->normalization_gradient(&x, &gradient, NULL, NULL, zero, 1, one, zero, zero, &gradient.map, block, 0, 5);
    }
    record_map("ReLU's gradient in place", &gradient.map, 20, 0, 0);
}

void case_gather_2x2(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, uniform, 75 + i);
        const sn_map out = blocked(channels, (height + 1) / 2, (width + 1) / 2, NULL, 0);
        const sn_indices places = indices(in.blocks, height, width, 1, 76);
        for (sn_size block = 0; block < in.blocks; block++) {
            k->gather_2x2(&in, &places, &out, block, 0, out.height / 2);
            k->gather_2x2(&in, &places, &out, block, out.height / 2, out.height);
        }
        record_map("a map at its indices", &out, channels, 0, 0);
    }
}

void case_dropout(const sn_kernels *k) {
    static const float ratios[] = {0, 0.1f, 0.5f, 0.999f};
    FOR_MAPS {
        const sn_map in = blocked(channels, height, width, positive, 77 + i), out = blocked(channels, height, width, NULL, 0);
        for (sn_size block = 0; block < in.blocks; block++) {
            k->dropout(&in, ratios[i % 4], 12345, &out, block, 0, height / 2);
            k->dropout(&in, ratios[i % 4], 12345, &out, block, height / 2, height);
            k->dropout(&in, ratios[i % 4], 99, &in, block, 0, height);
        }
        record_map("what was not dropped", &out, channels, 0, 0);
        record_map("in place", &in, channels, 0, 0);
    }
}

// ---- the loss

void case_cross_entropy(const sn_kernels *k) {
    static const sn_size class_counts[] = {2, 11, 15, 16, 17, 32, 37};
    for (int i = 0; i < 7 * 7; i++) {
        const sn_size channels = class_counts[i % 7], height = 3, width = 7;
        const int kind = i / 7;  // 0...1 plain, 2...3 named classes, 4 smoothed, 5 NaN, 6 with slopes
        const sn_map scores = blocked(channels, height, width, kind == 1 ? whole : kind == 5 ? awkward : bell, 78 + i);
        const sn_map gradient = blocked(channels, height, width, NULL, 0);
        uint16_t *labels = guarded(21 * sizeof *labels), *predictions = guarded(21 * sizeof *predictions);
        for (int p = 0; p < 21; p++) {
            labels[p] = p % 5 == 4 ? (uint16_t)(p % 2 ? channels : 65535) : (uint16_t)(p % channels);
        }
        const float *weights = floats(channels, positive, 79);
        uint32_t *named = guarded((size_t)scores.blocks * sizeof *named);
        for (sn_size block = 0; block < scores.blocks; block++) named[block] = (uint32_t)mixed_bits(80 + kind, block) & 0xffff;
        const float *slopes = floats(2 * scores.blocks * 16, bell, 83 + i);
        double *loss = zeros(1), *weight_sum = zeros(1);
        int64_t *counts = guarded(2 * sizeof *counts);
        counts[0] = counts[1] = 0;
        for (sn_size row = 0; row < height; row++) {
            k->cross_entropy(&scores, channels, labels, weights, kind == 2 || kind == 3 ? named : NULL, kind == 4 ? 0.1f : 0, kind == 6 ? slopes : NULL,
                             &gradient, predictions, row, row + 1, loss, weight_sum, counts);
        }
        record_doubles("the loss", loss, 1, 2e-6);
        record_doubles("the sum of weights", weight_sum, 1, 1e-13);
        const double pixels[] = {(double)counts[0], (double)counts[1]};
        record("labelled and right pixels", pixels, 2, 0, 0);
        record_ids("predictions", predictions, 21);
        record_map("the gradient", &gradient, channels, 4e-6, 0);
    }
}

void case_probability_sums(const sn_kernels *k) {
    static const sn_size class_counts[] = {2, 11, 15, 16, 17, 32, 37};
    for (int i = 0; i < 7 * 2; i++) {
        const sn_size channels = class_counts[i % 7], height = 3, width = 7;
        const sn_map scores = blocked(channels, height, width, bell, 84 + i);
        uint16_t *labels = guarded(21 * sizeof *labels);
        for (int p = 0; p < 21; p++) labels[p] = p % 5 == 4 ? (uint16_t)(p % 2 ? channels : 65535) : (uint16_t)(p % channels);
        uint32_t *named = guarded((size_t)scores.blocks * sizeof *named);
        for (sn_size block = 0; block < scores.blocks; block++) named[block] = (uint32_t)mixed_bits(85 + i, block) & 0xffff;
        double *predicted = zeros(channels), *correct = zeros(channels), *labelled = zeros(channels);
        for (sn_size row = 0; row < height; row++) {
            float *scratch = floats(2 * scores.blocks * 16, NULL, 0);
            k->probability_sums(&scores, channels, labels, i / 7 ? named : NULL, scratch, row, row + 1, predicted, correct, labelled);
        }
        record_doubles("probabilities", predicted, channels, 2e-6);
        record_doubles("those of the labels", correct, channels, 2e-6);
        record("labelled pixels", labelled, channels, 0, 0);
    }
}

void case_distillation(const sn_kernels *k) {
    FOR_MAPS {
        const sn_map scores = blocked(channels, height, width, bell, 81 + i), teacher = blocked(channels, height, width, bell, 82 + i);
        double *loss = zeros(1);
        k->distillation(&scores, &teacher, channels, i % 2 ? 1 : 2.5f, 0.5f, 0, height / 2, loss);
        k->distillation(&scores, &teacher, channels, i % 2 ? 1 : 2.5f, 0.5f, height / 2, height, loss);
        record("the divergence", loss, 1, 1e-6 * (double)(height * width), 2e-6);
        record_map("its gradient", &teacher, channels, 1e-6, 0);
    }
}

// ---- optimisers

static const sn_update update = {0.1f, 0.01f, 0.5f, 0.9f, 0.99f, 1e-6f, 1.5f, 1.25f};

void case_sgd(const sn_kernels *k) {
    for (sn_size count = 1; count <= 67; count++) {
        float *w = floats(count, uniform, 83), *g = floats(count, uniform, 84), *v = floats(count, uniform, 85);
        k->sgd(w, g, v, count, &update);
        record_floats("weights", w, count, 3e-7, 0);
        record_floats("velocities", v, count, 3e-7, 0);
    }
}

void case_adamw(const sn_kernels *k) {
    for (sn_size count = 1; count <= 67; count++) {
        float *w = floats(count, uniform, 86), *g = floats(count, uniform, 87), *m = floats(count, uniform, 88);
        float *s = floats(count, positive, 89);
        k->adamw(w, g, m, s, count, &update);
        record_floats("weights", w, count, 5e-7, 0);
        record_floats("first moments", m, count, 3e-7, 0);
        record_floats("second moments", s, count, 5e-7, 0);
    }
}

void case_average(const sn_kernels *k) {
    for (sn_size count = 1; count <= 67; count++) {
        float *w = floats(count, uniform, 90), *average = floats(count, uniform, 91);
        k->average(w, average, count, 0.75f);
        record_floats("the average", average, count, 3e-7, 0);
    }
}

void case_squares(const sn_kernels *k) {
    for (sn_size count = 1; count <= 67; count++) {
        float *x = floats(count, uniform, 92);
        x[0] = 1e20f;
        const double sum = k->squares(x, count);
        record_doubles("the sum of squares", &sum, 1, 1e-13);
        x[count - 1] = count % 2 ? __builtin_nanf("") : __builtin_inff();
        const double strange = k->squares(x, count);
        record_doubles("with NaN or infinity", &strange, 1, 0);
    }
}
