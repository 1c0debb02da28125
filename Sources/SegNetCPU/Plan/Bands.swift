import SegNetGraph

/// When maps between two steps are kept as bands of rows.
package enum BandPolicy: Sendable, Hashable {
    /// Where at most half of the map's rows then exist.
    case automatic
    /// Wherever it is possible: for tests on small pictures.
    case always
    /// Every map is whole.
    case never
}

/// Neighbouring nodes that run as one step.
struct NodeChain {
    /// The nodes, at least one.
    var nodes: Range<Int>
    /// The values between them, of which a few rows exist at a time, and how they flow.
    var values: [ValueID] = []
    var flows: [RowFlow] = []
    var step: any Step
}

extension CPUGraph {
    /// Joins neighbouring nodes into chains where the next one alone reads what the one before it writes, a few rows at a time.
    ///
    /// - Parameters:
    ///   - steps: One for each node.
    ///   - firstSampled: No chain reaches across this node.
    func chains(_ steps: [any Step], firstSampled: Int, threads: Int, policy: BandPolicy) -> [NodeChain] {
        var chains: [NodeChain] = []
        var links: [(name: String, step: any RowLocalStep, groups: RowGroups, flow: RowFlow?)] = []
        for (position, step) in steps.enumerated() {
            let local = step as? any RowLocalStep
            var groups = policy == .never ? nil : local?.rowGroups
            // Lists of groups beyond that are for pictures that no machine can hold.
            if let found = groups, found.count > 1 << 20 { groups = nil }
            if let local, let groups, let last = links.last, position != firstSampled,
                let start = chains.last?.nodes.lowerBound, canFollow(position, chainFrom: start)
            {
                let flow = RowFlow(from: last.groups, to: groups, threads: threads) { local.inputRows(for: $0) }
                if policy == .always || flow.rows * 2 <= last.groups.height {
                    links.append((graph.nodes[position].name, local, groups, flow))
                    chains[chains.count - 1].nodes = start..<position + 1
                    chains[chains.count - 1].values.append(graph.nodes[position].inputs[0])
                    chains[chains.count - 1].flows.append(flow)
                    chains[chains.count - 1].step = BandStep(links)
                    continue
                }
            }
            chains.append(NodeChain(nodes: position..<position + 1, step: step))
            links = []
            if let local, let groups { links = [(graph.nodes[position].name, local, groups, nil)] }
        }
        return chains
    }

    /// Whether the node at `position` may join the chain that begins at `start` and ends just before it.
    private func canFollow(_ position: Int, chainFrom start: Int) -> Bool {
        let (writer, reader) = (graph.nodes[position - 1], graph.nodes[position])
        guard graph.soleWriter(of: reader.inputs[0], for: position) == position - 1,
            writer.outputs[0] == reader.inputs[0],
            layouts[reader.inputs[0]] == .blocked
        else { return false }
        // Its other inputs must be whole by then.
        return reader.inputs.dropFirst().allSatisfy { value in
            writer.outputs.contains(value) || !graph.nodes[start..<position].contains { $0.outputs.contains(value) }
        }
    }
}
