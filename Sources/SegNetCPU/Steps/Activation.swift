import CSegNetKernels
import SegNetGraph
import SegNetNetworks

/// Batch normalisation, ReLU and 2x2 max pooling, whichever of them follow each other, in one pass over their input.
///
/// Where the network learns, only the input (a convolution's sums) is kept for the backward pass: normalised maps are made again where
/// they are needed, ReLU's mask and pooling's scatter are found on the way (docs/kernels.md, What training keeps).
///
/// With batch statistics y = scale (x - mean) / sqrt(variance + epsilon) + shift over N, H, W of the batch, biased variance; the
/// gradient is dx = scale / sigma (g - mean(g) - xhat mean(g xhat)), g the gradient of y. Source: docs/segnet.md, Batch normalisation;
/// `bn_layer.cpp`. Where the network keeps its statistics they are constants, and dx = scale / sigma g.
struct ActivationStep: Step {
    let input: ValueID
    /// The map, or the pooled map and its indices.
    let outputs: [ValueID]
    let relu: Bool
    let isPooled: Bool
    let normalization: Normalization
    /// The input.
    let shape: Value
    /// Whether the output is stored in 16 bits.
    let storesHalves: Bool
    let gradientPlace: GradientPlace
    let sums: BatchSums

    /// Where the numbers of x * scale + shift lie.
    enum Normalization {
        case none
        /// Scale and shift among the packed weights, in bytes.
        case constants(scale: Int, shift: Int)
        /// Made in each pass from what the layer has learnt.
        case learning(LearningNormalization)
    }

    private var learning: LearningNormalization? {
        if case .learning(let normalization) = normalization { normalization } else { nil }
    }

    var forwardScratch: ScratchBytes {
        ScratchBytes(
            shared: learning == nil ? 0 : sums.byteCount,
            thread: shape.layout == .half ? (inputScratch + outputScratch) * 4 : 0
        )
    }

    var backwardScratch: ScratchBytes { forwardScratch }
    var isCheap: Bool { !isPooled }
    var backwardReads: [ValueID] { isPooled ? [input, outputs[1]] : [input] }

    /// Floats of an item of the input, where it is stored in 16 bits: of `BatchSums`, or of what an item of the output is made of.
    private var inputScratch: Int {
        max(
            sums.rows * shape.width,
            Crew.mostPixels(width: shape.width),
            4 * Crew.mostPixels(width: (shape.width + 1) / 2)
        ) * 16
    }

    /// Floats of an item of the output.
    private var outputScratch: Int { Crew.mostPixels(width: shape.width) * 16 }

    func forward(_ run: Run) {
        // The statistics of a batch are found once.
        if let learning, let memory = run.learning, !memory.isBackward {
            learning.prepare(input, shape, sums, run, memory)
        }
        write(run)
    }

    func factors(_ run: Run) -> Factors {
        switch normalization {
        case .none: .none
        case .constants(let scale, let shift):
            Factors(scale: run.floats(at: scale), shift: run.floats(at: shift))
        case .learning(let normalization): run.learning.map { normalization.factors($0) } ?? .none
        }
    }

    private func write(_ run: Run) {
        let factors = factors(run)
        run.forEachItemWithScratch(outputs[0]) { worker, block, picture, rows in
            let inputRows = isPooled ? 2 * rows.lowerBound..<min(2 * rows.upperBound, shape.height) : rows
            let from = run.rows(input, worker: worker, block, picture: picture, inputRows)
            let to =
                storesHalves
                ? sn_map(rows: rows.count, of: run.values[outputs[0]], at: run.crew.scratch(worker) + inputScratch)
                : run.map(outputs[0], picture: picture)
            if isPooled {
                let indices = run.indices(outputs[1], picture: picture)
                run.kernels.maxPool2x2(from, factors, relu: relu, to: to, indices, block, rows)
            } else {
                run.kernels.affine(from, factors, relu: relu, to: to, block, rows)
            }
            if storesHalves { run.store(to, outputs[0], worker: worker, block, picture: picture, rows) }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        let factors = factors(run)
        let vectors = gradients.memory.vectors
        var mean = gradients.memory.zeros
        var (a, b, c) = (gradients.memory.ones, gradients.memory.zeros, gradients.memory.zeros)
        func gradient(_ picture: Int) -> sn_gradient {
            sn_gradient(
                map: gradients.map(outputs[0], picture: picture),
                indices: isPooled ? run.indices(outputs[1], picture: picture) : .none
            )
        }
        if let learning {
            mean = UnsafePointer(vectors + learning.vectors.mean)
            (a, b, c) = learning.gradientFactors(shape, run, gradients) { scratch in
                sums.run(run.crew, scratch: scratch) { worker, block, picture, rows, sums in
                    run.kernels.addNormalizationSums(
                        run.rows(input, worker: worker, block, picture: picture, rows),
                        gradient(picture),
                        factors,
                        mean: mean,
                        relu: relu,
                        to: sums,
                        products: sums + 16,
                        block,
                        rows
                    )
                }
            }
        }
        guard gradients.wants(input) else { return }
        run.forEachItemWithScratch(input) { worker, block, picture, rows in
            run.kernels.normalizationGradient(
                run.rows(input, worker: worker, block, picture: picture, rows),
                gradient(picture),
                factors,
                mean: mean,
                relu: relu,
                a: a,
                b: b,
                c: c,
                to: gradients.target(input, picture: picture),
                block,
                rows
            )
        }
    }
}

/// A batch normalisation whose scale and shift are parameters, and where it finds its numbers.
struct LearningNormalization {
    let kind: BatchNormalization
    /// Where scale and shift lie among the parameters, in floats.
    let scale: Int
    /// Nil: 0 is added.
    let shift: Int?
    /// Its number among the network's batch normalisations.
    let index: Int
    let isTrained: Bool
    let vectors: VectorSpace.Normalization

