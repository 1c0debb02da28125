import CSegNetKernels
import SegNetGraph
import SegNetNetworks

extension Learner {
    /// After a loss that is not finite: the first layer whose output holds such a number. Runs the batch again, layer by layer, since the
    /// maps of a pass take each other's memory.
    /// - Parameter dropoutSeed: The one of the pass. The batch must be filled in anew.
    package func divergence(dropoutSeed: UInt64?) -> DivergenceError {
        prepare(dropoutSeed: dropoutSeed)
        let last = plan.graph.writer(of: plan.scores).map { plan.graph.nodes[$0].name } ?? plan.network.name
        for node in plan.steps.indices {
            forward(node: node)
            let name = plan.graph.nodes[node].name
            // Batch normalisation, ReLU and pooling are one node: what the sums in front of them are, is known already.
            if case .activation(let activation) = plan.graph.nodes[node].operation,
                case .layer(let layer, _, _) = activation.normalization,
                let index = parameters.layout.normalizations.firstIndex(where: { $0.layer == layer }),
                !(batchStatistics.means[index] + batchStatistics.variances[index]).allSatisfy(\.isFinite)
            {
                return DivergenceError(layer: layer, what: "batch statistics")
            }
            if !plan.graph.nodes[node].outputs.allSatisfy({ isFinite($0) }) {
                return DivergenceError(layer: name, what: "output")
            }
        }
        return DivergenceError(layer: last, what: "loss")
    }

    /// Whether all numbers of a value that was just written are finite.
    private func isFinite(_ value: ValueID) -> Bool {
        let shape = plan.values[value]
        let run = run(shared: 0)
        return (0..<plan.batchSize).allSatisfy { picture in
            let count: Int
            switch shape.layout {
            case .indices, .classIDs: return true
            case .half:
                return (0..<shape.blocks).allSatisfy { block in
                    (0..<shape.height).allSatisfy { row in
                        let line = run.rows(value, worker: 0, block, picture: picture, row..<row + 1)
                        return UnsafeBufferPointer(start: line.data, count: shape.width * 16).allSatisfy(\.isFinite)
                    }
                }
            case .thin: count = shape.channels * shape.height * shape.width
            case .blocked: count = shape.blocks * shape.height * shape.width * 16
            }
            let numbers = run.data(value, picture: picture).assumingMemoryBound(to: Float.self)
            return UnsafeBufferPointer(start: numbers, count: count).allSatisfy(\.isFinite)
        }
    }
}
