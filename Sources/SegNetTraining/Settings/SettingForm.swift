internal import SegNetNetworks
internal import SegNetPlatform
internal import Yams

/// The form of a setting's values: how they are read from YAML or from the command line, checked, saved and explained.
struct SettingForm<Value: Sendable>: Sendable {
    /// For people, after "needs": "a number above 0".
    var words: String
    /// All values, where they can be listed.
    var choices: [String] = []
    /// The settings of a group, or of each entry of a list of groups.
    var settings: [RecipeSetting] = []
    /// Whether `settings` are those of one group, which a key with a point reaches.
    var isGroup = false
    /// Reads a value. The old one is what a group's missing settings keep.
    var read: @Sendable (Node, SettingPlace, _ old: Value) throws(ConfigurationError) -> Value
    var write: @Sendable (Value) -> Node
    /// Sentences about the settings of a group that are set and change nothing.
    var unused: @Sendable (Value, _ group: String) -> [String] = { _, _ in [] }
}

/// Where a value stands: for error messages.
struct SettingPlace: Sendable {
    /// The recipe's name; nil for values that were set from Swift.
    var file: String?
    /// The keys from the outermost one, `optimizer.weight-decay`; empty for the whole recipe.
    var path = ""
    /// Whether the value is made here, so that nothing may be missing.
    var isNew = false
    /// The sentence that says where the keys of this group are listed, where they are too many for a message.
    var listedBy: String?
    private var isEntry = false

    static let recipeList = "See the \(UserChoice.settings)."

    init(file: String?, listedBy: String? = recipeList) {
        self.file = file
        self.listedBy = listedBy
    }

    /// The value of a key in this group.
    func setting(_ key: String) -> SettingPlace {
        var place = self
        place.path = path.isEmpty ? key : path + (isEntry ? ": " : ".") + key
        place.isEntry = false
        place.isNew = false
        place.listedBy = nil
        return place
    }

    /// An entry of this list.
    func entry(_ index: Int) -> SettingPlace {
        var place = self
        place.path = "\(path), entry \(index + 1)"
        place.isEntry = true
        place.isNew = true
        place.listedBy = nil
        return place
    }

    func error(_ node: Node?, _ text: String) -> ConfigurationError {
        var parts: [String] = []
        if let file { parts.append(node?.mark.map { "\(file), line \($0.line)" } ?? file) }
        if !path.isEmpty { parts.append(path) }
        return ConfigurationError(SettingsYAML.printable((parts + [text]).joined(separator: ": ")))
    }

    /// The value has the wrong form.
    /// - Parameter choices: The words that are possible, the closest of which is offered.
    func error(_ node: Node, needs words: String, choices: [String] = []) -> ConfigurationError {
        let found: String
        switch node {
        case .scalar(let scalar):
            let text = SettingsYAML.excerpt(scalar.string).text
            found = Double(scalar.string) != nil ? text : "'\(text)'"
        case .sequence(let entries):
            let texts = entries.map { $0.scalar?.string ?? "..." }
            found = "[\(SettingsYAML.excerpt(texts.joined(separator: ", ")).text)]"
        case .mapping: found = "a group of settings"
        case .alias: found = "an alias"
        }
        let closest = node.scalar.flatMap { closestName(to: $0.string, among: choices) }
        return error(node, "needs \(words); found \(found)." + (closest.map { " Did you mean '\($0)'?" } ?? ""))
    }
}

// MARK: One value

extension SettingForm {
    /// A value that is written as one word.
    static func word(
        _ words: String,
        choices: [String] = [],
        parse: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String
    ) -> SettingForm {
        SettingForm(
            words: words,
            choices: choices,
            read: { (node, place, _) throws(ConfigurationError) in
                guard let value = node.scalar.flatMap({ parse($0.string) }) else {
                    throw place.error(node, needs: words, choices: choices)
                }
                return value
            },
            write: { Node(text($0)) }
        )
    }
}

