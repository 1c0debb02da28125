public import SegNetNetworks
public import SegNetPlatform

/// A model in one safetensors file: the network as JSON and what people should know about it, with the weights.
///
/// `docs/formats.md` lists the keys.
extension SafetensorsFile {
    /// The names of our texts in the file's metadata.
    enum Key {
        static let format = "format"
        static let formatVersion = "format_version"
        static let network = "network"
        static let name = "name"
        static let classNames = "class_names"
        static let palette = "palette"
        static let ignoredClasses = "ignored_classes"
        static let denseCRF = "dense_crf"
        static let notes = "notes"
        static let batchNormalization = "batchNormalization"
        static let epsilon = "epsilon"
    }

    private static let version = 1
    // A network of some hundred layers has 50 KB; JSON takes many times its size in memory while it is read.
    private static let greatestTextSize = 8 << 20

    /// Writes a model.
    ///
    /// Except with float32, batch normalisation is folded in first, so that rounding comes last; vectors stay float32.
    /// - Parameter elementType: How weights are stored.
    /// - Throws: `FormatError` if a tensor is missing or has another shape than the network needs, or if the file cannot be
    ///   written.
    public static func write(
        _ model: Model,
        elementType: ElementType = .float32,
        to url: URL
    ) throws(FormatError) {
        let name = url.relativePath
        try model.weights.checked(for: model.network, file: name)
        var model = model
        if elementType != .float32 {
            do { model = try model.foldingBatchNormalization() } catch {
                throw FormatError(file: name, problem: "\(error)")
            }
        }
        // Of what is left: one behind a pooling keeps its statistics.
        let normalization = batchNormalization(of: model.network)
        var texts: [String: String] = [
            Key.format: "segnet",
            Key.formatVersion: "\(version)",
            Key.network: try json(model.network, file: name),
            Key.batchNormalization: normalization.word,
        ]
        if let epsilon = normalization.epsilon { texts[Key.epsilon] = "\(epsilon)" }
        let metadata = model.metadata
        if let name = metadata.name { texts[Key.name] = name }
        if let names = metadata.classNames { texts[Key.classNames] = try json(names, file: name) }
        if let palette = metadata.palette { texts[Key.palette] = try json(palette, file: name) }
        if !metadata.ignoredClasses.isEmpty {
            texts[Key.ignoredClasses] = try json(metadata.ignoredClasses, file: name)
        }
        if let numbers = metadata.denseCRF { texts[Key.denseCRF] = numbers }
        if !metadata.notes.isEmpty { texts[Key.notes] = try json(metadata.notes, file: name) }
        try write(model.weights, metadata: texts, elementType: elementType, to: url)
    }

    /// Reads a model. The weights stay in the file until they are used.
    /// - Throws: `FormatError` if the file is damaged, holds no network, or lacks weights that the network needs.
    public static func readModel(_ url: URL) throws(FormatError) -> Model {
        try SafetensorsFile(url).model()
    }

    /// Whether the file describes a network beside its tensors.
    package var holdsNetwork: Bool { networkText != nil }

    private var networkText: String? { metadata[Key.format] == "segnet" ? metadata[Key.network] : nil }

    /// The model that the file holds.
    /// - Throws: `FormatError` if it holds no network, or lacks weights that the network needs.
    public func model() throws(FormatError) -> Model {
        guard let text = networkText else {
            throw FormatError(
                file: name,
                problem: "holds tensors but no network description",
                advice: "Give a file that 'segnet convert' or 'segnet train' has written"
            )
        }
        let stated = metadata[Key.formatVersion] ?? ""
        guard let version = Int(stated), (1...Self.version).contains(version) else {
            throw FormatError(
                file: name,
                problem: "has format_version '\(stated)', this program reads up to \(Self.version)",
                advice: "Use a newer version of SegNet"
            )
        }
        var network = try value(Network.self, Key.network, text)
        // Models that were converted before Caffe's softmax in place was told apart from its scores.
        _ = network.separateScores()
        var model = Model(network: network, weights: weights)
        try requireRead(for: network)
        try weights.checked(for: network, file: name)
        // The network has it too, with each layer; a file in which this is not a number is damaged.
        if let text = metadata[Key.epsilon], Double(text)?.isFinite != true {
            throw FormatError(
                file: name,
                problem: "its metadata '\(Key.epsilon)' is '\(text.prefix(40))', which is not a number",
                advice: "Convert the model again"
            )
        }
        model.metadata.name = metadata[Key.name]
        if let text = metadata[Key.classNames] {
            model.metadata.classNames = try value([String].self, Key.classNames, text)
        }
        if let text = metadata[Key.palette] {
            let palette = try value([[UInt8]].self, Key.palette, text)
            guard palette.allSatisfy({ $0.count == 3 }) else {
                throw FormatError(
                    file: name,
                    problem: "has a palette whose colours are not red, green, blue",
                    advice: "Convert the model again"
                )
            }
            model.metadata.palette = palette
        }
        if let text = metadata[Key.ignoredClasses] {
            model.metadata.ignoredClasses = try value([Int].self, Key.ignoredClasses, text)
        }
        model.metadata.denseCRF = metadata[Key.denseCRF]
        if let text = metadata[Key.notes] { model.metadata.notes = try value([String: String].self, Key.notes, text) }
        if let count = model.network.classCount {
            for (key, entries) in [
                (Key.classNames, model.metadata.classNames?.count), (Key.palette, model.metadata.palette?.count),
            ] {
                guard let entries, entries != count else { continue }
                throw FormatError(
                    file: name,
                    problem: "its \(key) has \(entries) entries, but the network has \(count) classes",
                    advice: "Convert the model again"
                )
            }
        }
        return model
    }

