import ArgumentParser
import SegNetToolkit

struct BenchmarkKernels: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Measure single kernels on one thread: matrix products, Winograd transforms, pooling.",
        discussion: """
            Products are compared with the peak; kernels that only move or transform data are given in GB/s, each byte \
            read or written counted once.

            EXAMPLES:
              segnet benchmark kernels
              SEGNET_ISA=avx2 segnet benchmark kernels --json
            """
    )

    @OptionGroup var repetitions: RepetitionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run(on console: Console) throws {
        try KernelBenchmark(repetitions: repetitions.repeat, console: console).run().print(on: console, asJSON: json)
    }
}
