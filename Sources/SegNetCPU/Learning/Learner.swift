import CSegNetKernels
import SegNetGraph
import SegNetNetworks
public import SegNetPlatform

/// Forward and backward passes over batches of one size: a plan, its memory, and the parameters it learns.
///
///     let parameters = try Parameters(network)
///     try parameters.load(Weights.initial(for: network, seed: 1))
///     let learner = try Learner(parameters, batchSize: 4, height: 360, width: 480)
///
/// For each batch `SegNetTraining` fills in pictures and labels, then come `forward`, the loss, `backward`, which adds to the gradients of
/// the parameters, and an `Optimizer`'s step. The same numbers come out for any number of threads.
public final class Learner {
    public let parameters: Parameters
    public let plan: TrainingPlan

    /// The other ranks that learn from the same batches; nil if there are none.
    package var exchange: RankExchange?

    /// Called after each step of the forward pass, for tests.
    var didRun: ((_ node: Int, Run) -> Void)?

    /// Bytes that it has allocated, as planned.
    var allocatedBytes: Int { memory.byteCount + vectors.byteCount }

    let pool: ThreadPool
    private let memory: AlignedMemory
    private let vectors: AlignedMemory
    let kernels: sn_kernels
    let batchStatistics: BatchStatistics
    /// By node: numbers of the last forward pass that were too large for their storage.
    private var beyondRange: [Int]
    /// The same while a node runs, a count for each worker.
    private let beyond: UnsafeMutablePointer<Int>
    private(set) var labels: [UInt16] = []
    private var dropoutSeed: UInt64?

    /// - Parameters:
    ///   - parameters: The parameters that learn.
    ///   - height: Height of the pictures, in pixels.
    ///   - width: Width of the pictures, in pixels.
    ///   - pool: Threads; nil makes one thread per core.
    ///   - memoryLimit: Bytes that may be taken; nil means what the machine has free.
    /// - Throws: `NetworkError` if the network does not fit the size; `TrainingMemoryError` if there is not enough memory.
    public convenience init(
        _ parameters: Parameters,
        batchSize: Int,
        height: Int,
        width: Int,
        pool: ThreadPool? = nil,
        memoryLimit: Int? = nil
    ) throws {
        try self.init(
            parameters,
            batchSize: batchSize,
            height: height,
            width: width,
            pool: pool,
            memoryLimit: memoryLimit,
            runsBackward: true
        )
    }

    /// - Parameter runsBackward: False for forward passes alone, in less memory: then nothing may ask for a loss or a gradient.
    package init(
        _ parameters: Parameters,
        batchSize: Int,
        height: Int,
        width: Int,
        pool: ThreadPool? = nil,
        memoryLimit: Int? = nil,
        runsBackward: Bool
    ) throws {
        self.parameters = parameters
        let pool = pool ?? ThreadPool(threadCount: ThreadPool.availableCores)
        self.pool = pool
        func plan(_ batch: Int) throws(NetworkError) -> TrainingPlan {
            try TrainingPlan(
                parameters.layout,
                batchSize: batch,
                height: height,
                width: width,
                runsBackward: runsBackward
            )
        }
        self.plan = try plan(batchSize)
        let bytes = self.plan.workspaceBytes(threads: pool.threadCount)
        if let limit = memoryLimit ?? MachineMemory.available, bytes > limit {
            var fitting = batchSize - 1
            while fitting > 0, try plan(fitting).workspaceBytes(threads: pool.threadCount) > limit { fitting -= 1 }
            throw TrainingMemoryError(
                batchSize: batchSize,
                height: height,
                width: width,
                byteCount: bytes,
                available: limit,
                fittingBatchSize: fitting
            )
        }
        memory = try AlignedMemory(byteCount: self.plan.arenaBytes + pool.threadCount * self.plan.threadBytes)
        vectors = try AlignedMemory(byteCount: self.plan.vectors.count * 4)
        kernels = parameters.options.instructionSet.kernels
        beyondRange = Array(repeating: 0, count: self.plan.steps.count)
        beyond = .allocate(capacity: pool.threadCount * LearningMemory.countStride)
        beyond.initialize(repeating: 0, count: pool.threadCount * LearningMemory.countStride)
        batchStatistics = BatchStatistics(channels: parameters.layout.normalizations.map(\.channels))
        let space = self.plan.vectors
        vectors.floats(at: space.ones * 4).update(repeating: 1, count: space.ones - space.zeros)
    }

    deinit { beyond.deallocate() }

    // MARK: Input

    /// Takes the pictures and labels of a batch, for one forward pass: the passes reuse their memory.
    /// - Parameters:
    ///   - pictures: `plan.batchSize` of the plan's size.
    ///   - labels: One per pixel of the scores, picture by picture.
    ///   - order: Where the network's channels are in the pictures.
    package func fill(_ pictures: [InputPicture], labels: [UInt16], order: InputOrder) {
        precondition(pictures.count == plan.batchSize)
        self.labels = labels
        let run = run(shared: 0)
        for (number, picture) in pictures.enumerated() {
            run.fillInput(picture, order: order, plan.network.input, number: number)
        }
    }

    /// The input's floats of one picture, [H][W][C] in the network's channel order, and its labels: for callers that have numbers.
    func fill(_ inputs: [[Float]], labels: [UInt16]) {
        self.labels = labels
        let run = run(shared: 0)
        for (picture, input) in inputs.enumerated() {
            guard let target = run.thin(.input, picture: picture).data else { continue }
            for (index, value) in input.enumerated() { target[index] = value }
        }
    }

