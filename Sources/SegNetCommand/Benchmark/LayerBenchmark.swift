import SegNetToolkit

/// One call of `segnet benchmark layers`.
struct LayerBenchmark {
    struct Report: BenchmarkReport {
        struct Layer: Encodable {
            var name: String
            var milliseconds: Times
            /// For convolutions.
            var convolution: ConvolutionSummary?
            /// By the median, for convolutions.
            var gigaflops: Double?
            var multipleOfPeak: Double?
        }

        struct Network: Encodable {
            var name: String
            /// All layers together, and an ordinary run in the same rounds.
            var milliseconds: Times
            var runMilliseconds: Times
            var layers: [Layer]
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
    }

    let command: BenchmarkLayers
    let console: Console

    private final class Subject {
        let name: String
        let whole: NetworkRunner
        let ordinary: NetworkRunner
        var totals: [Double] = []
        var ordinaryTotals: [Double] = []
        var steps: [(name: String, milliseconds: [Double])] = []

        init(name: String, whole: NetworkRunner, ordinary: NetworkRunner) {
            self.name = name
            self.whole = whole
            self.ordinary = ordinary
        }
    }

    func run() throws -> Report {
        let options = command.options
        let inference = try options.engine.segmenterOptions.serving(only: Segmenter.Request()).inference()
        let threads = options.engine.threadCount
        let scene = try StreetScene(width: command.size.width, height: command.size.height).image
        let subjects = try options.chosen.map { architecture in
            console.status("preparing \(architecture.rawValue)")
            let network = options.network(architecture, command.size)
            let prepared = try NetworkRunner.prepare(network, inference)
            return Subject(
                name: network.name,
                whole: try NetworkRunner(prepared, threads: threads, MultichannelImage(scene), bands: .never),
                ordinary: try NetworkRunner(prepared, threads: threads, MultichannelImage(scene))
            )
        }
        var peaks: [Double] = []
        for round in 0...options.repetitions.repeat {
            console.status("round \(round) of \(options.repetitions.repeat)")
            let peak = inference.instructionSet.measuredPeak(threads: threads)
            if round > 0 { peaks.append(peak / 1e9) }
            for subject in subjects {
                var step = 0
                let total = subject.whole.run { name, milliseconds in
                    if step == subject.steps.count { subject.steps.append((name, [])) }
                    if round > 0 { subject.steps[step].milliseconds.append(milliseconds) }
                    step += 1
                }
                let ordinary = subject.ordinary.run()
                guard round > 0 else { continue }
                subject.totals.append(total)
                subject.ordinaryTotals.append(ordinary)
            }
        }
        console.clearStatus()
        let peak = Times(peaks).median
        return Report(
            machine: .current,
            instructionSet: inference.instructionSet.name,
            threads: threads,
            accuracy: inference.accuracy.rawValue,
            precision: inference.precision.rawValue,
            width: command.size.width,
            height: command.size.height,
            repetitions: options.repetitions.repeat,
            peakGigaflops: peak,
            networks: subjects.map { report($0, peak: peak) }
        )
    }

    private func report(_ subject: Subject, peak: Double) -> Report.Network {
        var convolutions = subject.whole.plan.convolutions[...]
        let layers = subject.steps.map { name, milliseconds in
            let times = Times(milliseconds)
            let convolution = convolutions.first?.name == name ? convolutions.removeFirst() : nil
            let gigaflops = convolution.map { 2e-6 * Double($0.multiplyAccumulates) / times.median }
            return Report.Layer(
                name: name,
                milliseconds: times,
                convolution: convolution,
                gigaflops: gigaflops,
                multipleOfPeak: gigaflops.map { $0 / peak }
            )
        }
        return Report.Network(
            name: subject.name,
            milliseconds: Times(subject.totals),
            runMilliseconds: Times(subject.ordinaryTotals),
            layers: layers
        )
    }
}

extension LayerBenchmark.Report {
    var lines: [String] {
        var lines = [
            "\(machine.processor ?? "unknown processor"), \(machine.cores) cores; \(instructionSet), threads: \(threads), "
                + "\(accuracy), \(precision); \(width)x\(height), \(repetitions) repetitions",
            "peak of fused multiply-adds, measured in between: \(Numbers.fixed(peakGigaflops, 1)) GFLOP/s",
        ]
        for network in networks {
            var table = TextTable([
                ("\(network.name), layer", .left), ("channels", .left), ("algorithm", .left), ("schedule", .left),
                ("median ms", .right), ("share", .right), ("GFLOP/s", .right), ("of peak", .right),
            ])
            let total = network.layers.reduce(0) { $0 + $1.milliseconds.median }
            for layer in network.layers {
                table.append([
                    layer.name,
                    layer.convolution.map { "\($0.inputChannels) -> \($0.outputChannels), \($0.width)x\($0.height)" }
                        ?? "",
                    layer.convolution?.algorithm ?? "", layer.convolution?.schedule ?? "",
                    Numbers.fixed(layer.milliseconds.median, 2),
                    Numbers.percent(total > 0 ? layer.milliseconds.median / total : 0),
                    layer.gigaflops.map { Numbers.fixed($0, 1) } ?? "",
                    layer.multipleOfPeak.map { Numbers.fixed($0, 2) + "x" } ?? "",
                ])
            }
            lines += [""] + table.lines
            lines.append(
                "all layers: \(Numbers.fixed(network.milliseconds.median, 1)) ms; an ordinary run, with bands: "
                    + "\(Numbers.fixed(network.runMilliseconds.median, 1)) ms"
            )
        }
        return lines
    }
}
