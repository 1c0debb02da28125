import SegNet

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One call of `segnet benchmark`.
struct BenchmarkRun {
    private let options: Benchmark
    private let console: Console
    private let clock = ContinuousClock()

    init(options: Benchmark, console: Console) {
        self.options = options
        self.console = console
    }

    /// A network ready to run, and its times so far.
    private final class Subject {
        let network: Network
        let prepared: PreparedNetwork
        let workspace: Workspace
        var milliseconds: [Double] = []
        /// Per step, in the order in which they run.
        var steps: [(name: String, milliseconds: [Double])] = []

        init(_ network: Network, weights: Weights, options: InferenceOptions, threads: Int, pixels: Image) throws {
            self.network = network
            prepared = try PreparedNetwork(network, weights: weights, options: options, file: "random weights")
            workspace = try Workspace(
                for: prepared.plan(height: network.input.height, width: network.input.width),
                threads: threads
            )
            pixels.pixels.withUnsafeBufferPointer {
                workspace.fillInput($0, rowBytes: 3 * pixels.width, pixelBytes: 3, order: [2, 1, 0])
            }
        }
    }

    func run() throws -> BenchmarkReport {
        let inference = try options.engine.inferenceOptions()
        let threads = options.engine.threadCount
        let architectures = options.architectures.isEmpty ? [.segNet, .segNetBasic] : options.architectures
        let scene = try StreetScene(width: options.size.width, height: options.size.height).image
        // First, while this process is small: a child would have to share the machine's memory with it.
        let memory = options.memory ? try measureMemory(of: architectures, scene) : []

        var subjects: [Subject] = []
        for architecture in architectures {
            console.status("preparing \(architecture.rawValue)")
            let network = network(architecture)
            subjects.append(
                try Subject(
                    network,
                    weights: try Weights.initial(for: network, seed: 1),
                    options: inference,
                    threads: threads,
                    pixels: scene
                )
            )
        }
        var peaks: [Double] = []
        // The first round warms caches and clocks up and does not count.
        for round in 0...options.repeat {
            console.status("round \(round) of \(options.repeat)")
            let peak = inference.instructionSet.measuredPeak(threads: threads)
            if round > 0 { peaks.append(peak) }
            for subject in subjects { measure(subject, counts: round > 0) }
        }
        console.clearStatus()

        let peak = BenchmarkReport.Times(peaks).median / 1e9
        return BenchmarkReport(
            machine: .current,
            instructionSet: inference.instructionSet.name,
            threads: threads,
            accuracy: inference.accuracy.rawValue,
            precision: inference.precision.rawValue,
            width: options.size.width,
            height: options.size.height,
            repetitions: options.repeat,
            peakGigaflops: peak,
            networks: try subjects.map { try report($0, peak: peak, threads: threads) },
            memory: memory
        )
    }

    private func network(_ architecture: Architecture) -> Network {
        architecture.network(
            classes: options.classes,
            options: ArchitectureOptions(input: .bgr255(height: options.size.height, width: options.size.width))
        )
    }

    private func measure(_ subject: Subject, counts: Bool) {
        let start = clock.now
        guard options.layers, counts else {
            subject.workspace.plan.run(in: subject.workspace)
            if counts { subject.milliseconds.append((clock.now - start).inMilliseconds) }
            return
        }
        var last = start
        var step = 0
        subject.workspace.plan.run(in: subject.workspace) { name in
            let now = clock.now
            if step == subject.steps.count { subject.steps.append((name, [])) }
            subject.steps[step].milliseconds.append((now - last).inMilliseconds)
            step += 1
            last = now
        }
        subject.milliseconds.append((clock.now - start).inMilliseconds)
    }

    private func report(_ subject: Subject, peak: Double, threads: Int) throws -> BenchmarkReport.Network {
        let summary = try subject.network.summary()
        let times = BenchmarkReport.Times(subject.milliseconds)
        let gigaflops = 2e-6 * Double(summary.multiplyAccumulates) / times.median
        // A step carries the name of the last layer that became part of it.
        var rows = summary.rows[...]
        let layers = subject.steps.map { step in
            var multiplyAccumulates = 0
            if let last = rows.firstIndex(where: { $0.name == step.name }) {
                multiplyAccumulates = rows[...last].reduce(0) { $0 + $1.multiplyAccumulates }
                rows = rows[(last + 1)...]
            }
            return BenchmarkReport.Layer(
                name: step.name,
                milliseconds: BenchmarkReport.Times(step.milliseconds).median,
                multiplyAccumulates: multiplyAccumulates
            )
        }
        return BenchmarkReport.Network(
            name: summary.name,
            milliseconds: times,
            multiplyAccumulates: summary.multiplyAccumulates,
            gigaflops: gigaflops,
            multipleOfPeak: gigaflops / peak,
            weightBytes: subject.prepared.weightBytes,
            workspaceBytes: subject.workspace.plan.workspaceBytes(threads: threads),
            layers: options.layers ? layers : nil
        )
    }

    // MARK: Memory

    /// Runs `segnet predict` on one picture for each format and precision, in processes of their own.
    private func measureMemory(of architectures: [Architecture], _ scene: Image) throws -> [BenchmarkReport.Memory] {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let picture = scratch.appending(path: "street.png")
        try scene.write(to: picture)
        var results: [BenchmarkReport.Memory] = []
        for architecture in architectures {
            console.status("writing \(architecture.rawValue) for the measurement of memory")
            let network = network(architecture)
            let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
            let tensors = scratch.appending(path: "model.safetensors")
            let caffe = (
                weights: scratch.appending(path: "model.caffemodel"), network: scratch.appending(path: "model.prototxt")
            )
            try SafetensorsFile.write(model, to: tensors)
            try Caffe.write(model, weights: caffe.weights, network: caffe.network)
            let cases: [(model: String, precision: InferenceOptions.Precision, arguments: [String])] = [
                ("safetensors", .float32, ["--model", path(tensors)]),
                ("safetensors", .float16, ["--model", path(tensors)]),
                ("caffemodel", .float32, ["--model", path(caffe.weights), "--network", path(caffe.network)]),
            ]
            for one in cases {
                console.status("measuring the memory of 'segnet predict' with \(architecture.rawValue)")
                let arguments =
                    ["predict", path(picture), "--json", "--output", path(scratch.appending(path: "results"))]
                    + one.arguments + [
                        "--threads", "\(options.engine.threadCount)", "--accuracy", options.engine.accuracy.rawValue,
                        "--precision", one.precision.rawValue,
                    ]
                guard let (output, status) = ChildProcess.run(arguments, scratch: scratch), status == 0,
                    let peak = try? JSONDecoder().decode(Peak.self, from: output)
                else { throw MemoryMeasurementError(arguments: arguments) }
                results.append(
                    BenchmarkReport.Memory(
                        network: architecture.rawValue,
                        model: one.model,
                        precision: one.precision.rawValue,
                        peakBytes: peak.peakMemoryBytes
                    )
                )
            }
        }
        return results
    }

    private struct Peak: Decodable { var peakMemoryBytes: Int }

    private func path(_ url: URL) -> String { url.path(percentEncoded: false) }
}

/// `segnet predict` did not run as a child.
struct MemoryMeasurementError: Error, CustomStringConvertible {
    var arguments: [String]

    var description: String {
        "the memory of 'segnet \(arguments.joined(separator: " "))' could not be measured, it failed; "
            + "run it yourself for its message, or leave this measurement out with '--no-memory'."
    }
}
