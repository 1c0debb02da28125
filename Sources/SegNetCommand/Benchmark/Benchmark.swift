import ArgumentParser
import SegNet

struct Benchmark: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure speed and memory on this machine.",
        discussion: """
            Runs the networks with random weights, in turns with a measurement of the processor's peak (fused \
            multiply-adds on registers, same instruction set, same threads). GFLOP/s are those of the direct \
            convolution, 2 x MACs / time: Winograd convolution may exceed the peak. Then runs 'segnet predict' \
            in a process of its own for its peak memory.

            EXAMPLES:
              segnet benchmark
              segnet benchmark segnet --threads 1 --accuracy exact --layers
              SEGNET_ISA=avx2 segnet benchmark --json
              segnet benchmark --training segnet-basic
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Which networks: \(Architecture.allCases.map(\.rawValue).joined(separator: ", ")). (default: segnet and segnet-basic)",
            valueName: "architecture"
        )
    )
    var architectures: [Architecture] = []

    @Option(help: ArgumentHelp("The size of the pictures.", valueName: "WxH"))
    var size = PictureSize(width: 480, height: 360)

    @Option(help: ArgumentHelp("How many classes.", valueName: "count"))
    var classes = 11

    @Option(help: ArgumentHelp("How often each is measured; the median counts.", valueName: "count"))
    var `repeat` = 15

    @OptionGroup var engine: EngineOptions

    @Flag(help: "Show each layer's time.")
    var layers = false

    @Flag(inversion: .prefixedNo, help: "Measure the memory of 'segnet predict'.")
    var memory = true

    @Flag(
        help:
            "Measure training steps instead: SegNet with 2 pictures of 480x352, SegNet-Basic with 4 of 240x176. One network gives its own peak memory."
    )
    var training = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...10_000).contains(`repeat`) else {
            throw ValidationError("Please give '--repeat' a number in 1...10000; found \(`repeat`).")
        }
        try ArchitectureChoice.validate(classes: classes, width: nil)
    }

    func run(on console: Console) throws {
        if training { return try runTraining(on: console) }
        let report = try BenchmarkRun(options: self, console: console).run()
        if json {
            console.print(try JSON.text(report))
        } else {
            for line in report.lines { console.print(line) }
        }
    }

    private func runTraining(on console: Console) throws {
        let benchmark = TrainingBenchmark(engine: engine, classes: classes, steps: `repeat`)
        for architecture in architectures.isEmpty ? [.segNetBasic, .segNet] : architectures {
            console.status("training \(architecture.rawValue)")
            let report = try benchmark.run(architecture)
            console.clearStatus()
            if json {
                console.print(try JSON.text(report))
                continue
            }
            let sorted = report.secondsPerStep.sorted()
            console.print(
                "\(report.network), \(report.batch) pictures of \(report.width)x\(report.height): "
                    + "\(Numbers.fixed(1000 * sorted[sorted.count / 2], 0)) ms a step "
                    + "(\(Numbers.fixed(1000 * sorted[0], 0)) to \(Numbers.fixed(1000 * sorted[sorted.count - 1], 0))), "
                    + "\(Numbers.fixed(report.picturesPerSecond, 2)) pictures/s, peak memory \(Numbers.mebibytes(report.peakBytes))"
            )
        }
    }
}
