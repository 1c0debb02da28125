import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Packing: weights as the kernels of the plan's algorithm read them.
extension ConvolutionPlan {
    /// Writes weights and bias.
    /// - Parameter base: Zeroed memory of `byteCount` bytes.
    /// - Throws: `ShapeRuleError` if a weight does not fit the precision, `MemoryError`.
    func pack(into base: UnsafeMutableRawPointer, kernels: sn_kernels) throws {
        let bias = (base + biasOffset).assumingMemoryBound(to: Float.self)
        for (index, value) in node.bias.enumerated() { bias[index] = value }

        try node.weight.withFloats { values in
            guard precision == .float16 else {
                return pack(values, to: base.assumingMemoryBound(to: Float.self), kernels: kernels)
            }
            let count = units.reduce(0) { $0 + $1.weightCount }
            let whole = try AlignedMemory(byteCount: count * 4)
            pack(values, to: whole.floats(), kernels: kernels)
            // Smaller than float16's smallest they just become 0.
            guard UnsafeBufferPointer(start: whole.floats(), count: count).allSatisfy({ abs($0) <= 65504 }) else {
                throw ShapeRuleError(
                    "a weight exceeds 65504, the float16 maximum, after batch normalisation was folded in; use float32 as the \(UserChoice.precision)"
                )
            }
            kernels.narrow(whole.floats(), base.assumingMemoryBound(to: UInt16.self), count)
        }
    }

    /// Writes the weights as float32 to zeroed memory.
    func packWeights(to floats: UnsafeMutablePointer<Float>, kernels: sn_kernels) {
        node.weight.withFloats { pack($0, to: floats, kernels: kernels) }
    }

    /// - Parameter values: The tensor, before batch normalisation's scale.
    private func pack(
        _ values: UnsafeBufferPointer<Float>,
        to floats: UnsafeMutablePointer<Float>,
        kernels: sn_kernels
    ) {
        if case .winograd = algorithm, !node.turnsTensor { return packWinograd(values, to: floats, kernels: kernels) }
        forEachWeight(panel: kernels.panel) { position, out, input, tap in
            guard let index = tensorIndex(out: out, input: input, tap: tap) else { return }
            floats[position] = node.scale.map { values[index] * $0[out] } ?? values[index]
        }
    }

    /// The largest layers have this layout, that of a blocked map of one row: [out, in * taps] becomes [out/16][in * taps][16].
    private func packWinograd(
        _ values: UnsafeBufferPointer<Float>,
        to floats: UnsafeMutablePointer<Float>,
        kernels: sn_kernels
    ) {
        guard let source = values.baseAddress else { return }
        let row = node.inputChannels * node.window.taps
        let blockStride = inputBlocks * 16 * node.window.taps * 16
        for block in 0..<outputBlocks {
            let map = sn_map(
                data: floats + block * blockStride,
                blocks: 1,
                height: 1,
                width: row,
                rows: 1,
                block_stride: blockStride
            )
            let (first, last) = (block * 16, min(node.outputChannels, block * 16 + 16))
            kernels.block(planes: source + first * row, channels: last - first, to: map, 0..<1)
            guard let scale = node.scale else { continue }
            var factors = SIMD16<Float>()
            for out in first..<last { factors[out - first] = scale[out] }
            UnsafeMutableRawPointer(floats + block * blockStride).withMemoryRebound(
                to: SIMD16<Float>.self,
                capacity: row
            ) {
                for line in 0..<row { $0[line] *= factors }
            }
        }
    }
}

/// The other way: from packed weights, or gradients in their layout, to tensors.
extension ConvolutionPlan {
    /// Numbers of the weight tensor.
    var tensorCount: Int { node.outputChannels * (node.inputChannels / node.groups) * node.window.taps }

