package import SegNetNetworks

/// A small network around one kind of layer, or a few: the one list that every room is tested with. Plans and gradients are compared with
/// the reference, files with what was written, ONNX Runtime with the reference.
package struct LayerCase: Sendable, CustomStringConvertible {
    package var description: String
    package var network: Network
    /// How far a gradient may be off, relative to the rms of its tensor's.
    package var bound = 2e-4

    package init(_ name: String, size: (Int, Int) = (9, 11), channels: Int = 3, _ layers: [Layer]) {
        description = name
        var previous = "data"
        var complete: [Layer] = []
        for var layer in layers {
            if layer.inputs.isEmpty { layer.inputs = [previous] }
            if layer.outputs.isEmpty { layer.outputs = layer.inputs }
            // A layer that reads only pooling indices also reads the map before it.
            if case .unpooling = layer.operation, layer.inputs.count == 1 { layer.inputs.insert(previous, at: 0) }
            previous = layer.outputs[0]
            complete.append(layer)
        }
        network = Network(
            name: name,
            input: InputDescription(channels: (0..<channels).map { "c\($0)" }, height: size.0, width: size.1),
            layers: complete
        )
    }

    /// Whether it has something to learn and class scores to learn it from.
    package var learns: Bool {
        switch network.layers.last?.operation {
        case .softmax, .argmax: false
        default: (try? network.parameters())?.contains { !$0.parameter.isStatistic } ?? false
        }
    }

    /// Whether it can run with weights that stand: nothing is normalised by the statistics of a batch.
    package var runs: Bool {
        !network.layers.contains { layer in
            if case .batchNormalization(let kind) = layer.operation { kind.statistics == .batch } else { false }
        }
    }

    /// Those that a plan and the reference agree on, whatever rounds: behind several layers a maximum may stand elsewhere in its window.
    package static let compared = (trained.filter { !$0.unpools } + run + alone).filter(\.runs)

    private var unpools: Bool {
        network.layers.contains { if case .unpooling = $0.operation { true } else { false } }
    }

    /// Convolutions behind one another, at least 1: their rounding adds up.
    package var depth: Double {
        Double(max(1, network.layers.count { if case .convolution = $0.operation { true } else { false } }))
    }

    /// Whether Caffe has all its layers.
    package var isInCaffe: Bool {
        network.layers.allSatisfy { layer in
            switch layer.operation {
            case .localContrastNormalization, .bilinearUpsampling, .padding: false
            case .localResponseNormalization(let kind): kind.channels == nil
            default: true
            }
        }
    }

    // MARK: Layers in short

    package static func conv(
        _ name: String,
        _ out: Int,
        _ window: Window = Window(3, padding: 1),
        groups: Int = 1,
        bias: Bool = true,
        from: [String] = []
    ) -> Layer {
        Layer(
            name,
            inputs: from,
            .convolution(Convolution(outputChannels: out, window: window, groups: groups, hasBias: bias))
        )
    }

    package static func deconv(_ name: String, _ out: Int, _ window: Window, groups: Int = 1) -> Layer {
        Layer(
            name,
            .transposedConvolution(TransposedConvolution(outputChannels: out, window: window, groups: groups))
        )
    }

    package static func bn(_ name: String, _ statistics: BatchNormalization.Statistics = .batch) -> Layer {
        Layer(name, .batchNormalization(BatchNormalization(statistics: statistics, epsilon: 1e-5)))
    }

    package static func relu(_ name: String) -> Layer { Layer(name, .relu(ReLU())) }
    package static func pool(_ name: String) -> Layer {
        Layer(name, outputs: [name, "\(name)_mask"], .maxPooling(MaxPooling()))
    }
    package static func unpool(_ name: String, _ pool: String, from: String) -> Layer {
        Layer(name, inputs: [from, "\(pool)_mask"], .unpooling(Unpooling()))
    }

    static let base = conv("base", 24)
}
