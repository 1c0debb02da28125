import SegNetToolkit

/// Training steps of one network: forward, loss, backward, update, on rendered streets.
struct TrainingBenchmark {
    struct Report: Encodable {
        var engine = "segnet"
        var network: String
        var batch: Int
        var width: Int
        var height: Int
        var instructionSet: String
        var threads: Int
        var storage: TrainingStorage
        var recomputes: Bool
        var secondsPerStep: [Double]
        /// By the median step.
        var picturesPerSecond: Double
        /// Maps and scratch of a step, without the parameters.
        var workspaceBytes: Int
        /// The peak of the whole process so far.
        var peakBytes: Int
    }

    /// What `segnet benchmark training --json` prints.
    struct Document: Encodable {
        var networks: [Report]
    }

    let engine: EngineOptions
    let variant: ArchitectureVariantOptions
    let classes: Int
    let storage: TrainingStorage
    let recomputes: Bool
    let steps: Int

    func run(_ architecture: Architecture) throws -> Report {
        let (batch, size) = architecture.measuredBatch
        let options = try engine.segmenterOptions.inference()
        let network = variant.network(architecture, classes: classes, size: size, statistics: .batch)
        let examples = try (0..<batch).map { number in
            let scene = try StreetScene(seed: UInt64(number + 1), width: size.width, height: size.height)
            return Example(
                pixels: scene.image.rgb().pixels,
                width: size.width,
                height: size.height,
                channels: 3,
                labels: scene.labels.ids.map { min($0, UInt16(classes - 1)) }
            )
        }
        let timer = try TrainingStepTimer(
            network,
            options: TrainingOptions(
                accuracy: options.accuracy,
                instructionSet: options.instructionSet,
                storage: storage,
                recomputes: recomputes
            ),
            examples: examples,
            starts: architecture.starts,
            classes: classes,
            threads: engine.threadCount
        )
        // The first step touches memory for the first time.
        let seconds = try (0...steps).map { _ in try timer.step().whole }.dropFirst()
        let median = seconds.sorted()[seconds.count / 2]
        return Report(
            network: architecture.rawValue,
            batch: batch,
            width: size.width,
            height: size.height,
            instructionSet: options.instructionSet.name,
            threads: engine.threadCount,
            storage: storage,
            recomputes: recomputes,
            secondsPerStep: Array(seconds),
            picturesPerSecond: Double(batch) / median,
            workspaceBytes: timer.workspaceBytes,
            peakBytes: MachineMemory.peak
        )
    }
}
