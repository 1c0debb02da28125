import SegNetGraph
import SegNetNetworks
public import SegNetPlatform

/// A prepared network for inputs of one size: a list of steps and where every map lies. Immutable and `Sendable`; each caller
/// brings a `Workspace` of its own.
public final class InferencePlan: Sendable {
    /// The network with its weights, shared by all plans.
    public let prepared: PreparedNetwork
    /// Height of the input in pixels.
    public let height: Int
    /// Width of the input in pixels.
    public let width: Int

    let steps: [(name: String, step: any Step)]
    /// By value.
    let values: [Value]
    let memory: InferenceMemoryPlan
    let threadBytes: Int
    /// The steps from here on run once for each Monte-Carlo sample.
    let firstSampledStep: Int
    /// Nil if the network was not prepared for sampling.
    let accumulators: Accumulators?

    init(_ prepared: PreparedNetwork, height: Int, width: Int, threads: Int, bands: BandPolicy) throws {
        self.prepared = prepared
        self.height = height
        self.width = width
        let network = prepared.network.resized(height: height, width: width)
        let graph = prepared.graph
        var values = try graph.values(network)
        let nodeSteps = try StepBuilder(
            network: network,
            graph: graph,
            values: values,
            parameters: prepared.parameters,
            kernels: prepared.options.instructionSet.kernels,
            learning: nil
        ).steps()

        let isSampled = prepared.options.sampling
        let firstSampled = isSampled ? graph.graph.firstSampledNode : graph.graph.nodes.count
        let chains = graph.chains(nodeSteps, firstSampled: firstSampled, threads: threads, policy: bands)
        for chain in chains {
            for (value, flow) in zip(chain.values, chain.flows) { values[value].ringRows = flow.rows }
        }
        steps = chains.map { (graph.graph.nodes[$0.nodes.upperBound - 1].name, $0.step) }
        firstSampledStep = chains.firstIndex { $0.nodes.contains(firstSampled) } ?? chains.count
        if isSampled, let blob = network.scoresBlob, let scores = graph.graph.outputs[blob] {
            accumulators = Accumulators(
                scores: scores,
                mean: ValueID(index: values.count),
                squares: ValueID(index: values.count + 1)
            )
            values += [values[scores], values[scores]]
        } else {
            accumulators = nil
        }
        guard
            let memory = InferenceMemoryPlan(
                graph.graph,
                chains,
                values,
                firstSampledNode: firstSampled,
                firstSampledStep: firstSampledStep,
                accumulators: accumulators
            )
        else {
            if let map = network.enlargement {
                throw NetworkError(
                    network: network.name,
                    layer: map.layer,
                    problem:
                        "it makes a map of \(map.width)x\(map.height) from a picture of \(width)x\(height), which needs more memory "
                        + "than any machine has; correct this layer"
                )
            }
            throw NetworkError(
                network: network.name,
                layer: nil,
                problem:
                    "an input of \(width)x\(height) needs more memory than any machine has; use a smaller \(UserChoice.size)"
            )
        }
        self.memory = memory
        self.values = values
        threadBytes = ((steps.map(\.step.forwardScratch.thread).max() ?? 0) + 63) / 64 * 64 + 64
    }

    /// Bytes of activations and scratch that one run needs, without the weights.
    public func workspaceBytes(threads: Int) -> Int {
        saturatingSum([memory.byteCount, saturatingProduct(max(1, threads), threadBytes)])
    }

    /// The shape [C, H, W] of an output.
    /// - Parameter blob: One of the prepared network's outputs.
    public func shape(of blob: String) -> Shape? {
        guard let output = prepared.graph.graph.outputs[blob] else { return nil }
        let value = values[output]
        return [value.layout == .classIDs ? 1 : value.channels, value.height, value.width]
    }

    /// Runs the network on what lies in the workspace's input. Allocates no maps: they were made with the workspace.
    public func run(in workspace: Workspace) { run(in: workspace) { _ in } }

    /// Runs the network, and reports each step.
    /// - Parameter observe: Called after each step with the name of its layer, for measurements. What it throws ends the run; the
    ///   workspace can be used again.
    public func run(in workspace: Workspace, observe: (String) throws -> Void) rethrows {
        precondition(workspace.plan === self, "a workspace belongs to the plan it was made for")
        for (index, (name, step)) in steps.enumerated() {
            step.forward(workspace.run(step: index))
            try observe(name)
        }
    }
}

/// Where everything lies in the memory of a run: buffers live from the step that writes them to the last that reads them.
struct InferenceMemoryPlan: Sendable {
    /// By value: bytes from the beginning of the memory.
    let offsets: [Int]
    /// By step: where the scratch lies that its threads share.
    let sharedOffsets: [Int]
    let byteCount: Int

    /// - Parameter chains: One for each step.
    /// - Returns: nil if it is larger than any address space.
    init?(
        _ graph: Graph,
        _ chains: [NodeChain],
        _ values: [Value],
        firstSampledNode: Int,
        firstSampledStep: Int,
        accumulators: InferencePlan.Accumulators?
    ) {
        var lifetimes: [ClosedRange<Int>?] = Array(repeating: nil, count: values.count)
        func extend(_ value: ValueID, to step: Int) {
            let old = lifetimes[value] ?? step...step
            lifetimes[value] = min(old.lowerBound, step)...max(old.upperBound, step)
        }
        // The input is there before the first step, outputs stay.
        extend(.input, to: -1)
        for (step, chain) in chains.enumerated() {
            for node in graph.nodes[chain.nodes] {
                for value in node.inputs + node.outputs { extend(value, to: step) }
            }
        }
        for value in graph.outputs.values { extend(value, to: chains.count) }
        // Values that the sampled part reads from the shared one live through all samples.
        let sampled = graph.nodes[firstSampledNode...]
        let written = Set(sampled.flatMap(\.outputs))
        for value in sampled.flatMap(\.inputs) where !written.contains(value) { extend(value, to: chains.count) }
        if let accumulators {
            for value in [accumulators.mean, accumulators.squares] {
                lifetimes[value] = firstSampledStep...chains.count
            }
        }
        // Dropout within the sampled part works in place where it alone reads what it drops from.
        var hosts: [Int: Int] = [:]
        for node in sampled {
            let (input, output) = (node.inputs[0], node.outputs[0])
            guard case .dropout = node.operation, written.contains(input), graph.soleReader(of: input) != nil else {
                continue
            }
            let host = hosts[input.index] ?? input.index
            guard let guest = lifetimes[output], let old = lifetimes[host] else { continue }
            hosts[output.index] = host
            lifetimes[host] = min(old.lowerBound, guest.lowerBound)...max(old.upperBound, guest.upperBound)
            lifetimes[output] = nil
        }

        var buffers = zip(values, lifetimes).map { value, lifetime in
            Arena.Buffer(byteCount: lifetime == nil ? 0 : value.byteCount, lifetime: lifetime ?? 0...0)
        }
        for (step, chain) in chains.enumerated() {
            buffers.append(Arena.Buffer(byteCount: chain.step.forwardScratch.shared, lifetime: step...step))
        }
        guard let arena = Arena(fitting: buffers) else { return nil }
        offsets = values.indices.map { arena.offsets[hosts[$0] ?? $0] }
        sharedOffsets = Array(arena.offsets[values.count...])
        byteCount = arena.byteCount
    }
}
