import CSegNetKernels
import SegNetInference
public import SegNetNetworks
import SegNetTensors

/// A network ready to be trained on batches of one size: a list of steps that run forward and backward, and where everything lies in
/// memory. Immutable; a `Learner` holds the numbers.
///
/// Kept from the forward to the backward pass are the convolutions' sums and the pooled maps, as float32 or in 16 bits; normalised maps
/// are made again (docs/kernels.md, What training keeps), and with `recomputes` also the sums within a stage. Lifetimes
/// run from the step that writes a buffer to the last that reads it, over both passes.
public final class TrainingPlan: Sendable {
    /// The network, batch normalisation by batch statistics or stored ones.
    public let network: Network
    public let options: TrainingOptions
    /// Pictures in a batch.
    public let batchSize: Int
    /// Of the input, in pixels.
    public let height: Int
    /// Of the input, in pixels.
    public let width: Int

    let graph: TrainingGraph
    let layout: ParameterLayout
    let steps: [any TrainingStep]
    let vectorCount: Int
    let zeros: Int
    let ones: Int

    private let forwardOffsets: [Int]
    private let backwardOffsets: [Int]
    private let gradientOffsets: [Int]
    /// [node][input number], where gradients are added; see `TrainingRun.target`.
    private let targetOffsets: [[Int?]]
    /// Gradients that no step writes although they are wanted: zeroed before the step that reads them.
    let clearedGradients: [Int: [Int]]
    /// Steps that run forward again before this step runs backward, in their order.
    let repeated: [Int: [Int]]
    let sharedOffsets: [(forward: Int, repeated: Int, backward: Int)]
    let arenaBytes: Int
    let threadBytes: Int

    /// - Parameters:
    ///   - layout: Where the parameters lie; plans of several sizes share one.
    /// - Throws: `NetworkError` if the network does not fit the size or cannot be trained.
    init(
        _ network: Network,
        layout: ParameterLayout,
        batchSize: Int,
        height: Int,
        width: Int,
        options: TrainingOptions
    ) throws(NetworkError) {
        self.network = network
        self.layout = layout
        self.batchSize = batchSize
        self.height = height
        self.width = width
        self.options = options
        var graph = try TrainingGraph(network.resized(height: height, width: width))
        if options.storage == .float16 { graph.storeInHalves() }
        graph.markNeeded(layout)
        self.graph = graph
        var builder = StepBuilder(graph: graph, layout: layout, batchSize: batchSize, options: options)
        steps = try builder.steps(network: network)
        vectorCount = builder.vectors.count
        zeros = builder.zeros
        ones = builder.ones

        let memory = TrainingMemoryPlan(
            graph: graph,
            steps: steps,
            batchSize: batchSize,
            recomputes: options.recomputes
        )
        guard let arena = memory.arena else {
            throw NetworkError(
                network: network.name,
                layer: nil,
                reason:
                    "a batch of \(batchSize) pictures of \(width)x\(height) needs more memory than any machine has; "
                    + "use smaller pictures or a smaller batch."
            )
        }
        func offsets(_ buffers: [Int?]) -> [Int] { buffers.map { $0.map { arena.offsets[$0] } ?? 0 } }
        forwardOffsets = offsets(memory.forward)
        backwardOffsets = offsets(memory.backward)
        gradientOffsets = offsets(memory.gradient)
        targetOffsets = memory.targets.map { $0.map { $0.map { arena.offsets[$0] } } }
        clearedGradients = memory.cleared
        repeated = memory.repeated
        sharedOffsets = memory.shared.map {
            (arena.offsets[$0.forward], arena.offsets[$0.repeated], arena.offsets[$0.backward])
        }
        arenaBytes = arena.byteCount
        let thread = steps.map { max($0.forwardScratch.thread, $0.backwardScratch.thread) }.max() ?? 0
        threadBytes = (thread + 63) / 64 * 64 + 64
    }

    func offset(_ value: Int, _ pass: TrainingRun.Pass) -> Int {
        pass == .forward ? forwardOffsets[value] : backwardOffsets[value]
    }

