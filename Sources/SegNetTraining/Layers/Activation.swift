import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// Batch normalisation, ReLU and 2x2 max pooling, whichever of them follow each other, in one pass over their input.
///
/// Only the input (a convolution's sums) is kept for the backward pass: normalised maps are made again where they are needed, ReLU's
/// mask and pooling's scatter are found on the way (docs/kernels.md, What training keeps).
///
/// With batch statistics y = scale (x - mean) / sqrt(variance + epsilon) + shift over N, H, W of the batch, biased variance; the
/// gradient is dx = scale / sigma (g - mean(g) - xhat mean(g xhat)), g the gradient of y. Source: docs/segnet.md, Batch
/// normalisation. Where the network keeps its statistics they are constants, and dx = scale / sigma g.
struct ActivationStep: TrainingStep {
    let input: Int
    /// The map, or the pooled map and its indices.
    let outputs: [Int]
    let hasReLU: Bool
    let isPooled: Bool
    let normalization: Normalization?
    /// Of the input.
    let shape: TrainingValue
    let needsInputGradient: Bool
    let gradientPlace: GradientPlace
    let sums: BatchSums
    let vectors: VectorSpace.Activation

    /// Where a batch normalisation finds its numbers.
    struct Normalization {
        let layer: String
        let kind: BatchNormalization
        /// Of scale and shift among the parameters.
        let scale: Int
        let shift: Int
        /// Its number among the network's batch normalisations.
        let index: Int
        let isTrained: Bool

        var usesBatchStatistics: Bool { kind.statistics == .batch }
    }

    var forwardScratch: ScratchBytes {
        ScratchBytes(
            shared: normalization == nil ? 0 : sums.byteCount,
            thread: shape.layout == .half ? (inputScratch + outputScratch) * 4 : 0
        )
    }

    var backwardScratch: ScratchBytes { forwardScratch }
    var isCheap: Bool { !isPooled }
    var backwardReads: [Int] { isPooled ? [input, outputs[1]] : [input] }

    /// Floats of a piece of the input, where it is stored in 16 bits: of `BatchSums`, or of what a piece of the output is made of.
    private var inputScratch: Int {
        max(
            sums.rows * shape.width,
            Crew.mostPixels(width: shape.width),
            4 * Crew.mostPixels(width: (shape.width + 1) / 2)
        ) * 16
    }

    /// Floats of a piece of the output.
    private var outputScratch: Int { Crew.mostPixels(width: shape.width) * 16 }

    func forward(_ run: TrainingRun) {
        // The statistics of a batch are found once.
        if run.pass == .forward { normalize(run) }
        write(run)
    }

    /// Finds the factors of x * scale + shift.
    private func normalize(_ run: TrainingRun) {
        guard let normalization else { return }
        let channels = shape.blocks * 16
        let (mean, inverse) = (run.vectors + vectors.mean, run.vectors + vectors.inverseDeviation)
        if normalization.usesBatchStatistics {
            let (sum, squares) = sums.run(run.crew, scratch: run.crew.shared) {
                worker,
                block,
                picture,
                first,
                last,
                sums in
                var map = run.rows(input, worker: worker, block, picture: picture, first, last)
                run.kernels.sums(&map, block, first, last, sums, sums + 16)
            }
            let count = Double(run.pictures * shape.height * shape.width)
            var means = [Double](repeating: 0, count: channels)
            var variances = means
            for c in 0..<channels {
                means[c] = sum[c] / count
                // Rounding may leave a hair below 0.
                variances[c] = max(0, squares[c] / count - means[c] * means[c])
                mean[c] = Float(means[c])
                inverse[c] = Float(1 / (variances[c] + normalization.kind.epsilon).squareRoot())
            }
            run.batchStatistics.record(
                normalization.index,
                mean: means.prefix(shape.channels),
                variance: variances.prefix(shape.channels)
            )
        } else {
            run.batchStatistics.constants(normalization.index, kind: normalization.kind) { c, m, i in
                mean[c] = m
                inverse[c] = i
            }
        }
        let (scale, shift) = (run.parameters + normalization.scale, run.parameters + normalization.shift)
        let (factor, term) = (run.vectors + vectors.factor, run.vectors + vectors.term)
        for c in 0..<channels {
            factor[c] = scale[c] * inverse[c]
            term[c] = Float(Double(shift[c]) - Double(mean[c]) * Double(factor[c]))
        }
    }

    func factors(_ run: TrainingRun) -> (scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>?) {
        guard normalization != nil else { return (nil, nil) }
        return (UnsafePointer(run.vectors + vectors.factor), UnsafePointer(run.vectors + vectors.term))
    }

    private func write(_ run: TrainingRun) {
        let (scale, shift) = factors(run)
        let output = run.plan.graph.values[outputs[0]]
        run.forEachPieceWithScratch(outputs[0]) { worker, block, picture, first, last in
            let inputRows = isPooled ? 2 * first..<min(2 * last, shape.height) : first..<last
            var from = run.rows(
                input,
                worker: worker,
                block,
                picture: picture,
                inputRows.lowerBound,
                inputRows.upperBound
            )
            var to =
                output.layout == .half
                ? sn_map(rows: last - first, of: output, at: run.crew.scratch(worker) + inputScratch)
                : run.map(outputs[0], picture: picture)
            if isPooled {
                var indices = run.indices(outputs[1], picture: picture)
                run.kernels.affine_max_pool_2x2(&from, scale, shift, hasReLU ? 1 : 0, &to, &indices, block, first, last)
            } else {
                run.kernels.affine(&from, scale, shift, hasReLU ? 1 : 0, &to, block, first, last)
            }
            if output.layout == .half {
                run.store(to, outputs[0], worker: worker, block, picture: picture, first, last)
            }
        }
    }

