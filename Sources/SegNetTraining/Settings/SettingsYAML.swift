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
            throw failed("cannot be read as YAML: \(problem(error, in: yaml)).")
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

    /// What the parser's error means, and where.
    private static func problem(_ error: any Error, in yaml: String) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
            .composer(_, let problem, let mark, _)?:
            let lines = yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            let line = lines.indices.contains(mark.line - 1) ? printable(lines[mark.line - 1]) : ""
            guard line.contains(where: { !$0.isWhitespace }) else {
                let place = mark.line > lines.count ? "at its end" : "in line \(mark.line)"
                return "\(place), \(meaning(problem))"
            }
            let isTab = line.prefix { $0.isWhitespace }.contains("\t")
            return "in line \(mark.line), '\(excerpt(line, around: mark.column - 1).text)', "
                + (isTab ? "a tab comes before the text; use spaces" : meaning(problem))
        case .reader(let problem, _, _, _)?:
            return "it has a character that YAML does not allow (\(problem)); take it out"
        default: return excerpt(printable("\(error)").split(whereSeparator: \.isNewline).joined(separator: " ")).text
        }
    }

    /// What libyaml's messages mean to people, by a part of each; others are repeated.
    private static let meanings: [(part: String, meaning: String)] = [
        ("cannot start any token", "a value begins with a character that is not allowed there; put it in quotes"),
        (
            "mapping values are not allowed",
            "a ':' is not allowed here; check the indentation, and put texts with ': ' in quotes"
        ),
        ("could not find expected ':'", "a ':' is missing after a key, or the line before it is not finished"),
        ("expected ',' or", "a '[' or '{' is not closed, or a comma is missing"),
        ("expected node content", "a value is missing, or a '[' or '{' is not closed"),
        ("unexpected end of stream", "a quotation mark is not closed"),
        ("expected key", "the indentation differs from that of the lines above"),
        ("expected '-' indicator", "the indentation differs from that of the entries above"),
        (
            "sequence entries are not allowed",
            "a list entry ('- ') is not allowed here; begin it on a line of its own"
        ),
        ("undefined alias", "a '*' refers to a name that no '&' defines; put texts with '*' in quotes"),
    ]

    private static func meaning(_ problem: String) -> String {
        meanings.first { problem.contains($0.part) }?.meaning ?? "\(problem); check the line and the one before it"
    }
}
