/// A sentence for whoever trains: on the set-up, or on something unusual during the run.
public struct TrainingNote: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The model or its scores become others than one may think, or a file of the run will lack something.
        case warning
        case information
    }

    public var kind: Kind
    public var text: String

    public init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }

    /// The text; a warning's begins with "warning: ".
    public var description: String { kind == .warning ? "warning: \(text)" : text }

    static func warning(_ text: String) -> Self { Self(kind: .warning, text: text) }

    static func information(_ text: String) -> Self { Self(kind: .information, text: text) }
}
