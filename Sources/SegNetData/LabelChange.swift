internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform

/// One `OLD=NEW` of a user (`--map`): labels that mean another class than the data set says, or none. Many olds may become one new.
public struct LabelChange: Sendable, Hashable {
    public enum Old: Sendable, Hashable {
        /// A number of the label files.
        case number(UInt16)
        /// All that stands for the class of this name; or the labels of this name, where colours and annotations have names of their own:
        /// upper and lower case are the same.
        case name(String)
    }

    public enum New: Sendable, Hashable {
        case number(UInt16)
        case name(String)
        /// No ground truth.
        case void
    }

    public var old: Old
    public var new: New
    /// As it was written.
    public let text: String

    /// The text before and after the first `=`.
    public var oldText: String { String(text.prefix { $0 != "=" }) }
    public var newText: String { String(text.drop { $0 != "=" }.dropFirst()) }

    /// Reads `14=3`, `14=Road`, `Pole=void`.
    /// - Throws: `DatasetError` if there is no `=` or a side of it is empty.
    public init(_ text: String) throws(DatasetError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw DatasetError(
                "\(UserChoice.labelChange) '\(text)': write the label and its class as OLD=NEW, such as 14=3, 14=Road, Pole=Fence or Pole=void."
            )
        }
        self.text = text
        old = UInt16(parts[0]).map(Old.number) ?? .name(parts[0])
        new = parts[1].lowercased() == "void" ? .void : UInt16(parts[1]).map(New.number) ?? .name(parts[1])
    }
}

extension LabelRule {
    /// The rule with a user's changes. All of them look at the rule as it was: none acts on what another has made.
    /// - Throws: `DatasetError` naming the change and the classes that there are, or two changes that contradict each other.
    func changed(by changes: [LabelChange], classes: ClassTable) throws(DatasetError) -> LabelRule {
        var rule = self
        var known: [UInt16: (change: LabelChange, id: UInt16?)] = [:]
        for change in changes {
            let id = try change.newID(classes)
            for number in try change.numbers(in: self, classes: classes) {
                if let other = known[number], other.id != id {
                    throw DatasetError(
                        "\(UserChoice.labelChange) '\(change.text)': '\(other.change.text)' gives the label \(number) another meaning; leave "
                            + "one of them out."
                    )
                }
                known[number] = (change, id)
                rule.mapping[number] = .some(id)
            }
        }
        return rule
    }

    /// The label numbers that stand for a class.
    func numbers(of id: UInt16) -> [UInt16] {
        (mapping[id] == nil ? [id] : []) + mapping.filter { $0.value == id }.keys.sorted()
    }

    /// Classes that no label stands for any more, because a change gave all of theirs to another class, or (nil) to none. Predictions
    /// made without the change have to follow it before they are scored.
    func mergedClasses(from original: LabelRule, count: Int) -> [UInt16: UInt16?] {
        var merged: [UInt16: UInt16?] = [:]
        for id in 0..<UInt16(clamping: count) where numbers(of: id).isEmpty {
            let targets = Set(original.numbers(of: id).map { mapping[$0] ?? $0 })
            if targets.count == 1, let target = targets.first { merged[id] = .some(target) }
        }
        return merged
    }
}

extension LabelChange {
    fileprivate func newID(_ classes: ClassTable) throws(DatasetError) -> UInt16? {
        switch new {
        case .void: return nil
        case .number(let id):
            guard Int(id) < classes.classes.count else {
                throw DatasetError("\(UserChoice.labelChange) '\(text)': \(id) is \(classes.noneOfIDs).")
            }
            return id
        case .name(let name):
            guard let id = classes.id(named: name) else { throw unknown(name, classes) }
            return UInt16(clamping: id)
        }
    }

    fileprivate func numbers(in rule: LabelRule, classes: ClassTable) throws(DatasetError) -> [UInt16] {
        switch old {
        case .number(let number): return [number]
        case .name(let name):
            if let id = classes.id(named: name) { return rule.numbers(of: UInt16(clamping: id)) }
            let wanted = name.lowercased()
            let labels = rule.colors?.classes ?? []
            let found = labels.indices.filter { labels[$0].name.lowercased() == wanted }
            if !found.isEmpty { return found.map { UInt16(clamping: $0) } }
            throw unknown(name, classes, rule.colors)
        }
    }

    /// - Parameter colors: Names of painted labels, where they have their own.
    private func unknown(_ name: String, _ classes: ClassTable, _ colors: ClassTable? = nil) -> DatasetError {
        func names(_ table: ClassTable) -> String { table.classes.map(\.name).joined(separator: ", ") }
        let painted = colors.map { ", the labels' colours \(names($0))" } ?? ""
        let known = (classes.classes + (colors?.classes ?? [])).map(\.name)
        let hint = closestName(to: name, among: known).map { ". Did you mean '\($0)'? The" } ?? "; the"
        return DatasetError(
            "\(UserChoice.labelChange) '\(text)': there is no class '\(name)'\(hint) classes are \(names(classes))\(painted)."
        )
    }
}
