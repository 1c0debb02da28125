import ArgumentParser
import SegNetToolkit

struct BenchmarkLayers: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers",
        abstract: "Measure each layer of a network, with the algorithm and schedule chosen for it.",
        discussion: """
            Layers run one after the other over whole feature maps. An ordinary run takes large maps through several layers in bands of \
            rows, which may be faster than the sum of the layers.

            EXAMPLES:
              segnet benchmark layers segnet
              segnet benchmark layers segnet-basic --size 960x720 --threads 1 --json
            """
    )

    @OptionGroup var options: BenchmarkOptions

    @Option(
        help: ArgumentHelp("The size of the pictures. (default: \(PictureSize.camVid))", valueName: "WxH"),
        transform: PictureSize.parse
    )
    var size = PictureSize.camVid

    func run(on console: Console) throws {
        try LayerBenchmark(command: self, console: console).run().print(on: console, asJSON: options.json)
    }
}
