public import ArgumentParser
public import SegNetToolkit

/// How networks are run: threads, precision, accuracy (or the one that `SEGNET_ACCURACY` names); and the kernels that `SEGNET_ISA` names.
struct EngineOptions: ParsableArguments {
    @OptionGroup var threadOptions: ThreadOptions

    @Option(
        help: ArgumentHelp(
            "How weights are stored in memory: float32 or float16. Arithmetic is float32 in any case.",
            valueName: "type"
        )
    )
    var precision: InferenceOptions.Precision = .float32

    @Option(help: .setting("accuracy", valueName: "level", namesChoices: false))
    var accuracy: InferenceOptions.Accuracy?

    /// The threads that a run uses.
    var threadCount: Int { threadOptions.count }

    /// The options of a segmenter.
    var segmenterOptions: Segmenter.Options {
        Segmenter.Options(accuracy: accuracy, precision: precision, threads: threadCount)
    }
}

extension InferenceOptions.Precision: ExpressibleByArgument {}
extension InferenceOptions.Accuracy: ExpressibleByArgument {}
extension Segmenter.Edges: ExpressibleByArgument {}
extension ONNX.Unpooling: ExpressibleByArgument {}
