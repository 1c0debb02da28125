import SegNetToolkit

/// One call of `segnet benchmark kernels`.
struct KernelBenchmark {
    struct Report: BenchmarkReport {
        struct Kernel: Encodable {
            var name: String
            /// For one call.
            var microseconds: Times
            /// By the median; nil for kernels that only move and transform.
            var gigaflops: Double?
            var shareOfPeak: Double?
            /// By the median.
            var gigabytesPerSecond: Double
        }

        var machine: Machine
        var instructionSet: String
        var threads = 1
        var repetitions: Int
        /// Median over the run, one thread.
        var peakGigaflops: Double
        var kernels: [Kernel]

        var lines: [String] {
            var table = TextTable([
                ("kernel", .left), ("median us", .right), ("least", .right), ("GFLOP/s", .right), ("of peak", .right),
                ("GB/s", .right),
            ])
            for kernel in kernels {
                table.append([
                    kernel.name, Numbers.fixed(kernel.microseconds.median, 1),
                    Numbers.fixed(kernel.microseconds.least, 1), kernel.gigaflops.map { Numbers.fixed($0, 1) } ?? "",
                    kernel.shareOfPeak.map { Numbers.percent($0) } ?? "", Numbers.fixed(kernel.gigabytesPerSecond, 1),
                ])
            }
            return [
                "\(machine.processor ?? "unknown processor"); \(instructionSet), one thread, \(repetitions) repetitions",
                "peak of fused multiply-adds, measured in between: \(Numbers.fixed(peakGigaflops, 1)) GFLOP/s", "",
            ] + table.lines
        }
    }

    let repetitions: Int
    let console: Console

    /// A measurement takes at least this long, so that reading the clock does not matter.
    private static let leastDuration = Duration.milliseconds(2)

    func run() throws -> Report {
        let set = try InstructionSet.chosen()
        let cases = try KernelCase.all(set.kernels)
        let clock = ContinuousClock()
        var microseconds: [[Double]] = Array(repeating: [], count: cases.count)
        var calls = Array(repeating: 1, count: cases.count)
        var peaks: [Double] = []
        for round in 0...repetitions {
            console.status("round \(round) of \(repetitions)")
            let peak = set.measuredPeak(threads: 1, duration: .milliseconds(20))
            if round > 0 { peaks.append(peak / 1e9) }
            for (index, one) in cases.enumerated() {
                // The first round finds out how many calls a measurement takes.
                var duration: Duration
                repeat {
                    let start = clock.now
                    for _ in 0..<calls[index] { one.run() }
                    duration = clock.now - start
                    if round == 0, duration < Self.leastDuration { calls[index] *= 2 }
                } while round == 0 && duration < Self.leastDuration
                if round > 0 { microseconds[index].append(1000 * duration.inMilliseconds / Double(calls[index])) }
            }
        }
        console.clearStatus()
        let peak = Times(peaks).median
        return Report(
            machine: .current,
            instructionSet: set.name,
            repetitions: repetitions,
            peakGigaflops: peak,
            kernels: zip(cases, microseconds).map { one, microseconds in
                let times = Times(microseconds)
                let gigaflops = one.operations > 0 ? one.operations / times.median / 1000 : nil
                return Report.Kernel(
                    name: one.name,
                    microseconds: times,
                    gigaflops: gigaflops,
                    shareOfPeak: gigaflops.map { $0 / peak },
                    gigabytesPerSecond: one.bytes / times.median / 1000
                )
            }
        )
    }
}
