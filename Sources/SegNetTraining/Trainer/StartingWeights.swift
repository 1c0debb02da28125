import SegNetCPU
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform

/// Weights that a training begins with.
enum StartingWeights {
    /// What was loaded.
    struct Loaded {
        /// A sentence about it.
        var note: String
        /// The layers that have got weights.
        var layers: Set<String>
    }

    /// Refuses a recipe that begins with a file that is not there.
    static func requireFiles(of configuration: TrainingConfiguration) throws(ConfigurationError) {
        let files = [("model", configuration.model), ("encoder", configuration.encoder)]
        for case (let key, let path?) in files where FileAccess.kind(of: path) == .missing {
            throw ConfigurationError(
                "\(key): \(path): there is no such file. If another training makes it, run that first; otherwise give another file, or leave "
                    + "'\(key)' out (in a recipe: \(key): null) to begin with random weights."
            )
        }
    }

    /// Takes the encoder's convolutions by name: VGG16's caffemodel or safetensors file, or a model's.
    static func load(encoder path: String, into parameters: Parameters) throws -> Loaded {
        var loaded = try takeEncoder(path, into: parameters)
        loaded.note = "encoder: " + loaded.note
        return loaded
    }

    private static func takeEncoder(_ path: String, into parameters: Parameters) throws -> Loaded {
        var source = try encoderTensors(path)
        let fitted = fitChannels(
            of: &source,
            file: path,
            to: parameters.network,
            learns: parameters.layout.learns
        )
        let layers = Set(parameters.network.encoder.map(\.name)).intersection(parameters.layout.convolutionLayers)
        for own in try parameters.network.parameters()
        where own.parameter.role == .weight && layers.contains(own.layer.name) {
            let (needed, filters) = (own.parameter.shape, source[own.name]?.shape ?? [])
            guard filters.count > needed.count, filters.extents.count == needed.extents.count else { continue }
            throw ConfigurationError(
                "\(path): its '\(own.name)' is \(filters), this network's is \(needed). An encoder cannot be cut to a narrower network, only a whole "
                    + "model can: give one as \(UserChoice.model), and its most important channels are kept."
            )
        }
        let found = try copy(source, into: parameters, file: path, where: layers.contains)
        guard !found.isEmpty else {
            throw ConfigurationError(
                "\(path): holds no weights for this network's encoder (\(parameters.layout.ranges[0].name), ...); VGG16's 13 convolutions fit "
                    + "the architecture segnet."
            )
        }
        let loaded = layers.intersection(found.weightedLayers)
        let note = "\(counted(loaded.count, "layer")) from \(path)." + (fitted.map { " " + $0 } ?? "")
        return Loaded(note: note, layers: loaded)
    }

    /// Takes everything that fits by name; a classifier of another class count, or of classes that are partly these at other numbers, keeps
    /// its new weights.
    ///
    /// Where the model's statistics are folded in, they are unfolded: scales, shifts and statistics are found with pictures of the new
    /// training set, so that the training begins with the function that the model is.
    ///
    /// If a model has the same layers but more channels, those that matter most are taken (`ChannelPruning`).
    /// - Parameters:
    ///   - encoder: A file whose convolutions take the place of the model's encoder. The training begins with the function of both
    ///     together: the file's encoder without batch normalisation, then the model's decoder.
    ///   - classes: The names of the classes to learn.
    /// - Throws: `ConfigurationError` if the model has these classes in another order, among others.
    static func load(
        model path: String,
        encoder: String? = nil,
        into parameters: Parameters,
        classes: [String],
        unfolding: Unfolding
    ) throws -> Loaded {
        var source: Source
        if path.lowercased().hasSuffix(".safetensors") {
            let model = try SafetensorsFile.readModel(URL(filePath: path))
            source = try Source(path, model, of: classes, keepsEncoder: encoder == nil)
            if let pruned = try pruned(model, path, into: parameters, classes: classes, unfolding: unfolding) {
                guard let encoder else { return pruned }
                throw ConfigurationError(
                    "\(path) is wider than this network, and the encoder of \(encoder) cannot be cut to fit; give a model of this network's "
                        + "width, or one of the two alone."
                )
            }
        } else {
            source = Source(weights: try tensors(path))
        }
        let fitted = fitChannels(
            of: &source.weights,
            file: path,
            to: parameters.network,
            learns: parameters.layout.learns
        )
        source.dropMisfits(of: parameters)
        let found = try copy(source.weights, into: parameters, file: path) { _ in true }
        guard !found.isEmpty else {
            throw ConfigurationError(
                "\(path): holds no weights of this network's layers; give the architecture that it was trained with, or another "
                    + "\(UserChoice.model)."
            )
        }
        let convolutions = parameters.layout.convolutionLayers
        var fresh = convolutions.subtracting(found.weightedLayers)
        let taken = try encoder.map { try takeEncoder($0, into: parameters) }
        if let taken {
            fresh.subtract(taken.layers)
            for (convolution, normalization) in Unfolding.filtersBeforeNormalization(parameters.network)
            where taken.layers.contains(convolution) {
                source.factors?[normalization] = nil
            }
        }
        if let factors = source.factors { try unfolding.run(parameters, factors: factors, fresh: fresh) }
        let rest = fresh.isEmpty ? "" : "; new layers: \(fresh.sorted().joined(separator: ", "))"
        let notes = [
            "model: \(counted(found.count, "tensor")) from \(path)\(rest).",
            taken.map { "In place of its encoder: \($0.note)" },
            source.note(hasOtherEncoder: taken != nil),
            fitted,
        ]
        return Loaded(
            note: notes.compactMap(\.self).joined(separator: " "),
            layers: convolutions.subtracting(fresh)
        )
    }

