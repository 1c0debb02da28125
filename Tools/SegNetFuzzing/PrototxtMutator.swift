/// Damages Caffe's text format token by token.
struct PrototxtMutator: Mutator {
    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var text = TextTokens(bytes, comments: true)
        let solid = text.places(.word, .number, .string, .punctuation)
        guard let one = random.pick(solid), let other = random.pick(solid) else { return bytes }
        switch random.below(9) {
        case 0: text.tokens.swapAt(one, other)
        case 1: text.tokens.insert(text.tokens[one], at: other)
        case 2: text.tokens.remove(at: one)
        case 3...5: disorderBlocks(&text, &random)
        case 6:
            let marks = ["{", "}", ":", "<", ">", "[", "]", ";", ",", "\"", "'", "#", "\0", "\u{FEFF}", "\\"]
            text.tokens.insert(.init(kind: .punctuation, text: Array((random.pick(marks) ?? "{").utf8)), at: one)
        case 7:
            // Blocks in blocks, deeper than a reader should follow.
            let depth = random.oneIn(2) ? 20_000 : 1 + random.below(500)
            let nest = (0..<depth).flatMap { _ in Array("layer{".utf8) }
            text.tokens.insert(.init(kind: .word, text: nest), at: one)
        default: random.changeBytes(&text.tokens[one].text)
        }
        return text.bytes
    }

    /// Braces and colons stay; numbers, strings and words change.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var text = TextTokens(bytes, comments: true)
        let words = text.places(.word).map { text.tokens[$0].text } + [Array("BOGUS".utf8), Array("true".utf8)]
        let strings = text.places(.string)
        for _ in 0..<(random.oneIn(3) ? 2 : 1) {
            switch random.below(6) {
            case 0...2:
                if let place = random.pick(text.places(.number)) {
                    let new = random.number(near: text.tokens[place].text, integersOnly: random.oneIn(2))
                    text.tokens[place].text = new
                }
            case 3, 4:
                // A blob or a layer by another's name: cycles, missing inputs, doubles.
                if let place = random.pick(strings), let other = random.pick(strings) {
                    let invented = [UInt8](repeating: UInt8(ascii: "y"), count: 1 + random.below(300))
                    let name = random.oneIn(6) ? [34] + invented + [34] : text.tokens[other].text
                    text.tokens[place].text = name
                }
            default:
                if let place = random.pick(text.places(.word)), let word = random.pick(words) {
                    text.tokens[place].text = word
                }
            }
        }
        return text.bytes
    }

    /// Swaps, repeats, removes or moves whole `name { ... }` blocks.
    private func disorderBlocks(_ text: inout TextTokens, _ random: inout FuzzRandom) {
        let opened = text.tokens.indices.filter { text.isPunctuation($0, "{") }
        guard let open = random.pick(opened) else { return }
        var depth = 0
        var end = open
        while end < text.tokens.count {
            if text.isPunctuation(end, "{") { depth += 1 }
            if text.isPunctuation(end, "}") { depth -= 1 }
            if depth == 0 { break }
            end += 1
        }
        guard end < text.tokens.count else { return }
        let start = text.tokens[..<open].lastIndex { $0.kind == .word } ?? open
        let block = Array(text.tokens[start...end]) + [.init(kind: .space, text: Array("\n".utf8))]
        let action = random.below(3)
        if action != 0 { text.tokens.removeSubrange(start...end) }
        if action != 1 { text.tokens.insert(contentsOf: block, at: random.below(text.tokens.count + 1)) }
    }
}
