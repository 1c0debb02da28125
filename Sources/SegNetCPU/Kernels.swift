import CSegNetKernels
import SegNetNetworks

//  The kernels under Swift names: labels, values in place of pointers, ranges in place of two numbers. What each computes is stated in
//  CSegNetKernels.h. Only what steps call is here; the inner loops of convolutions call their tables directly.

extension sn_kernels {
    /// out = in * scale + shift, then ReLU if asked; without factors a copy.
    func affine(
        _ input: sn_map,
        _ factors: Factors = .none,
        relu: Bool = false,
        to out: sn_map,
        _ block: Int,
        _ rows: Range<Int>
    ) {
        withPointers(input, out) {
            affine($0, factors.scale, factors.shift, relu ? 1 : 0, $1, block, rows.lowerBound, rows.upperBound)
        }
    }

    func add(_ a: sn_map, _ b: sn_map, relu: Bool = false, to out: sn_map, _ block: Int, _ rows: Range<Int>) {
        withPointers(a, b, out) { add($0, $1, relu ? 1 : 0, $2, block, rows.lowerBound, rows.upperBound) }
    }

    func dropout(_ input: sn_map, ratio: Float, seed: UInt64, to out: sn_map, _ block: Int, _ rows: Range<Int>) {
        withPointers(input, out) { dropout($0, ratio, seed, $1, block, rows.lowerBound, rows.upperBound) }
    }

    // MARK: Pooling

    func maxPool(_ input: sn_map, window: sn_window, to out: sn_map, _ block: Int, _ rows: Range<Int>) {
        withPointers(input, window, out) { max_pool($0, $1, $2, block, rows.lowerBound, rows.upperBound) }
    }

    /// Pools max(x * scale + shift, 0) (without the max unless `relu`); without factors x itself.
    func maxPool2x2(
        _ input: sn_map,
        _ factors: Factors,
        relu: Bool,
        to pooled: sn_map,
        _ indices: sn_indices,
        _ block: Int,
        _ rows: Range<Int>
    ) {
        withPointers(input, pooled, indices) { input, pooled, indices in
            if factors.scale == nil, !relu {
                max_pool_2x2(input, pooled, indices, block, rows.lowerBound, rows.upperBound)
            } else {
                affine_max_pool_2x2(
                    input,
                    factors.scale,
                    factors.shift,
                    relu ? 1 : 0,
                    pooled,
                    indices,
                    block,
                    rows.lowerBound,
                    rows.upperBound
                )
            }
        }
    }

    func unpool2x2(_ pooled: sn_map, _ indices: sn_indices, to out: sn_map, _ block: Int, _ rows: Range<Int>) {
        withPointers(pooled, indices, out) { unpool_2x2($0, $1, $2, block, rows.lowerBound, rows.upperBound) }
    }

    func gather2x2(_ map: sn_map, _ indices: sn_indices, to pooled: sn_map, _ block: Int, _ rows: Range<Int>) {
        withPointers(map, indices, pooled) { gather_2x2($0, $1, $2, block, rows.lowerBound, rows.upperBound) }
    }

    // MARK: Across channels and space

    func normalizeLocally(
        _ input: sn_map,
        channels: Int,
        size: Int,
        alpha: Double,
        beta: Double,
        k: Double,
        to out: sn_map,
        _ rows: Range<Int>
    ) {
        withPointers(input, out) {
            lrn($0, channels, size, Float(alpha), Float(beta), Float(k), $1, rows.lowerBound, rows.upperBound)
        }
    }

    func normalizeLocally(
        _ input: sn_thin,
        channels: Int,
        size: Int,
        alpha: Double,
        beta: Double,
        k: Double,
        to out: sn_thin,
        _ rows: Range<Int>
    ) {
        withPointers(input, out) {
            lrn_thin($0, channels, size, Float(alpha), Float(beta), Float(k), $1, rows.lowerBound, rows.upperBound)
        }
    }

    /// Copies channels of a part of a map to other channels.
    func copy(
        _ input: sn_map,
        channels: Int,
        top: Int = 0,
        left: Int = 0,
        to out: sn_map,
        firstChannel: Int = 0,
        _ rows: Range<Int>
    ) {
        withPointers(input, out) {
            copy($0, channels, top, left, $1, firstChannel, rows.lowerBound, rows.upperBound)
        }
    }

