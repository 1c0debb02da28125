package import SegNetCPU
package import SegNetNetworks
package import SegNetPlatform

extension Trainer {
    /// The parameters, with the weights that training begins with unless it takes a model's.
    static func parameters(
        _ configuration: TrainingConfiguration,
        _ network: Network,
        _ instructionSet: InstructionSet
    ) throws -> Parameters {
        let parameters = try Parameters(network, options: configuration.learning(network, instructionSet))
        let fixed = configuration.architecture.fixedLayers(of: network, upsampling: configuration.upsampling)
        try configuration.checkLearning(parameters, fixed: fixed)
        try parameters.load(
            Weights.initial(
                for: network,
                seed: configuration.seed,
                isUniform: configuration.initialization == .xavier,
                starts: configuration.architecture.starts
            )
        )
        return parameters
    }
}

extension TrainingConfiguration {
    /// How networks learn by this recipe, whatever their layers.
    /// - Throws: `AccuracyChoiceError` if the recipe names no accuracy, and `SEGNET_ACCURACY` one that does not exist.
    package func learning(_ instructionSet: InstructionSet) throws -> TrainingOptions {
        TrainingOptions(
            accuracy: try accuracy ?? .chosen(),
            instructionSet: instructionSet,
            storage: storage,
            recomputes: recompute
        )
    }

    /// How a network learns by this recipe: which layers stay as they are, and how fast the others learn.
    /// - Throws: `ConfigurationError` for a layer that the network does not have; as `learning(_:)`.
    package func learning(_ network: Network, _ instructionSet: InstructionSet) throws -> TrainingOptions {
        let layers = network.layers.map(\.name)
        let fixed = architecture.fixedLayers(of: network, upsampling: upsampling)
        let frozen = try freeze.flatMap { try Pattern.match($0, layers, setting: "freeze") }
        var options = try learning(instructionSet)
        options.frozenLayers = Set(fixed + frozen)
        options.multipliers = multipliers
        options.layerRates = try layerRates(of: network)
        return options
    }

    /// Refuses a training in which no weight can change.
    /// - Parameter fixed: Layers that do not learn by the network's nature.
    func checkLearning(_ parameters: Parameters, fixed: [String]) throws(ConfigurationError) {
        let ranges = parameters.layout.ranges.filter { !fixed.contains($0.layer) }
        guard !ranges.contains(where: \.learns) else { return }
        let last = ranges.last?.layer ?? ""
        guard ranges.contains(where: { !parameters.options.frozenLayers.contains($0.layer) }) else {
            throw ConfigurationError(
                "freeze: every layer is frozen, so nothing would be learnt; leave out those that are to learn, at least the last, "
                    + "'\(last)'."
            )
        }
        throw ConfigurationError(
            "rates: no layer learns at a rate above 0 ('freeze', 'rates' and 'multipliers' together), so nothing would be learnt; give "
                + "a rate above 0 to those that are to learn, at least the last, '\(last)'."
        )
    }

    /// Refuses layers that do not learn and for which the model to start from has no weights: they would give random features to all
    /// others, silently. Weights that begin as a network's authors say, or bilinear, are not random.
    /// - Parameter loaded: The layers whose weights are a file's.
    /// - Returns: A warning if there is no such file: a recipe may want random features.
    /// - Throws: `ConfigurationError`; `NetworkError` if the network's shapes do not fit.
    func checkFrozen(_ parameters: Parameters, loaded: Set<String>) throws -> String? {
        let fixed = architecture.fixedLayers(of: parameters.network, upsampling: upsampling)
        let random = try parameters.network.parameters().filter { own in
            let name = own.layer.name
            return own.parameter.role == .weight && parameters.layout[name, .weight]?.learns == false
                && architecture.starts[name] == nil && !fixed.contains(name) && !loaded.contains(name)
                && own.layer.operation.bilinearKernels(own.parameter.shape) == nil
        }.map { $0.layer.name }
        guard !random.isEmpty else { return nil }
        let names = random.prefix(3).joined(separator: ", ") + (random.count > 3 ? ", ..." : "")
        let layers = "\(counted(random.count, "frozen layer")) (\(names))"
        let isByName = random.allSatisfy(parameters.options.frozenLayers.contains)
        let remedy =
            isByName
            ? "take them out of 'freeze'" : "give them a rate above 0 ('freeze', 'rates' and 'multipliers' together)"
        guard let file = model ?? encoder else {
            return
                "\(layers) will keep random weights, because the training starts from no \(UserChoice.model); name one, or \(remedy)."
        }
        throw ConfigurationError(
            "\(isByName ? "freeze" : "rates"): \(layers) would keep random weights, because \(file) has none that fit them; \(remedy), or "
                + "start from a \(UserChoice.model) of the same architecture and width."
        )
    }

    /// The factor of the learning rate of each layer that has one: of the patterns that match, that of the closest (`Pattern.byCloseness`).
    func layerRates(of network: Network) throws(ConfigurationError) -> [String: Double] {
        let layers = network.layers.map(\.name)
        var factors: [String: Double] = [:]
        for pattern in Pattern.byCloseness(rates.keys) {
            for layer in try Pattern.match(pattern, layers, setting: "rates") { factors[layer] = rates[pattern] }
        }
        return factors
    }
}

extension Network {
    /// The network up to the scores on their own grid, and the layers that enlarge them to the picture.
    func splitAtScores() -> (scores: Network, enlargement: [Layer]) {
        let end = layers.lastIndex { layer in
            switch layer.operation {
            case .crop, .resize, .bilinearUpsampling: false
            default: true
            }
        }
        guard let end else { return (self, []) }
        var head = self
        head.layers = Array(layers[...end])
        return (head, Array(layers[(end + 1)...]))
    }
}