    /// Where the weight of an output, an input channel and a tap lies in the tensor, [out, in / groups, taps] or, transposed,
    /// [in, out / groups, taps]; nil between groups. Turned: [in, out, taps], the last tap first.
    private func tensorIndex(out: Int, input: Int, tap: Int) -> Int? {
        let (groupsIn, groupsOut) = (node.inputChannels / node.groups, node.outputChannels / node.groups)
        guard node.groups == 1 || input / groupsIn == out / groupsOut else { return nil }
        let taps = node.window.taps
        if node.turnsTensor { return (input * node.outputChannels + out) * taps + taps - 1 - tap }
        let row =
            node.isTransposed ? input * groupsOut + out % groupsOut : out * groupsIn + input % groupsIn
        return row * taps + tap
    }

    /// Reads packed float32 numbers back.
    /// - Parameter tensor: `tensorCount` numbers.
    func unpack(_ packed: UnsafePointer<Float>, to tensor: inout [Float], panel: Int) {
        tensor.withUnsafeMutableBufferPointer { tensor in
            forEachWeight(panel: panel) { position, out, input, tap in
                if let index = tensorIndex(out: out, input: input, tap: tap) { tensor[index] = packed[position] }
            }
        }
    }

    /// Zeroes what stands between groups that were merged to fill blocks.
    func clearForeignGroups(_ packed: UnsafeMutablePointer<Float>, panel: Int) {
        forEachWeight(panel: panel) { position, out, input, tap in
            if tensorIndex(out: out, input: input, tap: tap) == nil { packed[position] = 0 }
        }
    }

    /// Calls `body(position among the packed numbers, output, input channel, tap of the layer's window)` for each weight, those between
    /// merged groups included. This is the one place that knows the layouts.
    private func forEachWeight(panel: Int, _ body: (Int, _ out: Int, _ input: Int, _ tap: Int) -> Void) {
        let taps = node.window.taps
        switch algorithm {
        case .winograd:
            // [out/16][in][taps][16]
            let blockStride = inputBlocks * 16 * taps * 16
            for out in 0..<node.outputChannels {
                for input in 0..<node.inputChannels {
                    let start = out / 16 * blockStride + input * taps * 16 + out % 16
                    for tap in 0..<taps { body(start + tap * 16, out, input, tap) }
                }
            }
        case .depthwise:
            // [channel/16][taps][16]
            for channel in 0..<node.outputChannels {
                for tap in 0..<taps {
                    body((channel / 16 * taps + tap) * 16 + channel % 16, channel, channel, tap)
                }
            }
        case .gatherThin:
            // [panel][tap * channels + channel, padded to 16][columns]
            var start = 0
            for (block, columns) in panels(outputBlocks: units[0].outputBlocks, panel: panel) {
                for column in 0..<columns where block * 16 + column < node.outputChannels {
                    for tap in 0..<taps {
                        for channel in 0..<node.inputChannels {
                            let depth = tap * node.inputChannels + channel
                            body(start + depth * columns + column, block * 16 + column, channel, tap)
                        }
                    }
                }
                start += units[0].depth * columns
            }
        case .gather:
            let phases = TransposedPhase.all(of: node)
            let groups = units.count / phases.count
            for (index, unit) in units.enumerated() {
                forEachWeight(of: unit, phases[index / groups], panel: panel, body)
            }
        }
    }

    /// [panel][tap * blocks * 16 + channel][columns]
    private func forEachWeight(
        of unit: ConvolutionUnit,
        _ phase: TransposedPhase,
        panel: Int,
        _ body: (Int, _ out: Int, _ input: Int, _ tap: Int) -> Void
    ) {
        let blocks = unit.inputBlocks.count
        let firstChannel = unit.inputBlocks.lowerBound * 16
        let channels = min(node.inputChannels, unit.inputBlocks.upperBound * 16) - firstChannel
        var start = unit.weightStart
        for (block, columns) in panels(outputBlocks: unit.outputBlocks, panel: panel) {
            for column in 0..<columns where block * 16 + column < node.outputChannels {
                for tap in 0..<Int(unit.window.height * unit.window.width) {
                    guard let sourceTap = phase.sourceTap(tap, of: node.window) else { continue }
                    let target = start + tap * blocks * 16 * columns + column
                    for channel in 0..<channels {
                        body(target + channel * columns, block * 16 + column, firstChannel + channel, sourceTap)
                    }
                }
            }
            start += unit.depth * columns
        }
    }
}
