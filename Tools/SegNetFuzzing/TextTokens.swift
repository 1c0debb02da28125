/// Text cut into tokens that give the text back when joined: what JSON and Caffe's text format have in common.
struct TextTokens {
    enum Kind { case space, word, number, string, punctuation }

    struct Token {
        var kind: Kind
        var text: [UInt8]
    }

    var tokens: [Token] = []

    /// Cuts any bytes; `#` starts a comment, which counts as space, where `comments` says so.
    init(_ bytes: some Collection<UInt8>, comments: Bool) {
        let bytes = Array(bytes)
        var place = 0
        while place < bytes.count {
            let start = place
            let first = bytes[place]
            let kind: Kind
            if Self.isSpace(first) {
                kind = .space
                while place < bytes.count, Self.isSpace(bytes[place]) { place += 1 }
            } else if comments, first == UInt8(ascii: "#") {
                kind = .space
                while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
            } else if first == UInt8(ascii: "\"") || (comments && first == UInt8(ascii: "'")) {
                kind = .string
                place += 1
                while place < bytes.count, bytes[place] != first { place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1 }
                place = min(place + 1, bytes.count)
            } else if Self.isDigit(first) || first == UInt8(ascii: "-") {
                kind = .number
                place += 1
                while place < bytes.count, Self.isWord(bytes[place]) || "+-.".utf8.contains(bytes[place]) { place += 1 }
            } else if Self.isWord(first) {
                kind = .word
                while place < bytes.count, Self.isWord(bytes[place]) { place += 1 }
            } else {
                kind = .punctuation
                place += 1
            }
            tokens.append(Token(kind: kind, text: Array(bytes[start..<place])))
        }
    }

    var bytes: [UInt8] { tokens.flatMap(\.text) }

    /// The places of tokens of these kinds.
    func places(_ kinds: Kind...) -> [Int] { tokens.indices.filter { kinds.contains(tokens[$0].kind) } }

    /// The next token that is not space.
    func next(after place: Int) -> Int? { tokens.indices.dropFirst(place + 1).first { tokens[$0].kind != .space } }

    func isPunctuation(_ place: Int, _ character: Character) -> Bool {
        tokens[place].kind == .punctuation && tokens[place].text.first == character.asciiValue
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
    }
}

extension FuzzRandom {
    /// Another number as text: small, near the old one, at an edge of some integer type, negative, or with a fraction.
    mutating func number(near text: [UInt8], integersOnly: Bool = false) -> [UInt8] {
        if oneIn(2) { return Array("\(below(20))".utf8) }
        let value = interesting(near: UInt64(String(decoding: text, as: UTF8.self)) ?? 1)
        var words = ["\(value)", "\(value)", "\(Int64(truncatingIfNeeded: value))"]
        if !integersOnly {
            words += [
                "-\(below(9))", "0.5", "1e38", "1e-40", "-0", "1e400", "0.\(value)", "99999999999999999999999999",
            ]
        }
        return Array(words[below(words.count)].utf8)
    }
}