    func gradientOffset(_ value: Int) -> Int { gradientOffsets[value] }

    func targetOffset(node: Int, number: Int) -> Int? {
        targetOffsets[node].indices.contains(number) ? targetOffsets[node][number] : nil
    }

    /// Bytes of maps and scratch that training takes, without the parameters.
    public func workspaceBytes(threads: Int) -> Int {
        saturatingSum([arenaBytes, saturatingProduct(max(1, threads), threadBytes), vectorCount * 4])
    }
}

extension TrainingGraph {
    /// Finds the values whose gradients are wanted: those behind something that learns.
    mutating func markNeeded(_ layout: ParameterLayout) {
        for node in nodes {
            var learns = false
            switch node.operation {
            case .convolution(_, let layer, _): learns = !layout.isFrozen(layer)
            case .activation(let activation):
                learns = activation.normalization.map { !layout.isFrozen($0.layer) } ?? false
            default: break
            }
            let needs = learns || node.inputs.contains { values[$0].needsGradient }
            for output in node.outputs where [.blocked, .half].contains(values[output].layout) {
                values[output].needsGradient = needs
            }
        }
    }
}

/// Makes the steps of a graph.
struct StepBuilder {
    let graph: TrainingGraph
    let layout: ParameterLayout
    let batchSize: Int
    let options: TrainingOptions
    var vectors = VectorSpace()
    private(set) var zeros = 0
    private(set) var ones = 0

    init(graph: TrainingGraph, layout: ParameterLayout, batchSize: Int, options: TrainingOptions) {
        self.graph = graph
        self.layout = layout
        self.batchSize = batchSize
        self.options = options
    }

    mutating func steps(network: Network) throws(NetworkError) -> [any TrainingStep] {
        let widest = graph.values.map { $0.blocks * 16 }.max() ?? 16
        zeros = vectors.reserve(widest)
        ones = vectors.reserve(widest)
        var steps: [any TrainingStep] = []
        for node in graph.nodes {
            let input = node.inputs[0]
            let wantsGradient = graph.values[input].needsGradient
            switch node.operation {
            case .convolution(let convolution, let layer, let hasBias):
                steps.append(try step(node, convolution, layer, hasBias, network: network))
            case .activation(let activation): steps.append(step(node, activation))
            case .unpooling:
                steps.append(
                    UnpoolingStep(
                        pooled: input,
                        indices: node.inputs[1],
                        output: node.outputs[0],
                        needsInputGradient: wantsGradient
                    )
                )
            case .maxPooling(let window):
                steps.append(
                    MaxPoolingStep(
                        window: window,
                        input: input,
                        output: node.outputs[0],
                        needsInputGradient: wantsGradient
                    )
                )
            case .dropout(let dropout):
                steps.append(
                    DropoutStep(
                        input: input,
                        output: node.outputs[0],
                        ratio: Float(dropout.ratio),
                        layer: steps.count { !($0 is WideningStep) },
                        needsInputGradient: wantsGradient
                    )
                )
            case .localResponseNormalization(let kind):
                steps.append(
                    LocalResponseNormalizationStep(
                        kind: kind,
                        isThin: graph.values[input].layout == .thin,
                        input: input,
                        output: node.outputs[0],
                        needsInputGradient: wantsGradient
                    )
                )
            case .localContrastNormalization(let kind):
                steps.append(LocalContrastNormalizationStep(kind: kind, input: input, output: node.outputs[0]))
            case .addition, .concatenation:
                let wanted = node.inputs.map { graph.values[$0].needsGradient }
                if case .addition = node.operation {
                    steps.append(AdditionStep(inputs: node.inputs, output: node.outputs[0], wanted: wanted))
                } else {
                    steps.append(ConcatenationStep(inputs: node.inputs, output: node.outputs[0], wanted: wanted))
                }
            case .crop(let crop):
                steps.append(
                    CropStep(crop: crop, input: input, output: node.outputs[0], needsInputGradient: wantsGradient)
                )
            case .bilinearUpsampling:
                steps.append(
                    BilinearUpsamplingStep(input: input, output: node.outputs[0], needsInputGradient: wantsGradient)
                )
            case .block: steps.append(BlockStep(input: input, output: node.outputs[0]))
            case .widening: steps.append(WideningStep(input: input, output: node.outputs[0]))
            }
        }
        return steps
    }

