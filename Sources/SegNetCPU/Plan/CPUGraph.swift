import SegNetGraph
import SegNetNetworks

/// A graph with what this processor adds to it: the layout of each value, and copies where a value has to change it.
struct CPUGraph: Sendable {
    private(set) var graph: Graph
    private(set) var layouts: [ValueLayout]

    /// - Parameter storesHalves: Whether the large maps that the backward pass reads are stored in 16 bits.
    /// - Throws: `NetworkError` for what the kernels cannot read.
    init(_ graph: Graph, network: Network, storesHalves: Bool = false) throws(NetworkError) {
        self.graph = graph
        layouts = Array(repeating: .blocked, count: graph.origins.count)
        layouts[.input] = .thin
        for node in graph.nodes {
            if node.outputs.count > 1 { layouts[node.outputs[1]] = .indices }
            switch node.operation {
            case .argmax: layouts[node.outputs[0]] = .classIDs
            case .localContrastNormalization where layouts[node.inputs[0]] != .thin:
                throw NetworkError(
                    network: network.name,
                    layer: node.name,
                    problem: "local contrast normalisation is for the network's input; move it to the front"
                )
            // Normalisations and padding of the picture keep the picture's layout.
            case .localResponseNormalization where readsThin(node), .padding where readsThin(node),
                .localContrastNormalization:
                layouts[node.outputs[0]] = layouts[node.inputs[0]]
            default: break
            }
        }
        blockInput()
        if storesHalves { storeInHalves() }
    }

    /// Lets go of the numbers of convolutions, once they are packed.
    mutating func dropWeights() { graph = graph.withoutWeights() }

    /// Copies the network's input to whole blocks of channels for those who cannot read a picture's layout.
    private mutating func blockInput() {
        for value in layouts.indices.map(ValueID.init(index:)) where layouts[value] == .thin {
            let readers = graph.readers(of: value).filter { !readsThin(graph.nodes[$0]) }
            guard let first = readers.first else { continue }
            graph.insertCopy(of: value, named: "input", for: readers, at: min(first, graph.firstSampledNode))
            layouts.append(.blocked)
        }
    }

    /// Whether the node can read a thin map. The kernels take fewer than 16 channels so.
    private func readsThin(_ node: Node) -> Bool {
        switch node.operation {
        case .convolution(let convolution):
            return convolution.inputChannels < 16 && convolution.groups == 1 && !convolution.isTransposed
        case .localResponseNormalization, .padding: return graph.inputChannels < 16
        case .localContrastNormalization, .copy: return true
        default: return false
        }
    }

    /// Stores in 16 bits what is kept from the forward to the backward pass and large: the sums of convolutions before an activation, and
    /// pooled maps, of which readers get copies in 32 bits.
    private mutating func storeInHalves() {
        var position = 0
        while position < graph.nodes.count {
            let node = graph.nodes[position]
            let stored = node.outputs[0]
            switch node.operation {
            case .convolution:
                if let reader = graph.soleReader(of: stored), case .activation = graph.nodes[reader].operation {
                    layouts[stored] = .half
                }
            // Without an input in 16 bits the step has no scratch for rows.
            case .activation(let activation)
            where activation.isPooled && !graph.isKept(stored) && layouts[node.inputs[0]] == .half:
                layouts[stored] = .half
                layouts.append(.blocked)
                graph.insertCopy(of: stored, named: node.name, for: graph.readers(of: stored), at: position + 1)
            default: break
            }
            position += 1
        }
    }

    /// Whether somebody reads the padding channels of a value, too.
    func isReadWithPadding(_ value: ValueID) -> Bool {
        graph.readers(of: value).contains { reader in
            if case .argmax = graph.nodes[reader].operation { false } else { true }
        }
    }

    /// Each value at the size of `network`.
    /// - Throws: `NetworkError` if the network does not fit the size.
    func values(_ network: Network) throws(NetworkError) -> [Value] {
        zip(try graph.shapes(network), layouts).map { Value($0, $1) }
    }
}