extension SettingForm where Value == String {
    static let text = SettingForm.word("text", parse: { $0 }, text: { $0 })
    /// Names become files where the recipe is put to use: `TrainingConfiguration.resolveModels`.
    static let model = SettingForm.word(
        "a file, or a bundled model's name",
        parse: { $0.isEmpty ? nil : $0 },
        text: { $0 }
    )
    static let folder = SettingForm.word("a folder", parse: { $0.isEmpty ? nil : $0 }, text: { $0 })
}

extension SettingForm where Value == Bool {
    static let flag = SettingForm.word(
        "true or false",
        choices: ["true", "false"],
        parse: { ["true": true, "yes": true, "on": true, "false": false, "no": false, "off": false][$0.lowercased()] },
        text: { "\($0)" }
    )
}

extension SettingForm where Value: BinaryInteger & LosslessStringConvertible {
    static func integer(_ range: ClosedRange<Value>) -> SettingForm {
        .word(
            "a whole number in \(range.lowerBound)...\(range.upperBound)",
            parse: { Value($0).flatMap { range.contains($0) ? $0 : nil } },
            text: { "\($0)" }
        )
    }

    static func integer(atLeast least: Value) -> SettingForm {
        .word(
            "a whole number of at least \(least)",
            parse: { Value($0).flatMap { $0 >= least ? $0 : nil } },
            text: { "\($0)" }
        )
    }

    /// - Parameter other: One value below the range.
    static func integer(atLeast least: Value, or other: Value) -> SettingForm {
        .word(
            "a whole number of at least \(least), or \(other)",
            parse: { Value($0).flatMap { $0 >= least || $0 == other ? $0 : nil } },
            text: { "\($0)" }
        )
    }
}

extension SettingForm where Value == Double {
    static let number = number("a finite number") { _ in true }
    /// Relative to others, whose sum has to be finite.
    static let share = number(0...1_000_000)

    static func number(_ range: ClosedRange<Double>) -> SettingForm {
        number("a number in \(plainNumber(range.lowerBound))...\(plainNumber(range.upperBound))") { range.contains($0) }
    }

    static func number(_ range: Range<Double>) -> SettingForm {
        number("a number from \(plainNumber(range.lowerBound)) to below \(plainNumber(range.upperBound))") {
            range.contains($0)
        }
    }

    static func number(atLeast least: Double) -> SettingForm {
        number("a number of at least \(plainNumber(least))") { $0 >= least }
    }

    static func number(above least: Double, to greatest: Double? = nil) -> SettingForm {
        number("a number above \(plainNumber(least))" + (greatest.map { " and up to \(plainNumber($0))" } ?? "")) {
            $0 > least && $0 <= greatest ?? .infinity
        }
    }

    static func number(_ words: String, _ isValid: @escaping @Sendable (Double) -> Bool) -> SettingForm {
        .word(words, parse: { Double($0).flatMap { $0.isFinite && isValid($0) ? $0 : nil } }, text: yamlNumber)
    }
}

extension SettingForm where Value == Float {
    static func number(atLeast least: Float) -> SettingForm {
        .word(
            "a number of at least \(plainNumber(Double(least)))",
            parse: { Float($0).flatMap { $0.isFinite && $0 >= least ? $0 : nil } },
            text: { yamlNumber(Double("\($0)") ?? Double($0)) }
        )
    }
}

extension SettingForm where Value: RawRepresentable<String> & CaseIterable {
    static var choice: SettingForm {
        let names = Value.allCases.map(\.rawValue)
        return .word(
            "one of \(names.joined(separator: ", "))",
            choices: names,
            parse: { Value(rawValue: $0) },
            text: { $0.rawValue }
        )
    }
}

/// A number as every YAML reader takes it for one: with a point in front of an exponent, which YAML 1.1 asks for.
@Sendable private func yamlNumber(_ value: Double) -> String {
    let text = "\(value)"
    guard let exponent = text.firstIndex(of: "e"), !text[..<exponent].contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
}

/// A number without the fraction of whole ones: 0 and not 0.0.
func plainNumber(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}