    /// What is taken from a model's file.
    private struct Source {
        var weights: Weights
        /// Of batch normalisation whose statistics are folded in; nil where the file keeps them.
        var factors: Unfolding.Factors?
        /// Some classes are the model's at other numbers: its classifier would call them by each other's names.
        var isOfOtherClasses = false

        init(weights: Weights) { self.weights = weights }

        /// - Throws: `ConfigurationError` if the model has these classes in another order.
        init(_ path: String, _ model: Model, of classes: [String], keepsEncoder: Bool) throws {
            isOfOtherClasses = model.metadata.hasOtherOrder(than: classes)
            let own = model.metadata.classNames ?? []
            guard !isOfOtherClasses || Set(own.map { $0.lowercased() }) != Set(classes.map { $0.lowercased() }) else {
                throw ConfigurationError(
                    "\(path): has the classes \(own.joined(separator: ", ")), but the data have them in the order "
                        + "\(classes.joined(separator: ", ")); give the model's order as the data's \(UserChoice.classes)."
                )
            }
            // With another encoder, the model's statistics say nothing about its maps.
            let model = keepsEncoder ? model : try model.foldingBatchNormalization()
            weights = model.weights
            factors = foldedFactors(model)
            // Folded scales and shifts mean something else than learnt ones.
            for layer in (factors ?? [:]).keys {
                weights[layer, .scale] = nil
                weights[layer, .shift] = nil
            }
        }

        /// Leaves out tensors of other sizes, and the classifier where its numbers mean other classes.
        mutating func dropMisfits(of parameters: Parameters) {
            let classifier = isOfOtherClasses ? Set(parameters.network.classifier.map(\.name)) : []
            for range in parameters.layout.ranges {
                guard let tensor = weights[range.layer, range.role],
                    classifier.contains(range.layer) || tensor.shape.count != parameters.layout.tensorCount(range)
                else { continue }
                weights[range.layer, range.role] = nil
            }
        }

        /// What a user should know; nil: nothing.
        func note(hasOtherEncoder: Bool) -> String? {
            var notes: [String] = []
            if isOfOtherClasses {
                notes.append(
                    "The last layer is learnt anew, because the model has other numbers for some of your classes."
                )
            }
            if factors != nil {
                notes.append(
                    hasOtherEncoder
                        ? "The means and deviations of batch normalisation were measured anew on pictures of the training set."
                        : "A finished model no longer has the means and deviations of its batch normalisation; they were measured anew on "
                            + "pictures of the training set."
                )
            }
            return notes.isEmpty ? nil : notes.joined(separator: " ")
        }
    }

    /// Factor and offset of each batch normalisation of a finished model; empty where all of them went into convolutions; nil for
    /// a model that keeps its statistics.
    static func foldedFactors(_ model: Model) -> Unfolding.Factors? {
        var factors: Unfolding.Factors = [:]
        for layer in model.network.layers {
            guard case .batchNormalization(let kind) = layer.operation else { continue }
            guard kind.statistics == .folded else { return nil }
            factors[layer.name] = (
                model.weights[layer.name, .scale]?.floats() ?? [],
                model.weights[layer.name, .shift]?.floats() ?? []
            )
        }
        return factors
    }

    /// - Returns: The parameters that the source had numbers for.
    static func copy(
        _ source: Weights,
        into parameters: Parameters,
        file: String,
        where isWanted: (String) -> Bool
    ) throws -> [ParameterRange] {
        var found: [ParameterRange] = []
        let memory = parameters.valueBuffer
        guard let base = memory.baseAddress else { return found }
        for range in parameters.layout.ranges where isWanted(range.layer) {
            guard let tensor = source[range.layer, range.role] else { continue }
            guard tensor.shape.count == parameters.layout.tensorCount(range) else {
                throw ConfigurationError(
                    "\(file): its '\(range.name)' is \(tensor.shape), the network needs \(parameters.layout.tensorCount(range)) numbers; "
                        + "it is of another architecture or has another number of input channels."
                )
            }
            if let index = tensor.firstNotFinite {
                throw WeightsError(
                    file: file,
                    tensor: range.name,
                    reason: .notFinite(value: tensor.floats()[index], index: index)
                )
            }
            parameters.layout.pack(tensor.floats(), range, into: base)
            tensor.release()
            found.append(range)
        }
        for index in parameters.statistics.indices {
            let layer = parameters.statistics[index].layer
            if let mean = source[layer, .mean]?.floats(), let variance = source[layer, .variance]?.floats(),
                mean.count == parameters.statistics[index].mean.count
            {
                parameters.statistics[index].mean = mean.map(Double.init)
                parameters.statistics[index].variance = variance.map(Double.init)
            }
        }
        return found
    }

    /// The convolutions of a file, with a model's batch normalisation folded into them, so that they alone are its encoder.
    private static func encoderTensors(_ path: String) throws -> Weights {
        guard path.lowercased().hasSuffix(".safetensors") else { return try tensors(path) }
        let file = try SafetensorsFile(URL(filePath: path))
        return file.holdsNetwork ? try file.model().foldingBatchNormalization().weights : file.weights
    }

    private static func tensors(_ path: String) throws -> Weights {
        let url = URL(filePath: path)
        if path.lowercased().hasSuffix(".caffemodel") { return try Caffe.readConvolutions(url) }
        let isOther = [".onnx", ".prototxt", ".checkpoint"].contains(where: path.lowercased().hasSuffix)
        if isOther || FileAccess.kind(of: path) == .folder {
            throw ModelFileName.unknown(url, advice: "Give a .safetensors or .caffemodel file")
        }
        return try SafetensorsFile(url).weights
    }
}

extension [ParameterRange] {
    /// The layers whose weights are among them.
    var weightedLayers: Set<String> { Set(lazy.filter { $0.role == .weight }.map(\.layer)) }
}