    func enlarge(_ input: sn_map, to out: sn_map, _ block: Int, _ rows: Range<Int>) {
        withPointers(input, out) { bilinear($0, $1, block, rows.lowerBound, rows.upperBound) }
    }

    func softmax(_ input: sn_map, channels: Int, to out: sn_map, _ rows: Range<Int>) {
        withPointers(input, out) { softmax($0, channels, $1, rows.lowerBound, rows.upperBound) }
    }

    func argmax(_ scores: sn_map, channels: Int, to ids: UnsafeMutablePointer<UInt16>, _ rows: Range<Int>) {
        withPointers(scores) { argmax($0, channels, ids, rows.lowerBound, rows.upperBound) }
    }

    func confidence(_ scores: sn_map, channels: Int, to confidence: UnsafeMutablePointer<Float>, _ rows: Range<Int>) {
        withPointers(scores) { self.confidence($0, channels, confidence, rows.lowerBound, rows.upperBound) }
    }

    // MARK: Batch normalisation while it learns

    func addSums(
        _ map: sn_map,
        to sum: UnsafeMutablePointer<Double>,
        squares: UnsafeMutablePointer<Double>? = nil,
        _ block: Int,
        _ rows: Range<Int>
    ) {
        withPointers(map) { sums($0, block, rows.lowerBound, rows.upperBound, sum, squares) }
    }

    func addNormalizationSums(
        _ x: sn_map,
        _ gradient: sn_gradient,
        _ factors: Factors,
        mean: UnsafePointer<Float>,
        relu: Bool,
        to sum: UnsafeMutablePointer<Double>,
        products: UnsafeMutablePointer<Double>,
        _ block: Int,
        _ rows: Range<Int>
    ) {
        withPointers(x, gradient) {
            normalization_sums(
                $0,
                $1,
                factors.scale,
                factors.shift,
                mean,
                relu ? 1 : 0,
                block,
                rows.lowerBound,
                rows.upperBound,
                sum,
                products
            )
        }
    }

    /// out = g * a + (x - mean) * b + c.
    func normalizationGradient(
        _ x: sn_map,
        _ gradient: sn_gradient,
        _ factors: Factors,
        mean: UnsafePointer<Float>,
        relu: Bool,
        a: UnsafePointer<Float>,
        b: UnsafePointer<Float>,
        c: UnsafePointer<Float>,
        to out: sn_map,
        _ block: Int,
        _ rows: Range<Int>
    ) {
        withPointers(x, gradient, out) {
            normalization_gradient(
                $0,
                $1,
                factors.scale,
                factors.shift,
                mean,
                relu ? 1 : 0,
                a,
                b,
                c,
                $2,
                block,
                rows.lowerBound,
                rows.upperBound
            )
        }
    }

    // MARK: The loss

    /// Adds the softmax cross-entropy of some rows; its gradient goes where that has memory, which may be the scores', and gains what
    /// `slopes` is with respect to the scores.
    func addCrossEntropy(
        _ scores: sn_map,
        channels: Int,
        labels: UnsafePointer<UInt16>,
        weights: [Float],
        named: ClassSet?,
        smoothing: Float,
        slopes: [Float]?,
        gradient: sn_map,
        predictions: UnsafeMutablePointer<UInt16>?,
        to result: inout LossResult,
        _ rows: Range<Int>
    ) {
        var counts: [Int64] = [0, 0]
        withPointers(scores, gradient) {
            cross_entropy(
                $0,
                channels,
                labels,
                weights,
                named?.words,
                smoothing,
                slopes,
                $1,
                predictions,
                rows.lowerBound,
                rows.upperBound,
                &result.loss,
                &result.weightSum,
                &counts
            )
        }
        result.labelledPixels += Int(counts[0])
        result.correctPixels += Int(counts[1])
    }

