public import ArgumentParser
public import SegNetToolkit

struct Evaluate: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        abstract: "Score a model, or masks of any program, against ground truth.",
        discussion: """
            Prints global accuracy, class average, mean IoU and each class's IoU and accuracy, all from one confusion matrix \
            over the whole split, and boundary F1. Pixels without ground truth are not counted; classes that occur in neither \
            truth nor prediction are shown as "-" and left out of means. Scores are taken at the labels' size. What each \
            score means: docs/evaluation.md.

            With --predictions the masks of any program are scored: PNGs named like the pictures (STEM.png or \
            STEM.mask.png) and of the labels' size, with class ids or the classes' colours.

            With --samples, a network with dropout is scored by the mean of its samples, and the accuracy of \
            its most certain pixels shows how useful its uncertainty is.

            EXAMPLES:
              segnet evaluate --model camvid.safetensors --dataset camvid --data CamVid --split test
              segnet evaluate --dataset camvid --data CamVid --tta flip,scales --report report.html
              segnet evaluate --model mine.safetensors --dataset camvid --data CamVid --refine crf
              segnet evaluate --model bayesian.safetensors --dataset camvid --data CamVid --samples 40
              segnet evaluate --dataset camvid --data CamVid --predictions masks/ --json scores.json
              segnet evaluate --dataset camvid --data CamVid --map Bicyclist=Pedestrian --map Fence=void
              segnet evaluate --model mine.safetensors --dataset folder --data my-photos --split val --bf none
              segnet evaluate --dataset list --data facades --labelled Sky,Building,Road,Pavement,Tree,Car
            """
    )

    @OptionGroup var model: ModelOptions

    @Option(
        help: ArgumentHelp("Score these masks in place of a model's.", valueName: "folder"),
        completion: .directory
    )
    var predictions: String?

    @OptionGroup var choice: DatasetChoice

    @Option(
        help: ArgumentHelp(
            "train, val or test. (default: test, or the first of val and train that exists)",
            valueName: "name"
        )
    )
    var split: String?

    @OptionGroup var runSize: RunSizeOptions

    @OptionGroup var edges: EdgeOptions

    @OptionGroup var views: TestTimeAugmentationOptions

    @OptionGroup var sampling: SamplingOptions

    @OptionGroup var refining: RefinementOptions

    @Option(
        help: ArgumentHelp(
            "How means are taken: present leaves absent classes out, original divides by all classes.",
            valueName: "rule"
        )
    )
    var metrics: Scores.Rule = .present

    @Option(
        help: ArgumentHelp(
            "The classes that the labels can name, comma-separated, if not all: means and boundary F1 are over these alone. "
                + "(default: all)",
            valueName: "names"
        )
    )
    var labelled: String?

    @Option(
        help: ArgumentHelp(
            "How boundary F1 is computed: one-to-one, original or distance; none leaves it out. (default: one-to-one)",
            valueName: "rule"
        ),
        transform: BoundaryRuleArgument.init
    )
    var bf = BoundaryRuleArgument(rule: .oneToOne)

    @Option(
        help: ArgumentHelp("Write the scores as JSON; - for standard output.", valueName: "file"),
        completion: .file()
    )
    var json: String?

    @Option(
        help: ArgumentHelp("Write the scores as CSV, one line per class.", valueName: "file"),
        completion: .file(extensions: ["csv"])
    )
    var csv: String?

    @Option(
        help: ArgumentHelp("Write tables, charts, best and worst pictures as one HTML file.", valueName: "file"),
        completion: .file(extensions: ["html"])
    )
    var report: String?

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "The training run whose curves the report shows. (default: the model's folder)",
            valueName: "folder"
        ),
        completion: .directory
    )
    var runFolder: String?

    @Option(help: ArgumentHelp("Write each picture's mask (class ids).", valueName: "folder"), completion: .directory)
    var saveMasks: String?

    @OptionGroup var engine: EngineOptions

    func validate() throws {
        if runFolder != nil, report == nil {
            throw ValidationError("Please give '--run' only with '--report', which shows its curves.")
        }
        if predictions != nil {
            if model.model != nil {
                throw ValidationError("Please give either '--model' or '--predictions', not both.")
            }
            if let option = modelOption {
                throw ValidationError("Please leave '\(option)' out with '--predictions': the masks are made already.")
            }
        }
        try checkFiles()
        try refining.check(sampling)
        if sampling.samples != nil, views.augmentation != .none {
            throw ValidationError("Please give either '--tta' or '--samples', not both.")
        }
    }

    /// An option that was given and is about how a model runs.
    private var modelOption: String? {
        let options: [(String, Bool)] = [
            ("--tta", views.augmentation != .none), ("--samples", sampling.samples != nil),
            ("--refine", refining.refinement != nil), ("--size", runSize.size != nil),
            ("--edges", edges.edges != .nearest),
            ("--network", model.network != nil), ("--mean", model.mean != nil),
            ("--precision", engine.precision != .float32), ("--accuracy", engine.accuracy != nil),
        ]
        return options.first { $0.1 }?.0
    }

    /// Each result has a file of its own.
    private func checkFiles() throws {
        var seen: [String: String] = [:]
        for (option, path) in [("--csv", csv), ("--report", report)] where path == "-" {
            throw ValidationError("Please give '\(option)' a file; only '--json -' is standard output.")
        }
        for (option, path) in [("--json", json), ("--csv", csv), ("--report", report)] {
            guard let path, let other = seen.updateValue(option, forKey: InputList.resolved(path)) else { continue }
            throw ValidationError("Please give '\(option)' another file than '\(other)'; found \(path) for both.")
        }
    }

    /// Whether the scores are printed as JSON, and nothing else is.
    var printsJSON: Bool { json == "-" }

    /// The files that are written.
    var resultFiles: [ResultFile] {
        [(printsJSON ? nil : json, "--json"), (csv, "--csv"), (report, "--report")].compactMap { path, option in
            path.map { ResultFile(path: $0, option: option) }
        }
    }

    func run(on console: Console) throws {
        try EvaluationRun(options: self, console: console).run()
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
                "'\(text)' is not one of \(BoundaryScore.Rule.allCases.map(\.rawValue).joined(separator: ", ")), none."
            )
        }
    }
}

extension Scores.Rule: ExpressibleByArgument {}
