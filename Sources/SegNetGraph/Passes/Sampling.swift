import SegNetNetworks

extension Graph {
    /// Moves everything that no dropout reaches to the front, so that it is computed once for all Monte-Carlo samples.
    ///
    /// Each part keeps its order, and the front part never reads the other one, so every value is still written before it is read.
    mutating func separateSampled() {
        var random: Set<ValueID> = []
        var (shared, sampled): ([Node], [Node]) = ([], [])
        for node in nodes {
            var isSampled = !random.isDisjoint(with: node.inputs)
            if case .dropout = node.operation { isSampled = true }
            if isSampled {
                random.formUnion(node.outputs)
                sampled.append(node)
            } else {
                shared.append(node)
            }
        }
        nodes = shared + sampled
        firstSampledNode = shared.count
    }

    /// Sees that there is something to sample.
    /// - Throws: `NetworkError` if no dropout reaches the scores, or a ratio is not one.
    func checkSampling(_ network: Network, scores: String) throws(NetworkError) {
        func failure(_ layer: String?, _ problem: String) -> NetworkError {
            NetworkError(network: network.name, layer: layer, problem: problem)
        }
        var hasDropout = false
        for layer in network.layers {
            guard case .dropout(let dropout) = layer.operation else { continue }
            guard dropout.ratio >= 0, dropout.ratio < 1 else {
                throw failure(
                    layer.name,
                    "its ratio is \(dropout.ratio); sampling needs one of at least 0 and below 1"
                )
            }
            hasDropout = hasDropout || dropout.ratio > 0
        }
        guard hasDropout else {
            throw failure(
                nil,
                "it has no dropout layers; every sample would be the same. Leave sampling out, or use a Bayesian model such "
                    + "as the bundled bayesian-segnet-camvid"
            )
        }
        guard let value = outputs[scores] else {
            throw failure(nil, "sampling needs its scores '\(scores)' among the outputs")
        }
        guard let writer = writer(of: value), writer >= firstSampledNode, !nodes[writer].operation.isArgmax else {
            throw failure(
                nil,
                "no dropout reaches its scores '\(scores)', so every sample would be the same; leave sampling out"
            )
        }
    }
}
