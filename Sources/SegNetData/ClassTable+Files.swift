public import SegNetImages
public import SegNetNetworks
import SegNetPlatform

extension ClassTable {
    /// Reads classes from a file: JSON as this package writes it, or one class per line, "name" or "name red green blue", in the order of
    /// the label values. A line "void red green blue" gives the colour of pixels without ground truth, "void" alone, as the
    /// last line, black; neither is a class. `#` begins a comment.
    /// - Throws: `DatasetError` naming file and line.
    public init(path: String) throws(DatasetError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DatasetError("\(path): cannot be read; check the path.")
        }
        guard let text = String(validating: withoutByteOrderMark(data), as: UTF8.self) else {
            throw DatasetError(
                "\(path): is not UTF-8 text; a \(UserChoice.classes) has one class per line, or is JSON. Save it as UTF-8, or give another file."
            )
        }
        if path.lowercased().hasSuffix(".json") || trimmed(text).hasPrefix("{") {
            try self.init(json: Data(text.utf8), path: path)
            return
        }
        try self.init(lines: text, path: path)
    }

    /// Reads the lines of a file: see `init(path:)`.
    /// - Parameter path: What errors name.
    package init(lines text: String, path: String) throws(DatasetError) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let isNumber = { (word: String) in Int(word) != nil }
        var classes: [Entry] = []
        var void: Color?
        var lines: [Int?] = []
        var bareVoid: Int?
        for (number, line) in listEntries(text) {
            var words = line.split(whereSeparator: { $0.isWhitespace || $0 == "," }).map(String.init)
            guard !words.isEmpty else { continue }
            if lines.isEmpty, Self.isHeading(words) {
                throw DatasetError(
                    "\(path), line \(number): '\(line)' looks like a heading, not a class; remove it, or begin it with '#'. As a class it "
                        + "would be 0, and all others would move up by one."
                )
            }
            var color: Color?
            let last = words.suffix(3)
            let numbers = last.map { UInt8($0) }
            if words.count > 3, let red = numbers[0], let green = numbers[1], let blue = numbers[2] {
                color = Color(red, green, blue)
                words.removeLast(3)
            } else if words.count > 3 ? last.contains(where: isNumber) : last.map(isNumber) == [false, true, true] {
                // Two numbers behind one word are a colour with one missing; one is part of a name, such as "lane 2".
                throw DatasetError(
                    "\(path), line \(number): '\(line)' does not end in three numbers of 0...255; write \"name red green blue\"."
                )
            }
            let label = words.joined(separator: " ")
            // Without a colour too: it is black then, and no class.
            if label.lowercased() == "void" {
                void = color ?? void
                if color == nil { bareVoid = number }
                continue
            }
            // Labels without colours are numbers, and whoever wrote it above a class may have counted it.
            if let bareVoid {
                throw DatasetError(
                    "\(path), line \(bareVoid): 'void' is not a class and has no number, so '\(label)' below it would be \(classes.count); if "
                        + "that is its number in the labels, move 'void' to the end; if not, give 'void' another name there and ignore its number."
                )
            }
            lines.append(number)
            classes.append(
                Entry(label, color ?? ClassTable.genericColor(of: classes.count))
            )
        }
        let names = Array(zip(classes.map(\.name), lines))
        try Self.checkNames(names, path)
        try Self.checkNumbers(names, path)
        self.init(
            name: name,
            classes: classes,
            ignoredIDs: [ClassTable.usualVoid(classCount: classes.count)],
            ignoredColor: void ?? .black
        )
    }

    /// Whether a line names the columns of a table, as `name,r,g,b` does.
    private static func isHeading(_ words: [String]) -> Bool {
        let last = words.suffix(3).map { $0.lowercased() }
        return words.count > 3 && (last == ["r", "g", "b"] || last == ["red", "green", "blue"])
    }

    /// Refuses lists whose lines are numbered: a class's number is its place, whatever stands in front of its name.
    private static func checkNumbers(_ names: [(name: String, line: Int?)], _ path: String) throws(DatasetError) {
        let numbers = names.map { entry -> Int? in
            let words = entry.name.split(separator: " ")
            return words.count > 1 ? Int(words[0].prefix { !":.)".contains($0) }) : nil
        }
        guard numbers.count > 1, let first = numbers[0], numbers == (first..<first + numbers.count).map(\.self)
        else { return }
        throw DatasetError(
            "\(path)\(names[0].line.map { ", line \($0)" } ?? ""): '\(names[0].name)' begins with a number, as all classes here do. A class's "
                + "number is its place in the list, from 0, and its line is its name; remove the numbers."
                + (first == 0 ? "" : " For labels that count from 1, give the \(UserChoice.labelOffset) -1.")
        )
    }

    private init(json data: Data, path: String) throws(DatasetError) {
        do { self = try JSONDecoder().decode(ClassTable.self, from: data) } catch {
            let problem = jsonProblem(error, in: data, needs: "colours are three numbers of 0...255")
            throw DatasetError("\(path): cannot be read as a class table: \(problem). docs/data.md shows the form.")
        }
        try Self.checkNames(classes.map { ($0.name, nil) }, path)
    }

    /// Whether a class can have the name: it is there, and can be shown on a line.
    static func isReadable(_ name: String) -> Bool {
        !name.isEmpty && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    /// Refuses tables without classes or with more than labels can number, and names that cannot be shown or are there twice: options and
    /// scores could mean either.
    /// - Parameter names: With their lines, where they have any.
    private static func checkNames(_ names: [(name: String, line: Int?)], _ path: String) throws(DatasetError) {
        guard (1..<65_535).contains(names.count) else {
            throw DatasetError(
                names.isEmpty
                    ? "\(path): names no classes; write one per line."
                    : "\(path): names \(names.count) classes; labels can number at most 65,534."
            )
        }
        var known: [String: (name: String, line: Int?)] = [:]
        for entry in names {
            let place = entry.line.map { ", line \($0)" } ?? ""
            guard isReadable(entry.name) else {
                throw DatasetError(
                    "\(path)\(place): a class has \(entry.name.isEmpty ? "no name" : "control characters in its name"); write names that can be read."
                )
            }
            guard let other = known.updateValue(entry, forKey: entry.name.lowercased()) else { continue }
            let first = other.line.map { " (line \($0))" } ?? ""
            throw DatasetError(
                "\(path)\(place): the class '\(entry.name)' is listed twice\(first); give each class a different name."
            )
        }
    }
}

