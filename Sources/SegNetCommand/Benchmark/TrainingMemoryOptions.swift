import ArgumentParser
import SegNetToolkit

/// Options of a training to take less memory. Their help and defaults are a recipe's.
struct TrainingMemoryOptions: ParsableArguments {
    @Option(help: .setting("storage", standard: "", valueName: "format", namesChoices: false))
    var storage = TrainingConfiguration().storage

    @Flag(inversion: .prefixedNo, help: .setting("recompute", standard: ""))
    var recompute = TrainingConfiguration().recompute
}
