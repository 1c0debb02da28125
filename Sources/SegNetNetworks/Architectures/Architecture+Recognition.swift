import SegNetPlatform

extension Architecture {
    /// What a network was recognised as.
    public struct Recognition: Sendable, Hashable {
        public var architecture: Architecture
        public var width: Double
        /// The width of `fc6` and `fc7`; nil: as released, or there are none.
        public var fullyConnectedWidth: Int?
    }

    /// Which architecture a network is, and at which widths: the first that has the same layers with the same channels.
    ///
    /// Batch normalisations may be folded away, dropout decides only between those that differ in nothing else, and probabilities or
    /// classes may follow the scores, as in the authors' files.
    /// - Returns: nil for a network that is made otherwise.
    public static func recognized(_ network: Network) -> Recognition? {
        let signature = network.signature
        guard let classes = network.classCount, signature.contains(where: { $0.channels > 0 }) else { return nil }
        func isLike(_ architecture: Architecture) -> Bool {
            architecture.network(classes: classes, options: ArchitectureOptions(input: network.input)).hasDropout
                == network.hasDropout
        }
        for architecture in allCases.filter(isLike) + allCases.filter({ !isLike($0) }) {
            let maker = SignatureMaker(architecture: architecture, classes: classes, input: network.input)
            if let found = maker.recognized(signature) { return found }
        }
        return nil
    }

    /// The architecture that shares most of a network's layers, and the first in which the two differ.
    /// - Returns: The architecture, and what differs as a part of a sentence about the network; nil if no architecture shares half of its
    ///   layers, or if the network is one.
    public static func nearest(_ network: Network) -> (architecture: Architecture, difference: String)? {
        let signature = network.signature
        let names = Set(signature.map(\.name))
        let candidates = allCases.map { architecture in
            let maker = SignatureMaker(
                architecture: architecture,
                classes: network.classCount ?? 2,
                input: network.input
            )
            let own = maker.signature(width: maker.width(of: signature))
            return (architecture, own, shared: own.count { names.contains($0.name) })
        }
        // The first of those that share as many: one without dropout before the same with it.
        guard let most = candidates.map(\.shared).max(), most > 0, most * 2 >= signature.count,
            let (architecture, own, _) = candidates.first(where: { $0.shared == most }), most * 2 >= own.count,
            let index = (0..<max(own.count, signature.count)).first(where: {
                !own.indices.contains($0) || !signature.indices.contains($0) || own[$0] != signature[$0]
            })
        else { return nil }
        let expected = own.indices.contains(index) ? own[index] : nil
        let found = signature.indices.contains(index) ? signature[index] : nil
        let difference =
            switch (found, expected) {
            case (let found?, let expected?) where found.name == expected.name:
                "its layer '\(found.name)' is a \(found.words), that of \(architecture.rawValue) a \(expected.words)"
            case (let found?, _) where !own.contains(where: { $0.name == found.name }):
                "it has a layer '\(found.name)' (\(found.words)), which \(architecture.rawValue) lacks"
            case (_, let expected?) where !names.contains(expected.name):
                "it lacks the layer '\(expected.name)' (\(expected.words)) of \(architecture.rawValue)"
            default: "from number \(index + 1) on, its layers are in a different order"
            }
        return (architecture, difference)
    }
}

/// An architecture's layers at any width.
private struct SignatureMaker {
    let architecture: Architecture
    let classes: Int
    let input: InputDescription

    func signature(width: Double, fullyConnectedWidth: Int? = nil) -> [LayerSignature] {
        let options = ArchitectureOptions(input: input, width: width, fullyConnectedWidth: fullyConnectedWidth)
        return architecture.network(classes: classes, options: options).signature
    }

    /// The width that the first convolution has.
    func width(of signature: [LayerSignature]) -> Double {
        guard let own = self.signature(width: 1).first(where: { $0.channels > 0 }),
            let other = signature.first(where: { $0.channels > 0 })
        else { return 1 }
        return Double(other.channels) / Double(own.channels)
    }

    func recognized(_ wanted: [LayerSignature]) -> Architecture.Recognition? {
        let published = signature(width: 1)
        guard published.map(\.name) == wanted.map(\.name) else { return nil }
        let double = signature(width: 2)
        let narrow = signature(width: 1, fullyConnectedWidth: 16)
        let scaled = published.indices.filter { published[$0].channels != double[$0].channels }
        let fullyConnected = published.indices.filter { published[$0].channels != narrow[$0].channels }
        // Widths are rounded up, so each layer gives an upper bound. The least of them gives all layers their channels, if any width does.
        func width(_ indices: [Int]) -> Double? {
            indices.map { Double(wanted[$0].channels) / Double(published[$0].channels) }.min()
        }
        if let width = width(scaled), signature(width: width) == wanted {
            return Architecture.Recognition(architecture: architecture, width: width)
        }
        guard let first = fullyConnected.first, let width = width(scaled.filter { !fullyConnected.contains($0) }),
            width > 0
        else { return nil }
        let fc = max(1, Int(Double(wanted[first].channels) / width))
        guard signature(width: width, fullyConnectedWidth: fc) == wanted else { return nil }
        return Architecture.Recognition(architecture: architecture, width: width, fullyConnectedWidth: fc)
    }
}

/// The form of a layer, without its weights.
private struct LayerSignature: Hashable {
    var name: String
    var kind: String
    /// Channels of a convolution's output; 0 for other kinds.
    var channels = 0
    var groups = 0

    var words: String { channels > 0 ? "\(kind) of \(counted(channels, "channel"))" : kind }
}

extension Network {
    fileprivate var signature: [LayerSignature] {
        let last = layers.lastIndex {
            switch $0.operation {
            case .softmax, .argmax, .dropout: false
            default: true
            }
        }
        // Probabilities or classes made from the scores are not part of a network that learns.
        return layers.prefix((last ?? -1) + 1).compactMap { layer in
            var signature = LayerSignature(name: layer.name, kind: type(of: layer.operation.kind).kindName)
            switch layer.operation {
            case .batchNormalization, .dropout: return nil
            case .convolution(let kind): (signature.channels, signature.groups) = (kind.outputChannels, kind.groups)
            case .transposedConvolution(let kind):
                (signature.channels, signature.groups) = (kind.outputChannels, kind.groups)
            default: break
            }
            return signature
        }
    }

    fileprivate var hasDropout: Bool { layers.contains { if case .dropout = $0.operation { true } else { false } } }

    /// The layers with parameters that end in the last max pooling: of SegNet and its rivals the encoder, VGG16's convolutions with
    /// what normalises them.
    public var encoderLayers: [String] {
        let isPooling: (Layer) -> Bool = { if case .maxPooling = $0.operation { true } else { false } }
        guard let end = layers.lastIndex(where: isPooling) else { return [] }
        // Whether a layer has parameters does not depend on the shape of its input.
        let anyShape = BlobShape([1, 1, 1, 1])
        return layers[..<end].filter { !$0.operation.kind.parameters(for: [anyShape]).isEmpty }.map(\.name)
    }
}
