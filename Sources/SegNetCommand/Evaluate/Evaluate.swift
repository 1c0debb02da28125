public import ArgumentParser
public import SegNet

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct Evaluate: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a model, or masks of any program, against ground truth.",
        discussion: """
            Global accuracy, class average, mean IoU, boundary F1 and each class's IoU and accuracy over one integer \
            confusion matrix of the whole split. Pixels without ground truth count nowhere; classes that occur in neither \
            truth nor prediction are shown as "-" and left out of means. Scores are taken at the labels' size.

            With --predictions the masks of any program are scored: PNGs named like the pictures (STEM.png or \
            STEM.mask.png), class ids or the classes' colours.

            EXAMPLES:
              segnet evaluate --model camvid.safetensors --dataset camvid --data CamVid --split test
              segnet evaluate --dataset camvid --data CamVid --predictions masks/ --json scores.json
              segnet evaluate --model mine.safetensors --dataset folder --data my-photos --split val --bf none
            """
    )

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp("Score these masks in place of a model's.", valueName: "folder"),
        completion: .directory
    )
    var predictions: String?

    @OptionGroup var choice: DatasetChoice

    @Option(help: ArgumentHelp("train, val or test.", valueName: "name"))
    var split = "test"

    @Option(
        help: ArgumentHelp(
            "present leaves absent classes out of means, original divides by all classes.",
            valueName: "rule"
        )
    )
    var metrics: Scores.Rule = .present

    @Option(
        help: ArgumentHelp("Boundary F1: one-to-one, original, distance, or none.", valueName: "rule"),
        transform: BoundaryRuleArgument.init
    )
    var bf = BoundaryRuleArgument(rule: .oneToOne)

    @Option(help: ArgumentHelp("Write the scores as JSON.", valueName: "file"), completion: .file())
    var json: String?

    @Option(help: ArgumentHelp("Write each picture's mask (class ids).", valueName: "folder"), completion: .directory)
    var saveMasks: String?

    @OptionGroup var engine: EngineOptions

    func validate() throws {
        if predictions != nil, model.model != nil {
            throw ValidationError("Please give either '--model' or '--predictions', not both.")
        }
    }

    func run(on console: Console) throws {
        let dataset = try choice.load()
        let samples = try dataset.samples(of: split)
        if let saveMasks { try OutputFolder.prepare(saveMasks) }
        let names = dataset.classes.classes.map(\.name)
        let source = try predictor(dataset, console)
        var matrix = ConfusionMatrix(classCount: names.count)
        var boundaries = bf.rule.map { BoundaryScore(rule: $0, classCount: names.count) }
        let progress = Progress(total: samples.count, console: console)
        for sample in samples {
            progress.begin(sample.name)
            let example = try dataset.example(sample)
            let mask = try source(sample, example)
            matrix.add(truth: example.labels, prediction: mask.ids)
            boundaries?.add(
                truth: example.labels,
                prediction: mask.ids,
                width: example.width,
                height: example.height
            )
            if let saveMasks { try mask.write(path: "\(saveMasks)/\(sample.name).png") }
            progress.finish()
        }
        console.clearStatus()
        let report = EvaluationReport(
            Scores(matrix, rule: metrics),
            matrix: matrix,
            boundary: boundaries,
            classes: names,
            pictures: samples.count
        )
        for line in report.lines { console.print(line) }
        if let json {
            guard FileManager.default.createFile(atPath: json, contents: Data(try JSON.text(report).utf8)) else {
                throw FormatError(file: json, problem: "cannot be written", advice: "Check its folder")
            }
        }
    }

    /// What gives each sample's mask, at the labels' size.
    private func predictor(_ dataset: Dataset, _ console: Console) throws -> (Sample, Example) throws -> LabelMap {
        if let predictions {
            return { sample, example in
                let mask = try PredictedMask.read(sample, folder: predictions, classes: dataset.classes)
                return try mask.resized(width: example.width, height: example.height, nearest: .center)
            }
        }
        let loaded = try model.load()
        let segmenter = try Segmenter(
            loaded,
            options: Segmenter.Options(
                accuracy: engine.accuracy,
                precision: engine.precision,
                threads: engine.threadCount,
                size: .picture
            )
        )
        for note in segmenter.notes { console.note("note: \(note)") }
        guard segmenter.classCount == dataset.classes.classes.count else {
            throw SegmenterError(
                network: loaded.model.network.name,
                reason:
                    "it has \(segmenter.classCount) classes, the data set '\(dataset.name)' has \(dataset.classes.classes.count); "
                    + "score it on the data set it was trained for."
            )
        }
        return { _, example in
            let image = try Image(
                width: example.width,
                height: example.height,
                channels: example.channels,
                pixels: example.pixels
            )
            return try segmenter.segment(image).classes
        }
    }
}

/// The value of `--bf`.
struct BoundaryRuleArgument: Sendable {
    /// Nil: none.
    var rule: BoundaryScore.Rule?

    init(rule: BoundaryScore.Rule?) { self.rule = rule }

    init(_ text: String) throws {
        rule = BoundaryScore.Rule(rawValue: text)
        if rule == nil, text != "none" {
            throw ValidationError(
                "'\(text)' is none of \(BoundaryScore.Rule.allCases.map(\.rawValue).joined(separator: ", ")), none."
            )
        }
    }
}

/// Masks of another program.
enum PredictedMask {
    /// Reads a sample's mask: class ids, or the classes' colours.
    static func read(_ sample: Sample, folder: String, classes: ClassTable) throws -> LabelMap {
        let paths = [".png", ".mask.png"].map { "\(folder)/\(sample.name)\($0)" }
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw FormatError(
                file: paths[0],
                problem: "there is no mask of the picture '\(sample.name)'",
                advice: "Name masks like the pictures, STEM.png or STEM.mask.png"
            )
        }
        let ids = Result { () throws(ImageError) in try LabelMap(path: path) }
        if case .failure(let error) = ids, error.isColoredPicture {
            return try LabelMap(coloring: try Image(path: path), table: classes)
        }
        return try ids.get()
    }
}

extension ImageError {
    /// Whether a label map was asked for and the file holds colours.
    fileprivate var isColoredPicture: Bool { if case .notLabels = reason { true } else { false } }
}

extension Scores.Rule: ExpressibleByArgument {}