    private var usesBatchStatistics: Bool { kind.statistics == .batch }

    /// The number of pixels over which statistics are computed.
    private func pixelCount(_ shape: Value, _ run: Run, _ memory: LearningMemory) -> Double {
        let pictures = memory.exchange?.statisticsPictures(own: run.pictures) ?? run.pictures
        return Double(pictures * shape.height * shape.width)
    }

    func factors(_ memory: LearningMemory) -> Factors {
        Factors(scale: memory.vectors + vectors.factor, shift: memory.vectors + vectors.term)
    }

    /// Finds the factors of x * scale + shift.
    func prepare(_ input: ValueID, _ shape: Value, _ sums: BatchSums, _ run: Run, _ memory: LearningMemory) {
        let channels = shape.blocks * 16
        let (mean, inverse) = (memory.vectors + vectors.mean, memory.vectors + vectors.inverseDeviation)
        if usesBatchStatistics {
            var (sum, squares) = sums.run(run.crew, scratch: run.crew.shared) { worker, block, picture, rows, sums in
                let map = run.rows(input, worker: worker, block, picture: picture, rows)
                run.kernels.addSums(map, to: sums, squares: sums + 16, block, rows)
            }
            memory.exchange?.sumStatistics(&sum, &squares)
            let count = pixelCount(shape, run, memory)
            var means = [Double](repeating: 0, count: channels)
            var variances = means
            for c in 0..<channels {
                means[c] = sum[c] / count
                // Rounding may leave a hair below 0.
                variances[c] = max(0, squares[c] / count - means[c] * means[c])
                mean[c] = Float(means[c])
                inverse[c] = Float(1 / (variances[c] + kind.epsilon).squareRoot())
            }
            memory.statistics.record(
                index,
                mean: means.prefix(shape.channels),
                variance: variances.prefix(shape.channels)
            )
        } else {
            memory.statistics.constants(index, kind: kind) { c, m, i in
                mean[c] = m
                inverse[c] = i
            }
        }
        let parameters = run.floats(at: 0)
        let (factor, term) = (memory.vectors + vectors.factor, memory.vectors + vectors.term)
        for c in 0..<channels {
            factor[c] = parameters[scale + c] * inverse[c]
            term[c] = Float((shift.map { Double(parameters[$0 + c]) } ?? 0) - Double(mean[c]) * Double(factor[c]))
        }
    }

    /// Adds to the gradients of scale and shift, and finds a, b and c of the input's gradient a g + b (x - mean) + c.
    /// - Parameter sums: Sums g and g (x - mean) over the batch, in the scratch that it is given.
    func gradientFactors(
        _ shape: Value,
        _ run: Run,
        _ gradients: Gradients,
        sums: (UnsafeMutableRawPointer) -> (first: [Double], second: [Double])
    ) -> (a: UnsafePointer<Float>, b: UnsafePointer<Float>, c: UnsafePointer<Float>) {
        let memory = gradients.memory.vectors
        let (a, b, c) = (memory + vectors.a, memory + vectors.b, memory + vectors.c)
        let inverse = memory + vectors.inverseDeviation
        let gamma = run.floats(at: 0) + scale
        var (sum, products): ([Double], [Double]) = ([], [])
        if isTrained || usesBatchStatistics { (sum, products) = sums(run.crew.shared) }
        // The gradients of scale and shift are this rank's part, like those of all parameters.
        var (allSum, allProducts) = (sum, products)
        if usesBatchStatistics { gradients.memory.exchange?.sumStatistics(&allSum, &allProducts) }
        let count = pixelCount(shape, run, gradients.memory)
        for channel in 0..<shape.blocks * 16 {
            let sigma = Double(inverse[channel])
            let factor = Double(gamma[channel]) * sigma
            a[channel] = Float(factor)
            if usesBatchStatistics {
                b[channel] = Float(-factor * sigma * sigma * allProducts[channel] / count)
                c[channel] = Float(-factor * allSum[channel] / count)
            } else {
                b[channel] = 0
                c[channel] = 0
            }
            guard isTrained, channel < shape.channels else { continue }
            gradients.parameters[scale + channel] += Float(products[channel] * sigma)
            if let shift { gradients.parameters[shift + channel] += Float(sum[channel]) }
        }
        return (UnsafePointer(a), UnsafePointer(b), UnsafePointer(c))
    }
}
