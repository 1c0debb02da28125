import SegNetNetworks
import SegNetPlatform

/// Cuts a trained network down to the widths of a narrower one with the same layers: channel pruning.
///
/// The most important channels of each map are kept; the filters that make or read the others are removed. Maps whose channels belong
/// together lose the same ones: an encoder's map and the decoder's that is unpooled by its indices, and the parts of a sum.
///
/// A channel matters as much as its mean square behind batch normalisation and ReLU, times the squares of the weights that read it, each
/// relative to the map's other channels: about the size of what its readers lose without it. The narrow network computes something else
/// than the wide one and must be trained, but it begins with filters instead of with random numbers.
struct ChannelPruning {
    /// The trained network: its batch normalisation keeps statistics.
    private let wide: Model
    /// For each layer, the groups of maps that it reads and writes.
    private let groups: [(input: Int, output: Int)]
    /// For each group of maps, the wide network's channels that are kept; nil where the narrow network has another number of classes.
    private let kept: [Int: [Int]?]

    /// - Parameters:
    ///   - wide: The trained network, with statistics of batch normalisation.
    ///   - narrow: A network with the same layers, none of which has more channels.
    /// - Returns: nil where the networks are not alike, or where a layer is of a kind that cannot be cut (concatenation, inner product,
    ///   groups of several channels).
    init?(_ wide: Model, to narrow: Network) throws(NetworkError) {
        guard let maps = try MapGroups(wide.network) else { return nil }
        let wideShapes = try wide.network.shapes().layers
        let narrowShapes = try narrow.shapes().layers
        var counts: [Int: (wide: Int, narrow: Int)] = [:]
        for (index, layer) in wide.network.layers.enumerated() {
            let count = (wideShapes[index].outputs[0].shape.channels, narrowShapes[index].outputs[0].shape.channels)
            let group = maps.layers[index].output
            guard narrow.layers[index].name == layer.name, counts[group].map({ $0 == count }) ?? true else {
                return nil
            }
            counts[group] = count
        }
        let scores = Set(wide.network.classifier.map(\.name))
        let classes = zip(wide.network.layers, maps.layers).filter { scores.contains($0.0.name) }.map(\.1.output)
        let importance = try Importance(wide, maps)
        var kept: [Int: [Int]?] = [:]
        for (group, count) in counts {
            if count.wide == count.narrow {
                kept[group] = Array(0..<count.wide)
            } else if classes.contains(group) {
                kept[group] = .some(nil)
            } else if count.wide > count.narrow {
                let ranked = importance.of(group, channels: count.wide).enumerated().sorted {
                    ($1.element, $0.offset) < ($0.element, $1.offset)
                }
                kept[group] = ranked.prefix(count.narrow).map(\.offset).sorted()
            } else {
                return nil
            }
        }
        kept[maps.input] = Array(wide.network.input.channels.indices)
        self.wide = wide
        groups = maps.layers
        self.kept = kept
    }

    /// The narrow network's weights, without those of a classifier of other classes. Statistics of batch normalisation are left out: what
    /// it reads has changed.
    func weights() -> Weights {
        var result = Weights()
        for (index, layer) in wide.network.layers.enumerated() {
            guard let inputs = kept[groups[index].input] ?? nil, let outputs = kept[groups[index].output] ?? nil
            else { continue }
            for role in [LayerParameter.Role.weight, .bias, .scale, .shift] {
                guard let tensor = wide.weights[layer.name, role] else { continue }
                var cut = tensor.selecting(role == .weight && layer.isTransposed ? inputs : outputs, axis: 0)
                if role == .weight, !layer.isDepthwise {
                    cut = cut.selecting(layer.isTransposed ? outputs : inputs, axis: 1)
                }
                result[layer.name, role] = cut
            }
        }
        return result
    }
}

/// Which maps of a network have common channels, so that one cannot lose a channel without the other.
struct MapGroups {
    /// The group of the network's input.
    let input: Int
    /// For each layer, the groups of the map that it reads first and of those that it writes.
    let layers: [(input: Int, output: Int)]

    /// - Returns: nil where a layer mixes channels in a way that cannot be cut.
    init?(_ network: Network) throws(NetworkError) {
        let shapes = try network.shapes().layers
        // Each group is named by one of its maps; a map's parent leads there.
        var parents = [0]
        func root(_ map: Int) -> Int { parents[map] == map ? map : root(parents[map]) }
        var blobs = [network.input.name: 0]
        var maps: [(input: Int, output: Int)] = []
        for (index, layer) in network.layers.enumerated() {
            let read = layer.inputs.compactMap { blobs[$0] }
            guard read.count == layer.inputs.count, let first = read.first else { return nil }
            var written = first
            switch layer.operation {
            case .concatenation, .innerProduct: return nil
            case .convolution, .transposedConvolution:
                guard layer.groups == 1 || layer.isDepthwise && shapes[index].inputs[0].shape.channels == layer.groups
                else { return nil }
                if layer.groups == 1 {
                    written = parents.count
                    parents.append(written)
                }
            case .addition, .unpooling: for other in read { parents[root(other)] = root(first) }
            default: break
            }
            for blob in layer.outputs { blobs[blob] = written }
            maps.append((first, written))
        }
        input = root(0)
        layers = maps.map { (root($0.input), root($0.output)) }
    }
}

