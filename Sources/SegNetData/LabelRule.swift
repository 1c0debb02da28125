public import SegNetImages
internal import SegNetPlatform

/// What the numbers of label files mean: which class each is, and which are not labelled.
public struct LabelRule: Sendable, Hashable {
    /// Numbers that mean another class than their own; nil: ignored. A number that is not here stands for the class of that number.
    public var mapping: [UInt16: UInt16?]
    /// Whether labels are painted in colours.
    public var isColored: Bool
    /// The colours, where they are not those of the classes: ids are then mapped by `mapping`.
    public var colors: ClassTable?
    /// Whether a `DatasetOptions.labelOffset` could be given: none is yet, and nothing else says what the labels' numbers mean.
    var acceptsOffset = false

    public init(mapping: [UInt16: UInt16?] = [:], isColored: Bool = false, colors: ClassTable? = nil) {
        self.mapping = mapping
        self.isColored = isColored
        self.colors = colors
    }

    /// Numbers are class ids; these are ignored.
    public static func ids(ignoring ignored: [UInt16]) -> LabelRule {
        LabelRule(mapping: Dictionary(uniqueKeysWithValues: ignored.map { ($0, UInt16?.none) }))
    }

    /// Numbers are the ids of these classes, and the usual number is void.
    static func ids(of classes: ClassTable) -> LabelRule {
        .ids(ignoring: [UInt16(clamping: ClassTable.usualVoid(classCount: classes.classes.count))])
    }

    /// Class ids of a map, `Example.ignored` where there is no ground truth.
    /// - Throws: `DatasetError` naming the first number that has no meaning, and where it stands.
    public func map(_ raw: LabelMap, path: String, classes: ClassTable) throws(DatasetError) -> LabelMap {
        let count = classes.classes.count
        // By number: the class, ignored, or -1 for no meaning.
        var table = [Int32](repeating: -1, count: 65_536)
        for id in 0..<count { table[id] = Int32(id) }
        for id in classes.ignoredIDs where (0..<65_536).contains(id) { table[id] = Int32(Example.ignored) }
        for (number, id) in mapping { table[Int(number)] = id.map(Int32.init) ?? Int32(Example.ignored) }
        var ids = raw.ids
        for index in ids.indices {
            let id = table[Int(ids[index])]
            guard id >= 0 else {
                let number = ids[index]
                let place = "at x \(index % raw.width), y \(index / raw.width)"
                throw DatasetError(
                    "\(path): has the label \(number) \(place) (\(counted(raw.ids.count { $0 == number }, "pixel"))), but "
                        + (count == 1 ? "the only class is 0; " : "the classes are 0...\(count - 1); ")
                        + advice(
                            number,
                            highest: raw.ids.filter { table[Int($0)] != Int32(Example.ignored) }.max(),
                            classes
                        )
                )
            }
            ids[index] = UInt16(id)
        }
        do { return try LabelMap(width: raw.width, height: raw.height, ids: ids) } catch {
            throw DatasetError("\(path): \(error)")
        }
    }

    /// What to do about a number without a meaning.
    /// - Parameter highest: The greatest number of the file that is not ignored.
    private func advice(_ number: UInt16, highest: UInt16?, _ classes: ClassTable) -> String {
        let change =
            "map it with the \(UserChoice.labelChange) \(number)=CLASS, or add \(number) to the \(UserChoice.ignoredLabels)."
        // One above the last class: the labels may count 1...K, and a change of the last one alone would leave all others shifted.
        guard acceptsOffset, Int(number) == classes.classes.count, highest == number, let first = classes.classes.first
        else {
            return change
        }
        return
            "if 1 is the class '\(first.name)', and 0 is void, use the \(UserChoice.labelOffset) -1; otherwise \(change)"
    }

    /// The rule of labels that count from another number: a number means the class `number + offset`, also where it is the usual one for
    /// void (255 of 1...255), and none if that is below 0. Ignored numbers beyond the classes stay so.
    /// - Parameter offset: 0 or less; -1 for labels 1...K with 0 for void.
    func shifted(by offset: Int, classes: ClassTable) -> LabelRule {
        var rule = self
        for number in 0..<min(classes.classes.count - offset, 65_536) {
            rule.mapping[UInt16(number)] = .some(number + offset < 0 ? nil : UInt16(number + offset))
        }
        return rule
    }
}

extension LabelMap {
    /// As `init(coloring:table:)`, with errors that name the file.
    /// - Parameter advice: What to do about gray values that are class ids, which were taken for colours by mistake.
    init(coloring image: Image, path: String, table: ClassTable, ifIDs advice: String?) throws(DatasetError) {
        do throws(ImageError) { self = try LabelMap(coloring: image, table: table) } catch {
            var text = "\(error)"
            if text.hasPrefix("picture: ") { text.removeFirst("picture: ".count) }
            if let advice, case .unknownColor(let color, _, _, _) = error.reason,
                color.red == color.green, color.green == color.blue
            {
                text += " Gray values: if they are class ids, \(advice)."
            }
            throw DatasetError("\(path): \(text)")
        }
    }
}

extension LabelMap {
    /// Class ids of a PNG that was painted with a table's colours; errors name the file.
    /// - Throws: `ImageError` if it cannot be read, `DatasetError` with the first colour that the table does not have.
    public init(painted path: String, table: ClassTable) throws {
        try self.init(painted: path, table: table, ifIDs: nil)
    }

    /// - Parameter advice: What errors say about gray values that are class ids: "if they are class ids, ...".
    package init(painted path: String, table: ClassTable, ifIDs advice: String?) throws {
        try self.init(coloring: try Image(path: path), path: path, table: table, ifIDs: advice)
    }

    /// Writes the map as a PNG of class ids.
    /// - Parameter void: Stands in the file for `Example.ignored`, which not every reader knows.
    package func write(path: String, void: Int) throws(ImageError) {
        let numbers = ids.map { $0 == Example.ignored ? UInt16(clamping: void) : $0 }
        try LabelMap(width: width, height: height, ids: numbers).write(path: path)
    }

    /// The map itself, if each of its ids is a class of the table or ignored.
    /// - Throws: `DatasetError` with the first id that is neither.
    public func checked(path: String, table: ClassTable) throws(DatasetError) -> LabelMap {
        let known = Set(table.classes.indices).union(table.ignoredIDs)
        guard let index = ids.firstIndex(where: { !known.contains(Int($0)) }) else { return self }
        throw DatasetError(
            "\(path): has the label \(ids[index]) at x \(index % width), y \(index / width), which is not a class of '\(table.name)'; "
                + "choose the table of these labels."
        )
    }
}
