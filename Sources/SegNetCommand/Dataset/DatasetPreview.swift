import ArgumentParser
import SegNetToolkit

struct DatasetPreview: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Draw pictures of a data set with their labels onto one sheet.",
        discussion: """
            Shows each picture, and next to it the same picture under its labels' colours; pixels without a label stay as they are. The \
            pictures are spread evenly over the split.

            EXAMPLES:
              segnet dataset preview --dataset camvid --data CamVid --output sheet.png
              segnet dataset preview --dataset camvid --data CamVid --augment --output augmented.png
            """
    )

    @OptionGroup var choice: DatasetChoice

    @Option(help: ArgumentHelp("The split to show.", valueName: "name"))
    var split = "train"

    @Option(help: ArgumentHelp("How many.", valueName: "count"))
    var count = 12

    @Option(help: ArgumentHelp("How many pictures in a row.", valueName: "count"))
    var columns = 3

    @Option(help: ArgumentHelp("Width of one picture on the sheet.", valueName: "pixels"))
    var width = 240

    @Flag(help: "Show the pictures augmented, as training may see them: flipped, scaled, recoloured, blurred, noisy.")
    var augment = false

    @Option(help: ArgumentHelp("Seed of the augmentation. (default: 1)", valueName: "number"), transform: wholeNumber)
    var seed: UInt64?

    @Option(help: ArgumentHelp("The sheet, .png or .jpg.", valueName: "file"), completion: .file())
    var output = "preview.png"

    func validate() throws {
        for (name, value, range) in [
            ("count", count, 1...1000), ("columns", columns, 1...100), ("width", width, 8...4096),
        ]
        where !range.contains(value) {
            throw ValidationError(
                "Please give '--\(name)' a number in \(range.lowerBound)...\(range.upperBound); found \(value)."
            )
        }
        if seed != nil, !augment { throw ValidationError("Please give '--seed' only with '--augment'.") }
    }

    func run(on console: Console) throws {
        let dataset = try choice.load(count: count)
        let samples = try dataset.samples(of: split)
        try checkOutput(dataset)
        let shown = min(count, samples.count)
        let sheet = try dataset.contactSheet(
            of: (0..<shown).map { samples[$0 * samples.count / shown] },
            columns: columns,
            tileWidth: width,
            augmentation: augment ? Self.everything : Augmentation(),
            seed: seed ?? 1
        )
        try sheet.write(path: output)
        console.print("\(shown) of \(counted(samples.count, "picture")) of '\(split)': \(output)")
    }

    /// The sheet may lie in the data set's folder, for example if both are the current folder, but it must not replace a file of the set.
    private func checkOutput(_ dataset: Dataset) throws {
        let file = ResultFile(path: output, option: "--output")
        var inputs = [(path: choice.data, what: "the data set")]
        if let classes = choice.labels.classes { inputs.append((classes, "the table of classes")) }
        // A picture at the top of the folder, where the data set has none, is an earlier sheet.
        let top = InputList.resolved(choice.data)
        let isAtTop = InputList.folder(of: output) == top
        let isSheet =
            choice.dataset == .synthetic
            || isAtTop
                && !dataset.files.contains { InputList.folder(of: $0) == top }
        try file.requireApart(from: inputs, dataset, folders: isSheet ? [] : [(choice.data, "the data set's")])
        LeftoverFiles.remove(in: InputList.folder(of: output))
    }

    private static var everything: Augmentation {
        var augmentation = Augmentation()
        augmentation.flip = true
        augmentation.scale = [0.75, 1.5]
        augmentation.brightness = 0.25
        augmentation.contrast = 0.25
        augmentation.saturation = 0.3
        augmentation.hue = 10
        augmentation.blur = 0.3
        augmentation.noise = 4
        return augmentation
    }
}
