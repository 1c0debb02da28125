public import SegNetNetworks

/// A network read from a `.prototxt`, and what a user should know about the reading.
public struct CaffeNetworkDescription: Sendable {
    public let network: Network
    /// What was left out or read otherwise than written: full sentences.
    public let notes: [String]
    /// The file, as the caller named it.
    public let file: String
    /// Where each layer stands in the file.
    let lines: [String: Int]

    init(network: Network, notes: [String], file: String, lines: [String: Int]) {
        self.network = network
        self.notes = notes
        self.file = file
        self.lines = lines
    }

    /// A network that is known without a file, whose weights a `.caffemodel` holds.
    /// - Parameter file: What errors call it.
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
