public import SegNetFormats
public import SegNetNetworks
public import SegNetPlatform

/// A model from a file, and how reading it went.
public struct LoadedModel: Sendable {
    public let model: Model
    /// The file, as the caller named it.
    public let file: String
    /// For a `.caffemodel`: which layers got weights, which did not, which of the file's were not needed.
    public let report: WeightsReport?
    /// What a user should know about the reading: full sentences.
    public let notes: [String]

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
            let weights = try SafetensorsFile(url).weights
            try weights.check(for: network, file: file)
            // What the file holds beyond the network is left behind.
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
    ///   - allowsBatchStatistics: Whether a Caffe network whose batch normalisation is in LEARN mode is taken: `StatisticsPass` gives it
    ///     statistics.
    /// - Throws: `FormatError` or `NetworkError`, naming file, line, layer or tensor. A layer without weights is refused, with the
    ///   closest name in the file.
    public init(_ url: URL, network: URL? = nil, allowsBatchStatistics: Bool = false) throws {
        file = url.relativePath
        switch url.pathExtension.lowercased() {
        case "caffemodel":
            guard let network else {
                throw FormatError(
                    file: file,
                    problem: "a .caffemodel holds weights only, its network is missing",
                    advice: "Give the network's .prototxt as the \(UserChoice.network), too"
                )
            }
            let caffe = try Caffe.readModel(
                weights: url,
                network: network,
                options: Caffe.ReadingOptions(allowsBatchStatistics: allowsBatchStatistics)
            )
            model = caffe.model
            report = caffe.report
            notes = caffe.notes
        case "prototxt":
            throw FormatError(
                file: file,
                problem: "a .prototxt describes a network, its weights are missing",
                advice: "Give the .caffemodel as the \(UserChoice.model) and this file as the \(UserChoice.network)"
            )
        case "safetensors":
            guard network == nil else {
                throw FormatError(
                    file: file,
                    problem: "a .safetensors model brings its network along",
                    advice: "Leave the \(UserChoice.network) out, or give the .caffemodel that belongs to it"
                )
            }
            model = try SafetensorsFile.readModel(url)
            report = nil
            notes = []
        default:
            throw FormatError(
                file: file,
                problem: "is not named as a model",
                advice: "Give a .safetensors file, or a .caffemodel with its \(UserChoice.network)"
            )
        }
    }
}