    // MARK: Passes

    /// Runs the network on the batch.
    /// - Parameter dropoutSeed: Seed of this step's masks; nil leaves dropout idle.
    public func forward(dropoutSeed: UInt64? = nil) {
        prepare(dropoutSeed: dropoutSeed)
        for node in plan.steps.indices { forward(node: node) }
    }

    func prepare(dropoutSeed: UInt64?) {
        self.dropoutSeed = dropoutSeed
        for (index, values) in parameters.statistics.enumerated() where kind(index).statistics == .kept {
            batchStatistics.record(index, mean: values.mean[...], variance: values.variance[...])
        }
    }

    func forward(node: Int) {
        let run = run(shared: plan.sharedOffsets[node].forward)
        for worker in 0..<pool.threadCount { beyond[worker * LearningMemory.countStride] = 0 }
        plan.steps[node].forward(run)
        beyondRange[node] = (0..<pool.threadCount).reduce(0) { $0 + beyond[$1 * LearningMemory.countStride] }
        didRun?(node, run)
    }

    private func kind(_ index: Int) -> BatchNormalization { parameters.layout.normalizations[index].kind }

    /// From the loss's gradient to those of all parameters, which are added to those that `parameters` hold.
    public func backward() { backward(exchanging: false) }

    /// - Parameter exchanging: Whether this completes the gradients, so that they are exchanged with the other ranks; `RankExchange.wait`
    ///   waits for that.
    package func backward(exchanging: Bool) {
        precondition(plan.runsBackward)
        for node in plan.backwardNodes {
            for earlier in plan.repeated[node] ?? [] {
                plan.steps[earlier].forward(run(shared: plan.sharedOffsets[node].repeated, isBackward: true))
            }
            let run = run(shared: plan.sharedOffsets[node].backward, isBackward: true)
            let gradients = gradients(run, node: node)
            for value in plan.clearedGradients[node] ?? [] { gradients.clear(value, run) }
            plan.steps[node].backward(run, gradients)
            gradients.collect(plan.graph.nodes[node].inputs, run)
            if exchanging { exchange?.finished(node) }
        }
    }

    /// The layers of which the last forward pass had finite numbers beyond the range of their storage, and how many: they were cut off at
    /// 65504.
    public var layersBeyondRange: [(layer: String, count: Int)] {
        beyondRange.enumerated().filter { $0.element > 0 }.map { (plan.graph.nodes[$0.offset].name, $0.element) }
    }

    /// Mean and variance that each batch normalisation found in the last forward pass.
    public var lastStatistics: [NormalizationStatistics] {
        parameters.layout.normalizations.enumerated().map { index, normalization in
            NormalizationStatistics(
                layer: normalization.layer,
                mean: batchStatistics.means[index],
                variance: batchStatistics.variances[index]
            )
        }
    }

    /// Updates the running statistics with those of a batch.
    /// - Parameter batch: In the order of `lastStatistics`.
    package func updateRunningStatistics(_ batch: [NormalizationStatistics]) {
        // The first batches count fully, so that the initial 0 and 1 are forgotten at once.
        let count = Double(parameters.statisticsBatches)
        let momentum = min(parameters.options.statisticsMomentum, count / (count + 1))
        for index in parameters.statistics.indices where kind(index).statistics == .batch {
            func follow(_ old: inout [Double], _ new: [Double]) {
                for c in old.indices { old[c] = momentum * old[c] + (1 - momentum) * new[c] }
            }
            follow(&parameters.statistics[index].mean, batch[index].mean)
            follow(&parameters.statistics[index].variance, batch[index].variance)
        }
        parameters.statisticsBatches += 1
    }

    /// - Parameter shared: Where the scratch of all threads begins, in bytes.
    func run(shared: Int, isBackward: Bool = false) -> Run {
        Run(
            crew: Crew(
                kernels: kernels,
                pool: pool,
                shared: memory.base + shared,
                threadScratch: memory.base + plan.arenaBytes,
                threadStride: plan.threadBytes
            ),
            values: plan.values,
            pictures: plan.batchSize,
            arena: memory.base,
            offsets: isBackward ? plan.backwardOffsets : plan.forwardOffsets,
            weights: parameters.values.base,
            dropoutSeed: dropoutSeed,
            learning: learningMemory(isBackward: isBackward),
            firstPicture: exchange?.share.lowerBound ?? 0
        )
    }

    private func learningMemory(isBackward: Bool) -> LearningMemory {
        LearningMemory(
            vectors: vectors.floats(),
            zeros: vectors.floats(at: plan.vectors.zeros * 4),
            ones: vectors.floats(at: plan.vectors.ones * 4),
            statistics: batchStatistics,
            isBackward: isBackward,
            beyond: beyond,
            exchange: exchange
        )
    }

    /// - Parameter node: The node that runs; nil for the loss.
    func gradients(_ run: Run, node: Int? = nil) -> Gradients {
        Gradients(
            run,
            offsets: plan.gradientOffsets,
            targets: node.map { plan.targetOffsets[$0] } ?? [],
            parameters: parameters.gradients.floats(),
            memory: learningMemory(isBackward: true)
        )
    }
}
