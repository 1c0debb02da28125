import ArgumentParser
import SegNetToolkit

/// How classes are brought to the picture's size (`--edges`).
struct EdgeOptions: ParsableArguments {
    @Option(
        name: .customLong("edges"),
        help: ArgumentHelp(
            "How masks are resized to the picture's size: nearest repeats the network's pixels, smooth interpolates the probabilities.",
            valueName: "kind"
        )
    )
    var edges: Segmenter.Edges = .nearest
}