    private func gradient(_ run: TrainingRun, picture: Int) -> sn_gradient {
        sn_gradient(
            map: run.gradient(outputs[0], picture: picture),
            indices: isPooled ? run.indices(outputs[1], picture: picture) : .none
        )
    }

    func backward(_ run: TrainingRun) {
        let (scale, shift) = factors(run)
        let mean = UnsafePointer(run.vectors + (normalization == nil ? vectors.zeros : vectors.mean))
        var (a, b, c) = (run.vectors + vectors.ones, run.vectors + vectors.zeros, run.vectors + vectors.zeros)
        if let normalization {
            (a, b, c) = (run.vectors + vectors.a, run.vectors + vectors.b, run.vectors + vectors.c)
            let inverse = run.vectors + vectors.inverseDeviation
            let gamma = run.parameters + normalization.scale
            var (sum, products): ([Double], [Double]) = ([], [])
            if normalization.isTrained || normalization.usesBatchStatistics {
                (sum, products) = sums.run(run.crew, scratch: run.crew.shared) {
                    worker,
                    block,
                    picture,
                    first,
                    last,
                    sums in
                    var x = run.rows(input, worker: worker, block, picture: picture, first, last)
                    var gradient = gradient(run, picture: picture)
                    run.kernels.normalization_sums(
                        &x,
                        &gradient,
                        scale,
                        shift,
                        mean,
                        hasReLU ? 1 : 0,
                        block,
                        first,
                        last,
                        sums,
                        sums + 16
                    )
                }
            }
            let count = Double(run.pictures * shape.height * shape.width)
            for channel in 0..<shape.blocks * 16 {
                let sigma = Double(inverse[channel])
                let factor = Double(gamma[channel]) * sigma
                a[channel] = Float(factor)
                if normalization.usesBatchStatistics {
                    b[channel] = Float(-factor * sigma * sigma * products[channel] / count)
                    c[channel] = Float(-factor * sum[channel] / count)
                } else {
                    b[channel] = 0
                    c[channel] = 0
                }
                guard normalization.isTrained, channel < shape.channels else { continue }
                run.gradients[normalization.scale + channel] += Float(products[channel] * sigma)
                run.gradients[normalization.shift + channel] += Float(sum[channel])
            }
        }
        guard needsInputGradient else { return }
        run.forEachPieceWithScratch(input) { worker, block, picture, first, last in
            var x = run.rows(input, worker: worker, block, picture: picture, first, last)
            var out = run.target(input, picture: picture)
            var gradient = gradient(run, picture: picture)
            run.kernels.normalization_gradient(
                &x,
                &gradient,
                scale,
                shift,
                mean,
                hasReLU ? 1 : 0,
                a,
                b,
                c,
                &out,
                block,
                first,
                last
            )
        }
    }
}

/// Vectors of one number a channel that steps keep between passes: in one memory, 64-byte aligned.
struct VectorSpace {
    private(set) var count = 0

    mutating func reserve(_ floats: Int) -> Int {
        let start = count
        count += (floats + 15) / 16 * 16
        return start
    }

    /// Where an activation's vectors begin.
    struct Activation: Sendable {
        var mean = 0, inverseDeviation = 0, factor = 0, term = 0
        /// Of the gradient a g + b (x - mean) + c.
        var a = 0, b = 0, c = 0
        /// Shared by all.
        var ones = 0, zeros = 0
    }

    mutating func activation(channels: Int, isNormalized: Bool, ones: Int, zeros: Int) -> Activation {
        var result = Activation(ones: ones, zeros: zeros)
        guard isNormalized else { return result }
        result.mean = reserve(channels)
        result.inverseDeviation = reserve(channels)
        result.factor = reserve(channels)
        result.term = reserve(channels)
        result.a = reserve(channels)
        result.b = reserve(channels)
        result.c = reserve(channels)
        return result
    }
}

/// Mean and variance of each batch normalisation, of the last batch or stored with the network.
final class BatchStatistics: @unchecked Sendable {
    /// Of the last forward pass: [normalisation][channel].
    private(set) var means: [[Double]]
    private(set) var variances: [[Double]]

    init(channels: [Int]) {
        means = channels.map { [Double](repeating: 0, count: $0) }
        variances = channels.map { [Double](repeating: 1, count: $0) }
    }

    func record(_ index: Int, mean: ArraySlice<Double>, variance: ArraySlice<Double>) {
        means[index] = Array(mean)
        variances[index] = Array(variance)
    }

    /// For layers whose statistics are stored (`kept`), or already in scale and shift (`folded`: mean 0, deviation 1).
    func constants(
        _ index: Int,
        kind: BatchNormalization,
        _ body: (_ channel: Int, _ mean: Float, _ inverse: Float) -> Void
    ) {
        for channel in means[index].indices {
            if kind.statistics == .folded {
                body(channel, 0, 1)
            } else {
                let inverse = 1 / (variances[index][channel] + kind.epsilon).squareRoot()
                body(channel, Float(means[index][channel]), Float(inverse))
            }
        }
    }
}
