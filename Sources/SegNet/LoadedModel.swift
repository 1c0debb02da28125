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
    /// - Throws: `FormatError`, `NetworkError` or `WeightsError`, naming the layer or tensor that does not fit.
    public init(_ url: URL, describedBy network: Network) throws {
        file = url.relativePath
        if url.pathExtension.lowercased() == "caffemodel" {
            let description = CaffeNetworkDescription(network, file: "architecture '\(network.name)'")
            let (weights, report) = try Caffe.readWeights(url, for: description)
            model = Model(network: network, weights: weights, metadata: ModelMetadata(name: network.name))
            self.report = report
            notes = report.notes
        } else {
            let safetensors = try SafetensorsFile(url)
            let weights = safetensors.weights
            try safetensors.requireRead(for: network)
            try weights.check(for: network, file: file)
            // Tensors of the file that the network does not need are dropped.
            let names = Set(try network.parameters().map(\.name))
            model = Model(
                network: network,
                weights: Weights(weights.tensors.filter { names.contains($0.key) }),
                metadata: ModelMetadata(name: network.name)
            )
            report = nil
            notes = []
        }
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
