import CSegNetKernels
public import SegNetNetworks
package import SegNetPlatform

/// The parameters of a network and their gradients, each in one memory, and the running statistics of batch
/// normalisation.
///
/// Not `Sendable` by nature, marked so for hand-over: one trainer works on it at a time.
public final class Parameters: @unchecked Sendable {
    public let layout: ParameterLayout
    /// The network that learns.
    public var network: Network { layout.network }
    public var options: TrainingOptions { layout.options }

    package let values: AlignedMemory
    package let gradients: AlignedMemory

    /// Mean and variance of each batch normalisation that uses batch statistics, in the network's order: a running average over the
    /// steps, or what a pass over the training pictures found. Constants where the network stores them.
    public var statistics: [NormalizationStatistics]
    /// How many batches the running statistics have seen.
    public var statisticsBatches = 0

    /// - Throws: `NetworkError` if the network cannot be trained, `MemoryError`; `AccuracyChoiceError` or `InstructionSetChoiceError` if
    ///   the options left the choice to the environment, and that names what does not exist.
    public init(_ network: Network, options: TrainingOptions = TrainingOptions()) throws {
        try options.engine.check()
        layout = try ParameterLayout(network, options: options)
        values = try AlignedMemory(byteCount: layout.count * 4)
        gradients = try AlignedMemory(byteCount: layout.count * 4)
        statistics = layout.normalizations.map {
            NormalizationStatistics(
                layer: $0.layer,
                mean: Array(repeating: 0, count: $0.channels),
                variance: Array(repeating: 1, count: $0.channels)
            )
        }
    }

    /// All parameters as the kernels read them; `layout.ranges` says where which lies.
    package var valueBuffer: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: values.floats(), count: layout.count)
    }

    /// Their gradients, likewise. Backward passes add to them.
    package var gradientBuffer: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: gradients.floats(), count: layout.count)
    }

    /// Sets all gradients to 0.
    public func clearGradients() { gradientBuffer.update(repeating: 0) }

    /// Refuses parameters and running statistics that diverged: a number is no longer finite, and a model or a checkpoint of them would be
    /// worth nothing.
    /// - Throws: `DivergenceError` naming the first such parameter, or the first layer with such statistics.
    package func requireFinite() throws(DivergenceError) {
        for range in layout.ranges where !valueBuffer[range.range].allSatisfy(\.isFinite) {
            throw DivergenceError(layer: range.layer, what: "parameter \(range.name)")
        }
        for values in statistics where !(values.mean + values.variance).allSatisfy(\.isFinite) {
            throw DivergenceError(layer: values.layer, what: "running mean or variance")
        }
    }

    /// Takes the numbers of every parameter from tensors.
    /// - Parameter file: What errors call their source.
    /// - Throws: `WeightsError` if one is missing or has another shape.
    public func load(_ weights: Weights, file: String = "model") throws {
        try weights.check(for: network, file: file)
        for range in layout.ranges {
            guard let tensor = weights[range.name] else { continue }
            layout.pack(tensor.floats(), range, into: values.floats())
        }
        for index in statistics.indices {
            let layer = statistics[index].layer
            if let mean = weights[layer, .mean]?.floats() { statistics[index].mean = mean.map(Double.init) }
            if let variance = weights[layer, .variance]?.floats() {
                statistics[index].variance = variance.map(Double.init)
            }
        }
    }

    /// The parameters as tensors, with statistics where the network stores them.
    public func weights() throws(NetworkError) -> Weights { try tensors(of: values.floats()) }

    /// Tensors of any memory of this layout.
    package func tensors(of memory: UnsafePointer<Float>) throws(NetworkError) -> Weights {
        var weights = Weights()
        for (_, name, parameter) in try network.parameters() {
            if let range = layout.ranges.first(where: { $0.name == name }) {
                weights[name] = WeightTensor(shape: parameter.shape, values: layout.unpack(range, from: memory))
            }
        }
        for (normalization, values) in zip(layout.normalizations, statistics)
        where normalization.kind.statistics == .kept { weights.add(values) }
        return weights
    }

    /// The network and its weights for inference: batch normalisation keeps the statistics found so far.
    /// - Throws: `NetworkError`.
    public func model(metadata: ModelMetadata = ModelMetadata()) throws -> Model {
        var kept = network
        var weights = try weights()
        for index in kept.layers.indices {
            guard case .batchNormalization(var kind) = kept.layers[index].operation, kind.statistics == .batch,
                let values = statistics.first(where: { $0.layer == kept.layers[index].name })
            else { continue }
            kind.statistics = .kept
            kept.layers[index].operation = .batchNormalization(kind)
            weights.add(values)
        }
        return Model(network: kept, weights: weights, metadata: metadata)
    }
}

/// Mean and biased variance of what one batch normalisation reads: one number per channel.
public struct NormalizationStatistics: Sendable, Hashable, Codable {
    public var layer: String
    public var mean: [Double]
    public var variance: [Double]

    public init(layer: String, mean: [Double], variance: [Double]) {
        self.layer = layer
        self.mean = mean
        self.variance = variance
    }
}

extension Weights {
    fileprivate mutating func add(_ statistics: NormalizationStatistics) {
        func tensor(_ values: [Double]) -> WeightTensor {
            WeightTensor(shape: [values.count], values: values.map { Float($0) })
        }
        self[statistics.layer, .mean] = tensor(statistics.mean)
        self[statistics.layer, .variance] = tensor(statistics.variance)
    }
}
