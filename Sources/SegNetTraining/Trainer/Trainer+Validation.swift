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
        var metadata = ModelMetadata(
            name: "\(configuration.architecture.rawValue)-\(dataset.name)",
            classNames: dataset.classes.classes.map(\.name),
            palette: dataset.classes.classes.map { [$0.color.red, $0.color.green, $0.color.blue] }
        )
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
        let order = model.network.input.channels.map { Int32(dataset.channels.firstIndex(of: $0) ?? 0) }
        for (index, sample) in samples.enumerated() {
            let example = try dataset.example(sample)
            if workspace?.plan.height != example.height || workspace?.plan.width != example.width {
                workspace = try Workspace(
                    for: prepared.plan(height: example.height, width: example.width),
                    threads: threads
                )
            }
            guard let workspace else { continue }
            example.pixels.withUnsafeBufferPointer {
                workspace.fillInput(
                    $0,
                    rowBytes: example.width * example.channels,
                    pixelBytes: example.channels,
                    order: order
                )
            }
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

/// The statistics of batch normalisation over a set of pictures: each picture once, as it is, every layer fed by what the layers before
/// it make of its own batch, dropout idle (segnet-facts 1.4).
public struct StatisticsPass: Sendable {
    public var rule: TrainingConfiguration.StatisticsRule
    public var threads: Int

    public init(rule: TrainingConfiguration.StatisticsRule = .exact, threads: Int = 1) {
        self.rule = rule
        self.threads = threads
    }

    /// A model whose batch normalisation keeps the statistics found.
    /// - Parameters:
    ///   - model: Its batch normalisation may have statistics or none.
    ///   - batchSize: Pictures that are normalised together.
    ///   - progress: Called after each batch: pictures done, of all.
    public func run(
        _ model: Model,
        dataset: Dataset,
        samples: [Sample],
        batchSize: Int,
        options: TrainingOptions = TrainingOptions(),
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Model {
        var network = model.network
        var weights = model.weights
        for index in network.layers.indices {
            guard case .batchNormalization(var kind) = network.layers[index].operation, kind.statistics != .folded
            else { continue }
            kind.statistics = .batch
            network.layers[index].operation = .batchNormalization(kind)
            weights["\(network.layers[index].name).mean"] = nil
            weights["\(network.layers[index].name).variance"] = nil
        }
        let parameters = try Parameters(network, options: options)
        try parameters.load(weights)
        let pool = ThreadPool(threadCount: threads)
        var learner: Learner?
        var sums = parameters.statistics.map { PooledStatistics(layer: $0.layer, channels: $0.mean.count) }
        var start = 0
        while start < samples.count {
            // Batches of equal sizes, as near to the wanted one as the number of pictures allows; pictures of one size.
            let batches = max(1, (samples.count - start + batchSize - 1) / batchSize)
            let count = (samples.count - start + batches - 1) / batches
            var examples: [Example] = []
            for sample in samples[start..<start + count] {
                let example = try dataset.example(sample)
                if let first = examples.first, (first.width, first.height) != (example.width, example.height) { break }
                examples.append(example)
            }
            let first = examples[0]
            if learner?.plan.batchSize != examples.count || learner?.plan.width != first.width
                || learner?.plan.height != first.height
            {
                learner = nil
                learner = try Learner(
                    parameters,
                    batchSize: examples.count,
                    height: first.height,
                    width: first.width,
                    pool: pool
                )
            }
            guard let learner else { break }
            try learner.fill(Batch(examples: examples, epoch: 0), channels: dataset.channels)
            learner.forward()
            for (index, found) in learner.lastStatistics.enumerated() {
                sums[index].add(found, pixels: examples.count * first.width * first.height)
            }
            start += examples.count
            progress(start, samples.count)
        }
        parameters.statistics = sums.map { $0.statistics(rule) }
        return try parameters.model(metadata: model.metadata)
    }
}

/// Means and variances of batches, put together.
private struct PooledStatistics {
    let layer: String
    private var weight = 0.0
    private var batches = 0.0
    private var meanSum: [Double]
    private var squareSum: [Double]
    private var plainMeans: [Double]
    private var plainVariances: [Double]

    init(layer: String, channels: Int) {
        self.layer = layer
        meanSum = Array(repeating: 0, count: channels)
        squareSum = meanSum
        plainMeans = meanSum
        plainVariances = meanSum
    }

    mutating func add(_ found: NormalizationStatistics, pixels: Int) {
        let n = Double(pixels)
        weight += n
        batches += 1
        for c in meanSum.indices {
            meanSum[c] += n * found.mean[c]
            squareSum[c] += n * (found.variance[c] + found.mean[c] * found.mean[c])
            plainMeans[c] += found.mean[c]
            plainVariances[c] += found.variance[c]
        }
    }

    func statistics(_ rule: TrainingConfiguration.StatisticsRule) -> NormalizationStatistics {
        var result = NormalizationStatistics(layer: layer, mean: plainMeans, variance: plainVariances)
        for c in meanSum.indices {
            if rule == .original {
                result.mean[c] = plainMeans[c] / max(1, batches)
                result.variance[c] = plainVariances[c] / max(1, batches)
            } else {
                let mean = meanSum[c] / max(1, weight)
                result.mean[c] = mean
                // Total variance: within the batches and between them.
                result.variance[c] = max(0, squareSum[c] / max(1, weight) - mean * mean)
            }
        }
        return result
    }
}
