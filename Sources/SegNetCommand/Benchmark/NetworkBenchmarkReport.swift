import SegNetToolkit

/// What `segnet benchmark networks` prints.
struct NetworkBenchmarkReport: BenchmarkReport {
    struct Network: Encodable {
        var name: String
        var width: Int
        var height: Int
        var milliseconds: Times
        var multiplyAccumulates: Int
        /// 2 x MACs / median time.
        var gigaflops: Double
        /// gigaflops / the measured peak.
        var multipleOfPeak: Double
        var nanosecondsPerPixel: Double
        var weightBytes: Int
        /// Maps and scratch.
        var workspaceBytes: Int
        var workspaceBytesPerPixel: Double
    }

    struct Memory: Encodable {
        var network: String
        /// The format and precision of the model, as given to `segnet predict`.
        var model: String
        var precision: String
        var peakBytes: Int
    }

    var machine: Machine
    var instructionSet: String
    var threads: Int
    var accuracy: String
    var precision: String
    var repetitions: Int
    /// Median over the run, with the same instruction set and threads.
    var peakGigaflops: Double
    var networks: [Network]
    var memory: [Memory]

    var lines: [String] {
        var lines = [
            "\(machine.processor ?? "unknown processor"), \(machine.cores) cores; \(instructionSet), threads: \(threads), "
                + "\(accuracy), \(precision); \(repetitions) repetitions",
            "peak of fused multiply-adds, measured in between: \(Numbers.fixed(peakGigaflops, 1)) GFLOP/s", "",
        ]
        var table = TextTable([
            ("network", .left), ("size", .left), ("median ms", .right), ("least", .right), ("greatest", .right),
            ("GFLOP/s", .right), ("of peak", .right), ("weights", .right), ("maps", .right), ("ns/pixel", .right),
            ("bytes/pixel", .right),
        ])
        for network in networks {
            table.append([
                network.name, "\(network.width)x\(network.height)", Numbers.fixed(network.milliseconds.median, 1),
                Numbers.fixed(network.milliseconds.least, 1),
                Numbers.fixed(network.milliseconds.greatest, 1), Numbers.fixed(network.gigaflops, 1),
                Numbers.fixed(network.multipleOfPeak, 2) + "x", Numbers.mebibytes(network.weightBytes),
                Numbers.mebibytes(network.workspaceBytes), Numbers.fixed(network.nanosecondsPerPixel, 0),
                Numbers.fixed(network.workspaceBytesPerPixel, 0),
            ])
        }
        lines += table.lines
        if !memory.isEmpty {
            var table = TextTable([
                ("peak memory of 'segnet predict'", .left), ("model", .left), ("precision", .left), ("MiB", .right),
            ])
            for entry in memory {
                table.append([
                    entry.network, entry.model, entry.precision, Numbers.fixed(Double(entry.peakBytes) / 1_048_576, 1),
                ])
            }
            lines += [""] + table.lines
        }
        return lines
    }
}
