public import SegNetCPU
public import SegNetData
public import SegNetNetworks
import SegNetPlatform

/// The statistics of batch normalisation over a set of pictures: each picture once, as it is, every layer fed by what the layers before
/// it make of its own batch, dropout idle (docs/segnet.md, Batch normalisation).
public struct StatisticsPass: Sendable {
    public var rule: TrainingConfiguration.StatisticsRule
    public var threads: Int

    public init(rule: TrainingConfiguration.StatisticsRule = .exact, threads: Int = 1) {
        self.rule = rule
        self.threads = threads
    }

    /// The pictures that a training's passes normalise together: those of its batch, but 8 where that is smaller, and at most four times as
    /// many.
    ///
    /// Every layer of a pass is fed by what the layers before it make of their own batch, so the statistics of batches of two shift those
    /// of all layers behind, and with them the model's classes. A pass runs forward only: a picture takes about a fifth (SegNet) or a third
    /// (SegNet-Basic) of its memory in a step, so that four times as many fit where a step does. The number follows from the recipe alone,
    /// and a resumed training finds the same statistics on any machine. For the mean of the batches' variances, the authors' rule, the
    /// batches are the training's, as theirs are.
    static func batchSize(training batchSize: Int, rule: TrainingConfiguration.StatisticsRule) -> Int {
        rule == .original ? batchSize : max(batchSize, min(8, 4 * batchSize))
    }

    /// A model whose batch normalisation keeps the statistics found over pictures from anywhere; their labels do not matter.
    /// - Parameters:
    ///   - model: Its batch normalisation may have statistics or none.
    ///   - count: How many pictures there are.
    ///   - channels: What their channels hold, in their order.
    ///   - batchSize: Pictures that are normalised together.
    ///   - progress: Called after each batch: pictures done, of all.
    ///   - weight: The weight of a picture, by its number from 0. Only pictures of the same weight are normalised together.
    ///   - example: The picture of a number from 0.
    /// - Throws: Errors of reading the pictures; `NetworkError` if the network cannot run, `MemoryError`.
    public func run(
        _ model: Model,
        count total: Int,
        channels: [InputChannel],
        batchSize: Int,
        options: TrainingOptions = TrainingOptions(),
        progress: (Int, Int) -> Void = { _, _ in },
        weight: (Int) -> Double = { _ in 1 },
        example: (Int) throws -> Example
    ) throws -> Model {
        var network = model.network
        var weights = model.weights
        var normalizes = false
        for index in network.layers.indices {
            guard case .batchNormalization(var kind) = network.layers[index].operation, kind.statistics != .folded
            else { continue }
            normalizes = true
            kind.statistics = .batch
            network.layers[index].operation = .batchNormalization(kind)
            weights[network.layers[index].name, .mean] = nil
            weights[network.layers[index].name, .variance] = nil
        }
        guard normalizes else { return model }
        let parameters = try Parameters(network, options: options)
        try parameters.load(weights)
        let pool = ThreadPool(threadCount: threads)
        var learner: Learner?
        var sums = parameters.statistics.map { PooledStatistics(layer: $0.layer, channels: $0.mean.count) }
        var start = 0
        // The first picture of the next batch, where it was read already and had another size.
        var next: Example?
        while start < total {
            // Batches of equal sizes, as near to the wanted one as the number of pictures allows; pictures of one size.
            let batches = max(1, (total - start + batchSize - 1) / batchSize)
            let count = (total - start + batches - 1) / batches
            var examples: [Example] = []
            for index in start..<start + count {
                if weight(index) != weight(start) { break }
                let picture = try next ?? example(index)
                next = nil
                if let first = examples.first, first.size != picture.size {
                    next = picture
                    break
                }
                examples.append(picture)
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
                    pool: pool,
                    runsBackward: false
                )
            }
            guard let learner else { break }
            try learner.fill(Batch(examples: examples, epoch: 0), channels: channels)
            learner.forward()
            for (index, found) in learner.lastStatistics.enumerated() {
                sums[index].add(found, pixels: examples.count * first.width * first.height, weight: weight(start))
            }
            start += examples.count
            progress(start, total)
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

    mutating func add(_ found: NormalizationStatistics, pixels: Int, weight each: Double) {
        let n = each * Double(pixels)
        weight += n
        batches += each
        for c in meanSum.indices {
            meanSum[c] += n * found.mean[c]
            squareSum[c] += n * (found.variance[c] + found.mean[c] * found.mean[c])
            plainMeans[c] += each * found.mean[c]
            plainVariances[c] += each * found.variance[c]
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
