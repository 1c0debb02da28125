extension TrainingGraph {
    /// Stores in 16 bits what is kept from the forward to the backward pass and large: the sums of convolutions in front of an activation, and
    /// pooled maps, which whoever reads them gets widened.
    mutating func storeInHalves() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            switch node.operation {
            case .convolution:
                if let reader = soleReader(of: node.outputs[0]), case .activation = nodes[reader].operation {
                    values[node.outputs[0]].layout = .half
                }
            case .activation(let activation) where activation.isPooled && node.outputs[0] != scores:
                let stored = node.outputs[0]
                // Without such an input the step has no scratch for rows.
                guard values[node.inputs[0]].layout == .half else { break }
                values.append(values[stored])
                values[stored].layout = .half
                let wide = values.count - 1
                for reader in readers(of: stored) {
                    nodes[reader].inputs = nodes[reader].inputs.map { $0 == stored ? wide : $0 }
                }
                nodes.insert(
                    TrainingNode(name: node.name, operation: .widening, inputs: [stored], outputs: [wide]),
                    at: position + 1
                )
            default: break
            }
            position += 1
        }
    }

    /// The number of the stage to which each node belongs: a stage is a run of nodes that work at one resolution. A pooling belongs to the
    /// stage that it ends, an unpooling to the one that it begins.
    var stages: [Int] {
        var stage = 0
        var last: Int?
        return nodes.map { node in
            let pixels = (node.inputs + node.outputs).map { values[$0].height * values[$0].width }.max() ?? 0
            if let last, last != pixels { stage += 1 }
            last = pixels
            return stage
        }
    }
}
