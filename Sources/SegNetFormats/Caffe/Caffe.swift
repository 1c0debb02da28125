public import SegNetNetworks
public import SegNetPlatform

/// The original's file formats: a network's description (`.prototxt`) and its weights (`.caffemodel`).
public enum Caffe {
    /// What to do with a layer without weights in the file.
    public enum MissingWeights: Sendable, Hashable {
        /// An error that names the layer and the closest name in the file.
        case refuse
        /// Random initial weights, the same for the same seed; for training.
        case initialize(seed: UInt64)
    }

    /// How a description and its weights are read together.
    public struct ReadingOptions: Sendable, Hashable {
        /// What to do with layers that the file of weights does not have.
        public var missingWeights: MissingWeights
        /// Whether batch normalisation in LEARN mode is accepted, which only training can use.
        public var allowsBatchStatistics: Bool
        /// What is subtracted from pictures: one number per channel in the network's order, or one for all. Nil: what the description says;
        /// where it says nothing, the authors' mean for FCN, DeepLab and DeconvNet, and 0 for others.
        public var mean: [Float]?

        /// The defaults are those that prediction needs.
        public init(
            missingWeights: MissingWeights = .refuse,
            allowsBatchStatistics: Bool = false,
            mean: [Float]? = nil
        ) {
            self.missingWeights = missingWeights
            self.allowsBatchStatistics = allowsBatchStatistics
            self.mean = mean
        }
    }

    /// Reads a network's description: train, test and deploy files, in the new (`layer`) and the old (`layers`) form.
    ///
    /// Layers that run at test time are kept; data layers become the network's input, loss and accuracy layers are left out.
    /// - Parameter mean: What is subtracted from pictures, as in `ReadingOptions`.
    /// - Throws: `FormatError` naming file and line.
    public static func readNetwork(_ url: URL, mean: [Float]? = nil) throws(FormatError) -> CaffeNetworkDescription {
        try CaffeNetworkReader.read(try CaffeNetwork(url), mean: mean)
    }

    /// Reads a network and its weights.
    ///
    /// The weights stay in the file until they are used.
    /// - Parameters:
    ///   - weights: A `.caffemodel`.
    ///   - network: A `.prototxt`.
    /// - Throws: `FormatError` naming the file, and the line or layer.
    public static func readModel(
        weights: URL,
        network: URL,
        options: ReadingOptions = ReadingOptions()
    ) throws(FormatError) -> CaffeModel {
        let description = try readNetwork(network, mean: options.mean)
        let (tensors, report) = try readWeights(weights, for: description, options: options)
        var metadata = ModelMetadata(name: description.network.name)
        metadata.notes["source"] = "\(weights.lastPathComponent) with \(network.lastPathComponent)"
        let model = Model(network: description.network, weights: tensors, metadata: metadata)
        return CaffeModel(
            model: model,
            report: report,
            notes: description.notes + report.notes,
            aliases: description.aliases
        )
    }

    /// Reads weights for a network, layer by layer name as Caffe does.
    public static func readWeights(
        _ url: URL,
        for description: CaffeNetworkDescription,
        options: ReadingOptions = ReadingOptions()
    ) throws(FormatError) -> (Weights, WeightsReport) {
        let file = try CaffeModelFile(url)
        let reader = CaffeWeightsReader(file: file, description: description, options: options)
        return try reader.read()
    }

    /// The tensors of a file without a description, from layers with four-dimensional weights and perhaps a bias: all
    /// that an encoder needs. `layer.weight`, `layer.bias`.
    /// - Throws: `FormatError` naming the file.
    public static func readConvolutions(_ url: URL) throws(FormatError) -> Weights {
        let file = try CaffeModelFile(url)
        var weights = Weights()
        for layer in file.layers where (1...2).contains(layer.blobs.count) && layer.blobs[0].shape.count == 4 {
            weights[layer.name, .weight] = file.tensor(layer.blobs[0], shape: Shape(layer.blobs[0].shape))
            guard layer.blobs.count == 2 else { continue }
            weights[layer.name, .bias] = file.tensor(layer.blobs[1], shape: [layer.blobs[1].count])
        }
        return weights
    }
}

/// A model read from the original's files, and how the reading went.
public struct CaffeModel: Sendable {
    public let model: Model
    /// Which layers got weights, which did not, and which layers of the file were not used.
    public let report: WeightsReport
    /// Notes for the user: full sentences.
    public let notes: [String]
    /// Names of blobs in the description that the network has under another name, by which it is found here (Split).
    public let aliases: [String: String]
}

/// Which layers got weights from a file.
public struct WeightsReport: Sendable, Hashable, CustomStringConvertible {
    /// The file, as the caller named it.
    public let file: String
    /// Layers whose weights were loaded, in the network's order.
    public internal(set) var loaded: [String] = []
    /// Layers of the network that the file does not have: they keep their initial values.
    public internal(set) var initial: [String] = []
    /// Layers of the file that the network does not have.
    public internal(set) var unused: [String] = []
    /// Warnings about the weights: full sentences.
    public internal(set) var notes: [String] = []

    init(file: String) { self.file = file }

    /// One line for each of the three lists that is not empty.
    public var description: String {
        func line(_ title: String, _ names: [String]) -> String? {
            names.isEmpty ? nil : "\(title) (\(names.count)): \(names.joined(separator: ", "))"
        }
        let lines = [
            line("loaded", loaded), line("left at their initial values", initial),
            line("in the file but not used", unused),
        ]
        return "\(file):\n" + lines.compactMap { $0 }.map { "  \($0)" }.joined(separator: "\n")
    }
}