// MARK: Several values

extension SettingForm {
    /// A list, or its entries in one word with commas between them.
    /// - Parameters:
    ///   - words: What the whole list needs; nil where any number of entries is right.
    ///   - isValid: Whether the whole list is right.
    static func list<Element>(
        of form: SettingForm<Element>,
        _ words: String? = nil,
        initial: Element,
        where isValid: @escaping @Sendable ([Element]) -> Bool = { _ in true }
    ) -> SettingForm where Value == [Element] {
        let words = words ?? "a list, each entry \(form.words)"
        return SettingForm(
            words: words,
            choices: form.choices,
            settings: form.settings,
            read: { (node, place, _) throws(ConfigurationError) in
                var entries: [Node]
                if let sequence = node.sequence {
                    entries = Array(sequence)
                } else if let scalar = node.scalar, !["~", "null"].contains(scalar.string) {
                    entries = commaSeparated(scalar.string).filter { !$0.isEmpty }.map { Node($0) }
                } else {
                    throw place.error(node, needs: words)
                }
                var values: [Element] = []
                for (index, entry) in entries.enumerated() {
                    values.append(try form.read(entry, place.entry(index), initial))
                }
                guard isValid(values) else { throw place.error(node, needs: words) }
                return values
            },
            write: { .sequence(Node.Sequence($0.map(form.write), .implicit, form.settings.isEmpty ? .flow : .block)) }
        )
    }

    /// Values by names that the user chooses.
    static func map<Element>(
        of form: SettingForm<Element>,
        _ words: String,
        initial: Element
    ) -> SettingForm where Value == [String: Element] {
        SettingForm(
            words: words,
            read: { (node, place, old) throws(ConfigurationError) in
                guard let mapping = node.mapping else { throw place.error(node, needs: words) }
                var values = old
                for (key, entry) in mapping {
                    guard let name = key.string else { throw place.error(key, "needs names as keys.") }
                    values[name] = try form.read(entry, place.setting(name), initial)
                }
                return values
            },
            write: { values in
                // Numbers in their order, then names.
                let sorted = values.sorted { (Int($0.key) ?? .max, $0.key) < (Int($1.key) ?? .max, $1.key) }
                let pairs = sorted.map { (Node($0.key), form.write($0.value)) }
                return .mapping(Node.Mapping(pairs, .implicit, pairs.count > 2 ? .block : .flow))
            }
        )
    }
}

extension SettingForm where Value: SettingGroup {
    /// Settings under one key.
    /// - Parameter isSparse: Saves only what differs from the defaults.
    static func group(_ words: String, isSparse: Bool = false) -> SettingForm {
        SettingForm(
            words: words,
            settings: Value.table.map(\.description),
            isGroup: true,
            read: { (node, place, old) throws(ConfigurationError) in
                var value = old
                try Value.table.read(node, place, onto: &value, needs: words)
                return value
            },
            write: { .mapping(Value.table.written($0, against: isSparse ? Value.standard : nil)) },
            unused: { value, group in Value.table.flatMap { $0.unused(value, in: group) } }
        )
    }
}

private let sizeWords = "[width, height] or WIDTHxHEIGHT, such as 480x360, each of 1...16384"

extension SettingForm where Value == PictureSize {
    /// [width, height], or `480x360`.
    static let size = SettingForm(
        words: sizeWords,
        read: { (node, place, _) throws(ConfigurationError) in
            let words =
                node.sequence?.map { $0.scalar?.string ?? "" }
                ?? node.scalar?.string.split(separator: "x", omittingEmptySubsequences: false).map(String.init) ?? []
            let sides = words.compactMap { Int($0) }
            guard words.count == 2, sides.count == 2, sides.allSatisfy({ (1...16_384).contains($0) }) else {
                throw place.error(node, needs: sizeWords)
            }
            return PictureSize(width: sides[0], height: sides[1])
        },
        write: { .sequence(Node.Sequence([$0.width, $0.height].map { Node("\($0)") }, .implicit, .flow)) }
    )
}
