public import ArgumentParser
public import SegNetToolkit

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct Train: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a network on pictures with labels.",
        discussion: """
            Reads a recipe (--config, a YAML file; recipes/ has some), changes it by the options given, and trains. \
            The run's folder gets the whole recipe, a log (log.jsonl), event files for TensorBoard, a checkpoint from \
            which --resume goes on as if there had been no break, and at the end the last and the best model \
            (last.safetensors, best.safetensors) with the statistics of batch normalisation: there is no separate pass to \
            run. Ctrl-C finishes the step, saves and exits; a second one ends at once.

            EXAMPLES:
              segnet train --config recipes/segnet-basic-camvid.yaml --data CamVid --output runs/basic
              segnet train --config recipes/segnet-basic-camvid.yaml --data CamVid --output runs/basic --resume
              segnet train --architecture segnet --dataset folder --data my-photos --output runs/mine --encoder vgg16-trunk.safetensors
              segnet train --architecture segnet-basic --dataset synthetic --epochs 2 --output runs/streets
            """
    )

    @Option(
        help: ArgumentHelp("A recipe; options given here go before what it says.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(
        help: ArgumentHelp("The run's folder; made if it is not there.", valueName: "folder"),
        completion: .directory
    )
    var output: String

    @Flag(help: "Go on from the checkpoint in the run's folder, if there is one.")
    var resume = false

    @Option(help: ArgumentHelp("\(Architecture.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var architecture: Architecture?

    @Option(help: ArgumentHelp("\(DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var dataset: DatasetKind?

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"), completion: .directory)
    var data: String?

    @OptionGroup var labels: LabelOptions

    @Option(help: .inputs)
    var inputs: String?

    @Option(
        help: ArgumentHelp(
            "Subtracted from each input channel, with commas, or one for all; in units of 0...255. (default: the --model's, or 0)",
            valueName: "numbers"
        )
    )
    var mean: NumberList?

    @Option(
        help: ArgumentHelp("Multiplied after that, likewise. (default: the --model's, or 1)", valueName: "numbers")
    )
    var scale: NumberList?

    @Option(help: ArgumentHelp("Resize pictures and labels to this size.", valueName: "WxH"))
    var size: PictureSize?

    @Option(help: ArgumentHelp("Train on random parts of this size.", valueName: "WxH"))
    var crop: PictureSize?

    @Option(
        help: ArgumentHelp("auto (median frequency over your labels), authors, none, or a file.", valueName: "which")
    )
    var classWeights: String?

    @Option(help: ArgumentHelp("Pictures that run together.", valueName: "count"))
    var batchSize: Int?

    @Option(help: ArgumentHelp("Batches whose gradients make one step.", valueName: "count"))
    var accumulate: Int?

    @Option(help: ArgumentHelp("Passes over the training pictures.", valueName: "count"))
    var epochs: Double?

    @Option(help: ArgumentHelp("Steps, in place of epochs.", valueName: "count"))
    var iterations: Int?

    @Option(help: ArgumentHelp("The learning rate before the schedule.", valueName: "rate"))
    var learningRate: Double?

    @Option(
        help: ArgumentHelp(
            "Begin with this model's weights; a classifier of another class count is made anew.",
            valueName: "file"
        ),
        completion: .file()
    )
    var model: String?

    @Option(help: ArgumentHelp("Begin with this file's encoder: VGG16.", valueName: "file"), completion: .file())
    var encoder: String?

    @Option(
        help: ArgumentHelp(
            "Layers that do not learn: a name, or a pattern with *. May be repeated.",
            valueName: "layers"
        )
    )
    var freeze: [String] = []

    @Option(
        help: ArgumentHelp(
            "exact, original or running: where batch normalisation's statistics come from.",
            valueName: "rule"
        )
    )
    var statistics: TrainingConfiguration.StatisticsRule?

    @Flag(
        inversion: .prefixedNo,
        help: "Write event files for TensorBoard into the run's folder. (default: --tensorboard)"
    )
    var tensorboard: Bool?

    @Option(help: ArgumentHelp("Chooses weights, order and augmentation.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("How many threads compute. (default: all cores)", valueName: "count"))
    var threads: Int?

    @Option(help: ArgumentHelp("fast and accurate use Winograd convolution, exact does not.", valueName: "level"))
    var accuracy: InferenceOptions.Accuracy?

    @OptionGroup var memory: TrainingMemoryOptions

    func run(on console: Console) throws {
        let configuration = try resolved()
        let clock = ContinuousClock()
        let start = clock.now
        let trainer = try Trainer(
            configuration,
            output: URL(filePath: output),
            resume: resume,
            threads: threads,
            instructionSet: try InstructionSet.chosen()
        )
        let rate = configuration.batchSize * configuration.accumulate
        console.note(
            "\(configuration.architecture.rawValue), \(trainer.dataset.classes.classes.count) classes, pictures of "
                + "\(trainer.width)x\(trainer.height), \(rate) a step"
                + (configuration.accumulate > 1
                    ? " (\(configuration.accumulate) batches of \(configuration.batchSize))" : "")
                + ", \(trainer.totalSteps) steps, \(Numbers.mebibytes(trainer.plannedBytes))"
        )
        for note in trainer.notes { console.note(note) }
        StopRequest.listen()
        var isStopping = false
        var lastLine = start
        let result = try trainer.run(shouldStop: {
            if StopRequest.isAsked, !isStopping {
                isStopping = true
                console.note("asked to stop: saving. Once more ends at once; the checkpoint is safe either way.")
            }
            return isStopping
        }) { event in
            switch event {
            case .step(let report):
                console.status(Self.line(report))
                // Where no line can be rewritten (`nohup`, a log file), one a minute.
                if !console.isTerminal, clock.now - lastLine > .seconds(60) {
                    lastLine = clock.now
                    console.note(Self.line(report))
                }
            case .validation(let report):
                console.note(Self.line(report))
                if !report.neverPredicted.isEmpty {
                    console.note("  never predicted: \(report.neverPredicted.joined(separator: ", "))")
                }
            case .note(let text): console.note(text)
            case .statistics(let done, let all):
                console.status("statistics of batch normalisation: \(done) of \(all) pictures")
            }
        }
        console.clearStatus()
        guard result.isFinished else {
            console.note(
                "stopped at step \(trainer.completedSteps) of \(trainer.totalSteps), saved as "
                    + "\(trainer.checkpoint.relativePath); go on with"
            )
            console.note(
                "  segnet train --config \(Self.word(trainer.recipe)) --output \(Self.word(trainer.output)) --resume"
            )
            return
        }
        console.note("trained in \(Numbers.fixed((clock.now - start).inMilliseconds / 60_000, 1)) minutes")
        for url in [result.best, result.last].compactMap({ $0 }) { console.print(url.relativePath) }
    }

    /// The recipe with the options given.
    private func resolved() throws -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        if let config {
            guard let data = FileManager.default.contents(atPath: config) else {
                throw ConfigurationError("\(config): cannot be read; give a recipe, such as one of recipes/.")
            }
            configuration = try TrainingConfiguration(yaml: String(decoding: data, as: UTF8.self), file: config)
        }
        if let architecture { configuration.architecture = architecture }
        if let dataset { configuration.dataset = dataset }
        if let data { configuration.data = data }
        if let classes = labels.classes { configuration.classes = classes }
        if labels.colored { configuration.colored = true }
        for word in labels.map {
            let change = try LabelChange(word)
            configuration.map[change.oldText] = change.newText
        }
        configuration.ignore += labels.ignore
        if let inputs { configuration.inputs = InputFiles.words(inputs) }
        if let mean { configuration.mean = mean.numbers }
        if let scale { configuration.scale = scale.numbers }
        if let size { configuration.size = [size.width, size.height] }
        if let crop { configuration.augmentation.crop = [crop.width, crop.height] }
        if let classWeights { configuration.classWeights = classWeights }
        if let batchSize { configuration.batchSize = batchSize }
        if let accumulate { configuration.accumulate = accumulate }
        if let epochs {
            configuration.epochs = epochs
            configuration.iterations = nil
        }
        if let iterations { configuration.iterations = iterations }
        if let learningRate { configuration.learningRate = learningRate }
        if let model { configuration.model = model }
        if let encoder { configuration.encoder = encoder }
        configuration.freeze += freeze
        if let statistics { configuration.statistics = statistics }
        if let tensorboard { configuration.tensorboard = tensorboard }
        if let seed { configuration.seed = seed }
        if let accuracy { configuration.accuracy = accuracy }
        if let storage = memory.storage { configuration.storage = storage }
        if let recompute = memory.recompute { configuration.recompute = recompute }
        return configuration
    }

    /// A path as a word of a shell's command.
    private static func word(_ url: URL) -> String {
        let path = url.relativePath
        let isPlain = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+=:,@%~".contains($0) }
        return isPlain ? path : "'\(path.replacing("'", with: "'\\''"))'"
    }

    /// The live line; a long training's fits the 80 columns of a terminal.
    static func line(_ report: StepReport) -> String {
        let left = Int(min(max(report.secondsLeft, 0), 1e9))
        let time =
            left >= 3600
            ? "\(left / 3600)h\(left / 60 % 60 < 10 ? "0" : "")\(left / 60 % 60)m"
            : left >= 60 ? "\(left / 60) min" : "\(left) s"
        let score = report.runningMeanIoU.map { Numbers.fixed(100 * $0, 1) } ?? "-"
        return "epoch \(Numbers.fixed(report.epoch, 2))  step \(report.step)/\(report.totalSteps)  "
            + "loss \(Numbers.fixed(report.loss, 4))  mIoU \(score)  "
            + "\(Numbers.fixed(report.picturesPerSecond, 1)) img/s  \(time) left"
    }

    private static func line(_ report: ValidationReport) -> String {
        "epoch \(Numbers.fixed(report.epoch, 2))  step \(report.step)  validation: mIoU \(percent(report.scores.meanIoU)), accuracy "
            + "\(percent(report.scores.globalAccuracy)), class average \(percent(report.scores.classAverageAccuracy))"
            + (report.isBest ? "  best so far" : "")
    }

    private static func percent(_ value: Double?) -> String { value.map { Numbers.fixed(100 * $0, 2) } ?? "-" }
}

/// Numbers with commas between them: the value of `--mean` and `--scale`.
struct NumberList: ExpressibleByArgument, Sendable {
    let numbers: [Double]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        numbers = words.compactMap { Double($0) }
        if numbers.count != words.count { return nil }
    }
}

extension DatasetKind: ExpressibleByArgument {}
extension TrainingConfiguration.StatisticsRule: ExpressibleByArgument {}
