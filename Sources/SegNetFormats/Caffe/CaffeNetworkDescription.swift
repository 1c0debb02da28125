public import SegNetNetworks

/// A network read from a `.prototxt`, with notes for the user.
public struct CaffeNetworkDescription: Sendable {
    public let network: Network
    /// What was left out, or read differently from what the file says: full sentences.
    public let notes: [String]
    /// The file, as the caller named it.
    public let file: String
    /// The line of each layer in the file.
    let lines: [String: Int]
    /// Layers that take weights of another shape with as many numbers (`strict_dim: false`).
    let looseLayers: Set<String>
    /// What layers hold that weights may lack.
    let fillings: [String: Filling]
    /// Names of blobs in the file that the network has under another name, which follows (Split).
    let aliases: [String: String]

    /// The numbers of a Scale layer before any are read.
    struct Filling: Sendable, Hashable {
        var scale: Float
        var shift: Float
    }

    init(
        network: Network,
        notes: [String],
        file: String,
        lines: [String: Int],
        looseLayers: Set<String> = [],
        fillings: [String: Filling] = [:],
        aliases: [String: String] = [:]
    ) {
        self.network = network
        self.notes = notes
        self.file = file
        self.lines = lines
        self.looseLayers = looseLayers
        self.fillings = fillings
        self.aliases = aliases
    }

    /// A network that is known without a description, with weights from a `.caffemodel`.
    /// - Parameter file: Its name in errors.
    public init(_ network: Network, file: String) {
        self.init(network: network, notes: [], file: file, lines: [:])
    }
}

extension FormatError {
    /// A network that does not fit together, with the layer's line in the file.
    init(network error: NetworkError, file: String, lines: [String: Int]) {
        self.init(
            file: file,
            line: error.layer.flatMap { lines[$0] },
            problem: error.layer.map { "layer '\($0)': \(error.problem)" } ?? error.problem
        )
    }
}
