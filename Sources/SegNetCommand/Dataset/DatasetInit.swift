import ArgumentParser
import SegNetToolkit

struct DatasetInit: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the skeleton of a data set of your own.",
        discussion: """
            Makes the folders images/ and labels/, a classes.txt to edit, and a README.txt that explains what goes where. Existing files \
            are not changed.

            EXAMPLES:
              segnet dataset init mine
              segnet dataset init mine --classes ground,plant,stone
            """
    )

    @Argument(help: ArgumentHelp("The folder; made if it is missing.", valueName: "folder"), completion: .directory)
    var folder: String

    @Option(
        help: ArgumentHelp("The names of the classes, comma-separated. (default: ground,thing)", valueName: "names")
    )
    var classes: String?

    func run(on console: Console) throws {
        let names = try names()
        let table = "\(folder)/classes.txt"
        let isThere = FileAccess.kind(of: table) != .missing
        // Problems that a training would refuse are reported now.
        let known = isThere ? try ClassTable(path: table).classes.map(\.name) : names
        guard classes == nil || known == names else {
            throw DatasetError(
                "\(table): already exists and lists \(known.joined(separator: ", ")); nothing was changed. Edit it, or remove it and run "
                    + "this again."
            )
        }
        for part in ["images", "labels"] { try OutputFolder.make("\(folder)/\(part)", option: nil) }
        var lines = [
            "# One class per line, in the order of the numbers in the labels: 0 is the first.", "# name red green blue",
        ]
        lines += Self.lines(names)
        lines += ["# The colour of pixels without ground truth; their number is 255.", "void 0 0 0", ""]
        let texts = [("classes.txt", lines.joined(separator: "\n")), ("README.txt", Self.readme(folder))]
        for (name, text) in texts where FileAccess.kind(of: "\(folder)/\(name)") == .missing {
            try OutputFolder.write(text, to: "\(folder)/\(name)", option: nil)
        }
        if isThere { console.note("note: \(table) already exists and was left unchanged.") }
        console.print("\(folder): put pictures into images/ and labels into labels/; README.txt says how.")
    }

    /// The classes' names.
    /// - Throws: `ValidationError`, before anything is written, for names that cannot be read back from the file.
    private func names() throws -> [String] {
        let list = classes ?? "ground,thing"
        let names = try nameList(list, of: "--classes")
        var seen: Set<String> = []
        if let name = names.first(where: { !seen.insert($0.lowercased()).inserted }) {
            throw ValidationError(
                "Please correct '--classes \(list)'. '\(name)' is listed twice; give each class a different name."
            )
        }
        for name in names {
            let read = try? ClassTable(lines: Self.lines([name]).joined(), path: folder)
            guard read?.classes.map(\.name) != [name] else { continue }
            throw ValidationError(
                "Please correct '--classes \(list)'. A line of classes.txt cannot hold '\(name)' as a name; choose another."
            )
        }
        // Names that are fine one by one may not be so together.
        do { _ = try ClassTable(lines: Self.lines(names).joined(separator: "\n"), path: "--classes") } catch {
            throw ValidationError("\(error)")
        }
        return names
    }

    private static func lines(_ names: [String]) -> [String] {
        let colors = ClassTable.generic(classCount: names.count).classes.map(\.color)
        return zip(names, colors).map { "\($0) \($1.red) \($1.green) \($1.blue)" }
    }

    private static func readme(_ folder: String) -> String {
        """
        A data set for segmentation
        ===========================

        images/      The pictures, such as PNG or JPEG.
        labels/      A PNG for each picture, with the same name and size: images/a.jpg has labels/a.png.
                     Each pixel is the number of its class, or 255 if it is not known (void).
        classes.txt  The classes, one per line: the first has the number 0.

        Both folders may contain folders train, val and test. Without val, every tenth picture is used to
        choose the best model.

        Labels that are painted in the colours of classes.txt need --colored. Labels whose names are longer
        than those of the pictures, such as a_mask.png, need --label-suffix _mask.

        Annotations of labelme, CVAT, Label Studio, COCO or YOLO need none of this:
        'segnet train --dataset labelme --data FOLDER' reads them directly, and
        'segnet dataset import' turns them into such a folder.

        Then:

            segnet dataset check --dataset folder --data \(ShellWords.quoted(folder))
            segnet dataset preview --dataset folder --data \(ShellWords.quoted(folder)) --output sheet.png
            segnet train --from segnet-streets --data \(ShellWords.quoted(folder)) --output runs/first

        """
    }
}
