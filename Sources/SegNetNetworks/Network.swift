import SegNetPlatform

/// A description of a computation: layers in order, and the input that they expect. It contains values and no
/// behaviour: it is stored in files, and inference and training are two ways to execute it.
///
/// The weights are kept separately, in `Weights`, and matched by layer name as in Caffe.
public struct Network: Sendable, Hashable, Codable {
    /// A name for people to read: `segnet`, `VGG_ILSVRC_16_layer`, ...
    public var name: String
    public var input: InputDescription
    /// In the order in which they run.
    public var layers: [Layer]

    public init(name: String, input: InputDescription, layers: [Layer]) {
        self.name = name
        self.input = input
        self.layers = layers
    }

    /// The same network for pictures of another size.
    public func resized(height: Int, width: Int) -> Network {
        var copy = self
        copy.input.height = height
        copy.input.width = width
        return copy
    }
}

extension Network {
    /// The blob that holds the class scores (before softmax and argmax): what `Segmenter` asks for.
    ///
    /// The last layer's first output, traced back through softmax, argmax and dropout. Nil for a network without layers.
    public var scoresBlob: String? {
        var blob = layers.last?.outputs.first
        for layer in layers.reversed() where layer.outputs.first == blob {
            switch layer.operation {
            case .softmax, .argmax, .dropout: blob = layer.inputs.first
            default: return blob
            }
        }
        return blob
    }

    /// The number of classes K at the given input size, or nil if the shapes do not fit.
    public var classCount: Int? {
        guard let blob = scoresBlob, let shapes = try? shapes() else { return nil }
        return shapes.blobs[blob]?.shape.channels
    }
}

/// Something is wrong with a network's description.
public struct NetworkError: Error, Hashable, CustomStringConvertible {
    public let network: String
    public let layer: String?
    /// What is wrong, with both shapes, and the next step: sentences, the last without its full stop.
    public let problem: String

    public init(network: String, layer: String?, problem: String) {
        self.network = network
        self.layer = layer
        self.problem = problem
    }

    public var description: String {
        layer.map { "network '\(network)', layer '\($0)': \(problem)." } ?? "network '\(network)': \(problem)."
    }
}
