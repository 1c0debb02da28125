import SegNetCPU
import SegNetData
import SegNetNetworks
import SegNetPlatform

/// Undoes the folding of batch normalisation at the start of a training.
///
/// A finished model says y = s x + t where the training says y = scale (x - mean) / sqrt(variance + epsilon) + shift. With the mean and
/// the variance that x has over pictures of the new training set, scale = s sqrt(variance + epsilon) and shift = t + s mean make both the
/// same function: the training goes on from what the model can do, instead of from convolutions whose scales and shifts are lost.
struct Unfolding {
    /// Factor and offset of batch normalisation in the finished model, by layer: 1 and 0 where it went into the convolution.
    typealias Factors = [String: (scale: [Float], shift: [Float])]

    /// The pictures that the statistics are taken from: enough for a mean, few enough for a start.
    static let pictures = 60

    var data: DatasetPool
    var threads: Int

    /// Sets scale, shift and statistics of every batch normalisation before the first that follows a new layer.
    /// - Parameters:
    ///   - parameters: Their convolutions are the model's.
    ///   - factors: The model's factors.
    ///   - fresh: Layers whose weights the model did not have; what follows the first of them keeps its initial scale and shift.
    /// - Throws: Errors of reading the pictures; `NetworkError`, `MemoryError`.
    func run(_ parameters: Parameters, factors: Factors, fresh: Set<String>) throws {
        let factors = try Self.resizeFilters(parameters, factors: factors, fresh: fresh)
        let probe = try Self.probe(parameters, factors: factors, fresh: fresh)
        guard !probe.normalizations.isEmpty else { return }
        var options = parameters.options.inference
        options.outputs = probe.normalizations.map(\.blob)
        let prepared = try PreparedNetwork(probe.network, weights: probe.weights, options: options)
        var sums = probe.normalizations.map { Moments(channels: $0.channels) }
        var workspace: Workspace?
        for item in data.representatives(Self.pictures, at: 0) {
            let example = try data.example(item)
            let current: Workspace
            if let workspace, (workspace.plan.width, workspace.plan.height) == (example.width, example.height) {
                current = workspace
            } else {
                workspace = nil
                current = try Workspace(
                    for: prepared.plan(height: example.height, width: example.width),
                    threads: threads
                )
                workspace = current
            }
            try current.fillInput(example, channels: data.sources[0].dataset.channels)
            current.plan.run(in: current)
            for (number, normalization) in probe.normalizations.enumerated() {
                sums[number].add(current.planar(normalization.blob) ?? [])
            }
        }
        let values = parameters.valueBuffer
        for (normalization, moments) in zip(probe.normalizations, sums) {
            let layer = normalization.layer
            guard let index = parameters.layout.normalizationIndex(layer),
                let scale = parameters.layout.start(layer, .scale),
                let shift = parameters.layout.start(layer, .shift)
            else { continue }
            let found = moments.statistics(layer: layer)
            let (s, t) = factors[layer] ?? ([], [])
            for channel in 0..<normalization.channels {
                let factor = s.indices.contains(channel) ? Double(s[channel]) : 1
                let offset = t.indices.contains(channel) ? Double(t[channel]) : 0
                let deviation = (found.variance[channel] + normalization.epsilon).squareRoot()
                values[scale + channel] = Float(factor * deviation)
                values[shift + channel] = Float(offset + factor * found.mean[channel])
            }
            parameters.statistics[index] = found
        }
    }

    /// Gives filters that batch normalisation was folded into the size that new ones begin with (He et al., arXiv 1502.01852): the root of
    /// the mean square of a filter's weights becomes sqrt(2 / their number).
    ///
    /// Folding divides a filter by the deviation of its sums, which leaves some a tenth as large as they were. What comes out of batch
    /// normalisation is the same for a filter of any size, but how fast it learns is not: a step of AdamW is about as large as the learning
    /// rate, so it changes more of a smaller filter, and a gradient grows as its filter shrinks. With this, a rate means what it means in a
    /// training from the beginning.
    /// - Returns: The factors of batch normalisation that make up for the new sizes, and the given ones.
    private static func resizeFilters(
        _ parameters: Parameters,
        factors: Factors,
        fresh: Set<String>
    ) throws -> Factors {
        let weights = try parameters.weights()
        guard let base = parameters.valueBuffer.baseAddress else { return factors }
        var factors = factors
        for (convolution, normalization) in filtersBeforeNormalization(parameters.network)
        where factors[normalization] == nil && !fresh.contains(convolution) && parameters.layout.learns(convolution) {
            guard let range = parameters.layout[convolution, .weight], let tensor = weights[convolution, .weight]
            else { continue }
            let filters = tensor.shape[0]
            let count = tensor.shape.count / filters
            let bias = parameters.layout[convolution, .bias]
            var values = tensor.floats()
            var biases = weights[convolution, .bias]?.floats() ?? []
            var back = Array(repeating: Float(1), count: filters)
            for filter in 0..<filters {
                let own = filter * count..<(filter + 1) * count
                let square = values[own].reduce(0.0) { $0 + Double($1) * Double($1) }
                let size = Float((2 / square).squareRoot())
                guard square > 0, size.isFinite else { continue }
                for index in own { values[index] *= size }
                if biases.indices.contains(filter) { biases[filter] *= size }
                back[filter] = 1 / size
            }
            parameters.layout.pack(values, range, into: base)
            if let bias { parameters.layout.pack(biases, bias, into: base) }
            factors[normalization] = (back, Array(repeating: 0, count: filters))
        }
        return factors
    }