    /// Adds the probabilities of some rows by class.
    func addProbabilities(
        _ scores: sn_map,
        labels: UnsafePointer<UInt16>,
        named: ClassSet?,
        to sums: inout ProbabilitySums,
        _ rows: Range<Int>
    ) {
        let channels = sums.predicted.count
        withPointers(scores) { scores in
            let bytes = 2 * blockCount(channels) * 64
            withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 64) { scratch in
                let scratch = scratch.bindMemory(to: Float.self)
                guard let scratch = scratch.baseAddress else { return }
                probability_sums(
                    scores,
                    channels,
                    labels,
                    named?.words,
                    scratch,
                    rows.lowerBound,
                    rows.upperBound,
                    &sums.predicted,
                    &sums.correct,
                    &sums.labelled
                )
            }
        }
    }

    /// What some rows learn from a teacher's scores, whose place the gradient takes.
    /// - Returns: What the loss gains.
    func distill(
        _ scores: sn_map,
        from teacher: sn_map,
        channels: Int,
        temperature: Double,
        factor: Double,
        _ rows: Range<Int>
    ) -> Double {
        var loss = 0.0
        withPointers(scores, teacher) {
            let (temperature, factor) = (Float(temperature), Float(factor))
            distillation($0, $1, channels, temperature, factor, rows.lowerBound, rows.upperBound, &loss)
        }
        return loss
    }

    // MARK: The optimizer

    /// Momentum in Caffe's form, for `count` parameters from `weights` on.
    func stepSGD(
        _ weights: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>,
        velocities: UnsafeMutablePointer<Float>,
        count: Int,
        _ update: sn_update
    ) {
        withPointers(update) { sgd(weights, gradients, velocities, count, $0) }
    }

    func stepAdamW(
        _ weights: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>,
        firstMoments: UnsafeMutablePointer<Float>,
        secondMoments: UnsafeMutablePointer<Float>,
        count: Int,
        _ update: sn_update
    ) {
        withPointers(update) { adamw(weights, gradients, firstMoments, secondMoments, count, $0) }
    }

    // MARK: Between layouts

    /// A picture's bytes by a network's description: order, mean, scale.
    func fill(
        _ thin: sn_thin,
        from pixels: UnsafePointer<UInt8>,
        pixelBytes: Int,
        order: [Int32],
        _ input: InputDescription,
        _ rows: Range<Int>
    ) {
        withPointers(thin) {
            let rowBytes = thin.width * pixelBytes
            picture(pixels, rowBytes, pixelBytes, order, input.mean, input.scale, $0, rows.lowerBound, rows.upperBound)
        }
    }

    func block(planes: UnsafePointer<Float>, channels: Int, to out: sn_map, _ rows: Range<Int>) {
        withPointers(out) { block_planar(planes, channels, $0, rows.lowerBound, rows.upperBound) }
    }

    func block(_ thin: sn_thin, to out: sn_map, _ rows: Range<Int>) {
        withPointers(thin, out) { block_thin($0, $1, rows.lowerBound, rows.upperBound) }
    }

    func unblock(_ map: sn_map, channels: Int, to planes: UnsafeMutablePointer<Float>, _ rows: Range<Int>) {
        withPointers(map) { unblock_planar($0, channels, planes, rows.lowerBound, rows.upperBound) }
    }
}

/// Where the scale and shift of x * scale + shift lie, [blocks * 16] each; nil means 1 and 0.
struct Factors {
    var scale: UnsafePointer<Float>?
    var shift: UnsafePointer<Float>?

    static var none: Factors { Factors() }
}

@inline(__always)
private func withPointers<A, Result>(_ a: A, _ body: (UnsafePointer<A>) -> Result) -> Result {
    withUnsafePointer(to: a, body)
}

@inline(__always)
private func withPointers<A, B, Result>(_ a: A, _ b: B, _ body: (UnsafePointer<A>, UnsafePointer<B>) -> Result)
    -> Result
{
    withUnsafePointer(to: a) { a in withUnsafePointer(to: b) { b in body(a, b) } }
}

@inline(__always)
private func withPointers<A, B, C, Result>(
    _ a: A,
    _ b: B,
    _ c: C,
    _ body: (UnsafePointer<A>, UnsafePointer<B>, UnsafePointer<C>) -> Result
) -> Result {
    withUnsafePointer(to: a) { a in withUnsafePointer(to: b) { b in withUnsafePointer(to: c) { body(a, b, $0) } } }
}
