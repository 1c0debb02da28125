import CSegNetKernels
import SegNetNetworks
public import SegNetTensors

/// A prepared network for inputs of one size: a list of steps and where every map lies. Immutable and `Sendable`; each caller
/// brings a `Workspace` of its own.
public final class InferencePlan: Sendable {
    /// The network with its weights, shared by all plans.
    public let prepared: PreparedNetwork
    /// Of the input.
    public let height: Int
    /// Of the input.
    public let width: Int

    let steps: [(name: String, step: any Step)]
    let placements: [ValuePlacement]
    let input: ValueID
    let arenaBytes: Int
    let threadBytes: Int
    let sharedOffsets: [Int]
    /// The steps from here on run once for each Monte-Carlo sample.
    let firstSampledStep: Int
    /// Nil if the network was not prepared for sampling.
    let accumulators: Accumulators?

    init(_ prepared: PreparedNetwork, height: Int, width: Int, threads: Int, bands: BandPolicy) throws {
        self.prepared = prepared
        self.height = height
        self.width = width
        let network = prepared.network.resized(height: height, width: width)
        let shapes = try network.shapes()
        let graph = prepared.graph
        input = ValueID(index: 0)

        func shape(_ value: ValueID) -> BlobShape {
            switch graph.origins[value.index] {
            case .input: BlobShape(network.input.shape)
            case .layer(let index, let output): shapes.layers[index].outputs[output]
            }
        }
        var placements: [ValuePlacement] = []
        for index in graph.origins.indices {
            let shape = shape(ValueID(index: index)).shape
            placements.append(
                ValuePlacement(
                    layout: graph.layouts[index],
                    channels: shape.channels,
                    height: shape.height,
                    width: shape.width
                )
            )
        }

        let nodeSteps = try Self.steps(of: prepared, placements: placements, shape: shape)
        let firstSampled = prepared.options.sampling ? graph.firstSampledNode : graph.nodes.count
        let chains = graph.chains(nodeSteps, firstSampled: firstSampled, threads: threads, policy: bands)
        var steps: [(name: String, step: any Step)] = []
        // Of each node, the step that it is or is part of.
        var stepOfNode: [Int] = []
        for chain in chains {
            for (value, flow) in zip(chain.values, chain.flows) { placements[value.index].ringRows = flow.rows }
            stepOfNode += Array(repeating: steps.count, count: chain.nodes.count)
            steps.append((graph.nodes[chain.nodes.upperBound - 1].name, chain.step))
        }

        // Lifetimes: from the step that writes a value to the last that reads it; the input exists before, outputs stay.
        var lifetimes: [ClosedRange<Int>?] = Array(repeating: nil, count: placements.count)
        func extend(_ value: ValueID, to step: Int) {
            let old = lifetimes[value.index] ?? step...step
            lifetimes[value.index] = min(old.lowerBound, step)...max(old.upperBound, step)
        }
        extend(input, to: -1)
        for (step, node) in zip(stepOfNode, graph.nodes) {
            for value in node.inputs + node.outputs { extend(value, to: step) }
        }
        for value in graph.outputs.values { extend(value, to: steps.count) }

        // What the sampled part reads from the shared one lives through all samples.
        firstSampledStep = firstSampled < stepOfNode.count ? stepOfNode[firstSampled] : steps.count
        let written = Set(graph.nodes[firstSampled...].flatMap(\.outputs))
        for value in graph.nodes[firstSampled...].flatMap(\.inputs) where !written.contains(value) {
            extend(value, to: steps.count)
        }
        if prepared.options.sampling, let blob = network.scoresBlob, let scores = graph.outputs[blob] {
            let mean = ValueID(index: placements.count)
            let squares = ValueID(index: placements.count + 1)
            for _ in 0..<2 {
                placements.append(placements[scores.index])
                lifetimes.append(firstSampledStep...steps.count)
            }
            accumulators = Accumulators(scores: scores, mean: mean, squares: squares)
        } else {
            accumulators = nil
        }
        // Dropout within the sampled part works in place where it alone reads what it drops from.
        var hosts: [Int: Int] = [:]
        for node in graph.nodes[firstSampled...] {
            guard case .dropout = node.operation, written.contains(node.inputs[0]), !graph.isKept(node.inputs[0]),
                graph.readers(of: node.inputs[0]).count == 1
            else { continue }
            let host = hosts[node.inputs[0].index] ?? node.inputs[0].index
            guard let guest = lifetimes[node.outputs[0].index], let old = lifetimes[host] else { continue }
            hosts[node.outputs[0].index] = host
            lifetimes[host] = min(old.lowerBound, guest.lowerBound)...max(old.upperBound, guest.upperBound)
            lifetimes[node.outputs[0].index] = nil
        }

        var buffers: [Arena.Buffer] = []
        for (index, placement) in placements.enumerated() {
            buffers.append(
                Arena.Buffer(
                    byteCount: lifetimes[index] == nil ? 0 : placement.byteCount,
                    lifetime: lifetimes[index] ?? 0...0
                )
            )
        }
        for (position, step) in steps.enumerated() {
            buffers.append(Arena.Buffer(byteCount: step.step.sharedBytes, lifetime: position...position))
        }
        // Beyond every address space: the arena's own sums cannot overflow below it.
        guard saturatingSum(buffers.map(\.byteCount)) < 1 << 46 else {
            throw NetworkError(
                network: network.name,
                layer: nil,
                reason:
                    "an input of \(width)x\(height) needs more memory than any machine has; use a smaller \(UserChoice.size)."
            )
        }
        let arena = Arena(buffers)
        for index in placements.indices { placements[index].offset = arena.offsets[hosts[index] ?? index] }
        sharedOffsets = Array(arena.offsets[placements.count...])
        arenaBytes = arena.byteCount
        threadBytes = ((steps.map(\.step.threadBytes).max() ?? 0) + 63) / 64 * 64 + 64
        self.placements = placements
        self.steps = steps
    }

    /// Bytes of activations and scratch that one run needs, without the weights.
    public func workspaceBytes(threads: Int) -> Int {
        saturatingSum([arenaBytes, saturatingProduct(max(1, threads), threadBytes)])
    }

    /// The shape [C, H, W] of an output.
    /// - Parameter blob: One of the prepared network's outputs.
    public func shape(of blob: String) -> Shape? {
        guard let value = prepared.graph.outputs[blob] else { return nil }
        let place = placements[value.index]
        switch place.layout {
        case .classIDs: return [1, place.height, place.width]
        default: return [place.channels, place.height, place.width]
        }
    }

    /// Runs the network on what lies in the workspace's input. Allocates no maps: they were made with the workspace.
    public func run(in workspace: Workspace) { run(in: workspace) { _ in } }

    /// Runs the network, and tells of each step.
    /// - Parameter observe: Called after each step with the name of its layer, for measurements. What it throws ends the run; the
    ///   workspace can be used again.
    public func run(in workspace: Workspace, observe: (String) throws -> Void) rethrows {
        precondition(workspace.plan === self, "a workspace belongs to the plan it was made for")
        for (index, (name, step)) in steps.enumerated() {
            step.run(workspace.run(shared: sharedOffsets[index]))
            try observe(name)
        }
    }
}
