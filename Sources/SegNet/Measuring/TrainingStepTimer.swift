package import SegNetCPU
package import SegNetData
package import SegNetNetworks
internal import SegNetPlatform
internal import SegNetTraining

/// Training steps of a network with random weights, again and again on the same pictures: for measuring.
package final class TrainingStepTimer {
    /// Seconds of one step.
    package struct Step: Sendable {
        package var forward = 0.0
        package var backward = 0.0
        /// With filling the input, the loss and the update.
        package var whole = 0.0
    }

    package let learner: Learner
    private let parameters: Parameters
    private let optimizer: Optimizer
    private let pool: ThreadPool
    private let batch: Batch
    private let channels: [InputChannel]
    private let classes: Int
    private var steps = 0

    /// - Parameters:
    ///   - network: Whose batch normalisation uses the statistics of the batch.
    ///   - examples: A batch, all of one size, with class ids below `classes`.
    ///   - channels: What each channel of the examples holds.
    /// - Throws: `NetworkError`, `TrainingMemoryError`.
    package init(
        _ network: Network,
        options: TrainingOptions,
        optimizer: OptimizerConfiguration = OptimizerConfiguration(.sgd),
        examples: [Example],
        channels: [InputChannel] = .rgb,
        starts: [String: LayerStart] = [:],
        classes: Int,
        threads: Int
    ) throws {
        parameters = try Parameters(network, options: options)
        try parameters.load(Weights.initial(for: network, seed: 1, starts: starts))
        pool = ThreadPool(threadCount: threads)
        self.optimizer = try Optimizer(optimizer, layout: parameters.layout)
        learner = try Learner(
            parameters,
            batchSize: examples.count,
            height: examples.first?.height ?? 1,
            width: examples.first?.width ?? 1,
            pool: pool
        )
        batch = Batch(examples: examples, epoch: 0)
        self.channels = channels
        self.classes = classes
    }

    /// Maps and scratch of a step, without the parameters, in bytes.
    package var workspaceBytes: Int { learner.plan.workspaceBytes(threads: pool.threadCount) }

    /// Takes a step. The first touches its memory for the first time and counts for little.
    package func step() throws -> Step {
        let clock = ContinuousClock()
        let start = clock.now
        try learner.fill(batch, channels: channels)
        let filled = clock.now
        learner.forward(dropoutSeed: UInt64(steps))
        let ran = clock.now
        let pixels = batch.examples.reduce(0) { $0 + $1.width * $1.height }
        _ = learner.loss(classWeights: Array(repeating: 1, count: classes), divisor: Double(pixels))
        parameters.clearGradients()
        let judged = clock.now
        learner.backward()
        let learnt = clock.now
        try optimizer.step(parameters, learningRate: 0.001, pool: pool)
        steps += 1
        return Step(
            forward: (ran - filled).inSeconds,
            backward: (learnt - judged).inSeconds,
            whole: (clock.now - start).inSeconds
        )
    }
}
