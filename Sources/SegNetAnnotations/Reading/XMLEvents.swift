import SegNetPlatform

/// Reads the XML that annotation programs write, element by element: elements, attributes, text, comments, the five named entities and
/// numbered ones. Document types are refused, so that no entity can expand into a large text.
struct XMLEvents {
    enum Event {
        case start(name: String, attributes: [String: String])
        case end(name: String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var at = 0
    private var open: [String] = []
    /// The name in `<a/>`, whose end is the event after its start.
    private var pendingEnd: String?
    private var hasRoot = false

    private static let deepest = 64

    init(_ data: Data) { bytes = Array(data) }

    /// The line that is being read, from 1.
    var line: Int { 1 + bytes[..<min(at, bytes.count)].count { $0 == 0x0A } }

    /// The next event; nil at the end.
    /// - Throws: `AnnotationError` with the line.
    mutating func next() throws(AnnotationError) -> Event? {
        if let name = pendingEnd {
            pendingEnd = nil
            open.removeLast()
            return .end(name: name)
        }
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "<") else {
                let start = at
                while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
                let text = try unescaped(start..<at)
                guard !open.isEmpty else {
                    if text.contains(where: { !$0.isWhitespace }) { throw error("has text outside of its elements") }
                    continue
                }
                return .text(text)
            }
            if skip("<!--") {
                try skipBehind("-->")
            } else if skip("<![CDATA[") {
                let start = at
                try skipBehind("]]>")
                guard !open.isEmpty else { throw error("has text outside of its elements") }
                return .text(String(decoding: bytes[start..<at - 3], as: UTF8.self))
            } else if skip("<?") {
                try skipBehind("?>")
            } else if has("<!") {
                throw error("has a document type, which annotations do not need")
            } else if skip("</") {
                let name = try name()
                skipSpace()
                guard skip(">"), open.popLast() == name else {
                    throw error("ends an element '\(name)' that is not open")
                }
                return .end(name: name)
            } else {
                at += 1
                return try startOfElement()
            }
        }
        guard open.isEmpty else { throw error("ends within the element '\(open[open.count - 1])'") }
        guard hasRoot else { throw error("has no element") }
        return nil
    }

    private mutating func startOfElement() throws(AnnotationError) -> Event {
        let name = try name()
        guard !open.isEmpty || !hasRoot else { throw error("has a second outermost element") }
        hasRoot = true
        guard open.count < Self.deepest else {
            throw error("has elements within elements more than \(Self.deepest) deep")
        }
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            if skip("/>") {
                pendingEnd = name
                break
            }
            if skip(">") { break }
            let key = try self.name()
            skipSpace()
            guard skip("=") else { throw error("has the attribute '\(key)' without a value") }
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") else {
                throw error("has the attribute '\(key)' without quotes")
            }
            let quote = bytes[at]
            at += 1
            let start = at
            while at < bytes.count, bytes[at] != quote, bytes[at] != UInt8(ascii: "<") { at += 1 }
            guard at < bytes.count, bytes[at] == quote else { throw error("ends within the attribute '\(key)'") }
            guard attributes.updateValue(try unescaped(start..<at), forKey: key) == nil else {
                throw error("has the attribute '\(key)' twice in one element")
            }
            at += 1
        }
        open.append(name)
        return .start(name: name, attributes: attributes)
    }

    private mutating func name() throws(AnnotationError) -> String {
        let start = at
        while at < bytes.count, !" \t\r\n=/><\"'&".utf8.contains(bytes[at]) { at += 1 }
        guard at > start else { throw error("has an element or attribute without a name") }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private func unescaped(_ range: Range<Int>) throws(AnnotationError) -> String {
        guard bytes[range].contains(UInt8(ascii: "&")) else { return String(decoding: bytes[range], as: UTF8.self) }
        var result: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "&") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard let end = bytes[index..<min(range.upperBound, index + 12)].firstIndex(of: UInt8(ascii: ";")) else {
                throw error("has an '&' that does not begin an entity")
            }
            let word = String(decoding: bytes[index + 1..<end], as: UTF8.self)
            let named = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
            if let text = named[word] {
                result += Array(text.utf8)
            } else if let number = word.hasPrefix("#x")
                ? UInt32(word.dropFirst(2), radix: 16) : word.hasPrefix("#") ? UInt32(word.dropFirst()) : nil,
                let scalar = Unicode.Scalar(number)
            {
                result += Array(String(Character(scalar)).utf8)
            } else {
                throw error("has the unknown entity '&\(word);'")
            }
            index = end + 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func has(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard at + count <= bytes.count else { return false }
        return word.withUTF8Buffer { $0.elementsEqual(bytes[at..<at + count]) }
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        guard has(word) else { return false }
        at += word.utf8CodeUnitCount
        return true
    }

    private mutating func skipBehind(_ word: StaticString) throws(AnnotationError) {
        while at < bytes.count {
            if skip(word) { return }
            at += 1
        }
        throw error("ends before a '\(word)'")
    }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private func error(_ words: String) -> AnnotationError {
        AnnotationError("line \(line): \(words). Check that it is the right file, or export it again.")
    }
}
