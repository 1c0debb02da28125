import SegNetNetworks

extension Graph {
    /// Lets a convolution pool its own output while it is in registers, where nobody needs the map before pooling.
    mutating func fusePooling() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            guard case .maxPoolingWithIndices = node.operation,
                let writer = soleWriter(of: node.inputs[0], for: position),
                case .convolution(var convolution) = nodes[writer].operation, convolution.canPool
            else {
                position += 1
                continue
            }
            convolution.isPooled = true
            nodes[writer].operation = .convolution(convolution)
            nodes[writer].outputs = node.outputs
            nodes.remove(at: position)
        }
    }

    /// Lets convolutions gather the unpooled map from the pooled one and the indices, so that it never exists.
    mutating func fuseUnpooling() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            let value = node.outputs[0]
            guard case .unpooling = node.operation, !isKept(value) else {
                position += 1
                continue
            }
            let readers = readers(of: value)
            let allGather = readers.allSatisfy { reader in
                guard case .convolution(let convolution) = nodes[reader].operation else { return false }
                return convolution.canGather
            }
            guard allGather else {
                position += 1
                continue
            }
            for reader in readers {
                guard case .convolution(var convolution) = nodes[reader].operation else { continue }
                convolution.readsUnpooled = true
                nodes[reader].operation = .convolution(convolution)
                nodes[reader].inputs = node.inputs
            }
            nodes.remove(at: position)
        }
    }

    /// Puts a layout change behind the network's input where somebody reads it who cannot read a picture's layout.
    mutating func blockInput() {
        for value in layouts.indices.map(ValueID.init(index:)) where layouts[value.index] == .thin {
            let readers = readers(of: value).filter { !readsThin(nodes[$0]) }
            guard !readers.isEmpty, let first = readers.first else { continue }
            let blocked = makeValue(origins[value.index], .blocked)
            for reader in readers {
                nodes[reader].inputs = nodes[reader].inputs.map { $0 == value ? blocked : $0 }
            }
            nodes.insert(Node(name: "input", operation: .block, inputs: [value], outputs: [blocked]), at: first)
        }
    }

    /// Normalisations of the picture keep the picture's layout.
    mutating func propagateThin() {
        for node in nodes {
            switch node.operation {
            case .localResponseNormalization where readsThin(node), .localContrastNormalization:
                if layouts[node.inputs[0].index] == .thin { layouts[node.outputs[0].index] = .thin }
            default: break
            }
        }
    }

    /// Whether the node can read a thin map. The kernels take fewer than 16 channels so.
    private func readsThin(_ node: Node) -> Bool {
        switch node.operation {
        case .convolution(let convolution):
            return convolution.inputChannels < 16 && convolution.groups == 1 && !convolution.isTransposed
        case .localResponseNormalization: return inputChannels < 16
        case .localContrastNormalization, .block: return true
        default: return false
        }
    }
}

extension ConvolutionNode {
    /// Each output channel reads the input channel of the same number, and nothing else.
    var isDepthwise: Bool { groups > 1 && groups == inputChannels && groups == outputChannels && !isTransposed }
    /// Whether the convolution's kernels can pool before they store.
    var canPool: Bool { groups == 1 && !isTransposed && !isPooled }
    /// Whether the convolution's kernels can read an unpooled map that does not exist.
    var canGather: Bool { groups == 1 && !isTransposed }
}
