import ArgumentParser
import SegNetToolkit

/// Options of a training to take less memory.
struct TrainingMemoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("How maps that the backward pass reads are stored. (default: float32)", valueName: "format")
    )
    var storage: TrainingStorage?

    @Flag(
        inversion: .prefixedNo,
        help:
            "Compute maps again for the backward pass, in place of keeping them: less memory, more time, the same bits. (default: --no-recompute)"
    )
    var recompute: Bool?
}
