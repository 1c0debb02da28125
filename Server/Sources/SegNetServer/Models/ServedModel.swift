internal import SegNetToolkit

/// A model that is ready to run, with its entry in `/v1/models`.
final class ServedModel: Sendable {
    let name: String
    let segmenter: Segmenter
    /// Whether it has dropout to sample.
    let canSample: Bool
    let architecture: String
    /// By id.
    let classes: [Class]
    private let notes: [String: String]
    /// The bytes of a run at the network's own size, which are kept for the next run.
    private let ownRunBytes: Int

    struct Class: Codable, Sendable, Hashable {
        var id: Int
        var name: String
        var color: String
    }

    /// - Throws: The error that makes the model unusable: `NetworkError`, `WeightsError`, `SegmenterError`,
    ///   `MemoryError`.
    init(_ loaded: LoadedModel, name: String, configuration: ServiceConfiguration) throws {
        let network = loaded.model.network
        let hasDropout = network.layers.contains {
            if case .dropout(let dropout) = $0.operation { dropout.ratio > 0 } else { false }
        }
        func makeSegmenter(sampling: Bool) throws -> Segmenter {
            var options = configuration.segmenter
            options.threads = configuration.threadCount
            options.maximumConcurrency = configuration.concurrentRuns
            options.sampling = sampling
            return try Segmenter(loaded, options: options)
        }
        // Some networks with dropout cannot be sampled, because it does not reach their scores: they run without.
        if hasDropout, let sampling = try? makeSegmenter(sampling: true) {
            segmenter = sampling
            canSample = true
        } else {
            segmenter = try makeSegmenter(sampling: false)
            canSample = false
        }
        // A model that cannot run is reported now, not to the first client.
        try segmenter.prepare(width: network.input.width, height: network.input.height)
        ownRunBytes = try segmenter.runBytes(width: network.input.width, height: network.input.height)
        self.name = name
        architecture = network.name
        notes = loaded.model.metadata.notes
        let table = segmenter.classTable
        classes = (0..<segmenter.classCount).map {
            Class(id: $0, name: table.name(of: $0), color: table.color(of: $0).hexadecimal)
        }
    }

    /// Releases the memory of runs that took more than one at the network's own size.
    func releaseLargeRuns() { segmenter.releaseIdleMemory(beyond: ownRunBytes) }

    /// An entry of `/v1/models`.
    struct Document: Codable, Sendable, Hashable {
        var name: String
        var isDefault: Bool
        var architecture: String
        var width: Int
        var height: Int
        var canSample: Bool
        var classes: [Class]
        var data: String?
        var licence: String?
    }

    func document(isDefault: Bool) -> Document {
        let input = segmenter.network.input
        return Document(
            name: name,
            isDefault: isDefault,
            architecture: architecture,
            width: input.width,
            height: input.height,
            canSample: canSample,
            classes: classes,
            data: notes["data"],
            licence: notes["licence"]
        )
    }
}

extension Color {
    /// `#8040A0`
    var hexadecimal: String {
        "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }
}
