/// A header's value and its parameters: `form-data; name="image"; filename="a.jpg"` (RFC 9110, 5.6.6).
struct HeaderParameters: Sendable, Hashable {
    /// What stands before the first semicolon, in small letters.
    let value: String
    private var parameters: [String: String] = [:]

    init(_ header: String) {
        var rest = header[...]
        value = rest.cut(at: ";").trimmed.lowercased()
        while !rest.isEmpty {
            let name = rest.cut(at: "=", orBefore: ";").trimmed.lowercased()
            rest = rest.drop { $0 == " " || $0 == "\t" }
            let text = rest.first == "\"" ? rest.quoted() : String(rest.cut(at: ";").trimmed)
            if !name.isEmpty, parameters[name] == nil { parameters[name] = text }
        }
    }

    /// A parameter by its name in small letters; the first of several.
    subscript(_ name: String) -> String? { parameters[name] }
}

extension Substring {
    /// Takes what stands before a mark, and drops the mark. At another mark it stops and leaves that.
    fileprivate mutating func cut(at mark: Character, orBefore other: Character? = nil) -> Substring {
        let end = firstIndex { $0 == mark || $0 == other } ?? endIndex
        let taken = self[..<end]
        self = end == endIndex ? self[endIndex...] : self[end...]
        if first == mark { self = dropFirst() } else if other != nil, first == other { self = dropFirst() }
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
