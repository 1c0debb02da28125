/// Finds the fields of a protobuf text (`.prototxt`) and their lines.
///
/// swift-protobuf's text format knows the types of the fields but not where an error is; this scanner knows where, and
/// nothing about types. It takes what real files contain: `#` comments in any encoding, `key: value`, `key { }` and
/// `key: { }`, single and double quotes, lists, `,` and `;` between fields.
struct PrototxtScanner {
    /// One field: its name, its line, and its bytes in the file.
    struct Field {
        let name: String
        /// Counted from 1.
        let line: Int
        /// From the name to the end of the value.
        let range: Range<Int>
        /// The value, and for a message what is between its braces.
        let value: Range<Int>
        /// The fields inside a message; nil for a plain value.
        let fields: [Field]?

        /// The first inner field with this name.
        func first(_ name: String) -> Field? { fields?.first { $0.name == name } }
    }

    /// The text ends early, or has a letter where none is allowed.
    struct ScanError: Error {
        let line: Int
        let problem: String
    }

    /// Real files have a few hundred lines; these limits only stop files that were made to exhaust memory.
    static let greatestSize = 4 << 20
    private static let greatestDepth = 32
    private static let greatestFieldCount = 200_000

    let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var fieldCount = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A byte order mark, which some editors add.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    /// All fields of the text.
    mutating func scan() throws(ScanError) -> [Field] {
        try fields(until: nil, depth: 0)
    }

    /// The text of a range, with broken UTF-8 repaired (which can only be in comments and strings).
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The content of a quoted value without its quotes, or a bare word. Several quoted texts in a row are one, as in protobuf.
    func word(_ field: Field) -> String {
        var scanner = self
        scanner.position = field.value.lowerBound
        guard scanner.isAtQuote else { return text(field.value) }
        var letters: [UInt8] = []
        while scanner.position < field.value.upperBound {
            let start = scanner.position + 1
            guard scanner.isAtQuote, (try? scanner.skipString()) != nil else { break }
            letters += bytes[start..<scanner.position - 1]
            scanner.skipSpace()
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// Whether a quoted text begins at the current position.
    private var isAtQuote: Bool {
        position < bytes.count && [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[position])
    }

    private mutating func fields(until end: UInt8?, depth: Int) throws(ScanError) -> [Field] {
        guard depth <= Self.greatestDepth else {
            throw ScanError(line: line, problem: "braces are nested more than \(Self.greatestDepth) deep")
        }
        let startLine = line
        var fields: [Field] = []
        while true {
            skipSpace()
            guard position < bytes.count else {
                if end == nil { return fields }
                throw ScanError(line: startLine, problem: "the brace that opens here is never closed")
            }
            let letter = bytes[position]
            if letter == end { return fields }
            if letter == UInt8(ascii: ",") || letter == UInt8(ascii: ";") {
                position += 1
                continue
            }
            fields.append(try field(depth: depth))
        }
    }

    private mutating func field(depth: Int) throws(ScanError) -> Field {
        fieldCount += 1
        guard fieldCount <= Self.greatestFieldCount else {
            throw ScanError(line: line, problem: "there are more than \(Self.greatestFieldCount) fields")
        }
        let start = position
        let startLine = line
        while position < bytes.count, Self.isWordLetter(bytes[position]) { position += 1 }
        guard position > start else {
            throw ScanError(
                line: line,
                problem: "found \(Self.quoted(bytes[position])) where a field's name was needed"
            )
        }
        let name = text(start..<position)
        skipSpace()
        var hasColon = false
        if position < bytes.count, bytes[position] == UInt8(ascii: ":") {
            hasColon = true
            position += 1
            skipSpace()
        }
        guard position < bytes.count else {
            throw ScanError(line: startLine, problem: "the text ends after '\(name)', where its value was needed")
        }
        let letter = bytes[position]
        if letter == UInt8(ascii: "{") || letter == UInt8(ascii: "<") {
            position += 1
            let inner = position
            let close = letter == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: ">")
            let fields = try fields(until: close, depth: depth + 1)
            let value = inner..<position
            position += 1
            return Field(name: name, line: startLine, range: start..<position, value: value, fields: fields)
        }
        guard hasColon else {
            throw ScanError(
                line: line,
                problem: "found \(Self.quoted(letter)) after '\(name)', where ':' or '{' was needed"
            )
        }
        let valueStart = position
        if letter == UInt8(ascii: "[") {
            try skipList()
        } else {
            try skipValue(of: name)
        }
        return Field(name: name, line: startLine, range: start..<position, value: valueStart..<position, fields: nil)
    }

    private mutating func skipValue(of name: String) throws(ScanError) {
        let letter = bytes[position]
        if isAtQuote {
            var end = (position, line)
            repeat {
                try skipString()
                end = (position, line)
                skipSpace()
            } while isAtQuote
            (position, line) = end
            return
        }
        let start = position
        if letter == UInt8(ascii: "-") {
            position += 1
            skipSpace()
        }
        while position < bytes.count, Self.isWordLetter(bytes[position]) { position += 1 }
        guard position > start else {
            throw ScanError(line: line, problem: "found \(Self.quoted(letter)) where the value of '\(name)' was needed")
        }
    }

    private mutating func skipString() throws(ScanError) {
        let quote = bytes[position]
        position += 1
        while position < bytes.count, bytes[position] != quote, bytes[position] != UInt8(ascii: "\n") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count, bytes[position] == quote else {
            throw ScanError(line: line, problem: "a quoted text does not end on its line")
        }
        position += 1
    }

    private mutating func skipList() throws(ScanError) {
        let startLine = line
        while position < bytes.count, bytes[position] != UInt8(ascii: "]") {
            skipSpace()
            guard position < bytes.count, bytes[position] != UInt8(ascii: "]") else { continue }
            if bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'") {
                try skipString()
            } else {
                position += 1
            }
        }
        guard position < bytes.count else {
            throw ScanError(line: startLine, problem: "the list that opens here is never closed")
        }
        position += 1
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"):
                line += 1
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0x0b, 0x0c: position += 1
            case UInt8(ascii: "#"):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            default: return
            }
        }
    }

    private static func isWordLetter(_ letter: UInt8) -> Bool {
        switch letter {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func quoted(_ letter: UInt8) -> String {
        (0x21..<0x7f).contains(letter) ? "'\(Character(UnicodeScalar(letter)))'" : "byte \(letter)"
    }
}
