internal import SegNetCPU
internal import SegNetData
internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform
internal import SegNetTraining

extension SystemComparison {
    /// What a system costs on this machine; nil if that was not measured for its model as it is now.
    public func measurement(of system: System, threads: Int? = nil) -> Measurement? {
        let subject = try? subject(system, conditions: Self.machine(threads))
        return ScoredSubject.read(Measurement.self, measurementFile(system), of: subject)
    }

    /// Measures what a system costs and writes it down (`measurement.json`), unless it is there: its size, a forward and a backward pass of
    /// one picture, without refinement.
    /// - Parameters:
    ///   - threads: Nil means all cores.
    ///   - repetitions: How often each pass runs, after a run that does not count.
    ///   - inferencePeakBytes: The memory of a process that segments one picture, if it was measured.
    /// - Throws: Errors of reading the model; `MemoryError`, `TrainingMemoryError`.
    public func measure(
        _ system: System,
        threads: Int? = nil,
        repetitions: Int = 7,
        inferencePeakBytes: Int? = nil
    ) throws {
        guard measurement(of: system, threads: threads) == nil else { return }
        let subject = try subject(system, conditions: Self.machine(threads))
        // Systems that share a model cost the same, up to the memory of a refinement.
        let owner = systems.first {
            $0.modelFile == system.modelFile && self.measurement(of: $0, threads: threads) != nil
        }
        if let owner, var shared = self.measurement(of: owner, threads: threads) {
            (shared.subject, shared.inferencePeakBytes) = (subject, inferencePeakBytes)
            return try ScoredSubject.write(shared, to: measurementFile(system))
        }
        let count = threads ?? ThreadPool.availableCores
        let model = try LoadedModel(system.modelFile).model
        let input = model.network.input
        let size = PictureSize(width: input.width, height: input.height)
        let (dataset, example) = try firstExample(of: system, at: size)
        let options = Segmenter.Options(accuracy: system.configuration.accuracy, classesOnly: true)
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options.inference())
        let instructionSet = prepared.options.instructionSet
        let runner = try NetworkRunner(prepared, threads: count, dataset.picture(of: example))
        let forward = (0...repetitions).map { _ in runner.run() }.dropFirst()
        let timer = try timer(of: system, [example], dataset, threads: count) { _ in
            try system.configuration.learning(instructionSet)
        }
        let steps = try (0...repetitions).map { _ in try timer.step() }.dropFirst()
        let measurement = Measurement(
            subject: subject,
            parameters: try model.network.summary().parameters,
            modelBytes: subject.modelBytes,
            width: size.width,
            height: size.height,
            forwardMilliseconds: Times(Array(forward)).median,
            learningForwardMilliseconds: 1000 * Times(steps.map(\.forward)).median,
            backwardMilliseconds: 1000 * Times(steps.map(\.backward)).median,
            inferencePeakBytes: inferencePeakBytes,
            threads: count,
            instructionSet: instructionSet.name
        )
        try ScoredSubject.write(measurement, to: measurementFile(system))
    }

    /// How long what is missing of a system's training will take: by the pace of its run so far, or else by two steps with random weights,
    /// without a teacher, whose file may not be there yet.
    /// - Throws: Errors of reading the data set; `TrainingMemoryError`.
    public func estimate(_ system: System, threads: Int? = nil) throws -> Estimate {
        let configuration = system.configuration
        if let history = RunHistory(folder: system.runFolder), let total = history.totalSteps,
            let seconds = history.seconds, history.lastStep > 0, case .begun = try state(of: system)
        {
            return Estimate(
                stepsLeft: max(0, total - history.lastStep),
                totalSteps: total,
                secondsPerStep: seconds / Double(history.lastStep)
            )
        }
        let timer = try timer(of: system, threads: threads ?? ThreadPool.availableCores)
        _ = try timer.step()
        let seconds = try (0..<2).map { _ in try timer.step().whole }
        let steps = try configuration.stepCount(pictures: found.count(of: configuration))
        return Estimate(
            stepsLeft: steps,
            totalSteps: steps,
            secondsPerStep: Times(seconds).median * Double(configuration.accumulate)
        )
    }

    /// The system's data set, and its first training picture resized to this size, or (nil) as it is.
    private func firstExample(of system: System, at size: PictureSize?) throws -> (Dataset, Example) {
        let dataset = try found.dataset(of: system.configuration)
        let samples = dataset.splits.sorted { $0.key > $1.key }.flatMap(\.value)
        guard let sample = samples.first else {
            throw DatasetError("data set '\(dataset.name)' has no pictures, so nothing can be measured on it.")
        }
        let example = try dataset.example(sample)
        guard let size, size != example.size else { return (dataset, example) }
        return (dataset, example.resized(width: size.width, height: size.height))
    }

    /// Steps as a system's training takes them: with its batches and its frozen layers.
    func timer(of system: System, threads: Int) throws -> TrainingStepTimer {
        let configuration = system.configuration
        let size = configuration.augmentation.crop ?? configuration.size
        let (dataset, example) = try firstExample(of: system, at: size)
        let batch = Array(repeating: example, count: configuration.batchSize)
        return try timer(of: system, batch, dataset, threads: threads) {
            try configuration.learning($0, InstructionSet.chosen())
        }
    }

    private func timer(
        of system: System,
        _ examples: [Example],
        _ dataset: Dataset,
        threads: Int,
        options: (Network) throws -> TrainingOptions
    ) throws -> TrainingStepTimer {
        let configuration = system.configuration
        let (width, height) = (examples[0].width, examples[0].height)
        let classes = dataset.classes.classes.count
        let network = try configuration.network(
            classes: classes,
            channels: dataset.channels,
            height: height,
            width: width
        )
        return try TrainingStepTimer(
            network,
            options: try options(network),
            optimizer: configuration.optimizer,
            examples: examples,
            channels: dataset.channels,
            classes: classes,
            threads: threads
        )
    }

    private func measurementFile(_ system: System) -> URL { system.folder.appending(path: "measurement.json") }

    private static func machine(_ threads: Int?) -> String {
        let machine = Machine.current
        return "\(machine.processor ?? "unknown processor"), \(machine.cores) cores, threads: "
            + "\(threads ?? ThreadPool.availableCores), kernels: \((try? InstructionSet.chosen().name) ?? "-")"
    }
}
