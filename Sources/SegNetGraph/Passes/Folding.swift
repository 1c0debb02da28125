import SegNetNetworks
import SegNetPlatform

extension Graph {
    /// Folds batch normalisation and ReLU into the node before them: y = s (w x + b) + t = (s w) x + (s b + t).
    ///
    /// Source: docs/segnet.md, Batch normalisation; exact up to the rounding of the folded numbers. `Model.foldingBatchNormalization`
    /// does the same to a model's layers, for files; here nodes keep their scale apart until a kernel's weights are stored.
    mutating func foldActivations() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            guard case .activation(let activation) = node.operation, !activation.isPooled,
                let writer = soleWriter(of: node.inputs[0], for: position),
                let folded = Self.folded(nodes[writer].operation, activation)
            else {
                position += 1
                continue
            }
            nodes[writer].operation = folded
            nodes[writer].outputs[0] = node.outputs[0]
            nodes.remove(at: position)
        }
    }

    private static func folded(_ operation: NodeOperation, _ activation: Activation) -> NodeOperation? {
        switch (operation, activation.normalization) {
        case (.convolution(var convolution), let normalization) where !convolution.relu:
            if case .constants(let scale, let shift) = normalization {
                convolution.scale = convolution.scale.map { zip($0, scale).map { $0 * $1 } } ?? scale
                convolution.bias = BatchNormalization.folded(convolution.bias, scale: scale, shift: shift)
            }
            convolution.relu = activation.relu
            return .convolution(convolution)
        case (.activation(var first), .constants(let scale, let shift)) where !first.relu && !first.isPooled:
            guard case .constants(let firstScale, let firstShift) = first.normalization else { return nil }
            first.normalization = .constants(
                scale: zip(firstScale, scale).map { $0 * $1 },
                shift: BatchNormalization.folded(firstShift, scale: scale, shift: shift)
            )
            first.relu = activation.relu
            return .activation(first)
        case (.addition(relu: false, let coefficients), nil):
            return .addition(relu: activation.relu, coefficients: coefficients)
        default: return nil
        }
    }

    /// Joins ReLU to the batch normalisation before it, and 2x2 pooling to either.
    mutating func fuseActivations() {
        var position = 0
        while position < nodes.count {
            guard case .activation(var first) = nodes[position].operation, !first.isPooled,
                let reader = soleReader(of: nodes[position].outputs[0]),
                case .activation(let second) = nodes[reader].operation,
                second.normalization == nil, !(first.relu && second.relu)
            else {
                position += 1
                continue
            }
            first.relu = first.relu || second.relu
            first.isPooled = second.isPooled
            nodes[position].operation = .activation(first)
            nodes[position].outputs = nodes[reader].outputs
            nodes.remove(at: reader)
        }
    }

    /// Composes a convolution without ReLU and a 1x1 convolution that reads only it into one convolution, where that saves work.
    ///
    /// SegNet-Basic's decoder has no non-linearity: its last 7x7 convolution 64 -> 64 and the 1x1 classifier 64 -> K are one 7x7
    /// convolution 64 -> K, 5.96 instead of 34.80 GMAC at 360x480 (docs/segnet.md, Architectures). Exact at the borders
    /// too, as the 1x1 convolution has none. The products are formed in float64.
    mutating func composePointwise() {
        var position = 0
        while position < nodes.count {
            defer { position += 1 }
            guard case .convolution(let last) = nodes[position].operation, last.window == Window(1), last.groups == 1,
                !last.isTransposed, !last.turnsTensor,
                let writer = soleWriter(of: nodes[position].inputs[0], for: position),
                case .convolution(let first) = nodes[writer].operation, !first.relu, first.groups == 1,
                !first.isTransposed, !first.turnsTensor
            else { continue }
            let before =
                first.inputChannels * first.window.taps * first.outputChannels
                + last.inputChannels * last.outputChannels
            let after = first.inputChannels * first.window.taps * last.outputChannels
            // The products are formed once, here: some billions would take longer than they save.
            let work = saturatingProduct(after, first.outputChannels)
            guard after < before, work < 1 << 32 else { continue }
            let composed = Self.composed(first, last)
            nodes[writer].operation = .convolution(composed)
            nodes[writer].outputs = nodes[position].outputs
            nodes[writer].name = nodes[position].name
            nodes.remove(at: position)
            position -= 1
        }
    }

    private static func composed(_ first: ConvolutionNode, _ last: ConvolutionNode) -> ConvolutionNode {
        let firstWeights = first.weight.floats()
        let lastWeights = last.weight.floats()
        let depth = first.inputChannels * first.window.taps
        let middle = first.outputChannels
        var weights = [Float](repeating: 0, count: last.outputChannels * depth)
        var bias = last.bias
        var row = [Double](repeating: 0, count: depth)
        for out in 0..<last.outputChannels {
            for d in 0..<depth { row[d] = 0 }
            let lastScale = Double(last.scale?[out] ?? 1)
            var sum = Double(last.bias[out])
            for k in 0..<middle {
                let factor = Double(lastWeights[out * middle + k]) * lastScale
                let firstFactor = factor * Double(first.scale?[k] ?? 1)
                for d in 0..<depth { row[d] += firstFactor * Double(firstWeights[k * depth + d]) }
                sum += factor * Double(first.bias[k])
            }
            for d in 0..<depth { weights[out * depth + d] = Float(row[d]) }
            bias[out] = Float(sum)
        }
        var result = first
        result.outputChannels = last.outputChannels
        result.weight = .values(weights)
        result.scale = nil
        result.bias = bias
        result.relu = last.relu
        return result
    }
}