extension ClassTable {
    /// The number of pixels without a class in files of class ids, where nothing says another: 255, or 65535 if 255 can be a class.
    static func usualVoid(classCount: Int) -> Int { classCount > 255 ? 65_535 : 255 }

    /// The number of pixels of no class in masks: the table's first ignored id that is not a class, or else the usual one.
    package var voidID: Int {
        ignoredIDs.first { (classes.count..<65_536).contains($0) } ?? Self.usualVoid(classCount: classes.count)
    }

    /// A table by its name, or from a file.
    /// - Throws: `DatasetError` if the word is neither.
    public init(namedOrIn word: String) throws(DatasetError) {
        if let table = ClassTable.named(word) {
            self = table
            return
        }
        guard word.contains("/") || word.contains(".") || FileManager.default.fileExists(atPath: word) else {
            throw DatasetError(
                "'\(word)' is neither a class table (\(ClassTable.all.map(\.name).joined(separator: ", "))) nor a file."
            )
        }
        try self.init(path: word)
    }
}

extension ModelMetadata {
    /// Names the network's outputs, and gives them colours.
    public mutating func name(_ table: ClassTable) {
        classNames = table.classes.map(\.name)
        palette = table.classes.map { [$0.color.red, $0.color.green, $0.color.blue] }
    }
}
