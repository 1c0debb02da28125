import SegNetCPU
import SegNetFormats
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
        guard let wide = network.widened(like: model.network), try MapGroups(wide) != nil else { return nil }
        let (wideShapes, shapes) = try (wide.shapes().layers, network.shapes().layers)
        let cut = network.layers.indices.filter { index in
            let (before, after) = (wideShapes[index], shapes[index])
            return network.layers[index].isConvolution
                && (before.inputs[0].shape.channels != after.inputs[0].shape.channels
                    || before.outputs[0].shape.channels != after.outputs[0].shape.channels)
        }
        guard let first = cut.first, let last = cut.dropLast().last else { return nil }
        let whole = try Parameters(wide, options: parameters.options)
        try whole.load(Weights.initial(for: wide, seed: 0))
        let loaded = try load(model: path, into: whole, classes: classes, unfolding: unfolding)
        guard let pruning = try ChannelPruning(whole.model(), to: network) else { return nil }
        if let fixed = cut.map({ network.layers[$0].name }).first(where: {
            loaded.layers.contains($0) && !parameters.layout.learns($0)
        }) {
            throw ConfigurationError(
                "\(path) is wider than this network, so '\(fixed)' would lose some of its channels, and a layer that does not learn cannot "
                    + "make up for them; let it learn ('freeze', 'rates'), or use the model's own width."
            )
        }
        var weights = pruning.weights()
        // What the model has no weights for keeps its own.
        for layer in parameters.layout.convolutionLayers.subtracting(loaded.layers) {
            weights[layer, .weight] = nil
            weights[layer, .bias] = nil
        }
        let found = try copy(weights, into: parameters, file: path) { _ in true }
        let examples = [first, last].map { index in
            "\(shapes[index].outputs[0].shape.channels) of \(wideShapes[index].outputs[0].shape.channels) of \(network.layers[index].name)"
        }
        let note =
            "\(loaded.note) It is wider than this network, so its most important channels were kept: "
            + "\(examples.joined(separator: ", ...; ")), ..."
        return Loaded(note: note, layers: loaded.layers.intersection(found.weightedLayers))
    }

    /// Bytes that `pruned` takes until it is done: the wide network's parameters and two copies of them, and the maps of one picture where
    /// folded statistics have to be found. 0 where the model is not wider, or cannot be read, which loading it reports.
    /// - Parameter size: Of the largest pictures.
    static func cuttingBytes(
        _ path: String,
        into parameters: Parameters,
        size: PictureSize,
        threads: Int
    ) throws -> Int {
        guard path.lowercased().hasSuffix(".safetensors"),
            let model = try? SafetensorsFile.readModel(URL(filePath: path)),
            let wide = parameters.network.widened(like: model.network), try MapGroups(wide) != nil
        else { return 0 }
        let layout = try ParameterLayout(wide, options: parameters.options)
        guard foldedFactors(model) != nil else { return 3 * layout.count * 4 }
        // Inference keeps fewer maps than a training plan.
        let plan = try TrainingPlan(layout, batchSize: 1, height: size.height, width: size.width)
        return 3 * layout.count * 4 + plan.workspaceBytes(threads: threads)
    }
}

extension Network {
    /// The network with the widths that another one with the same layers has before its scores; the scores stay.
    /// - Returns: nil if the other is nowhere wider.
    fileprivate func widened(like other: Network) -> Network? {
        let layers = Dictionary(other.layers.map { ($0.name, $0.operation) }, uniquingKeysWith: { first, _ in first })
        let scores = Set(classifier.map(\.name))
        let end = self.layers.firstIndex { scores.contains($0.name) } ?? self.layers.endIndex
        var wide = self
        for index in wide.layers.indices.prefix(end) {
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

extension Layer {
    /// Whether it is a convolution of any kind.
    fileprivate var isConvolution: Bool {
        switch operation {
        case .convolution, .transposedConvolution: true
        default: false
        }
    }
}
