import SegNetImages

extension Dataset {
    /// Gives label numbers other meanings, in the words of people: number or name, to number, name or `void`.
    /// - Throws: `DatasetError` naming the word that means nothing here, and those that would.
    mutating func rename(_ words: [String: String]) throws(DatasetError) {
        let meanings = rule
        for (old, new) in words.sorted(by: { $0.key < $1.key }) {
            let id = try target(new, of: old)
            for number in try numbers(old, of: new, meanings) { rule.mapping[number] = .some(id) }
        }
    }

    /// The class that a word means; nil for void.
    private func target(_ word: String, of old: String) throws(DatasetError) -> UInt16? {
        let count = classes.classes.count
        if let id = classes.id(named: word) { return UInt16(id) }
        if word.lowercased() == "void" { return nil }
        guard let id = UInt16(word) else {
            throw DatasetError("map \(old)=\(word): there is no class '\(word)'; \(Self.known(classes)), or void.")
        }
        guard Int(id) < count else {
            throw DatasetError("map \(old)=\(word): there are \(count) classes, 0...\(count - 1); or void.")
        }
        return id
    }

    /// The numbers in label files that a word means: a class has several where the data set maps many to one.
    private func numbers(_ word: String, of new: String, _ meanings: LabelRule) throws(DatasetError) -> [UInt16] {
        if let number = UInt16(word) { return [number] }
        // Labels in colours of their own have names of their own.
        let labels = meanings.colors ?? classes
        guard let id = labels.id(named: word).map({ UInt16($0) }) else {
            throw DatasetError("map \(word)=\(new): there is no label '\(word)'; \(Self.known(labels)).")
        }
        if meanings.colors != nil { return [id] }
        let mapped = meanings.mapping.filter { $0.value == id }.map(\.key)
        return meanings.mapping[id] == nil ? mapped + [id] : mapped
    }

    private static func known(_ table: ClassTable) -> String {
        "the \(table.name == "camvid32" ? "colours" : "classes") are \(table.classes.map(\.name).joined(separator: ", "))"
    }
}

extension InputFiles {
    /// - Throws: `DatasetError` if a kind of data set has no further files.
    func check(for kind: DatasetKind) throws(DatasetError) {
        switch kind {
        case .cityscapes where words.count > 1, .voc where words.count > 1:
            throw DatasetError(
                "inputs \(words.joined(separator: ",")): the layout of \(kind.rawValue) has one picture a label; write list files "
                    + "(--dataset list) with a line \"\(words.joined(separator: " ")) label\" for each."
            )
        case .synthetic where words != ["rgb"] && words != ["gray"]:
            throw DatasetError("inputs \(words.joined(separator: ",")): rendered streets are rgb or gray.")
        default: break
        }
    }
}
