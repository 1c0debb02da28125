import ArgumentParser
import SegNetToolkit

struct BenchmarkTraining: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "training",
        abstract: "Measure training steps.",
        discussion: """
            SegNet with 2 pictures of 480x352, SegNet-Basic with 4 of 240x176: forward, loss, backward, update. \
            Peak memory is that of this process so far; for a network's own, measure it alone.

            EXAMPLES:
              segnet benchmark training
              segnet benchmark training segnet --repeat 5 --json
              segnet benchmark training segnet --storage float16 --recompute
            """
    )

    @OptionGroup var options: BenchmarkOptions
    @OptionGroup var memory: TrainingMemoryOptions

    func validate() throws {
        if options.engine.precision != .float32 {
            throw ValidationError(
                "Please leave '--precision' out: a training keeps its weights in float32. '--storage float16' stores its maps in half the "
                    + "memory."
            )
        }
    }

    func run(on console: Console) throws {
        let benchmark = TrainingBenchmark(
            engine: options.engine,
            variant: options.variant,
            classes: options.classes,
            storage: memory.storage,
            recomputes: memory.recompute,
            steps: options.repetitions.repeat
        )
        var reports: [TrainingBenchmark.Report] = []
        // The smaller first: the peak is of the whole process.
        for architecture in options.architectures.isEmpty ? [.segNetBasic, .segNet] : options.architectures {
            console.status("training \(architecture.rawValue)")
            let report = try benchmark.run(architecture)
            console.clearStatus()
            reports.append(report)
            if options.json { continue }
            let sorted = report.secondsPerStep.sorted()
            console.print(
                "\(report.network), \(counted(report.batch, "picture")) of \(report.width)x\(report.height): "
                    + "\(Numbers.fixed(1000 * sorted[sorted.count / 2], 0)) ms per step "
                    + "(\(Numbers.fixed(1000 * sorted[0], 0)) to \(Numbers.fixed(1000 * sorted[sorted.count - 1], 0))), "
                    + "\(Numbers.fixed(report.picturesPerSecond, 2)) pictures/s, maps \(Numbers.mebibytes(report.workspaceBytes)), "
                    + "peak memory \(Numbers.mebibytes(report.peakBytes))"
            )
        }
        if options.json { console.print(try JSON.text(TrainingBenchmark.Document(networks: reports))) }
    }
}
