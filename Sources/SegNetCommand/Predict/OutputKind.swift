import ArgumentParser

/// A kind of output that `--save` can name.
enum OutputKind: Hashable, Sendable {
    case mask
    case color
    case overlay
    case confidence
    case logits
    case probabilities
    case uncertainty
    case variance
    case blob(String)
    /// The picture, transparent wherever it does not show these classes.
    case cutout([String])
    case polygons
    case shares

    /// The word on the command line and in JSON.
    var name: String {
        switch self {
        case .mask: "mask"
        case .color: "color"
        case .overlay: "overlay"
        case .confidence: "confidence"
        case .logits: "logits"
        case .probabilities: "probabilities"
        case .uncertainty: "uncertainty"
        case .variance: "variance"
        case .blob(let name): "blob:\(name)"
        case .cutout(let names): "cutout:\(names.joined(separator: "+"))"
        case .polygons: "polygons"
        case .shares: "shares"
        }
    }

    /// Suffix of the file name. Polygons and shares have names of their own (`RunOutputs`).
    var fileSuffix: String {
        switch self {
        case .mask, .color, .overlay, .confidence, .uncertainty: ".\(name).png"
        case .logits, .probabilities, .variance: ".\(name).npy"
        // Some of the original's blobs are called `inception_3a/1x1`.
        case .cutout(let names): ".cutout-\(String(names.joined(separator: "+").map { $0 == "/" ? "_" : $0 })).png"
        case .polygons, .shares: ""
        case .blob(let name): ".\(String(name.map { $0 == "/" ? "_" : $0 })).npy"
        }
    }

    /// Two of several kinds that would have the same file, and the file's suffix.
    static func sharing(_ kinds: [OutputKind], suffix: (OutputKind) -> String)
        -> (first: OutputKind, second: OutputKind, suffix: String)?
    {
        var owners: [[UInt8]: OutputKind] = [:]
        for kind in kinds {
            let suffix = suffix(kind)
            guard !suffix.isEmpty, let first = owners.updateValue(kind, forKey: Array(suffix.utf8)) else { continue }
            return (first, kind, suffix)
        }
        return nil
    }

    /// Whether it belongs to one run of the network, so that several runs have no mean of it.
    var belongsToOneView: Bool {
        switch self {
        case .logits, .blob: true
        default: false
        }
    }

    /// Whether it is made of more than each pixel's class and confidence, which is all that tiles leave.
    var needsWholeMaps: Bool {
        switch self {
        case .mask, .color, .overlay, .confidence, .cutout, .polygons, .shares: false
        case .logits, .probabilities, .uncertainty, .variance, .blob: true
        }
    }

    private static let plain: [OutputKind] = [
        .mask, .color, .overlay, .confidence, .logits, .probabilities, .uncertainty, .variance,
    ]

    /// All words, for help and errors.
    static var choices: String {
        (plain.map(\.name) + ["cutout:CLASS", "polygons", "shares", "blob:NAME"]).joined(separator: ", ")
    }

    init?(_ word: some StringProtocol) {
        if let kind = Self.plain.first(where: { $0.name == word }) {
            self = kind
        } else if word.hasPrefix("blob:"), word.count > 5 {
            self = .blob(String(word.dropFirst(5)))
        } else if word == "polygons" {
            self = .polygons
        } else if word == "shares" {
            self = .shares
        } else if word.hasPrefix("cutout:"), word.count > 7 {
            let names = String(word).dropFirst(7).split(separator: "+").map(String.init)
            guard !names.isEmpty else { return nil }
            self = .cutout(names)
        } else {
            return nil
        }
    }

    /// Whether an earlier run has written a file, judging by its name.
    static func isOutput(_ fileName: String) -> Bool { source(of: fileName) != nil }

    /// The name, without its ending, of the picture from which a result was made, as far as the result's name tells; nil if it is not named
    /// like a result. Also whether results of this kind have no colours.
    static func source(of fileName: String) -> (stem: String, isGray: Bool)? {
        let name = fileName.lowercased()
        if name.hasSuffix(".png"), let cutout = name.ranges(of: ".cutout-").last {
            return (String(fileName.dropLast(name[cutout.lowerBound...].count)), false)
        }
        for kind in plain {
            for suffix in [kind.fileSuffix, ".\(kind.name).tif"] where name.hasSuffix(suffix) {
                return (String(fileName.dropLast(suffix.count)), kind != .color && kind != .overlay)
            }
        }
        return nil
    }
}

/// One list after `--save`.
struct OutputKinds: Sendable {
    var kinds: [OutputKind]

    /// The outputs if `--save` is not given.
    static let usual: [OutputKind] = [.mask, .color, .overlay]

    /// - Throws: `ValidationError`, which names the word that is not an output, and the choices.
    init(_ list: String) throws {
        kinds = []
        for word in try nameList(list) {
            guard let kind = OutputKind(word) else {
                throw ValidationError("'\(word)' is not one of \(OutputKind.choices).")
            }
            kinds.append(kind)
        }
    }
}
