import CSegNetKernels
import SegNetGraph
public import SegNetNetworks
import SegNetPlatform

/// A network made ready to run: folded, fused, its weights packed. Independent of the input's size, immutable, shared by all plans.
public final class PreparedNetwork: Sendable {
    /// The network as it was given.
    public let network: Network
    public let options: InferenceOptions
    /// Bytes of packed weights, held once however many plans there are.
    public let weightBytes: Int

    let graph: CPUGraph
    /// By node: where its packed weights lie.
    let parameters: [NodeParameters]
    let weights: AlignedMemory
    let outputNames: [String]

    /// - Parameters:
    ///   - weights: Every tensor that the network needs; mapped ones are returned to the system as they are packed.
    ///   - file: The name of the weights' source in errors.
    /// - Throws: `NetworkError`, `WeightsError`, `MemoryError`; `AccuracyChoiceError` or `InstructionSetChoiceError` if the options left
    ///   the choice to the environment, and that names what does not exist.
    public convenience init(
        _ network: Network,
        weights: Weights,
        options: InferenceOptions = InferenceOptions(),
        file: String = "model"
    ) throws {
        try self.init(network, weights: weights, options: options, file: file, packs: true)
    }

    /// The memory that a run at the network's own size will take, without packing anything: bytes of weights, and of a workspace.
    /// - Parameters:
    ///   - weights: Only their shapes matter.
    ///   - threads: Threads of the workspace.
    /// - Throws: As the initialiser.
    public static func plannedBytes(
        _ network: Network,
        weights: Weights,
        options: InferenceOptions = InferenceOptions(),
        threads: Int
    ) throws -> (weights: Int, workspace: Int) {
        let prepared = try PreparedNetwork(network, weights: weights, options: options, file: "model", packs: false)
        let plan = try prepared.plan(height: network.input.height, width: network.input.width, threads: threads)
        return (prepared.weightBytes, plan.workspaceBytes(threads: threads))
    }

    /// A network's `reach`, found without packing anything.
    /// - Parameter weights: Only their shapes matter.
    /// - Throws: As the initialiser does.
    public static func plannedReach(
        _ network: Network,
        weights: Weights,
        options: InferenceOptions = InferenceOptions()
    ) throws -> NetworkReach? {
        try PreparedNetwork(network, weights: weights, options: options, file: "model", packs: false).reach
    }

    private init(
        _ network: Network,
        weights: Weights,
        options: InferenceOptions,
        file: String,
        packs: Bool
    ) throws {
        try options.engine.check()
        try weights.check(for: network, file: file)
        if packs { try weights.requireFinite(for: network, file: file) }
        guard let scores = network.scoresBlob else {
            throw NetworkError(network: network.name, layer: nil, problem: "it has no layers")
        }
        outputNames = options.outputs.isEmpty ? [scores] : options.outputs
        self.network = network
        self.options = options
        var graph = try CPUGraph(
            Graph.inference(
                network,
                weights: weights,
                outputs: outputNames,
                scores: scores,
                classesOnly: options.classesOnly,
                sampling: options.sampling
            ),
            network: network
        )
        var packing = PackedWeights(graph, sizes: try graph.values(network), options: options)
        weightBytes = packing.byteCount
        if packs {
            // While one tensor is packed it exists three times: as read, as float32 and packed.
            let largest = weights.tensors.values.map { saturatingProduct($0.shape.count, 8) }.max() ?? 0
            let needed = saturatingSum([weightBytes, largest])
            if let available = MachineMemory.available, needed > available {
                throw MemoryError(byteCount: needed, available: available)
            }
            self.weights = try packing.packed(graph, network: network, kernels: options.instructionSet.kernels)
        } else {
            self.weights = try AlignedMemory(byteCount: 0)
        }
        // Packed weights are the only copy: what they were read from is not kept.
        packing.dropWeights()
        graph.dropWeights()
        parameters = packing.parameters
        self.graph = graph
    }

    /// A plan for inputs of one size.
    /// - Parameter threads: For how many threads it is made; any number can run it. More work in wider bands, which take more
    ///   memory. Nil: all cores that this process may use.
    /// - Throws: `NetworkError` if the network does not fit the size.
    public func plan(height: Int, width: Int, threads: Int? = nil) throws -> InferencePlan {
        try plan(height: height, width: width, threads: threads, bands: .automatic)
    }

    package func plan(height: Int, width: Int, threads: Int? = nil, bands: BandPolicy) throws -> InferencePlan {
        try InferencePlan(
            self,
            height: height,
            width: width,
            threads: threads ?? ThreadPool.availableCores,
            bands: bands
        )
    }
}

/// Where the weights of a graph's nodes lie, packed as the kernels read them.
private struct PackedWeights {
    /// By node.
    private(set) var parameters: [NodeParameters] = []
    private(set) var byteCount = 0

    /// - Parameter sizes: The graph's values for a picture of the network's own size.
    init(_ graph: CPUGraph, sizes: [Value], options: InferenceOptions) {
        for node in graph.graph.nodes {
            switch node.operation {
            case .convolution(let convolution):
                let isThin = graph.layouts[node.inputs[0]] == .thin
                let output = sizes[node.outputs[0]]
                let plan = ConvolutionPlan(
                    convolution,
                    isThin: isThin,
                    size: (output.height, output.width),
                    options: options
                )
                let bias = byteCount + plan.biasOffset
                parameters.append(.convolution(plan, weight: byteCount, bias: bias))
                byteCount += plan.byteCount
            case .activation(let activation):
                guard case .constants(let scale, _) = activation.normalization else {
                    parameters.append(.none)
                    continue
                }
                // Padded to whole blocks with 0.
                let vector = blockCount(scale.count) * 64
                parameters.append(.normalization(scale: byteCount, shift: byteCount + vector))
                byteCount += 2 * vector
            default: parameters.append(.none)
            }
        }
    }

    /// - Throws: `NetworkError` if a weight does not fit the precision, `MemoryError`.
    func packed(_ graph: CPUGraph, network: Network, kernels: sn_kernels) throws -> AlignedMemory {
        let memory = try AlignedMemory(byteCount: byteCount)
        for (node, place) in zip(graph.graph.nodes, parameters) {
            switch place {
            case .none, .normalization(_, nil): break
            case .convolution(let plan, let weight, _):
                do { try plan.pack(into: memory.base + weight, kernels: kernels) } catch let error as ShapeRuleError {
                    throw NetworkError(network: network.name, layer: node.name, problem: error.problem)
                }
            case .normalization(let scale, let shift?):
                guard case .activation(let activation) = node.operation,
                    case .constants(let scales, let shifts) = activation.normalization
                else { continue }
                memory.floats(at: scale).update(from: scales, count: scales.count)
                memory.floats(at: shift).update(from: shifts, count: shifts.count)
            }
        }
        return memory
    }

    mutating func dropWeights() {
        parameters = parameters.map { place in
            guard case .convolution(var plan, let weight, let bias) = place else { return place }
            plan.node.weight = .values([])
            return .convolution(plan, weight: weight, bias: bias)
        }
    }
}
