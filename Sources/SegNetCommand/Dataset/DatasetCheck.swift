import ArgumentParser
import SegNetToolkit

struct DatasetCheck: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read every picture and label of a data set and report what is wrong.",
        discussion: """
            Finds pictures without labels and labels without pictures, unreadable files, label values that are not a class (naming \
            file, value and pixel), labels that are all void or all of one class, and pictures that are in two splits. Warns of classes \
            that never occur and of pictures of different sizes. Counts each class's pixels and pictures. Exit code 1 if anything is \
            wrong.

            EXAMPLES:
              segnet dataset check --dataset camvid --data CamVid
              segnet dataset check --dataset folder --data mine --colored
              segnet dataset check --dataset folder --data mine --map 7=Road --ignore 9 --json
            """
    )

    @OptionGroup var choice: DatasetChoice

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run(on console: Console) throws {
        let dataset = try choice.load(collectsProblems: true)
        let progress = Progress(total: dataset.splits.values.reduce(0) { $0 + $1.count }, console: console)
        let report = dataset.checked { split, sample in
            progress.next("\(split)/\(sample.name)")
        }
        console.clearStatus()
        for problem in Self.grouped(report.problems) { console.error(problem) }
        for warning in report.warnings { console.warning(RawFileName.display(warning)) }
        for note in report.notes { console.note(note) }
        let isUnlabelled = report.splits.allSatisfy { $0.classes.allSatisfy { $0.pixels == 0 } }
        if isUnlabelled, let kind = DatasetKind.recognized(in: choice.data), kind != choice.dataset {
            console.note("note: \(RawFileName.display(choice.data)) looks like '--dataset \(kind.rawValue)'.")
        }
        if json {
            console.print(try JSON.text(report))
        } else {
            for split in report.splits { Self.lines(of: split).forEach { console.print($0) } }
        }
        guard report.problems.isEmpty else {
            let count = report.problems.count
            console.note("\(counted(count, "problem")); see above.")
            throw ExitCode.failure
        }
        guard !json else { return }
        let count = report.warnings.count
        console.print(
            count == 0 ? "nothing is wrong." : "no errors, \(counted(count, "warning")); see above."
        )
    }

    /// The first three of each kind of problem, and how many more there are: each on one line, whatever names files have.
    static func grouped(_ problems: [String]) -> [String] {
        var lines: [String] = []
        var counts: [String: Int] = [:]
        for problem in problems {
            counts[kind(of: problem), default: 0] += 1
            if counts[kind(of: problem)] ?? 0 <= 3 { lines.append(RawFileName.display(problem)) }
        }
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) where count > 3 {
            lines.append("\(Numbers.grouped(count - 3)) more like these: \"\(kind) ...\"")
        }
        return lines
    }

    /// The kind of a problem: the first words after the file's name, without those that differ from file to file (digits, paths).
    private static func kind(of problem: String) -> String {
        let text = problem.firstRange(of: ": ").map { problem[$0.upperBound...] } ?? problem[...]
        let words = text.split(separator: " ").prefix(6).map {
            $0.contains { $0.isNumber || $0 == "/" } ? "..." : String($0)
        }
        let kept = words.enumerated().filter { $1 != "..." || $0 == 0 || words[$0 - 1] != "..." }.map(\.element)
        return (kept.last == "..." ? kept.dropLast() : kept[...]).joined(separator: " ")
    }

    private static func lines(of split: DatasetReport.Split) -> [String] {
        let all = max(1, split.classes.reduce(0) { $0 + $1.pixels } + split.ignoredPixels)
        let share = { (pixels: Int) in Numbers.fixed(100 * Double(pixels) / Double(all), 3) }
        var table = TextTable([("class", .left), ("pixels", .right), ("%", .right), ("pictures", .right)])
        for entry in split.classes {
            table.append([entry.name, Numbers.grouped(entry.pixels), share(entry.pixels), "\(entry.pictures)"])
        }
        table.append(["(no label)", Numbers.grouped(split.ignoredPixels), share(split.ignoredPixels)])
        let title = "\(split.name): \(counted(split.pictures, "picture"))"
        return [title] + table.lines.map { "  " + $0 }
    }
}