    /// Convolutions whose sums only a batch normalisation reads.
    static func filtersBeforeNormalization(
        _ network: Network
    ) -> [(convolution: String, normalization: String)] {
        zip(network.layers, network.layers.dropFirst()).compactMap { previous, layer in
            guard case .convolution = previous.operation, case .batchNormalization(let kind) = layer.operation,
                kind.statistics == .batch, network.isReadAlone(previous, by: layer)
            else { return nil }
            return (previous.name, layer.name)
        }
    }

    /// One batch normalisation whose input is looked at.
    private struct Normalization {
        var layer: String
        var blob: String
        var channels: Int
        var epsilon: Double
    }

    /// The network of the training with the model's factors in place of statistics, and every batch normalisation's input a blob of its
    /// own: written in place, nobody could read it.
    private static func probe(
        _ parameters: Parameters,
        factors: Factors,
        fresh: Set<String>
    ) throws -> (network: Network, weights: Weights, normalizations: [Normalization]) {
        var network = parameters.network
        var weights = try parameters.weights()
        let shapes = try network.shapes()
        var normalizations: [Normalization] = []
        var isBeforeFresh = true
        for index in network.layers.indices {
            let layer = network.layers[index]
            if fresh.contains(layer.name), !layer.operation.isBatchNormalization { isBeforeFresh = false }
            guard case .batchNormalization(var kind) = layer.operation, kind.statistics == .batch else { continue }
            let input = layer.inputs[0]
            kind.statistics = .folded
            network.layers[index].operation = .batchNormalization(kind)
            let channels = shapes.layers[index].outputs[0].shape.channels
            let (scale, shift) =
                factors[layer.name]
                ?? (Array(repeating: 1, count: channels), Array(repeating: 0, count: channels))
            weights[layer.name, .scale] = WeightTensor(shape: [channels], values: scale)
            weights[layer.name, .shift] = WeightTensor(shape: [channels], values: shift)
            guard isBeforeFresh, let writer = network.layers[..<index].lastIndex(where: { $0.outputs.contains(input) })
            else { continue }
            let blob = "\(layer.name).input"
            network.layers[writer].outputs = network.layers[writer].outputs.map { $0 == input ? blob : $0 }
            network.layers[index].inputs[0] = blob
            normalizations.append(
                Normalization(layer: layer.name, blob: blob, channels: channels, epsilon: kind.epsilon)
            )
        }
        return (network, weights, normalizations)
    }

    /// Sums of the pictures' means over their pixels, one number per channel: each picture counts alike, as a crop of it does where it is
    /// learnt. In float64: a variance is a difference of large numbers.
    private struct Moments {
        var count = 0.0
        var sums: [Double]
        var squares: [Double]

        init(channels: Int) {
            sums = Array(repeating: 0, count: channels)
            squares = sums
        }

        mutating func add(_ planes: [Float]) {
            let pixels = planes.count / max(1, sums.count)
            count += 1
            planes.withUnsafeBufferPointer { planes in
                for channel in sums.indices {
                    var sum = 0.0
                    var square = 0.0
                    for value in planes[channel * pixels..<(channel + 1) * pixels] {
                        sum += Double(value)
                        square += Double(value) * Double(value)
                    }
                    sums[channel] += sum / Double(max(1, pixels))
                    squares[channel] += square / Double(max(1, pixels))
                }
            }
        }

        func statistics(layer: String) -> NormalizationStatistics {
            let means = sums.map { $0 / max(1, count) }
            let variances = zip(squares, means).map { max(0, $0 / max(1, count) - $1 * $1) }
            return NormalizationStatistics(layer: layer, mean: means, variance: variances)
        }
    }
}

extension SegNetNetworks.Operation {
    var isBatchNormalization: Bool {
        if case .batchNormalization = self { return true }
        return false
    }
}
