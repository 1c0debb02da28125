import ArgumentParser
import SegNetToolkit

struct DatasetExport: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a data set as annotations for other programs.",
        discussion: """
            For correcting labels in an annotation program, or for training elsewhere. Each region becomes a polygon or run lengths. \
            With the default tolerance of 0, 'segnet dataset import' gives the same labels again. A classes.txt is added to formats \
            that do not keep all classes and colours. GeoJSON cannot be imported.

            \(AnnotationFormat.helpLines)

            EXAMPLES:
              segnet dataset export --dataset folder --data mine --to coco --output mine-coco
              segnet dataset export --dataset camvid --data CamVid --to labelme --split test --tolerance 1 --output camvid-labelme
            """
    )

    @OptionGroup var choice: DatasetChoice

    @Option(help: ArgumentHelp("The format to write.", valueName: "format"))
    var to: AnnotationFormat

    @Option(help: ArgumentHelp("Export only this split. May be repeated. (default: all)", valueName: "name"))
    var split: [String] = []

    @Option(
        help: ArgumentHelp(
            "How far, in pixels, a simplified border may lie from the exact one; 0 is exact.",
            valueName: "pixels"
        )
    )
    var tolerance = 0.0

    @Flag(inversion: .prefixedNo, help: "Copy the pictures too.")
    var pictures = true

    @Option(
        help: ArgumentHelp("The folder for the result; made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var output: String

    func validate() throws {
        guard (0...1000).contains(tolerance) else {
            throw ValidationError("Please give '--tolerance' a number in 0...1000; found \(tolerance).")
        }
        if to == .cocoRLE || to == .cocoPanoptic, tolerance > 0 {
            throw ValidationError("Please leave '--tolerance' out: '\(to.rawValue)' has pixels, not borders.")
        }
    }

    func run(on console: Console) throws {
        let dataset = try choice.load(collectsProblems: true)
        let there = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        if let file = there.first(where: { !$0.hasPrefix(".") }) {
            throw DatasetError(
                "\(output): already holds files, such as '\(file)'; give another '--output', so that data sets are not mixed."
            )
        }
        if pictures { dataset.warnOfFurtherFiles(on: console) }
        try OutputFolder.prepare(output)
        var seen: Set<String> = []
        // A split that is named twice is written once.
        let names = split.isEmpty ? dataset.splitNames : split.filter { seen.insert($0).inserted }
        let progress = Progress(total: names.reduce(0) { $0 + (dataset.splits[$1]?.count ?? 0) }, console: console)
        let result = try dataset.writeAnnotations(
            to,
            to: output,
            tolerance: tolerance,
            splits: names,
            copiesPictures: pictures
        ) { split, sample in
            progress.next("\(split)/\(sample.name)")
        }
        console.clearStatus()
        let problems = dataset.problems + result.problems
        for problem in DatasetCheck.grouped(problems) { console.error(problem) }
        console.print("\(counted(result.count, "picture")) as \(to.rawValue) in \(output)")
        guard problems.isEmpty else {
            console.note("\(counted(problems.count, "problem")); see above.")
            throw ExitCode.failure
        }
    }
}

extension Dataset {
    /// Says that depth and the like are not copied, where a picture has several files.
    func warnOfFurtherFiles(on console: Console) {
        let words = inputs.words
        guard words.count > 1 else { return }
        console.warning(
            "each picture has \(words.count) files (\(words.joined(separator: ", "))); only the first, \(words[0]), is copied."
        )
    }
}

extension AnnotationFormat {
    /// One line for each, for help.
    static var helpLines: String {
        let width = allCases.map(\.rawValue.count).max() ?? 0
        return allCases.map { format in
            "  \(format.rawValue)\(String(repeating: " ", count: width + 2 - format.rawValue.count))\(format.summary)"
        }.joined(separator: "\n")
    }
}
