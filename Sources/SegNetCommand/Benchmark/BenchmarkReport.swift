import SegNet

/// What `segnet benchmark` prints.
struct BenchmarkReport: Encodable {
    /// Times of one thing, in milliseconds.
    struct Times: Encodable {
        var median: Double
        var least: Double
        var greatest: Double

        /// - Parameter milliseconds: At least one.
        init(_ milliseconds: [Double]) {
            let sorted = milliseconds.sorted()
            let middle = sorted.count / 2
            median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            least = sorted.first ?? 0
            greatest = sorted.last ?? 0
        }
    }

    struct Layer: Encodable {
        var name: String
        var milliseconds: Double
        /// Of the direct algorithm; layers that are fused into this one are counted here.
        var multiplyAccumulates: Int
    }

    struct Network: Encodable {
        var name: String
        var milliseconds: Times
        var multiplyAccumulates: Int
        /// 2 x MACs / median time.
        var gigaflops: Double
        /// gigaflops / the measured peak.
        var multipleOfPeak: Double
        var weightBytes: Int
        var workspaceBytes: Int
        var layers: [Layer]?
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
    var width: Int
    var height: Int
    var repetitions: Int
    /// Median over the run, with the same instruction set and threads.
    var peakGigaflops: Double
    var networks: [Network]
    var memory: [Memory]

    var lines: [String] {
        var lines = [
            "\(machine.processor ?? "unknown processor"), \(machine.cores) cores; \(instructionSet), threads: \(threads), "
                + "\(accuracy), \(precision); \(width)x\(height), \(repetitions) repetitions",
            "peak of fused multiply-adds, measured in between: \(Numbers.fixed(peakGigaflops, 1)) GFLOP/s", "",
        ]
        var table = TextTable([
            ("network", .left), ("median ms", .right), ("least", .right), ("greatest", .right), ("GFLOP/s", .right),
            ("of peak", .right), ("weights", .right), ("maps", .right),
        ])
        for network in networks {
            table.append([
                network.name, Numbers.fixed(network.milliseconds.median, 1),
                Numbers.fixed(network.milliseconds.least, 1),
                Numbers.fixed(network.milliseconds.greatest, 1), Numbers.fixed(network.gigaflops, 1),
                Numbers.fixed(network.multipleOfPeak, 2) + "x", Numbers.mebibytes(network.weightBytes),
                Numbers.mebibytes(network.workspaceBytes),
            ])
        }
        lines += table.lines
        for network in networks {
            guard let layers = network.layers else { continue }
            var table = TextTable([
                ("\(network.name), layer", .left), ("median ms", .right), ("share", .right), ("GFLOP/s", .right),
            ])
            let total = layers.reduce(0) { $0 + $1.milliseconds }
            for layer in layers {
                let gigaflops = 2e-6 * Double(layer.multiplyAccumulates) / layer.milliseconds
                table.append([
                    layer.name, Numbers.fixed(layer.milliseconds, 2), Numbers.percent(layer.milliseconds / total),
                    layer.multiplyAccumulates > 0 ? Numbers.fixed(gigaflops, 1) : "",
                ])
            }
            lines += [""] + table.lines
        }
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
