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
    public var scoresBlob: String? { tracedScores.blob }

    /// The blob of the scores, and the first of the layers at the end that make something else of them, from which on they must stay;
    /// the number of layers if there is none.
    private var tracedScores: (blob: String?, end: Int) {
        var blob = layers.last?.outputs.first
        var end = layers.count
        for (index, layer) in layers.enumerated().reversed() where layer.outputs.first == blob {
            switch layer.operation {
            // Idle at test time: what it writes over the scores are the scores.
            case .dropout where layer.inputs.first == blob: continue
            case .softmax, .argmax, .dropout:
                blob = layer.inputs.first
                end = index
            default: return (blob, end)
            }
        }
        return (blob, end)
    }

    /// The layer that writes over the scores after softmax or argmax has read them; mostly it is one of these two, in place. The name of
    /// the scores then stands for other numbers in the end, and nobody can ask for the scores.
    var scoresWriter: Int? {
        let (blob, end) = tracedScores
        return layers.indices[end...].first { index in blob.map { layers[index].outputs.contains($0) } ?? false }
    }

    /// Gives what is written over the scores a name of its own, the layer's or one like it. Every layer reads the same numbers as before.
    /// - Returns: Each layer whose output got another name, the scores that it wrote over, and that name.
    package mutating func separateScores() -> [(layer: String, scores: String, output: String)] {
        var changes: [(layer: String, scores: String, output: String)] = []
        // Once is enough for a network that fits together.
        for _ in layers {
            guard let writer = scoresWriter, let scores = scoresBlob else { break }
            let taken = Set(layers.flatMap { $0.inputs + $0.outputs } + [input.name])
            let name = layers[writer].name
            var output = name
            var number = 2
            while taken.contains(output) {
                output = "\(name)_\(number)"
                number += 1
            }
            func renamed(_ blobs: [String]) -> [String] { blobs.map { $0 == scores ? output : $0 } }
            layers[writer].outputs = renamed(layers[writer].outputs)
            for index in layers.indices[writer...].dropFirst() {
                layers[index].inputs = renamed(layers[index].inputs)
                layers[index].outputs = renamed(layers[index].outputs)
            }
            changes.append((name, scores, output))
        }
        return changes
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
