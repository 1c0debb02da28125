public import SegNetFormats
public import SegNetNetworks
public import SegNetPlatform

/// A model from a file, and how reading it went.
public struct LoadedModel: Sendable {
    /// Network, weights and metadata.
    public let model: Model
    /// The file, as the caller named it.
    public let file: String
    /// For a `.caffemodel`: which layers got weights, which did not, which of the file's were not needed.
    public let report: WeightsReport?
    /// What a user should know about the reading: full sentences.
    public let notes: [String]
    /// Names of blobs in a Caffe network that the model has under another name, by which it is found here (Split).
    public private(set) var aliases: [String: String] = [:]

    /// A model that is in memory already.
    /// - Parameter name: What errors call it.
    public init(_ model: Model, name: String) {
        self.model = model
        file = name
        report = nil
        notes = []
    }

    /// Reads the weights of a `.safetensors` or `.caffemodel` file for a network that is known without it.
    ///
    /// Where a `.safetensors` file has statistics of batch normalisation, the network keeps them. Tensors that the network does not need
    /// are dropped, and `notes` names them.
    /// - Parameter allowsBatchStatistics: Whether a `.caffemodel` is taken for a network whose batch normalisation is in LEARN mode.
    /// - Throws: `FormatError`, `NetworkError` or `WeightsError`, naming the layer or tensor that does not fit. A `.safetensors` file that
    ///   contains its network is refused: that network, its mean and the names of its classes would be lost.
    public init(_ url: URL, describedBy network: Network, allowsBatchStatistics: Bool = false) throws {
        file = url.relativePath
        if url.pathExtension.lowercased() == "caffemodel" {
            let description = CaffeNetworkDescription(network, file: "architecture '\(network.name)'")
            let (weights, report) = try Caffe.readWeights(
                url,
                for: description,
                options: Caffe.ReadingOptions(allowsBatchStatistics: allowsBatchStatistics)
            )
            model = Model(network: network, weights: weights, metadata: ModelMetadata(name: network.name))
            self.report = report
            notes = report.notes
        } else {
            (model, notes) = try Self.model(of: try SafetensorsFile(url), for: network)
            report = nil
        }
    }

    /// A network with the tensors of a file that other programs have written.
    private static func model(
        of file: SafetensorsFile,
        for architecture: Network
    ) throws -> (model: Model, notes: [String]) {
        guard !file.hasNetwork else {
            throw FormatError(
                file: file.name,
                problem: "a .safetensors model contains its network",
                advice: "Leave the architecture out"
            )
        }
        let stored = Set(file.weights.tensors.keys).union(file.otherTensors)
        var (network, notes) = (architecture, [String]())
        if let epsilon = network.keepStatistics(of: stored, epsilon: file.epsilon) {
            notes.append(
                "batch normalisation takes mean and variance from the file and adds \(epsilon) to the variance, as "
                    + "\(file.epsilon == nil ? "no 'epsilon' in its metadata says otherwise" : "its metadata say")."
            )
        }
        try file.requireRead(for: network)
        try file.weights.check(for: network, file: file.name)
        let needed = Set(try network.parameters().map(\.name))
        let others = stored.subtracting(needed).sorted()
        if !others.isEmpty {
            let more = others.count > 5 ? " and \(others.count - 5) more" : ""
            notes.append(
                "\(file.name): left out, as architecture '\(network.name)' has no place for them: "
                    + "\(others.prefix(5).joined(separator: ", "))\(more)."
            )
        }
        let weights = Weights(file.weights.tensors.filter { needed.contains($0.key) })
        return (Model(network: network, weights: weights, metadata: ModelMetadata(name: network.name)), notes)
    }

    /// Reads a `.safetensors` model, or a `.caffemodel` with the `.prototxt` of its network. Weights stay in the file until they are
    /// used.
    /// - Parameters:
    ///   - url: The model's file; its ending says the format.
    ///   - network: A `.prototxt`; needed for a `.caffemodel`.
    ///   - mean: What is subtracted from pictures: one number per channel in the network's order (blue, green, red), or one for all. Nil:
    ///     what the files say, or the authors' mean for a Caffe network that is recognised.
    ///   - allowsBatchStatistics: Whether a Caffe network whose batch normalisation is in LEARN mode is taken: `StatisticsPass` gives it
    ///     statistics.
    /// - Throws: `FormatError` or `NetworkError`, naming file, line, layer or tensor. A layer without weights is refused, with the
    ///   closest name in the file.
    public init(_ url: URL, network: URL? = nil, mean: [Float]? = nil, allowsBatchStatistics: Bool = false) throws {
        file = url.relativePath
        switch url.pathExtension.lowercased() {
        case "caffemodel":
            guard let network else {
                throw FormatError(
                    file: file,
                    problem: ModelFileName.lacksNetwork,
                    advice: "Give the network's .prototxt as the \(UserChoice.network), too"
                )
            }
            let caffe = try Caffe.readModel(
                weights: url,
                network: network,
                options: Caffe.ReadingOptions(allowsBatchStatistics: allowsBatchStatistics, mean: mean)
            )
            model = caffe.model
            report = caffe.report
            aliases = caffe.aliases
            notes = caffe.notes + (mean == nil ? [] : [Self.note(model.network.input)])
        case "prototxt":
            throw FormatError(
                file: file,
                problem: ModelFileName.lacksWeights,
                advice: "Give the .caffemodel as the \(UserChoice.model) and this file as the \(UserChoice.network)"
            )
        case "safetensors":
            guard network == nil else {
                throw FormatError(
                    file: file,
                    problem: "a .safetensors model contains its network",
                    advice: "Leave the \(UserChoice.network) out, or give the .caffemodel that belongs to it"
                )
            }
            var model = try SafetensorsFile.readModel(url)
            if let mean { try model.network.input.subtract(mean, file: file) }
            self.model = model
            report = nil
            notes = mean == nil ? [] : [Self.note(model.network.input)]
        default:
            throw ModelFileName.unknown(
                url,
                advice: "Give a .safetensors file, or a .caffemodel with its \(UserChoice.network)"
            )
        }
    }

    /// The mean that the network subtracts, with each channel's name: the order of the numbers is easily mistaken.
    private static func note(_ input: InputDescription) -> String {
        let numbers = zip(input.channels, input.mean).map { "\($0) \($1)" }
        return "subtracted from pictures: \(numbers.joined(separator: ", "))."
    }
}

extension Network {
    /// Makes batch normalisation use the statistics of a file, if the file has those of any layer.
    /// - Parameters:
    ///   - tensors: The names of the file's tensors.
    ///   - epsilon: The number that is added to each variance; nil: that of each layer.
    /// - Returns: The number that is added; nil if the file has no statistics.
    fileprivate mutating func keepStatistics(of tensors: Set<String>, epsilon: Double?) -> Double? {
        let hasStatistics = layers.contains { layer in
            guard case .batchNormalization(let kind) = layer.operation, kind.statistics == .folded else { return false }
            return tensors.contains("\(layer.name).mean") || tensors.contains("\(layer.name).variance")
        }
        guard hasStatistics else { return nil }
        var added: Double?
        for index in layers.indices {
            guard case .batchNormalization(var kind) = layers[index].operation else { continue }
            kind.statistics = .kept
            kind.epsilon = epsilon ?? kind.epsilon
            layers[index].operation = .batchNormalization(kind)
            added = kind.epsilon
        }
        return added
    }
}
