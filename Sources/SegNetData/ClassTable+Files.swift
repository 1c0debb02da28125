public import SegNetImages
public import SegNetNetworks
import SegNetPlatform

extension ClassTable {
    /// Reads classes from a file: JSON as this package writes it, or one class per line, "name" or "name red green blue", in the order of
    /// the label values. A line "void red green blue" gives the colour of pixels without ground truth. `#` begins a comment.
    /// - Throws: `DatasetError` naming file and line.
    public init(path: String) throws(DatasetError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DatasetError("\(path): cannot be read; check the path.")
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if path.lowercased().hasSuffix(".json") {
            guard let table = try? JSONDecoder().decode(ClassTable.self, from: data) else {
                throw DatasetError("\(path): cannot be read as a class table; docs/data.md shows the form.")
            }
            try Self.checkNames(table.classes.map { ($0.name, nil) }, path)
            self = table
            return
        }
        var classes: [Entry] = []
        var void: Color?
        var lines: [Int?] = []
        for (number, line) in listEntries(fileText(data)) {
            var words = line.split(whereSeparator: { $0.isWhitespace || $0 == "," }).map(String.init)
            guard !words.isEmpty else { continue }
            var color: Color?
            if words.count > 3 {
                let numbers = words.suffix(3).map { UInt8($0) }
                if let red = numbers[0], let green = numbers[1], let blue = numbers[2] {
                    color = Color(red, green, blue)
                    words.removeLast(3)
                } else if words.suffix(3).contains(where: { Int($0) != nil }) {
                    throw DatasetError(
                        "\(path), line \(number): '\(line)' does not end in three numbers of 0...255; write \"name red green blue\"."
                    )
                }
            }
            let label = words.joined(separator: " ")
            if label.lowercased() == "void", color != nil {
                void = color
                continue
            }
            lines.append(number)
            classes.append(
                Entry(label, color ?? ClassTable.generic(classCount: classes.count + 1).classes[classes.count].color)
            )
        }
        guard !classes.isEmpty, classes.count < 65_535 else {
            throw DatasetError("\(path): names \(classes.count) classes; write one per line.")
        }
        try Self.checkNames(Array(zip(classes.map(\.name), lines)), path)
        self.init(
            name: name.hasSuffix(".txt") ? String(name.dropLast(4)) : name,
            classes: classes,
            ignoredIDs: classes.count > 255 ? [] : [255],
            ignoredColor: void ?? .black
        )
    }

    /// Refuses two classes of one name, of which options and scores could mean either.
    /// - Parameter names: With their lines, where they have any.
    private static func checkNames(_ names: [(name: String, line: Int?)], _ path: String) throws(DatasetError) {
        var known: [String: (name: String, line: Int?)] = [:]
        for entry in names {
            guard let other = known.updateValue(entry, forKey: entry.name.lowercased()) else { continue }
            let place = entry.line.map { ", line \($0)" } ?? ""
            let first = other.line.map { " (line \($0))" } ?? ""
            throw DatasetError(
                "\(path)\(place): the class '\(entry.name)' is there twice\(first); give each class a name of its own."
            )
        }
    }
}

extension ClassTable {
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
