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

    init(network: Network, notes: [String], file: String, lines: [String: Int]) {
        self.network = network
        self.notes = notes
        self.file = file
        self.lines = lines
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
        let reason = error.reason.hasSuffix(".") ? String(error.reason.dropLast()) : error.reason
        self.init(
            file: file,
            line: error.layer.flatMap { lines[$0] },
            problem: error.layer.map { "layer '\($0)': \(reason)" } ?? reason
        )
    }
}
