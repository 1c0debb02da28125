import CSegNetKernels
public import SegNetData
import SegNetEvaluation
import SegNetImages
import SegNetInference
public import SegNetNetworks
import SegNetTensors

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Trainer {
    /// The model as it stands, with the statistics known so far.
    /// - Parameter averaged: Whether to take the averaged weights, where the recipe has them.
    public func model(averaged: Bool) throws -> Model {
        var model = try parameters.model(metadata: metadata)
        model.network = model.network.resized(height: pictureSize.height, width: pictureSize.width)
        guard averaged, let average else { return model }
        for (name, tensor) in try parameters.tensors(of: average.memory.floats()).tensors
        where !name.hasSuffix(".mean") && !name.hasSuffix(".variance") {
            model.weights[name] = tensor
        }
        return model
    }

    /// The model by which a validation judges, and which is kept as the best so far.
    ///
    /// Running statistics belong to the weights of the last steps. Averaged weights are others: they get statistics of their own from some
    /// of the training pictures, evenly chosen; the end of the run takes all.
    func validationModel() throws -> Model {
        let model = try model(averaged: true)
        guard average != nil else { return model }
        let every = max(1, trainSamples.count / Self.validationStatisticsPictures)
        let some = stride(from: 0, to: trainSamples.count, by: every).map { trainSamples[$0] }
        return try StatisticsPass(rule: .exact, threads: pool.threadCount).run(
            model,
            dataset: dataset,
            samples: some,
            batchSize: configuration.batchSize,
            options: parameters.options
        )
    }

    private static let validationStatisticsPictures = 60

    private var metadata: ModelMetadata {
        var metadata = ModelMetadata(name: "\(configuration.architecture.rawValue)-\(dataset.name)")
        metadata.name(dataset.classes)
        metadata.notes["trained"] =
            "step \(progress.step) of \(totalSteps) on \(dataset.name), \(trainSamples.count) pictures"
        return metadata
    }

    /// Scores the model as it stands, at the pictures' own size, by the statistics known so far.
    public func validate(on samples: [Sample]) throws -> ValidationReport {
        let clock = ContinuousClock()
        let start = clock.now
        let model = try validationModel()
        let chosen = ValidationStrip.chosen(of: samples.count)
        var pictures: [Image] = []
        let matrix = try Self.score(
            model,
            dataset,
            samples,
            options: parameters.options.inference,
            threads: pool.threadCount
        ) { index, example, prediction in
            guard chosen.contains(index) else { return }
            pictures.append(
                try ValidationStrip.image(
                    example,
                    channels: dataset.channels,
                    prediction: prediction,
                    classes: dataset.classes
                )
            )
        }
        let names = dataset.classes.classes.map(\.name)
        return ValidationReport(
            step: progress.step,
            epoch: Double(progress.place) / Double(max(1, trainSamples.count)),
            scores: Scores(matrix),
            matrix: matrix,
            neverPredicted: names.indices.filter { matrix.truePixels($0) > 0 && matrix.givenPixels($0) == 0 }.map {
                names[$0]
            },
            pictures: pictures,
            seconds: (clock.now - start).seconds
        )
    }

    /// Runs a model over samples and counts.
    /// - Parameter observe: Told of each sample: its position, the example, the predicted class ids.
    static func score(
        _ model: Model,
        _ dataset: Dataset,
        _ samples: [Sample],
        options: InferenceOptions,
        threads: Int,
        observe: (Int, Example, [UInt16]) throws -> Void = { _, _, _ in }
    ) throws -> ConfusionMatrix {
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        guard let scores = model.network.scoresBlob else { return ConfusionMatrix(classCount: 0) }
        var matrix = ConfusionMatrix(classCount: dataset.classes.classes.count)
        var workspace: Workspace?
        for (index, sample) in samples.enumerated() {
            let example = try dataset.example(sample)
            if workspace?.plan.height != example.height || workspace?.plan.width != example.width {
                workspace = try Workspace(
                    for: prepared.plan(height: example.height, width: example.width),
                    threads: threads
                )
            }
            guard let workspace else { continue }
            try workspace.fillInput(example, channels: dataset.channels)
            workspace.plan.run(in: workspace)
            let prediction = workspace.classIDs(scores) ?? []
            matrix.add(truth: example.labels, prediction: prediction)
            try observe(index, example, prediction)
        }
        return matrix
    }

    /// The end of a run: the statistics of the last and of the best model, by the recipe's rule, and their files.
    func finish(_ result: inout TrainingResult, _ observe: (Event) -> Void) throws {
        let best = output.appending(path: "best.safetensors")
        let hasBest = FileManager.default.fileExists(atPath: best.path(percentEncoded: false))
        let last = try withStatistics(of: model(averaged: true), observe)
        try save(last, "last")
        result.last = output.appending(path: "last.safetensors")
        guard hasBest else { return }
        if progress.bestStep == progress.step {
            try save(last, "best")
        } else {
            try save(withStatistics(of: LoadedStart.model(best), observe), "best")
        }
        result.best = best
    }

    /// The model with the statistics that a pass over the training pictures finds.
    private func withStatistics(of model: Model, _ observe: (Event) -> Void) throws -> Model {
        guard configuration.statistics != .running else { return model }
        return try StatisticsPass(rule: configuration.statistics, threads: pool.threadCount).run(
            model,
            dataset: dataset,
            samples: trainSamples,
            batchSize: configuration.batchSize,
            options: parameters.options
        ) { observe(.statistics($0, $1)) }
    }
}
