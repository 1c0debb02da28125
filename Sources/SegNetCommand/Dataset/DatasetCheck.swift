import ArgumentParser
import SegNetToolkit

struct DatasetCheck: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read every picture and label of a data set and say what is wrong.",
        discussion: """
            Finds missing partners, unreadable files, sizes that differ, label values that are not a class (naming file, value \
            and pixel), and pictures that stand in two splits; counts classes. Exit code 1 if anything is wrong.

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
        var isFirst = true
        let report = dataset.checked { split, sample in
            if !isFirst { progress.finish() }
            isFirst = false
            progress.begin("\(split)/\(sample.name)")
        }
        console.clearStatus()
        for problem in report.problems { console.note("error: \(problem)") }
        if json {
            console.print(try JSON.text(report))
        } else {
            for split in report.splits { Self.lines(of: split).forEach { console.print($0) } }
        }
        guard report.problems.isEmpty else {
            let count = report.problems.count
            console.note("\(count) \(count == 1 ? "problem" : "problems"); see above.")
            throw ExitCode.failure
        }
        if !json { console.print("nothing is wrong.") }
    }

    private static func lines(of split: DatasetReport.Split) -> [String] {
        let all = max(1, split.classes.reduce(0) { $0 + $1.pixels } + split.ignoredPixels)
        let share = { (pixels: Int) in Numbers.fixed(100 * Double(pixels) / Double(all), 3) }
        var table = TextTable([("class", .left), ("pixels", .right), ("%", .right), ("pictures", .right)])
        for entry in split.classes {
            table.append([entry.name, Numbers.grouped(entry.pixels), share(entry.pixels), "\(entry.pictures)"])
        }
        table.append(["(no label)", Numbers.grouped(split.ignoredPixels), share(split.ignoredPixels)])
        let title = "\(split.name): \(split.pictures) \(split.pictures == 1 ? "picture" : "pictures")"
        return [title] + table.lines.map { "  " + $0 }
    }
}
