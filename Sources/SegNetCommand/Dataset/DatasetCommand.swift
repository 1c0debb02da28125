import ArgumentParser
import SegNet

/// Tools around data sets.
struct DatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Check a data set, weigh its classes, render streets.",
        discussion: """
            EXAMPLES:
              segnet dataset check --dataset camvid --data CamVid
              segnet dataset weights --dataset camvid --data CamVid > weights.txt
              segnet dataset synthesize --count 100 --output streets
            """,
        subcommands: [DatasetCheck.self, DatasetWeights.self, DatasetSynthesize.self]
    )
}

/// Which data set.
struct DatasetChoice: ParsableArguments {
    @Option(help: ArgumentHelp("\(DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var dataset: DatasetKind

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"), completion: .directory)
    var data = "."

    @Option(help: ArgumentHelp("Label numbers without meaning. May be repeated.", valueName: "number"))
    var ignore: [UInt16] = []

    @Flag(help: "Labels are painted in the colours of classes.txt.")
    var colored = false

    func load() throws -> Dataset {
        var options = DatasetOptions()
        options.ignored = ignore
        options.isColored = colored
        return try Dataset.load(dataset, directory: data, options: options)
    }
}

struct DatasetCheck: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read every picture and label of a data set and say what is wrong.",
        discussion: """
            Finds missing files, sizes that differ, label values that are no class (naming file, value and pixel), and \
            pictures that stand in two splits; counts classes. Exit code 1 if anything is wrong.

            EXAMPLES:
              segnet dataset check --dataset camvid --data CamVid
              segnet dataset check --dataset folder --data mine --colored
            """
    )

    @OptionGroup var choice: DatasetChoice

    func run(on console: Console) throws {
        let dataset = try choice.load()
        let classes = dataset.classes.classes
        var problems = 0
        var splitOfPicture: [Int: (split: String, name: String)] = [:]
        let order = ["train", "val", "test"]
        for split in dataset.splits.keys.sorted(by: {
            (order.firstIndex(of: $0) ?? 9, $0) < (order.firstIndex(of: $1) ?? 9, $1)
        }) {
            let samples = dataset.splits[split] ?? []
            var frequencies = ClassFrequencies(classCount: classes.count)
            let progress = Progress(total: samples.count, console: console)
            for sample in samples {
                progress.begin(sample.name)
                do {
                    let example = try dataset.example(sample)
                    frequencies.add(example.labels)
                    let hash = example.pixels.hashValue
                    if let other = splitOfPicture[hash], other.split != split {
                        console.note(
                            "error: \(sample.name) of \(split) is the same picture as \(other.name) of \(other.split)."
                        )
                        problems += 1
                    }
                    splitOfPicture[hash] = (split, sample.name)
                } catch {
                    console.note("error: \(error)")
                    problems += 1
                }
                progress.finish()
            }
            console.clearStatus()
            let all = max(1, frequencies.pixels.reduce(0, +) + frequencies.ignoredPixels)
            var table = TextTable([("class", .left), ("% of pixels", .right), ("pictures", .right)])
            for (id, entry) in classes.enumerated() {
                table.append([
                    entry.name, Numbers.fixed(100 * Double(frequencies.pixels[id]) / Double(all), 3),
                    "\(frequencies.pictures[id])",
                ])
            }
            table.append(["(no label)", Numbers.fixed(100 * Double(frequencies.ignoredPixels) / Double(all), 3), ""])
            console.print("\(split): \(samples.count) pictures")
            for line in table.lines { console.print("  \(line)") }
        }
        guard problems == 0 else {
            console.note("\(problems) problems; see above.")
            throw ExitCode.failure
        }
        console.print("nothing is wrong.")
    }
}

struct DatasetWeights: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "Print median frequency weights of a data set's classes.",
        discussion: """
            weight = median(f) / f, f = pixels of a class / pixels of all pictures that show it (arXiv 1411.4734), in the form that \
            'segnet train --class-weights FILE' reads.

            EXAMPLES:
              segnet dataset weights --dataset camvid --data CamVid > weights.txt
            """
    )

    @OptionGroup var choice: DatasetChoice

    @Option(help: ArgumentHelp("Which pictures count.", valueName: "name"))
    var split = "train"

    func run(on console: Console) throws {
        let dataset = try choice.load()
        let samples = try dataset.samples(of: split)
        let progress = Progress(total: samples.count, console: console)
        let frequencies = try dataset.frequencies(of: samples) { number in
            progress.finish()
            progress.begin("picture \(number)")
        }
        console.clearStatus()
        for (entry, weight) in zip(dataset.classes.classes, frequencies.medianFrequencyWeights) {
            console.print("\(entry.name) \(Numbers.fixed(Double(weight), 4))")
        }
    }
}

struct DatasetSynthesize: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "Render streets with their labels into images/ and labels/.",
        discussion: """
            CamVid's 11 classes, exact to the pixel; the same seed gives the same pictures. The folder can be used with \
            --dataset folder.

            EXAMPLES:
              segnet dataset synthesize --count 100 --output streets
            """
    )

    @Option(help: ArgumentHelp("How many pictures.", valueName: "count"))
    var count = 10

    @Option(help: ArgumentHelp("The first picture's seed.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Their size.", valueName: "WxH"))
    var size = PictureSize(width: 480, height: 360)

    @Option(help: ArgumentHelp("The folder; made if it is not there.", valueName: "folder"), completion: .directory)
    var output: String

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ValidationError("Please give '--count' a number in 1...1000000; found \(count).")
        }
    }

    func run(on console: Console) throws {
        for part in ["images", "labels"] { try OutputFolder.make("\(output)/\(part)") }
        let table = ClassTable.camVid11
        var lines = table.classes.map { "\($0.name) \($0.color.red) \($0.color.green) \($0.color.blue)" }
        lines.append("")
        try OutputFolder.write(lines.joined(separator: "\n"), to: "\(output)/classes.txt")
        let progress = Progress(total: count, console: console)
        for number in 0..<count {
            let name = "street\(seed &+ UInt64(number)).png"
            progress.begin(name)
            let scene = try StreetScene(seed: seed &+ UInt64(number), width: size.width, height: size.height)
            try scene.image.write(path: "\(output)/images/\(name)")
            // 255 where there is no label, as the folder layout has it.
            let ids = scene.labels.ids.map { $0 < 11 ? $0 : 255 }
            try LabelMap(width: size.width, height: size.height, ids: ids).write(path: "\(output)/labels/\(name)")
            progress.finish()
        }
        console.clearStatus()
        console.print("\(count) pictures in \(output)")
    }
}
