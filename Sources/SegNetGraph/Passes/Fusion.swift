extension Graph {
    /// Lets a convolution pool its own output while it is in registers, where nobody needs the map before pooling.
    mutating func fusePooling() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            guard case .activation(let activation) = node.operation, activation.isPooled, !activation.relu,
                activation.normalization == nil,
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

    /// Puts an argmax behind the scores and keeps its class ids in their place.
    mutating func reduceToClasses(_ scores: String) {
        guard let value = outputs[scores] else { return }
        if let writer = writer(of: value), nodes[writer].operation.isArgmax { return }
        let ids = makeValue(origins[value])
        nodes.append(Node(name: "argmax", operation: .argmax, inputs: [value], outputs: [ids]))
        outputs[scores] = ids
    }
}
