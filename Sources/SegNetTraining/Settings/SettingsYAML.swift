internal import SegNetAnnotations
internal import Yams

/// Recipes and plans as nodes.
enum SettingsYAML {
    /// - Parameter failed: Makes the error of a full sentence that begins with its verb.
    static func compose(
        _ yaml: String,
        _ failed: (String) -> ConfigurationError
    ) throws(ConfigurationError) -> Node? {
        if let problem = YAMLAliases.problem(in: yaml) { throw failed(problem) }
        do { return try Yams.compose(yaml: yaml) } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            // Its own message repeats the whole text.
            let key = excerpt(printable(keys.first ?? "")).text
            throw failed("has the key '\(key)' more than once, first in line \(context.mark.line); keep one of them.")
        } catch {
            throw failed("cannot be read as YAML (\(shown("\(error)"))).")
        }
    }

    /// An error repeats at most this many letters of a line or a value.
    private static let most = 80

    /// A text without the control characters with which a file could move the cursor of a terminal, or change its colours.
    static func printable(_ text: some StringProtocol) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
            shown.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(shown)
    }

    /// A text as an error repeats it, with … where it was cut.
    /// - Parameter column: A letter that is to be seen; where it is then.
    static func excerpt(_ text: some StringProtocol, around column: Int = 0) -> (text: String, column: Int) {
        let count = text.count
        guard count > most else { return (String(text), column) }
        let first = max(0, min(column - most / 2, count - most))
        let part = text.dropFirst(first).prefix(most)
        let (before, behind) = (first > 0 ? "…" : "", first + most < count ? "…" : "")
        return (before + part + behind, column - first + before.count)
    }

    /// The parser's message: it ends with a line of the file and, below it, a ^ where it stopped.
    private static func shown(_ message: String) -> String {
        var lines = printable(message).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(
            String.init
        )
        guard lines.count > 1, lines[lines.count - 1].last == "^" else {
            return lines.map { excerpt($0).text }.joined(separator: "\n")
        }
        let line = excerpt(lines[lines.count - 2], around: lines[lines.count - 1].count - 1)
        lines[(lines.count - 2)...] = [line.text, String(repeating: " ", count: line.column) + "^"]
        return lines.joined(separator: "\n")
    }
}
