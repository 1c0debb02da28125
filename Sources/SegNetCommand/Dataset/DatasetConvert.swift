import ArgumentParser
import SegNetToolkit

struct DatasetConvert: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Turn painted labels into class numbers, or the reverse.",
        discussion: """
            Converts one label (PNG or TIFF), or all in a folder and its subfolders, into PNGs. A colour or a number that is not a class \
            is reported with file and pixel, and the other files are still converted. The colour of void (black unless classes.txt gives \
            one) becomes the table's first ignored number, 255 for classes from a file (65535 with more than 255). Existing files are \
            not replaced. From a folder of 'segnet predict' results, only the masks are converted, or with '--to index' only the \
            colours.

            EXAMPLES:
              segnet dataset convert painted/ --to index --classes classes.txt --output labels
              segnet dataset convert masks/ --to color --classes camvid11 --output colors
            """
    )

    enum Form: String, ExpressibleByArgument, CaseIterable { case index, color }

    @Argument(help: "A label (PNG or TIFF), or a folder of them.", completion: .file())
    var input: String

    @Option(help: ArgumentHelp("What to write: class numbers (index) or colours (color).", valueName: "form"))
    var to: Form

    @Option(
        help: ArgumentHelp(
            "The palette: a table by name (\(ClassTable.all.map(\.name).joined(separator: ", "))), or a file with "
                + "\"name red green blue\" on each line, or JSON.",
            valueName: "name|file"
        ),
        completion: .file()
    )
    var classes: String

    @Option(
        help: ArgumentHelp("The folder for the results; made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var output: String

    @Flag(help: "Skip labels whose result already exists.")
    var skipExisting = false

    func run(on console: Console) throws {
        var table = try ClassTable(namedOrIn: classes)
        table.name = RawFileName.display(classes)
        try table.requireDistinctColors()
        let files = try LabelFiles(input, output: output, form: to == .color ? .mask : .color)
        // Labels are seldom kept twice: what would be replaced could not be made again.
        guard InputList.resolved(output) != InputList.resolved(files.folder) else {
            throw ValidationError(
                "--output \(output): is the folder of the input; its labels would be replaced. Choose another."
            )
        }
        // Results have the names of the labels, as photos have: what has such a name may be anything.
        let there = files.names.filter { FileAccess.kind(of: "\(output)/\(LabelFiles.result(of: $0))") != .missing }
        if let first = there.first.map(LabelFiles.result), !skipExisting {
            throw ValidationError(
                "--output \(output): already holds '\(first)', which would be replaced. Choose another, or give --skip-existing to continue with "
                    + "an earlier run."
            )
        }
        let done = Set(there)
        let names = files.names.filter { !done.contains($0) }
        if !there.isEmpty { console.note("note: \(counted(there.count, "label map")) in \(output) already, left out.") }
        if files.leftOut > 0 {
            let count = counted(files.leftOut, "other result of", plural: "other results of")
            console.note(
                "note: \(count) 'segnet predict' in \(files.folder) \(files.leftOut == 1 ? "is" : "are") left out."
            )
        }
        if files.pipes > 0 {
            let count = counted(files.pipes, "name that leads", plural: "names that lead")
            console.note("note: \(count) to a pipe or device in \(files.folder), left out.")
        }
        try OutputFolder.prepare(output)
        for folder in Set(names.map { InputList.folder(of: "\(output)/\(LabelFiles.result(of: $0))") }) {
            LeftoverFiles.remove(in: folder)
        }
        let progress = Progress(total: names.count, console: console)
        var failures = 0
        for name in names {
            progress.begin(name)
            do {
                let path = "\(files.folder)/\(name)"
                let result = LabelFiles.result(of: name)
                let target = "\(output)/\(result)"
                if let slash = result.lastIndex(of: "/") { try OutputFolder.make("\(output)/\(result[..<slash])") }
                switch to {
                case .index:
                    let map = try LabelMap(painted: path, table: table, ifIDs: "these labels need no conversion")
                    try map.write(path: target)
                case .color:
                    try LabelMap(path: path).checked(path: path, table: table).colored(with: table).write(path: target)
                }
            } catch {
                failures += 1
                console.error("\(error)")
            }
            progress.finish()
        }
        console.clearStatus()
        let written = names.count - failures
        console.print("\(counted(written, "label map")) in \(output)")
        guard failures == 0 else { throw ExitCode.failure }
    }
}
