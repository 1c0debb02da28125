import ArgumentParser
import SegNetToolkit

/// Further views of each picture (`--tta`).
struct TestTimeAugmentationOptions: ParsableArguments {
    @Option(
        name: .customLong("tta"),
        help: ArgumentHelp(
            "Test-time augmentation, the mean over views of each picture: flip, scales (0.75, 1, 1.25), scales=0.5,1, or both "
                + "(flip,scales).",
            valueName: "views"
        ),
        transform: { text in
            do throws(Segmenter.WordsError) { return try TestTimeAugmentation(text) } catch {
                throw ValidationError("\(error.problem); write flip, scales, scales=0.5,1,2, or flip,scales.")
            }
        }
    )
    var augmentation = TestTimeAugmentation.none
}

extension Segmenter.Runs {
    /// The mode that `--samples` or `--tta` asks for; they cannot be combined.
    init(_ sampling: SamplingOptions, _ views: TestTimeAugmentationOptions) {
        if let samples = sampling.samples {
            self = .samples(samples, seed: sampling.seed ?? 0)
        } else {
            self = views.augmentation == .none ? .once : .views(views.augmentation)
        }
    }
}
