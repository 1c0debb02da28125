/// A header's value and its parameters: `form-data; name="image"; filename="a.jpg"` (RFC 9110, 5.6.6).
package struct HeaderParameters: Sendable, Hashable {
    /// The text before the first semicolon, in lower case.
    package let value: String
    private var parameters: [String: String] = [:]

    package init(_ header: String) {
        var rest = header[...]
        value = rest.cut(at: ";").trimmed.lowercased()
        while !rest.isEmpty {
            // Up to `=`, or to the end of a word that has none.
            let end = rest.firstIndex { $0 == "=" || $0 == ";" } ?? rest.endIndex
            let name = rest[..<end].trimmed.lowercased()
            let hasValue = end < rest.endIndex && rest[end] == "="
            rest = rest[end...].dropFirst()
            guard hasValue else { continue }
            rest = rest.drop { $0 == " " || $0 == "\t" }
            let text = rest.first == "\"" ? rest.quoted() : String(rest.cut(at: ";").trimmed)
            if !name.isEmpty, parameters[name] == nil { parameters[name] = text }
        }
    }

    /// A parameter by its name in lower case; the first of several.
    package subscript(_ name: String) -> String? { parameters[name] }
}

extension Substring {
    /// Takes the text before a mark, and drops the mark.
    fileprivate mutating func cut(at mark: Character) -> Substring {
        let end = firstIndex(of: mark) ?? endIndex
        let taken = self[..<end]
        self = self[end...].dropFirst()
        return taken
    }

    /// Takes a quoted string and what follows up to the next semicolon. Browsers escape quotes in file names as `%22`, others as `\"`.
    fileprivate mutating func quoted() -> String {
        self = dropFirst()
        var text = ""
        while let letter = popFirst(), letter != "\"" {
            text.append(letter == "\\" ? popFirst() ?? letter : letter)
        }
        _ = cut(at: ";")
        return text
    }

    fileprivate var trimmed: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }.map(start.index(after:)) ?? start.startIndex
        return start[..<end]
    }
}
