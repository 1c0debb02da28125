import SegNetNetworks
import SegNetTensors

extension Graph {
    /// Folds affine nodes (batch normalisation, ReLU) into the node before them: y = s (w x + b) + t = (s w) x + (s b + t).
    ///
    /// Source: docs/segnet.md, Batch normalisation; exact up to the rounding of the folded numbers.
    mutating func foldAffine() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            guard case .affine(let scale, let shift, let relu) = node.operation,
                let writer = soleWriter(of: node.inputs[0], for: position),
                let folded = Self.folded(nodes[writer].operation, scale: scale, shift: shift, relu: relu)
            else {
                position += 1
                continue
            }
            nodes[writer].operation = folded
            nodes[writer].outputs[0] = node.outputs[0]
            nodes.remove(at: position)
        }
    }

    private static func folded(
        _ operation: NodeOperation,
        scale: [Float]?,
        shift: [Float]?,
        relu: Bool
    ) -> NodeOperation? {
        switch operation {
        case .convolution(var convolution) where !convolution.relu:
            if let scale {
                convolution.scale = convolution.scale.map { zip($0, scale).map { $0 * $1 } } ?? scale
                convolution.bias = zip(convolution.bias, scale).map { $0 * $1 }
            }
            if let shift { convolution.bias = zip(convolution.bias, shift).map { $0 + $1 } }
            convolution.relu = relu
            return .convolution(convolution)
        case .affine(let firstScale, let firstShift, false):
            let combinedScale =
                if let firstScale, let scale { zip(firstScale, scale).map { $0 * $1 } } else { firstScale ?? scale }
            var combinedShift = firstShift
            if let scale { combinedShift = combinedShift.map { zip($0, scale).map { $0 * $1 } } }
            if let shift { combinedShift = combinedShift.map { zip($0, shift).map { $0 + $1 } } ?? shift }
            return .affine(scale: combinedScale, shift: combinedShift, relu: relu)
        case .addition(false) where scale == nil && shift == nil: return .addition(relu: relu)
        default: return nil
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
                !last.isTransposed, let writer = soleWriter(of: nodes[position].inputs[0], for: position),
                case .convolution(let first) = nodes[writer].operation, !first.relu, first.groups == 1,
                !first.isTransposed
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
