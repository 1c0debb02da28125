/// Damages annotation files, which are texts: JSON, XML, or lines of words.
struct TextMutator: Mutator {
    enum Form { case json, xml, lines }

    let form: Form

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var text = TextTokens(bytes, comments: false)
        switch form {
        case .json: text.damageJSON(&random)
        case .xml: damageXML(&text, &random)
        case .lines: damageLines(&text, &random)
        }
        return text.bytes
    }

    private func damageXML(_ text: inout TextTokens, _ random: inout FuzzRandom) {
        guard let place = random.pick(text.tokens.indices) else { return }
        func insert(_ words: String) {
            text.tokens.insert(.init(kind: .word, text: Array(words.utf8)), at: place)
        }
        switch random.below(8) {
        case 0...2: text.tokens.disorder(&random)
        case 3:
            let depth = random.oneIn(2) ? 20_000 : 1 + random.below(100)
            insert(String(repeating: "<a>", count: depth))
        case 4:
            let marks = ["<", ">", "/>", "</", "&", "&amp;", "&#x41;", "&#x110000;", "&#0;", "<!--", "-->", "<?", "?>"]
            insert(random.pick(marks) ?? "<")
        case 5: insert(random.pick(["<!DOCTYPE a [<!ENTITY b \"c\">]>", "<![CDATA[a]]>", "<![CDATA["]) ?? "")
        case 6:
            if let other = random.pick(text.places(.word)) { text.tokens[place] = text.tokens[other] }
        default: random.changeBytes(&text.tokens[place].text)
        }
    }

    private func damageLines(_ text: inout TextTokens, _ random: inout FuzzRandom) {
        guard let place = random.pick(text.tokens.indices) else { return }
        switch random.below(5) {
        case 0...2: text.tokens.disorder(&random)
        case 3:
            let marks = ["\n", "\r", " ", "\0", "\u{FEFF}", "\u{2028}", "-", ",", "0"]
            text.tokens.insert(.init(kind: .space, text: Array((random.pick(marks) ?? " ").utf8)), at: place)
        default: random.changeBytes(&text.tokens[place].text)
        }
    }

    /// Brackets, tags and lines stay; numbers, strings and words change.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var text = TextTokens(bytes, comments: false)
        for _ in 0..<(1 + random.below(3)) {
            switch form {
            case .json: changeJSONValue(&text, &random)
            case .xml:
                if let place = random.pick(text.places(.string)) { changeInside(&text.tokens[place], &random) }
            case .lines:
                if let place = random.pick(text.places(.number)) {
                    let share = Array("0.\(random.below(1000))".utf8)
                    text.tokens[place].text = random.oneIn(2) ? share : random.number(near: text.tokens[place].text)
                }
            }
        }
        return text.bytes
    }

    private func changeJSONValue(_ text: inout TextTokens, _ random: inout FuzzRandom) {
        // A string before a colon is a key.
        let values = text.places(.string).filter { place in
            text.next(after: place).map { !text.isPunctuation($0, ":") } ?? true
        }
        switch random.below(6) {
        case 0: if let place = random.pick(values) { changeInside(&text.tokens[place], &random) }
        case 1:
            if let place = random.pick(values), let other = random.pick(values) {
                text.tokens[place].text = text.tokens[other].text
            }
        case 2:
            let words = ["true", "false", "null"].map { Array($0.utf8) }
            if let place = random.pick(text.places(.word)), let word = random.pick(words) {
                text.tokens[place].text = word
            }
        default:
            if let place = random.pick(text.places(.number)) {
                text.tokens[place].text = random.number(near: text.tokens[place].text)
            }
        }
    }

    /// Changes a number or a letter between two quotes: run lengths, points, pixels in base 64.
    private func changeInside(_ token: inout TextTokens.Token, _ random: inout FuzzRandom) {
        guard token.text.count >= 2, let quote = token.text.first else { return }
        var inner = TextTokens(token.text.dropFirst().dropLast(), comments: false)
        if let place = random.pick(inner.places(.number)), !random.oneIn(4) {
            inner.tokens[place].text = random.number(near: inner.tokens[place].text)
        } else if let place = random.pick(inner.tokens.indices), !inner.tokens[place].text.isEmpty {
            // Printable, and none that ends the string.
            let letter = UInt8(ascii: "0") + UInt8(random.below(74))
            let at = random.below(inner.tokens[place].text.count)
            if letter != UInt8(ascii: "\\"), letter != UInt8(ascii: "<"),
                inner.tokens[place].text[at] != UInt8(ascii: "\\")
            {
                inner.tokens[place].text[at] = letter
            }
        }
        token.text = [quote] + inner.bytes + [quote]
    }
}

extension TextTokens {
    /// Damages JSON: tokens change places, numbers, names, brackets.
    mutating func damageJSON(_ random: inout FuzzRandom) {
        switch random.below(7) {
        case 0...2: tokens.disorder(&random)
        case 3:
            if let place = random.pick(places(.number)) { tokens[place].text = random.number(near: tokens[place].text) }
        case 4:
            // A string in place of another: names that collide, keys that are missing.
            if let place = random.pick(places(.string)), let other = random.pick(places(.string)) {
                tokens[place].text = tokens[other].text
            }
        case 5:
            let opening: UInt8 = random.oneIn(2) ? UInt8(ascii: "[") : UInt8(ascii: "{")
            let depth = random.oneIn(2) ? 50_000 : 1 + random.below(2000)
            let nest = [UInt8](repeating: opening, count: depth)
            tokens.insert(.init(kind: .punctuation, text: nest), at: random.below(tokens.count + 1))
        default: if let place = random.pick(tokens.indices) { random.changeBytes(&tokens[place].text) }
        }
    }
}
