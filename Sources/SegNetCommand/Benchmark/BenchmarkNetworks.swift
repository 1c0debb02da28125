import ArgumentParser
import SegNetToolkit

struct BenchmarkNetworks: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "networks",
        abstract: "Measure whole networks, and the peak memory of 'segnet predict'.",
        discussion: """
            Give several sizes to see how cost grows: 'ns/pixel', and 'bytes/pixel' of maps and scratch. Peak memory is measured in \
            separate 'segnet predict' processes, at the first size.

            EXAMPLES:
              segnet benchmark networks
              segnet benchmark networks segnet --size 480x360 --size 960x720 --size 1920x1440 --no-memory
              segnet benchmark networks segnet --no-memory --output random-models
            """
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(
        help: ArgumentHelp(
            "The size of the pictures; give several to compare. (default: \(PictureSize.camVid))",
            valueName: "WxH"
        ),
        transform: PictureSize.parse
    )
    var size: [PictureSize] = []

    @Flag(inversion: .prefixedNo, help: "Measure the memory of 'segnet predict'.")
    var memory = true

    @Option(
        help: ArgumentHelp(
            "Write the models, whose weights are random, into this folder as <architecture>.safetensors, to measure them elsewhere.",
            valueName: "folder"
        )
    )
    var output: String?

    var sizes: [PictureSize] { size.isEmpty ? [.camVid] : size }

    func run(on console: Console) throws {
        try NetworkBenchmark(command: self, console: console).run().print(on: console, asJSON: options.json)
    }
}
