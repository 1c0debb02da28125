import ArgumentParser

/// What `--save` can name.
enum OutputKind: Hashable, Sendable {
    case mask
    case color
    case overlay
    case confidence
    case logits
    case probabilities
    case blob(String)

    /// The word on the command line and in JSON.
    var name: String {
        switch self {
        case .mask: "mask"
        case .color: "color"
        case .overlay: "overlay"
        case .confidence: "confidence"
        case .logits: "logits"
        case .probabilities: "probabilities"
        case .blob(let name): "blob:\(name)"
        }
    }

    /// What follows the stem in the file's name.
    var fileSuffix: String {
        switch self {
        case .mask, .color, .overlay, .confidence: ".\(name).png"
        case .logits, .probabilities: ".\(name).npy"
        // Some of the original's blobs are called `inception_3a/1x1`.
        case .blob(let name): ".\(String(name.map { $0 == "/" ? "_" : $0 })).npy"
        }
    }

    private static let plain: [OutputKind] = [.mask, .color, .overlay, .confidence, .logits, .probabilities]

    init?(_ word: some StringProtocol) {
        if let kind = Self.plain.first(where: { $0.name == word }) {
            self = kind
        } else if word.hasPrefix("blob:"), word.count > 5 {
            self = .blob(String(word.dropFirst(5)))
        } else {
            return nil
        }
    }

    /// Whether a file is one that an earlier run has written, by its name.
    static func isOutput(_ fileName: String) -> Bool {
        plain.contains { fileName.lowercased().hasSuffix($0.fileSuffix) }
    }
}

/// The list behind `--save`.
struct OutputKinds: ExpressibleByArgument, Sendable {
    var kinds: [OutputKind]

    static let usual = OutputKinds(kinds: [.mask, .color, .overlay])

    init(kinds: [OutputKind]) { self.kinds = kinds }

    init?(argument: String) {
        kinds = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = OutputKind(word) else { return nil }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
    }

    var defaultValueDescription: String { kinds.map(\.name).joined(separator: ",") }
}
