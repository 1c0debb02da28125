import SegNetCPU
import SegNetNetworks
import SegNetPlatform

extension StartingWeights {
    /// Takes the channels that matter most of a model with the same layers and more channels.
    /// - Parameters:
    ///   - model: What is in the file at `path`.
    ///   - classes: The names of the classes to learn.
    /// - Returns: nil if the model is not wider, or cannot be cut.
    /// - Throws: `ConfigurationError` if a layer that does not learn would be cut.
    static func pruned(
        _ model: Model,
        _ path: String,
        into parameters: Parameters,
        classes: [String],
        unfolding: Unfolding
    ) throws -> Loaded? {
        let network = parameters.network
        guard let wide = network.widened(like: model.network) else { return nil }
        let whole = try Parameters(wide, options: parameters.options)
        try whole.load(Weights.initial(for: wide, seed: 0))
        let loaded = try load(model: path, into: whole, classes: classes, unfolding: unfolding)
        guard let pruning = try ChannelPruning(whole.model(), to: network) else { return nil }
        let (wideShapes, shapes) = try (wide.shapes().layers, network.shapes().layers)
        let cut = network.layers.indices.filter { index in
            loaded.layers.contains(network.layers[index].name)
                && (wideShapes[index].inputs[0].shape.channels != shapes[index].inputs[0].shape.channels
                    || wideShapes[index].outputs[0].shape.channels != shapes[index].outputs[0].shape.channels)
        }
        let names = cut.map { network.layers[$0].name }
        if let frozen = names.first(where: parameters.options.frozenLayers.contains) {
            throw ConfigurationError(
                "freeze: \(path) is wider than this network, so '\(frozen)' would keep only some of its channels, which does not work "
                    + "without learning; take it out of 'freeze', or leave out 'width'."
            )
        }
        var weights = try pruning.weights()
        // What the model has no weights for keeps its own.
        for layer in parameters.layout.convolutionLayers.subtracting(loaded.layers) {
            weights[layer, .weight] = nil
            weights[layer, .bias] = nil
        }
        let found = try copy(weights, into: parameters, file: path) { _ in true }
        let examples = [cut.first, cut.dropLast().last].compactMap { $0 }.map { index in
            "\(shapes[index].outputs[0].shape.channels) of \(wideShapes[index].outputs[0].shape.channels) of \(network.layers[index].name)"
        }
        let note =
            "\(loaded.note) It is wider than this network, so of each map the channels that matter most were kept: "
            + "\(examples.joined(separator: ", ...; ")), ..."
        return Loaded(note: note, layers: loaded.layers.filter { found.contains("\($0).weight") })
    }
}

extension Network {
    /// The network with the widths of another one that has the same layers; its classes stay.
    /// - Returns: nil if the other is nowhere wider.
    fileprivate func widened(like other: Network) -> Network? {
        let layers = Dictionary(other.layers.map { ($0.name, $0.operation) }, uniquingKeysWith: { first, _ in first })
        let scores = Set(classifier.map(\.name))
        var wide = self
        for index in wide.layers.indices where !scores.contains(wide.layers[index].name) {
            switch (wide.layers[index].operation, layers[wide.layers[index].name]) {
            case (.convolution(var kind), .convolution(let wider)) where wider.outputChannels > kind.outputChannels:
                kind.outputChannels = wider.outputChannels
                if kind.groups > 1 { kind.groups = wider.groups }
                wide.layers[index].operation = .convolution(kind)
            case (.transposedConvolution(var kind), .transposedConvolution(let wider))
            where wider.outputChannels > kind.outputChannels:
                kind.outputChannels = wider.outputChannels
                if kind.groups > 1 { kind.groups = wider.groups }
                wide.layers[index].operation = .transposedConvolution(kind)
            default: break
            }
        }
        return wide == self || (try? wide.shapes()) == nil ? nil : wide
    }
}
