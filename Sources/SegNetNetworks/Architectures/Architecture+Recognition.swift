extension Architecture {
    /// Which architecture a network is, and at which width: the first whose convolutions have the same names and channels.
    ///
    /// The classifier may have any number of classes, and batch normalisations may be folded away.
    /// - Returns: nil for a network that is made otherwise.
    public static func recognized(_ network: Network) -> (architecture: Architecture, width: Double)? {
        let convolutions = network.channelsByConvolution
        guard let first = convolutions.first else { return nil }
        var options = ArchitectureOptions(input: network.input)
        // Bayesian variants differ from the plain ones in their dropout alone.
        let candidates =
            allCases.filter { $0.network(classes: 2, options: options).hasDropout == network.hasDropout }
            + allCases.filter { $0.network(classes: 2, options: options).hasDropout != network.hasDropout }
        for architecture in candidates {
            options.width = 1
            let published = architecture.network(classes: 2, options: options).channelsByConvolution
            guard let widest = published.first else { continue }
            options.width = Double(first.channels) / Double(widest.channels)
            let made = architecture.network(classes: 2, options: options).channelsByConvolution
            let isSame =
                made.map(\.name) == convolutions.map(\.name)
                && zip(made, convolutions).dropLast().allSatisfy { $0.channels == $1.channels }
            if isSame { return (architecture, options.width) }
        }
        return nil
    }
}

extension Network {
    /// The convolutions in order, with their output channels.
    fileprivate var channelsByConvolution: [(name: String, channels: Int)] {
        layers.compactMap { layer in
            guard case .convolution(let kind) = layer.operation else { return nil }
            return (layer.name, kind.outputChannels)
        }
    }

    fileprivate var hasDropout: Bool { layers.contains { if case .dropout = $0.operation { true } else { false } } }

    /// The layers with parameters that end in the last max pooling: of SegNet and its rivals the encoder, VGG16's convolutions with
    /// what normalises them.
    public var encoderLayers: [String] {
        let isPooling: (Layer) -> Bool = { if case .maxPooling = $0.operation { true } else { false } }
        guard let end = layers.lastIndex(where: isPooling) else { return [] }
        return layers[..<end].filter { layer in
            switch layer.operation {
            case .convolution, .transposedConvolution, .batchNormalization, .scale, .innerProduct: true
            case .relu, .elu, .maxPooling, .averagePooling, .unpooling, .localResponseNormalization,
                .localContrastNormalization,
                .dropout, .addition, .concatenation, .crop, .bilinearUpsampling, .resize, .softmax, .argmax:
                false
            }
        }.map(\.name)
    }
}
