import CSegNetKernels
import SegNetNetworks
import SegNetTensors

/// Packing: weights as the kernels of the plan's algorithm read them.
extension ConvolutionPlan {
    /// Writes weights and bias where the plan has them.
    /// - Parameter memory: The beginning of all packed weights; this layer's part must be zero.
    /// - Throws: `ShapeRuleError` if a weight does not fit the precision, `MemoryError`.
    func pack(into memory: UnsafeMutableRawPointer, kernels: sn_kernels) throws {
        let base = memory + weightOffset
        let bias = (base + biasOffset).assumingMemoryBound(to: Float.self)
        for (index, value) in node.bias.enumerated() { bias[index] = value }

        let dense = WeightMatrix(node)
        if precision == .float16 {
            guard dense.fitsFloat16 else {
                throw ShapeRuleError(
                    "a weight lies beyond 65504, float16's range, after batch normalisation was folded in; use --precision float32."
                )
            }
            let count = units.reduce(0) { $0 + $1.weightCount }
            let whole = try AlignedMemory(byteCount: count * 4)
            pack(dense, to: whole.floats(), kernels: kernels)
            kernels.narrow(whole.floats(), base.assumingMemoryBound(to: UInt16.self), count)
        } else {
            pack(dense, to: base.assumingMemoryBound(to: Float.self), kernels: kernels)
        }
    }

    private func pack(_ dense: WeightMatrix, to floats: UnsafeMutablePointer<Float>, kernels: sn_kernels) {
        switch algorithm {
        case .winograd: packWinograd(dense, to: floats)
        case .depthwise:
            for channel in 0..<node.outputChannels {
                for tap in 0..<node.window.taps {
                    floats[(channel / 16 * node.window.taps + tap) * 16 + channel % 16] =
                        dense.values[channel * node.window.taps + tap]
                }
            }
        case .gatherThin: packThin(dense, to: floats, panel: kernels.panel)
        case .gather:
            let phases = TransposedPhase.all(of: node)
            let groups = units.count / phases.count
            for (index, unit) in units.enumerated() {
                packGather(dense, unit, phases[index / groups], to: floats + unit.weightStart, panel: kernels.panel)
            }
        }
    }

    /// [out/16][in][taps][16]
    private func packWinograd(_ dense: WeightMatrix, to floats: UnsafeMutablePointer<Float>) {
        let taps = node.window.taps
        let row = node.inputChannels * taps
        let blockStride = inputBlocks * 16 * taps * 16
        dense.values.withUnsafeBufferPointer { values in
            for out in 0..<node.outputChannels {
                let target = floats + out / 16 * blockStride + out % 16
                let source = values.baseAddress.unsafelyUnwrapped + out * row
                for i in 0..<row { target[i * 16] = source[i] }
            }
        }
    }

    /// [panel][tap * channels + channel, padded to 16][columns]
    private func packThin(_ dense: WeightMatrix, to floats: UnsafeMutablePointer<Float>, panel: Int) {
        let unit = units[0]
        let (channels, taps) = (node.inputChannels, node.window.taps)
        var start = 0
        for (block, columns) in panels(outputBlocks: unit.outputBlocks, panel: panel) {
            for column in 0..<columns where block * 16 + column < node.outputChannels {
                let source = (block * 16 + column) * channels * taps
                for tap in 0..<taps {
                    for channel in 0..<channels {
                        floats[start + (tap * channels + channel) * columns + column] =
                            dense.values[source + channel * taps + tap]
                    }
                }
            }
            start += unit.depth * columns
        }
    }

    /// [panel][tap * blocks * 16 + channel][columns]
    private func packGather(
        _ dense: WeightMatrix,
        _ unit: ConvolutionUnit,
        _ phase: TransposedPhase,
        to floats: UnsafeMutablePointer<Float>,
        panel: Int
    ) {
        let taps = Int(unit.window.height * unit.window.width)
        let blocks = unit.inputBlocks.count
        let firstChannel = unit.inputBlocks.lowerBound * 16
        let channels = min(node.inputChannels, unit.inputBlocks.upperBound * 16) - firstChannel
        var start = 0
        for (block, columns) in panels(outputBlocks: unit.outputBlocks, panel: panel) {
            for column in 0..<columns where block * 16 + column < node.outputChannels {
                let out = block * 16 + column
                for tap in 0..<taps {
                    guard let sourceTap = phase.sourceTap(tap, of: node.window) else { continue }
                    let target = floats + start + tap * blocks * 16 * columns + column
                    for channel in 0..<channels {
                        target[channel * columns] = dense.value(out: out, input: firstChannel + channel, tap: sourceTap)
                    }
                }
            }
            start += unit.depth * columns
        }
    }
}

/// A layer's weights as [out, in / groups, taps] with batch normalisation's scale multiplied in.
private struct WeightMatrix {
    let node: ConvolutionNode
    let values: [Float]

    init(_ node: ConvolutionNode) {
        self.node = node
        var values = node.weight.floats()
        let (groupsIn, taps) = (node.inputChannels / node.groups, node.window.taps)
        let groupsOut = node.outputChannels / node.groups
        if node.isTransposed {
            // [in, out / groups, taps] -> [out, in / groups, taps]
            var turned = [Float](repeating: 0, count: values.count)
            for input in 0..<node.inputChannels {
                let group = input / groupsIn
                for local in 0..<groupsOut {
                    let out = group * groupsOut + local
                    for tap in 0..<taps {
                        turned[(out * groupsIn + input % groupsIn) * taps + tap] =
                            values[(input * groupsOut + local) * taps + tap]
                    }
                }
            }
            values = turned
        }
        if let scale = node.scale {
            let row = groupsIn * taps
            values.withUnsafeMutableBufferPointer { buffer in
                for (out, factor) in scale.enumerated() {
                    for i in out * row..<(out + 1) * row { buffer[i] *= factor }
                }
            }
        }
        self.values = values
    }

    /// 0 between groups.
    func value(out: Int, input: Int, tap: Int) -> Float {
        guard node.groups > 1 else { return values[(out * node.inputChannels + input) * node.window.taps + tap] }
        let groupsIn = node.inputChannels / node.groups
        guard input / groupsIn == out / (node.outputChannels / node.groups) else { return 0 }
        return values[(out * groupsIn + input % groupsIn) * node.window.taps + tap]
    }

    /// Whether no weight is beyond float16's range. (Smaller than its smallest they just become 0.)
    var fitsFloat16: Bool { values.allSatisfy { abs($0) <= 65504 } }
}
