import SegNetGraph
public import SegNetNetworks
import SegNetPlatform

/// A network ready to be trained on batches of one size: a list of steps that run forward and backward, and where everything lies in
/// memory. Immutable; a `Learner` holds the numbers.
///
/// Kept from the forward to the backward pass are the convolutions' sums and the pooled maps, as float32 or in 16 bits; normalised maps
/// are made again (docs/kernels.md, What training keeps), and with `recomputes` also the sums within a stage. Lifetimes run from the step
/// that writes a buffer to the last that reads it, over both passes.
public final class TrainingPlan: Sendable {
    /// The network, batch normalisation by batch statistics or stored ones.
    public let network: Network
    /// Pictures in a batch.
    public let batchSize: Int
    /// Height of the input, in pixels.
    public let height: Int
    /// Width of the input, in pixels.
    public let width: Int
    /// Whether there is a backward pass: what it needs is kept.
    let runsBackward: Bool

    let graph: Graph
    /// The class scores, of which the loss is taken.
    let scores: ValueID
    /// By value.
    let values: [Value]
    let steps: [any Step]
    let vectors: VectorSpace

    /// By value: where it lies in the forward pass, where in the backward pass, and its gradient.
    let forwardOffsets: [Int]
    let backwardOffsets: [Int]
    let gradientOffsets: [Int]
    /// [node][input number], where gradients are added; see `Gradients.target`.
    let targetOffsets: [[Int?]]
    /// The nodes that run backward, in their order.
    package let backwardNodes: [Int]
    /// Gradients that no step writes although they are wanted: zeroed before the step that reads them.
    let clearedGradients: [Int: [ValueID]]
    /// Steps that run forward again before this step runs backward, in their order.
    let repeated: [Int: [Int]]
    let sharedOffsets: [(forward: Int, repeated: Int, backward: Int)]
    let arenaBytes: Int
    let threadBytes: Int

    /// - Parameters:
    ///   - layout: Where the parameters lie; plans of several sizes share one.
    ///   - runsBackward: False for passes that only look at what the network makes of pictures. They take less memory, and find the same
    ///     numbers.
    /// - Throws: `NetworkError` if the network does not fit the size or cannot be trained.
    package init(
        _ layout: ParameterLayout,
        batchSize: Int,
        height: Int,
        width: Int,
        runsBackward: Bool = true
    ) throws(NetworkError) {
        network = layout.network
        self.batchSize = batchSize
        self.height = height
        self.width = width
        self.runsBackward = runsBackward
        let network = network.resized(height: height, width: width)
        graph = layout.graph.graph
        guard let scores = graph.outputs.values.first else {
            throw NetworkError(network: network.name, layer: nil, problem: "it has no layers")
        }
        self.scores = scores
        var values = try layout.graph.values(network)
        layout.markNeeded(&values)
        self.values = values
        var space = VectorSpace(widest: values.map { $0.blocks * 16 }.max() ?? 16)
        var vectors: [String: VectorSpace.Normalization] = [:]
        for normalization in layout.normalizations {
            vectors[normalization.layer] = space.normalization(channels: blockCount(normalization.channels) * 16)
        }
        self.vectors = space
        steps = try StepBuilder(
            network: network,
            graph: layout.graph,
            values: values,
            parameters: layout.nodes,
            kernels: layout.kernels,
            learning: StepBuilder.Learning(layout: layout, pictures: batchSize, vectors: vectors)
        ).steps()

        let memory = TrainingMemoryPlan(
            graph: graph,
            scores: scores,
            values: values,
            steps: steps,
            batchSize: batchSize,
            runsBackward: runsBackward,
            recomputes: layout.options.recomputes
        )
        guard let arena = memory.arena else {
            throw NetworkError(
                network: network.name,
                layer: nil,
                problem:
                    "a batch of \(counted(batchSize, "picture")) of \(width)x\(height) needs more memory than any machine has; "
                    + "use smaller pictures or a smaller batch"
            )
        }
        func offsets(_ buffers: [Int?]) -> [Int] { buffers.map { $0.map { arena.offsets[$0] } ?? 0 } }
        forwardOffsets = offsets(memory.forward)
        backwardOffsets = offsets(memory.backward)
        gradientOffsets = offsets(memory.gradient)
        targetOffsets = memory.targets.map { $0.map { $0.map { arena.offsets[$0] } } }
        backwardNodes = memory.backwardNodes
        clearedGradients = memory.cleared
        repeated = memory.repeated
        sharedOffsets = memory.shared.map {
            (arena.offsets[$0.forward], arena.offsets[$0.repeated], arena.offsets[$0.backward])
        }
        arenaBytes = arena.byteCount
        let scratch = steps.map { max($0.forwardScratch.thread, runsBackward ? $0.backwardScratch.thread : 0) }
        let thread = scratch.max() ?? 0
        threadBytes = (thread + 63) / 64 * 64 + 64
    }

    /// Height and width of the class scores.
    package var scoreSize: (height: Int, width: Int) { (values[scores].height, values[scores].width) }

    /// Bytes of maps and scratch that its passes take, without the parameters.
    public func workspaceBytes(threads: Int) -> Int {
        saturatingSum([arenaBytes, saturatingProduct(max(1, threads), threadBytes), vectors.count * 4])
    }
}

extension ParameterLayout {
    /// Finds the values whose gradients are wanted: those behind something that learns.
    fileprivate func markNeeded(_ values: inout [Value]) {
        for node in graph.graph.nodes {
            var learns = false
            switch node.operation {
            case .convolution(let convolution): learns = self.learns(convolution.layer)
            case .activation(let activation):
                if case .layer(let layer, _, _) = activation.normalization { learns = self.learns(layer) }
            default: break
            }
            let needs = learns || node.inputs.contains { values[$0].needsGradient }
            for output in node.outputs where [.blocked, .half].contains(values[output].layout) {
                values[output].needsGradient = needs
            }
        }
    }
}
