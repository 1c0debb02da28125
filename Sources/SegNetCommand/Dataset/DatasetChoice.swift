import ArgumentParser
import SegNet

/// Which data set, and what its files' numbers mean.
struct DatasetChoice: ParsableArguments {
    @Option(help: ArgumentHelp("\(DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var dataset: DatasetKind

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"), completion: .directory)
    var data = "."

    @Option(
        help: ArgumentHelp(
            "The classes: a table by name, or a file with \"name\" or \"name red green blue\" a line, or JSON. "
                + "(default: the data set's own)",
            valueName: "name|file"
        ),
        completion: .file()
    )
    var classes: String?

    @Option(help: ArgumentHelp("Label numbers without meaning. May be repeated.", valueName: "number"))
    var ignore: [UInt16] = []

    @Option(
        help: ArgumentHelp(
            "A label number that means this class, by number or name. May be repeated.",
            valueName: "number=class"
        )
    )
    var map: [String] = []

    @Flag(help: "Labels are painted in the colours of the classes.")
    var colored = false

    func load(collectsProblems: Bool = false, count: Int? = nil) throws -> Dataset {
        var options = DatasetOptions()
        options.ignored = ignore
        options.isColored = colored
        options.collectsProblems = collectsProblems
        if let count { options.count = count }
        if let classes { options.classes = try ClassTable.chosen(classes) }
        options.mapping = try map.reduce(into: [:]) { mapping, word in
            let (number, target) = try Self.parts(word)
            // Names are those of the table, which only the data set knows where none was given.
            if let id = UInt16(target) {
                mapping[number] = id
            } else {
                let table = try options.classes ?? Dataset.load(dataset, directory: data, options: options).classes
                guard let id = table.id(named: target) else {
                    throw ValidationError(
                        "--map \(word): there is no class '\(target)'; the classes are "
                            + "\(table.classes.map(\.name).joined(separator: ", "))."
                    )
                }
                mapping[number] = UInt16(id)
            }
        }
        return try Dataset.load(dataset, directory: data, options: options)
    }

    private static func parts(_ word: String) throws -> (UInt16, String) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let number = UInt16(parts[0]) else {
            throw ValidationError(
                "--map \(word): write the label's number and its class, such as --map 14=3 or --map 14=Road."
            )
        }
        return (number, parts[1])
    }
}

extension ClassTable {
    /// A table by its name, or from a file.
    static func chosen(_ word: String) throws -> ClassTable {
        if let table = ClassTable.named(word) { return table }
        do { return try ClassTable(path: word) } catch {
            guard !word.contains("/"), !word.contains(".") else { throw error }
            throw ValidationError(
                "'\(word)' is neither a class table (\(ClassTable.all.map(\.name).joined(separator: ", "))) nor a file."
            )
        }
    }
}