    /// Whether the file describes its network; one of another program holds tensors alone.
    package var hasNetwork: Bool { metadata[Key.network] != nil }

    /// What is added to the variances of batch normalisation, if the file says that for all layers.
    package var epsilon: Double? { metadata[Key.epsilon].flatMap(Double.init) }

    private func value<Value: Decodable>(_ type: Value.Type, _ key: String, _ text: String) throws(FormatError) -> Value
    {
        guard text.utf8.count <= Self.greatestTextSize else {
            throw FormatError(
                file: name,
                problem: "its metadata '\(key)' has \(text.utf8.count) bytes; at most \(Self.greatestTextSize) are read"
            )
        }
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw FormatError(
                file: name,
                problem: "its metadata '\(key)' cannot be read (\(Self.words(error)))",
                advice: "Convert the model again, or use a newer version of SegNet"
            )
        }
    }

    /// A decoding error in a few words.
    private static func words(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
        }
        func at(_ context: DecodingError.Context, _ problem: String) -> String {
            context.codingPath.isEmpty ? problem : "\(place(context.codingPath)): \(problem)"
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): return at(context, "'\(key.stringValue)' is missing")
        case .typeMismatch(let type, let context): return at(context, "is not a \(name(of: type))")
        case .valueNotFound(let type, let context): return at(context, "is null, not a \(name(of: type))")
        case .dataCorrupted(let context) where context.codingPath.isEmpty: return "it is not JSON"
        case .dataCorrupted(let context):
            // About a value that a layer cannot have: in our words, or in Foundation's, some of which end in a full stop.
            let text = context.debugDescription
            return at(context, text.hasSuffix(".") ? String(text.dropLast()) : text)
        default: return "it is not what the format says"
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is any BinaryInteger.Type: "whole number"
        case is any BinaryFloatingPoint.Type: "number"
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        default: "\(type)".contains("Dictionary") ? "group of names and values" : "list"
        }
    }

    private static func json(_ value: some Encodable, file: String) throws(FormatError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw FormatError(file: file, problem: "cannot hold what the model says about itself")
        }
    }

    /// What kind of batch normalisation a network has, for people and other programs that open the file. Of several, the one with
    /// statistics, which other programs must not overlook.
    private static func batchNormalization(of network: Network) -> (word: String, epsilon: Double?) {
        let kinds = network.layers.compactMap { layer -> BatchNormalization? in
            if case .batchNormalization(let kind) = layer.operation { kind } else { nil }
        }
        guard let kind = kinds.first(where: { $0.statistics == .kept }) ?? kinds.first else { return ("none", nil) }
        switch kind.statistics {
        case .folded: return ("folded", kind.epsilon)
        case .kept: return ("statistics", kind.epsilon)
        case .batch: return ("none", kind.epsilon)
        }
    }
}

extension Weights {
    /// As `check(for:file:)`, with this module's error.
    func checked(for network: Network, file: String) throws(FormatError) {
        do {
            try check(for: network, file: file)
        } catch let error as NetworkError {
            throw FormatError(network: error, file: file, lines: [:])
        } catch {
            throw FormatError(file: file, problem: (error as? WeightsError)?.problem ?? "\(error)")
        }
    }
}
