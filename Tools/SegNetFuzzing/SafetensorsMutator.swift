/// A safetensors file's three parts: 8 bytes of header length (little-endian), a JSON header, the tensors' bytes.
public struct SafetensorsParts: Sendable {
    public var header: [UInt8]
    public var data: [UInt8]
    var declaredLength: UInt64?

    public init(header: [UInt8], data: [UInt8]) {
        self.header = header
        self.data = data
    }

    /// Cuts the file; nil if the length leads beyond its end.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8 else { return nil }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(bytes.count - 8) else { return nil }
        header = Array(bytes[8..<(8 + Int(length))])
        data = Array(bytes[(8 + Int(length))...])
    }

    /// The file.
    public var bytes: [UInt8] {
        let length = declaredLength ?? UInt64(header.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + header + data
    }
}

struct SafetensorsMutator: Mutator {
    private static let types = ["F64", "F32", "F16", "BF16", "I64", "I32", "I8", "U8", "BOOL", "F8_E4M3", "f32", ""]

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var file = SafetensorsParts(bytes) else { return bytes }
        var json = TextTokens(file.header, comments: false)
        switch random.below(10) {
        case 9:
            // Whole entries change places; the offsets inside still lead to their bytes.
            disorderEntries(&json, &random)
        case 0: file.declaredLength = random.interesting(near: UInt64(file.header.count))
        case 1:
            let types = json.places(.string).filter { json.tokens[$0].text.count <= 7 }
            if let place = random.pick(types), let type = random.pick(Self.types) {
                json.tokens[place].text = Array("\"\(type)\"".utf8)
            }
        default: json.damageJSON(&random)
        }
        file.header = json.bytes
        return file.bytes
    }

    /// Swaps two tensors' entries, or repeats one.
    private func disorderEntries(_ json: inout TextTokens, _ random: inout FuzzRandom) {
        // An entry is a name, a colon and an object without objects inside.
        let starts = json.places(.string).filter { place in
            guard let colon = json.next(after: place), let open = json.next(after: colon) else { return false }
            return json.isPunctuation(colon, ":") && json.isPunctuation(open, "{") && place > 1
        }
        guard let one = random.pick(starts), let other = random.pick(starts), one < other,
            let oneEnd = json.tokens.indices.dropFirst(one).first(where: { json.isPunctuation($0, "}") }),
            let otherEnd = json.tokens.indices.dropFirst(other).first(where: { json.isPunctuation($0, "}") }),
            oneEnd < other
        else { return }
        let entry = json.tokens[one...oneEnd]
        let otherEntry = json.tokens[other...otherEnd]
        json.tokens.replaceSubrange(other...otherEnd, with: entry)
        if !random.oneIn(3) { json.tokens.replaceSubrange(one...oneEnd, with: otherEntry) }
    }

    /// The header stays JSON of the right length, names and offsets stay; values, metadata and shapes of equal size change.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var file = SafetensorsParts(bytes) else { return bytes }
        var json = TextTokens(file.header, comments: false)
        switch random.below(4) {
        case 0: changeValues(&file.data, &random)
        case 1: swapInShape(&json, &random)
        default: changeMetadata(&json, &random)
        }
        file.header = json.bytes
        return file.bytes
    }

    /// Infinities, NaN, huge and tiny numbers among the weights, as float32 at any aligned place.
    private func changeValues(_ data: inout [UInt8], _ random: inout FuzzRandom) {
        let patterns: [UInt32] = [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F7F_FFFF, 0xFF7F_FFFF, 1, 0x8000_0000, 0]
        for _ in 0..<(1 + random.below(16)) where data.count >= 4 {
            let place = random.below(data.count / 4) * 4
            let pattern = random.pick(patterns) ?? 0
            for byte in 0..<4 { data[place + byte] = UInt8(truncatingIfNeeded: pattern >> (8 * UInt32(byte))) }
        }
    }

    /// [64, 3, 7, 7] becomes [3, 64, 7, 7]: as many bytes, another tensor.
    private func swapInShape(_ json: inout TextTokens, _ random: inout FuzzRandom) {
        let shapes = json.places(.string).filter { json.tokens[$0].text == Array("\"shape\"".utf8) }
        guard let shape = random.pick(shapes) else { return }
        let end = json.tokens.indices.dropFirst(shape).first { json.isPunctuation($0, "]") } ?? shape
        let sizes = (shape..<max(end, shape)).filter { json.tokens[$0].kind == .number }
        if let one = random.pick(sizes), let other = random.pick(sizes) {
            json.tokens.swapAt(one, other)
        }
    }

    /// A metadata string: JSON inside it gets other numbers or words, other text gets other characters.
    private func changeMetadata(_ json: inout TextTokens, _ random: inout FuzzRandom) {
        let values = json.places(.string).filter { place in
            guard place > 0, json.isPunctuation(place - 1, ":") || json.isPunctuation(max(0, place - 2), ":") else {
                return false
            }
            return json.tokens[place].text.count > 7 || !json.tokens[place].text.contains { $0 < 58 && $0 > 47 }
        }
        // Long values (a network's description) are where the most is read from: prefer them.
        let long = values.filter { json.tokens[$0].text.count > 100 }
        guard let place = random.pick(long.isEmpty || random.oneIn(3) ? values : long) else { return }
        let text = json.tokens[place].text
        let inner = Array(text.dropFirst().dropLast())
        guard inner.first == UInt8(ascii: "{") || inner.first == UInt8(ascii: "[") else {
            var letters = inner.isEmpty ? Array("x".utf8) : inner
            let letter = random.below(letters.count)
            if letters[letter] != UInt8(ascii: "\\"), letter == 0 || letters[letter - 1] != UInt8(ascii: "\\") {
                letters[letter] = UInt8(ascii: "a") + UInt8(random.below(26))
            }
            json.tokens[place].text = [UInt8(ascii: "\"")] + letters + [UInt8(ascii: "\"")]
            return
        }
        var description = TextTokens(Self.unescape(inner), comments: false)
        for _ in 0..<(1 + random.below(3)) {
            switch random.below(4) {
            case 0:
                if let one = random.pick(description.places(.string)),
                    let other = random.pick(description.places(.string))
                {
                    description.tokens[one].text = description.tokens[other].text
                }
            case 1:
                if let one = random.pick(description.places(.word)) {
                    description.tokens[one].text = Array((random.pick(["true", "false", "null"]) ?? "null").utf8)
                }
            default:
                if let one = random.pick(description.places(.number)) {
                    let new = random.number(near: description.tokens[one].text, integersOnly: !random.oneIn(4))
                    description.tokens[one].text = new
                }
            }
        }
        json.tokens[place].text = [UInt8(ascii: "\"")] + Self.escape(description.bytes) + [UInt8(ascii: "\"")]
    }

    /// Takes the backslashes from `\"`, `\\` and `\/`; leaves other escapes as they are.
    static func unescape(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var place = 0
        while place < text.count {
            if text[place] == UInt8(ascii: "\\"), place + 1 < text.count, "\"\\/".utf8.contains(text[place + 1]) {
                place += 1
            }
            out.append(text[place])
            place += 1
        }
        return out
    }

    static func escape(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte in "\"\\".utf8.contains(byte) ? [UInt8(ascii: "\\"), byte] : [byte] }
    }
}
