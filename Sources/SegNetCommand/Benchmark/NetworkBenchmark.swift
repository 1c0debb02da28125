import ArgumentParser
import SegNetToolkit

/// One call of `segnet benchmark networks`.
struct NetworkBenchmark {
    let command: BenchmarkNetworks
    let console: Console

    private var options: BenchmarkOptions { command.options }

    /// A network at one size, and its times so far.
    private final class Subject {
        let network: Network
        let runner: NetworkRunner
        var milliseconds: [Double] = []

        init(_ network: Network, _ runner: NetworkRunner) {
            self.network = network
            self.runner = runner
        }
    }

    func run() throws -> NetworkBenchmarkReport {
        let inference = try options.engine.segmenterOptions.serving(only: Segmenter.Request()).inference()
        let threads = options.engine.threadCount
        if let output = command.output {
            try OutputFolder.prepare(output)
            let folder = URL(filePath: output)
            let files = options.chosen.map { ($0, folder.appending(path: "\($0.rawValue).safetensors")) }
            for (architecture, file) in files { try requireOwn(file, architecture) }
            for (architecture, file) in files {
                console.status("writing \(architecture.rawValue)")
                try SafetensorsFile.write(randomModel(architecture), to: file)
            }
        }
        // First, while this process is small: a child would have to share the machine's memory with it.
        let memory = command.memory ? try measureMemory() : []

        var subjects: [Subject] = []
        for architecture in options.chosen {
            console.status("preparing \(architecture.rawValue)")
            let prepared = try NetworkRunner.prepare(options.network(architecture, command.sizes[0]), inference)
            for size in command.sizes {
                let scene = try StreetScene(width: size.width, height: size.height).image
                subjects.append(
                    Subject(
                        options.network(architecture, size),
                        try NetworkRunner(prepared, threads: threads, MultichannelImage(scene))
                    )
                )
            }
        }
        var peaks: [Double] = []
        // The first round warms caches and clocks up and does not count.
        for round in 0...options.repetitions.repeat {
            console.status("round \(round) of \(options.repetitions.repeat)")
            let peak = inference.instructionSet.measuredPeak(threads: threads)
            if round > 0 { peaks.append(peak / 1e9) }
            for subject in subjects {
                let milliseconds = subject.runner.run()
                if round > 0 { subject.milliseconds.append(milliseconds) }
            }
        }
        console.clearStatus()

        let peak = Times(peaks).median
        return NetworkBenchmarkReport(
            machine: .current,
            instructionSet: inference.instructionSet.name,
            threads: threads,
            accuracy: inference.accuracy.rawValue,
            precision: inference.precision.rawValue,
            repetitions: options.repetitions.repeat,
            peakGigaflops: peak,
            networks: try subjects.map { try report($0, peak: peak, threads: threads) },
            memory: memory
        )
    }

    private func report(_ subject: Subject, peak: Double, threads: Int) throws -> NetworkBenchmarkReport.Network {
        let summary = try subject.network.summary()
        let times = Times(subject.milliseconds)
        let gigaflops = 2e-6 * Double(summary.multiplyAccumulates) / times.median
        let plan = subject.runner.plan
        let pixels = Double(plan.width * plan.height)
        return NetworkBenchmarkReport.Network(
            name: summary.name,
            width: plan.width,
            height: plan.height,
            milliseconds: times,
            multiplyAccumulates: summary.multiplyAccumulates,
            gigaflops: gigaflops,
            multipleOfPeak: gigaflops / peak,
            nanosecondsPerPixel: 1e6 * times.median / pixels,
            weightBytes: plan.prepared.weightBytes,
            workspaceBytes: plan.workspaceBytes(threads: threads),
            workspaceBytesPerPixel: Double(plan.workspaceBytes(threads: threads)) / pixels
        )
    }

    /// Refuses to replace a file that is not what an earlier run has written: a model that somebody has trained may have that name.
    private func requireOwn(_ file: URL, _ architecture: Architecture) throws {
        let path = path(file)
        guard FileAccess.kind(of: path) != .missing else { return }
        if let old = try? SafetensorsFile.readModel(file) {
            let model = try randomModel(architecture)
            if old.network == model.network, old.weights.isIdentical(to: model.weights) { return }
        }
        throw ValidationError(
            "Please give '--output' another folder: \(path) already exists and would be replaced by a model with random weights."
        )
    }

    /// The model that is measured at the first size.
    private func randomModel(_ architecture: Architecture) throws -> Model {
        let network = options.network(architecture, command.sizes[0])
        return Model(network: network, weights: try Weights.initial(for: network, seed: 1))
    }

    // MARK: Memory

    /// Runs `segnet predict` on one picture for each format and precision, in processes of their own.
    private func measureMemory() throws -> [NetworkBenchmarkReport.Memory] {
        let size = command.sizes[0]
        let scene = try StreetScene(width: size.width, height: size.height).image
        let scratch = try OutputFolder.temporary()
        defer { try? FileManager.default.removeItem(at: scratch) }
        let picture = scratch.appending(path: "street.png")
        let accuracy = try options.engine.segmenterOptions.inference().accuracy
        try scene.write(to: picture)
        var results: [NetworkBenchmarkReport.Memory] = []
        for architecture in options.chosen {
            console.status("writing \(architecture.rawValue) for the measurement of memory")
            let model = try randomModel(architecture)
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
                        "--threads", "\(options.engine.threadCount)",
                        "--accuracy", accuracy.rawValue,
                        "--precision", one.precision.rawValue,
                    ]
                guard let (output, status) = ChildProcess.run(arguments, scratch: scratch), status == 0,
                    let peak = try? JSONDecoder().decode(Peak.self, from: output)
                else { throw MemoryMeasurementError(arguments: arguments) }
                results.append(
                    NetworkBenchmarkReport.Memory(
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
