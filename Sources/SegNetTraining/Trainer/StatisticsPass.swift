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

    /// An order of so many pictures in which neighbours have nothing in common: always the same one.
    package static func order(_ count: Int) -> [Int] {
        count > 0 ? SampleOrder(count: count, seed: 0).permutation(epoch: 0) : []
    }

    /// A model whose batch normalisation keeps the statistics found over pictures from anywhere; their labels do not matter.
    ///
    /// Each picture counts alike, whatever its size, since a training learns crops of one size. Only pictures of one size are normalised
    /// together.
    /// - Parameters:
    ///   - model: Its batch normalisation may have statistics or none.
    ///   - count: How many pictures there are.
    ///   - channels: What their channels hold, in their order.
    ///   - batchSize: Pictures that are normalised together.
    ///   - progress: Called after each batch: pictures done, of all.
    ///   - example: The picture of a number from 0; asked for in turn.
    /// - Throws: Errors of reading the pictures; `NetworkError` if the network cannot run, `MemoryError`.
    public func run(
        _ model: Model,
        count total: Int,
        channels: [InputChannel],
        batchSize: Int,
        options: TrainingOptions = TrainingOptions(),
        progress: (Int, Int) -> Void = { _, _ in },
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
        var done = 0
        func take(_ examples: [Example]) throws {
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
            guard let learner else { return }
            try learner.fill(Batch(examples: examples, epoch: 0), channels: channels)
            learner.forward()
            for (index, found) in learner.lastStatistics.enumerated() {
                sums[index].add(found, pictures: examples.count)
            }
            done += examples.count
            progress(done, total)
        }
        var groups = PictureGroups(count: total, batchSize: batchSize)
        for index in 0..<max(0, total) {
            if let batch = groups.add(try example(index)) { try take(batch) }
        }
        for batch in groups.rest { try take(batch) }
        parameters.statistics = sums.map { $0.statistics(rule) }
        return try parameters.model(metadata: model.metadata)
    }
}

/// Pictures that wait for others of their size.
private struct PictureGroups {
    private let batchSize: Int
    /// Pictures that are still to come.
    private var left: Int
    private var waiting: [(examples: [Example], wanted: Int)] = []

    init(count: Int, batchSize: Int) { (left, self.batchSize) = (count, max(1, batchSize)) }

    /// - Returns: A batch that is complete.
    mutating func add(_ example: Example) -> [Example]? {
        var group = waiting.firstIndex { $0.examples[0].size == example.size } ?? waiting.endIndex
        if group == waiting.endIndex {
            // Batches of equal sizes, as near to the wanted one as the number of pictures allows.
            let batches = max(1, (left + batchSize - 1) / batchSize)
            waiting.append(([], (left + batches - 1) / batches))
        }
        left -= 1
        waiting[group].examples.append(example)
        if waiting[group].examples.count < waiting[group].wanted {
            // Pictures of many sizes must not fill the memory.
            guard waiting.reduce(0, { $0 + $1.examples.count }) >= 4 * batchSize else { return nil }
            group = waiting.indices.max { waiting[$0].examples.count < waiting[$1].examples.count } ?? group
        }
        return waiting.remove(at: group).examples
    }

    /// What no other picture has completed.
    var rest: [[Example]] { waiting.map(\.examples) }
}

/// Means and variances of batches, put together.
private struct PooledStatistics {
    let layer: String
    private var pictures = 0.0
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

    mutating func add(_ found: NormalizationStatistics, pictures count: Int) {
        let n = Double(count)
        pictures += n
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
                let mean = meanSum[c] / max(1, pictures)
                result.mean[c] = mean
                // Total variance: within the batches and between them.
                result.variance[c] = max(0, squareSum[c] / max(1, pictures) - mean * mean)
            }
        }
        return result
    }
}