/// How much the channels of each group of maps matter.
struct Importance {
    /// What makes the maps of a group, and what reads them: for each layer, a number per channel.
    private var producers: [Int: [[Double]]] = [:]
    private var readers: [Int: [[Double]]] = [:]

    init(_ model: Model, _ maps: MapGroups) throws(NetworkError) {
        // What a reader's weights are worth depends on the batch normalisation behind it.
        let folded = try model.foldingBatchNormalization().weights
        for (layer, groups) in zip(model.network.layers, maps.layers) {
            switch layer.operation {
            case .convolution, .transposedConvolution:
                guard let weight = folded[layer.name, .weight] else { continue }
                let byAxis = [0, 1].map { weight.squares(axis: $0) }
                if layer.isDepthwise {
                    readers[groups.input, default: []].append(byAxis[0])
                } else {
                    readers[groups.input, default: []].append(byAxis[layer.isTransposed ? 0 : 1])
                    producers[groups.output, default: []].append(byAxis[layer.isTransposed ? 1 : 0])
                }
            case .batchNormalization:
                guard let scale = model.weights[layer.name, .scale]?.floats(),
                    let shift = model.weights[layer.name, .shift]?.floats()
                else { continue }
                // It decides the size of its map, whatever the filters before it.
                let squares = zip(scale, shift).map {
                    Self.rectifiedSquare(mean: Double($1), deviation: Double(abs($0)))
                }
                producers[groups.output, default: []].removeLast(min(1, producers[groups.output, default: []].count))
                producers[groups.output, default: []].append(squares)
            default: break
            }
        }
    }

    /// Relative to the group's mean, each.
    func of(_ group: Int, channels: Int) -> [Double] {
        func sum(_ parts: [[Double]]?) -> [Double] {
            guard let parts, !parts.isEmpty else { return Array(repeating: 1, count: channels) }
            var sum = [Double](repeating: 0, count: channels)
            for part in parts where part.count == channels {
                let total = max(part.reduce(0, +), .leastNormalMagnitude)
                for channel in 0..<channels { sum[channel] += part[channel] / total }
            }
            return sum
        }
        return zip(sum(producers[group]), sum(readers[group])).map { $0 * $1 }
    }

    /// The mean of max(x, 0)² for a Gaussian x.
    static func rectifiedSquare(mean: Double, deviation: Double) -> Double {
        guard deviation > 0 else { return mean > 0 ? mean * mean : 0 }
        let z = mean / deviation
        let below = 0.5 * erfc(-z / 2.0.squareRoot())
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        return max(0, (mean * mean + deviation * deviation) * below + mean * deviation * density)
    }
}

extension WeightTensor {
    /// The sum of squares at each index of an axis.
    fileprivate func squares(axis: Int) -> [Double] {
        let (outer, extent, inner) = blocks(axis)
        let values = floats()
        var sums = [Double](repeating: 0, count: extent)
        for block in 0..<outer * extent {
            for value in values[block * inner..<(block + 1) * inner] {
                sums[block % extent] += Double(value) * Double(value)
            }
        }
        return sums
    }

    /// The tensor with these indices of an axis only.
    fileprivate func selecting(_ indices: [Int], axis: Int) -> WeightTensor {
        let (outer, extent, inner) = blocks(axis)
        let values = floats()
        var result: [Float] = []
        result.reserveCapacity(outer * indices.count * inner)
        for block in 0..<outer {
            for index in indices {
                let start = (block * extent + index) * inner
                result += values[start..<start + inner]
            }
        }
        var extents = shape.extents
        extents[axis] = indices.count
        return WeightTensor(shape: Shape(extents), values: result)
    }

    /// How often an axis is repeated, its extent, and how many numbers each of its indices holds.
    private func blocks(_ axis: Int) -> (outer: Int, extent: Int, inner: Int) {
        let extents = shape.extents
        return (
            extents[..<axis].reduce(1, *), extents[axis], extents[(axis + 1)...].reduce(1, *)
        )
    }
}

extension Layer {
    fileprivate var groups: Int {
        switch operation {
        case .convolution(let kind): kind.groups
        case .transposedConvolution(let kind): kind.groups
        default: 1
        }
    }

    fileprivate var isTransposed: Bool { if case .transposedConvolution = operation { true } else { false } }

    /// One filter per channel.
    fileprivate var isDepthwise: Bool {
        switch operation {
        case .convolution(let kind): kind.groups > 1 && kind.groups == kind.outputChannels
        case .transposedConvolution(let kind): kind.groups > 1 && kind.groups == kind.outputChannels
        default: false
        }
    }
}
