/// How far a damaged file got.
public enum Stage: Int, CaseIterable, Comparable, Sendable, CustomStringConvertible {
    case refusedAtHeader, refusedLater, decoded, ran

    public var description: String {
        switch self {
        case .refusedAtHeader: "refused at header"
        case .refusedLater: "refused later"
        case .decoded: "fully decoded"
        case .ran: "ran"
        }
    }

    public static func < (one: Stage, other: Stage) -> Bool { one.rawValue < other.rawValue }
}

/// The outcomes for the files of one format and kind.
public struct StageCounts: Sendable {
    private var counts: [FileFormat: [MutationKind: [Stage: Int]]] = [:]

    public init() {}

    /// Counts one file.
    public mutating func count(_ format: FileFormat, _ kind: MutationKind, reached stage: Stage) {
        counts[format, default: [:]][kind, default: [:]][stage, default: 0] += 1
    }

    /// The number of files of a format (and, if given, a kind) that got exactly this far.
    public func number(_ format: FileFormat, _ kind: MutationKind? = nil, at stage: Stage) -> Int {
        MutationKind.allCases.filter { kind == nil || $0 == kind }
            .reduce(0) { $0 + (counts[format]?[$1]?[stage] ?? 0) }
    }

    /// A line per format and kind, with one column per stage.
    public var table: String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let titles = Stage.allCases.map { right($0.description, 19) }.joined()
        var lines = [padded("format", 13) + padded("damage", 11) + right("files", 7) + titles]
        for format in FileFormat.allCases where counts[format] != nil {
            for kind in MutationKind.allCases {
                let row = Stage.allCases.map { number(format, kind, at: $0) }
                let files = right("\(row.reduce(0, +))", 7)
                lines.append(
                    padded(format.rawValue, 13) + padded(kind.rawValue, 11) + files
                        + row.map { right("\($0)", 19) }.joined()
                )
            }
        }
        return lines.joined(separator: "\n")
    }
}
