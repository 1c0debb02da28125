import SegNetPlatform

extension Architecture {
    /// Which architecture a network is, and at which width: the first that has the same layers with the same channels.
    ///
    /// Batch normalisations may be folded away, and dropout decides only between those that differ in nothing else.
    /// - Returns: nil for a network that is made otherwise.
    public static func recognized(_ network: Network) -> (architecture: Architecture, width: Double)? {
        let signature = network.signature
        guard let classes = network.classCount, let first = signature.first(where: { $0.channels > 0 }) else {
            return nil
        }
        var options = ArchitectureOptions(input: network.input)
        let isLike = { (architecture: Architecture) in
            architecture.network(classes: classes, options: options).hasDropout == network.hasDropout
        }
        for architecture in allCases.filter(isLike) + allCases.filter({ !isLike($0) }) {
            options.width = 1
            let published = architecture.network(classes: classes, options: options).signature
            guard let widest = published.first(where: { $0.channels > 0 }) else { continue }
            options.width = Double(first.channels) / Double(widest.channels)
            if architecture.network(classes: classes, options: options).signature == signature {
                return (architecture, options.width)
            }
        }
        return nil
    }
}

/// The form of a layer, without its weights.
private struct LayerSignature: Hashable {
    var name: String
    var kind: String
    /// Channels of a convolution's output; 0 for other kinds.
    var channels = 0
    var groups = 0
}

extension Network {
    fileprivate var signature: [LayerSignature] {
        layers.compactMap { layer in
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
