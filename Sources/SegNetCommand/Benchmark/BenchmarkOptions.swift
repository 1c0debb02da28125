import ArgumentParser
import SegNetToolkit

/// The options that all subcommands with whole networks share.
struct BenchmarkOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Which networks ('segnet info --list' shows all). (default: segnet and segnet-basic)",
            valueName: "architecture"
        ),
        completion: Architecture.completion,
        transform: Architecture.parse
    )
    var architectures: [Architecture] = []

    @Option(help: ArgumentHelp("How many classes.", valueName: "count"))
    var classes = 11

    @OptionGroup var variant: ArchitectureVariantOptions

    @OptionGroup var repetitions: RepetitionOptions

    @OptionGroup var engine: EngineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try ArchitectureChoice.validate(classes: classes, width: nil)
        try variant.check(chosen)
    }

    /// Those asked for, or both networks of the paper.
    var chosen: [Architecture] { architectures.isEmpty ? [.segNet, .segNetBasic] : architectures }

    func network(_ architecture: Architecture, _ size: PictureSize) -> Network {
        variant.network(architecture, classes: classes, size: size)
    }
}

struct RepetitionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many times each is measured; the median is reported.", valueName: "count"))
    var `repeat` = 15

    func validate() throws {
        guard (1...10_000).contains(`repeat`) else {
            throw ValidationError("Please give '--repeat' a number in 1...10000; found \(`repeat`).")
        }
    }

    /// Measures in rounds. The first is for the caches, and does not count.
    func rounds<Result>(on console: Console, _ measure: () throws -> Result) rethrows -> [Result] {
        var results: [Result] = []
        for round in 0...`repeat` {
            console.status("round \(round) of \(`repeat`)")
            let result = try measure()
            if round > 0 { results.append(result) }
        }
        console.clearStatus()
        return results
    }
}
