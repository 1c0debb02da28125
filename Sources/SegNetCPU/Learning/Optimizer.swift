import CSegNetKernels
public import SegNetPlatform

/// Which rule takes gradients to parameters.
public struct OptimizerConfiguration: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Momentum in Caffe's form: v = momentum v + rate (g + decay w), w -= v (docs/segnet.md, Training).
        case sgd
        /// Adam with decay separate from the gradient (Loshchilov and Hutter, arXiv 1711.05101).
        case adamw
    }

    public var kind: Kind
    /// SGD: the share of the velocity that is kept at each step, 0..<1.
    public var momentum: Double
    /// AdamW: the share of the first moment that is kept, 0..<1.
    public var beta1: Double
    /// AdamW: the share of the second moment that is kept, 0..<1.
    public var beta2: Double
    /// AdamW: added to the second moment's root; above 0.
    public var epsilon: Double
    /// The share of each weight that is added to its gradient (SGD), or subtracted from it times the learning rate (AdamW); at least 0.
    public var weightDecay: Double
    /// Gradients of a greater norm over all parameters are scaled down to it; nil: never.
    public var clipNorm: Double?

    public init(
        _ kind: Kind = .sgd,
        momentum: Double = 0.9,
        beta1: Double = 0.9,
        beta2: Double = 0.999,
        epsilon: Double = 1e-8,
        weightDecay: Double = 0.0005,
        clipNorm: Double? = nil
    ) {
        self.kind = kind
        self.momentum = momentum
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
    }
}

/// Takes gradients to parameters, and keeps what its rule remembers.
public final class Optimizer {
    public let configuration: OptimizerConfiguration
    /// Steps taken.
    public var steps = 0

    /// SGD: velocities. AdamW: the first and the second moments. Laid out as the parameters are.
    package let memories: [AlignedMemory]
    /// Their names in checkpoints.
    package var memoryNames: [String] { configuration.kind == .sgd ? ["velocity"] : ["moment1", "moment2"] }

    /// Numbers that one item of work updates: the same cut for any number of threads.
    private static let itemSize = 1 << 15

    public init(_ configuration: OptimizerConfiguration, layout: ParameterLayout) throws(MemoryError) {
        self.configuration = configuration
        var memories: [AlignedMemory] = []
        for _ in 0..<(configuration.kind == .sgd ? 1 : 2) {
            memories.append(try AlignedMemory(byteCount: layout.count * 4))
        }
        self.memories = memories
    }

    /// One step with the gradients that lie in `parameters`.
    /// - Parameter learningRate: The rate of a parameter whose factors (`ParameterRange`) are 1.
    /// - Returns: The norm of the gradient over all parameters that learn, before it is clipped.
    /// - Throws: `DivergenceError` if a gradient is not finite; nothing is changed then.
    @discardableResult
    public func step(
        _ parameters: Parameters,
        learningRate: Double,
        pool: ThreadPool
    ) throws(DivergenceError) -> Double {
        let kernels = parameters.options.instructionSet.kernels
        let gradients = parameters.gradients.floats()
        var items: [(range: Int, start: Int, count: Int)] = []
        let ranges = parameters.layout.ranges
        for (index, range) in ranges.enumerated() where range.learns {
            for start in stride(from: range.range.lowerBound, to: range.range.upperBound, by: Self.itemSize) {
                items.append((index, start, min(Self.itemSize, range.range.upperBound - start)))
            }
        }
        var squares = [Double](repeating: 0, count: items.count)
        squares.withUnsafeMutableBufferPointer { squares in
            guard let squares = squares.baseAddress else { return }
            pool.forEach(items.count) { _, index in
                squares[index] = kernels.squares(gradients + items[index].start, items[index].count)
            }
        }
        for (item, sum) in zip(items, squares) where !sum.isFinite {
            throw DivergenceError(layer: ranges[item.range].layer, what: "gradient of \(ranges[item.range].name)")
        }
        let norm = squares.reduce(0, +).squareRoot()
        var scale = 1.0
        if let clip = configuration.clipNorm, norm > clip { scale = clip / norm }
        steps += 1
        let values = parameters.values.floats()
        let configuration = configuration
        let step = Double(steps)
        let memories = memories.map { $0.floats() }
        pool.forEach(items.count) { _, index in
            let (range, start, count) = items[index]
            var update = sn_update()
            update.learning_rate = Float(learningRate * ranges[range].layerRate) * ranges[range].learningRateMultiplier
            update.decay = Float(configuration.weightDecay) * ranges[range].decayMultiplier
            update.gradient_scale = Float(scale)
            let (weights, gradients) = (values + start, gradients + start)
            switch configuration.kind {
            case .sgd:
                update.kept = Float(configuration.momentum)
                kernels.stepSGD(
                    weights,
                    gradients: gradients,
                    velocities: memories[0] + start,
                    count: count,
                    update
                )
            case .adamw:
                update.kept = Float(configuration.beta1)
                update.beta2 = Float(configuration.beta2)
                update.epsilon = Float(configuration.epsilon)
                update.correction1 = Float(1 / (1 - pow(configuration.beta1, step)))
                update.correction2 = Float(1 / (1 - pow(configuration.beta2, step)))
                kernels.stepAdamW(
                    weights,
                    gradients: gradients,
                    firstMoments: memories[0] + start,
                    secondMoments: memories[1] + start,
                    count: count,
                    update
                )
            }
        }
        return norm
    }
}

/// Training diverged: a number is no longer finite. Says in which layer that was seen, and what to try.
public struct DivergenceError: Error, Hashable, CustomStringConvertible {
    /// The first layer in which it was seen.
    public let layer: String
    /// The kind of number: `gradient of conv1_1.weight`.
    public let what: String
    /// The step of the checkpoint that the training leaves behind, if there is one.
    package var savedStep: Int?
    /// The file whose weights gave the number by themselves, before a step changed any of them.
    package var startingFile: String?

    package init(layer: String, what: String) {
        self.layer = layer
        self.what = what
    }

    private var place: String { "\(what) in layer '\(layer)'" }

    public var description: String {
        if let startingFile {
            return
                "training cannot begin with the weights of \(startingFile): before anything is learnt, the \(place) is not a finite number. Some "
                + "of them are too large to compute with; begin with another model, or with random weights."
        }
        return
            "training diverged: the \(place) is not a finite number. Try a lower \(UserChoice.learningRate), a warm-up, or gradient clipping."
            + (savedStep.map { " The checkpoint of step \($0) is kept." } ?? "")
    }
}

/// An exponential average of the parameters over the steps, which is often better than the last ones.
public final class WeightAverage {
    /// The share of the old average that is kept at each step, at most.
    public let decay: Double
    public var steps = 0
    package let memory: AlignedMemory

    public init(decay: Double, _ parameters: Parameters) throws(MemoryError) {
        self.decay = decay
        memory = try AlignedMemory(byteCount: parameters.layout.count * 4)
        memory.floats().update(from: parameters.values.floats(), count: parameters.layout.count)
    }

    /// Takes the parameters in. In the first steps the average follows them faster: min(decay, (1 + t) / (10 + t)).
    public func update(_ parameters: Parameters, pool: ThreadPool) {
        steps += 1
        let keep = Float(min(decay, Double(1 + steps) / Double(10 + steps)))
        let kernels = parameters.options.instructionSet.kernels
        let (values, average) = (parameters.values.floats(), memory.floats())
        let size = 1 << 15
        let count = parameters.layout.count
        pool.forEach((count + size - 1) / size) { _, index in
            let start = index * size
            kernels.average(values + start, average + start, min(size, count - start), keep)
        }
    }
}
