import CSegNetKernels
public import SegNetNetworks
import SegNetTensors

/// A network made ready to run: folded, fused, its weights packed. Independent of the input's size, immutable, shared by all plans.
public final class PreparedNetwork: Sendable {
    /// The network as it was given.
    public let network: Network
    public let options: InferenceOptions
    /// Bytes of packed weights, held once however many plans there are.
    public let weightBytes: Int

    let graph: Graph
    /// One per node of the graph that is a convolution.
    let convolutions: [ConvolutionPlan?]
    /// Where the factors and then the shifts of affine nodes lie among the packed weights, in bytes.
    let affineOffsets: [Int?]
    let weights: AlignedMemory
    let outputNames: [String]

    /// - Parameters:
    ///   - weights: Every tensor that the network needs; mapped ones are given back to the system as they are packed.
    ///   - file: What errors call the source of the weights.
    /// - Throws: `NetworkError`, `WeightsError`, `MemoryError`.
    public convenience init(
        _ network: Network,
        weights: Weights,
        options: InferenceOptions = InferenceOptions(),
        file: String = "model"
    ) throws {
        try self.init(network, weights: weights, options: options, file: file, packs: true)
    }

    /// What a run at the network's own size will take, without packing anything: bytes of weights, and of a workspace.
    /// - Parameters:
    ///   - weights: Only their shapes matter.
    ///   - threads: Of the workspace.
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

    private init(
        _ network: Network,
        weights: Weights,
        options: InferenceOptions,
        file: String,
        packs: Bool
    ) throws {
        try weights.check(for: network, file: file)
        guard let scores = network.scoresBlob else {
            throw NetworkError(network: network.name, layer: nil, reason: "it has no layers.")
        }
        outputNames = options.outputs.isEmpty ? [scores] : options.outputs
        var graph = try Graph(network, weights: weights, outputs: outputNames, sampling: options.sampling)
        if options.classesOnly, !options.sampling { graph.reduceToClasses(scores) }
        graph.foldAffine()
        graph.composePointwise()
        graph.foldAffine()
        graph.fusePooling()
        graph.fuseUnpooling()
        graph.propagateThin()
        graph.blockInput()
        if options.sampling {
            graph.separateSampled()
            try graph.checkSampling(network, scores: scores)
        }
        self.network = network
        self.options = options

        var offset = 0
        var plans: [ConvolutionPlan?] = []
        var affineOffsets: [Int?] = []
        for node in graph.nodes {
            var plan: ConvolutionPlan?
            var affineOffset: Int?
            switch node.operation {
            case .convolution(let convolution):
                let isThin = graph.layouts[node.inputs[0].index] == .thin
                plan = ConvolutionPlan(convolution, isThin: isThin, options: options)
                plan?.weightOffset = offset
                offset += plan?.byteCount ?? 0
            case .affine(let scale, let shift, _):
                affineOffset = offset
                offset += AffineStep.byteCount(channels: max(scale?.count ?? 0, shift?.count ?? 0))
            default: break
            }
            plans.append(plan)
            affineOffsets.append(affineOffset)
        }
        // Packed weights are the only copy: what they were read from is not kept.
        convolutions = plans.map { plan in
            var plan = plan
            plan?.node.weight = .values([])
            return plan
        }
        self.graph = graph.withoutWeights()
        self.affineOffsets = affineOffsets
        weightBytes = offset
        guard packs else {
            self.weights = try AlignedMemory(byteCount: 0)
            return
        }
        // While one tensor is packed it exists three times: as read, as float32 and packed.
        let largest = weights.tensors.values.map { saturatingProduct($0.shape.count, 8) }.max() ?? 0
        let needed = saturatingSum([offset, largest])
        if let available = MachineMemory.available, needed > available {
            throw MemoryError(byteCount: needed, available: available)
        }
        let memory = try AlignedMemory(byteCount: offset)
        let kernels = options.instructionSet.kernels
        for (position, node) in graph.nodes.enumerated() {
            do {
                try plans[position]?.pack(into: memory.base, kernels: kernels)
            } catch let error as ShapeRuleError {
                throw NetworkError(network: network.name, layer: node.name, reason: error.reason)
            }
            if case .affine(let scale, let shift, _) = node.operation, let start = affineOffsets[position] {
                AffineStep.pack(scale: scale, shift: shift, into: memory.floats(at: start))
            }
        }
        self.weights = memory
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