    private func step(
        _ node: TrainingNode,
        _ convolution: ConvolutionNode,
        _ layer: String,
        _ hasBias: Bool,
        network: Network
    ) throws(NetworkError) -> any TrainingStep {
        guard let plan = layout.convolutions[layer], let weight = layout.start("\(layer).weight") else {
            throw NetworkError(network: network.name, layer: layer, reason: "it has no place among the parameters.")
        }
        let kernels = options.instructionSet.kernels
        let (input, output) = (graph.values[node.inputs[0]], graph.values[node.outputs[0]])
        let read =
            convolution.readsUnpooled
            ? graph.values[node.inputs[1]].pooledFrom ?? (0, 0) : (input.height, input.width)
        let geometry = ConvolutionGeometry(
            plan: plan,
            pictures: batchSize,
            inputHeight: read.0,
            inputWidth: read.1,
            height: output.height,
            width: output.width
        )
        // In front of a normalisation by batch statistics a bias changes nothing.
        var biasMatters = true
        if let reader = graph.soleReader(of: node.outputs[0]),
            case .activation(let next) = graph.nodes[reader].operation,
            next.normalization?.kind.statistics == .batch
        {
            biasMatters = false
        }
        let isFrozen = layout.isFrozen(layer)
        return ConvolutionTraining(
            inputs: node.inputs,
            output: node.outputs[0],
            shape: output,
            geometry: geometry,
            schedule: geometry.schedule(kernels: kernels),
            weight: weight,
            bias: hasBias ? layout.start("\(layer).bias") : nil,
            isWeightTrained: !isFrozen,
            isBiasTrained: hasBias && !isFrozen && biasMatters,
            mirror: input.needsGradient ? MirroredConvolution(geometry, options: options.inference) : nil,
            weightGradient: geometry.weightGradient(kernels: kernels),
            sums: BatchSums(value: node.outputs[0], shape: output, pictures: batchSize),
            zeros: zeros
        )
    }

    private mutating func step(_ node: TrainingNode, _ activation: TrainingOperation.Activation) -> any TrainingStep {
        let shape = graph.values[node.inputs[0]]
        var normalization: ActivationStep.Normalization?
        if let (layer, kind) = activation.normalization, let scale = layout.start("\(layer).scale"),
            let shift = layout.start("\(layer).shift"), let index = layout.normalizationIndex(layer)
        {
            normalization = ActivationStep.Normalization(
                layer: layer,
                kind: kind,
                scale: scale,
                shift: shift,
                index: index,
                isTrained: !layout.isFrozen(layer)
            )
        }
        // A convolution's sums are read by nobody after this step: their gradient may take their place, if that is large enough.
        var gradientPlace = GradientPlace.own
        if let writer = graph.writer(of: node.inputs[0]), case .convolution = graph.nodes[writer].operation,
            graph.soleReader(of: node.inputs[0]) != nil
        {
            gradientPlace = shape.layout != .half ? .input : activation.isPooled ? .own : .outputGradient
        }
        return ActivationStep(
            input: node.inputs[0],
            outputs: node.outputs,
            hasReLU: activation.hasReLU,
            isPooled: activation.isPooled,
            normalization: normalization,
            shape: shape,
            needsInputGradient: shape.needsGradient,
            gradientPlace: gradientPlace,
            sums: BatchSums(value: node.inputs[0], shape: shape, pictures: batchSize),
            vectors: vectors.activation(
                channels: shape.blocks * 16,
                isNormalized: normalization != nil,
                ones: ones,
                zeros: zeros
            )
        )
    }
}
