public import ArgumentParser
public import SegNetToolkit

struct TuneCRF: ConsoleCommand, DatasetReader {
    static let configuration = CommandConfiguration(
        commandName: "crf",
        abstract: "Find the dense CRF that refines a model's results best.",
        discussion: """
            Searches w1, sigma-alpha and sigma-beta on a part of the training set, as the papers do: a coarse grid, then a finer one \
            around the point with the best mean IoU. w2 and sigma-gamma stay at 3. The best CRF is stored with the model, where \
            '--refine crf' finds it; the weights stay as they are. If no CRF improves the mean IoU, nothing is stored. For a bundled \
            model given by name, nothing is stored either unless you give --store, since others use it too.

            It takes two runs of the network and 53 refinements per picture. The pictures are spread evenly over the split.

            EXAMPLES:
              segnet tune crf --model mine.safetensors --dataset camvid --data CamVid
              segnet tune crf --model mine.safetensors --dataset camvid --data CamVid --split val --pictures 100
              segnet tune crf --model mine.safetensors --dataset camvid --data CamVid --no-store
              segnet evaluate --model mine.safetensors --dataset camvid --data CamVid --refine crf
            """
    )

    @OptionGroup var model: ModelOptions

    @OptionGroup var choice: DatasetChoice

    @Option(help: ArgumentHelp("train, val or test.", valueName: "name"))
    var split = "train"

    @Option(help: ArgumentHelp("Use at most this many of the split's pictures.", valueName: "count"))
    var pictures = 20

    @OptionGroup var runSize: RunSizeOptions

    @OptionGroup var views: TestTimeAugmentationOptions

    @Option(help: ArgumentHelp("Mean-field iterations of the CRF.", valueName: "count"))
    var iterations = 10

    @Option(
        help: ArgumentHelp(
            "How the filters' sums are normalised: after, as in DeepLab, or symmetric, as in pydensecrf.",
            valueName: "rule"
        )
    )
    var normalization: DenseCRF.Normalization = .after

    @Flag(
        inversion: .prefixedNo,
        help: "Store the best CRF in the model's file. (default: yes for a file, no for a bundled model by name)"
    )
    var store: Bool?

    @OptionGroup var engine: EngineOptions

    func validate() throws {
        guard pictures > 0 else {
            throw ValidationError("Please give '--pictures' a number of at least 1; found \(pictures).")
        }
        guard DenseCRF.iterationRange.dropFirst().contains(iterations) else {
            throw ValidationError(
                "Please give '--iterations' a number in 1...\(DenseCRF.iterationRange.upperBound); found \(iterations)."
            )
        }
    }

    func run(on console: Console) throws {
        try TuneCRFRun(options: self, console: console).run()
    }
}

extension DenseCRF.Normalization: ExpressibleByArgument {}
