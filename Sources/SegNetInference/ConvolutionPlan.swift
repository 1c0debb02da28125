import CSegNetKernels
import SegNetNetworks
import SegNetTensors

/// How one convolution is computed and how its weights lie in memory: chosen from the layer alone, so that one packing of the weights
/// serves every input size.
struct ConvolutionPlan: Sendable {
    enum Algorithm: Sendable, Hashable {
        /// F(m, r) in two dimensions.
        case winograd(WinogradVariant)
        /// Windows gathered into rows of a matrix product ("implicit GEMM"). Any window, stride, dilation; also transposed.
        case gather
        /// The same from a thin map, a picture: all taps and channels of a window in one row.
        case gatherThin
        /// One channel each.
        case depthwise
    }

    let algorithm: Algorithm
    let node: ConvolutionNode
    /// Independent parts: one, or one per group or phase of a transposed convolution.
    let units: [ConvolutionUnit]
    /// Where the packed weights begin, in bytes.
    var weightOffset = 0
    let precision: InferenceOptions.Precision

    var inputBlocks: Int { blockCount(node.inputChannels) }
    var outputBlocks: Int { blockCount(node.outputChannels) }

    /// Bytes of packed weights, rounded up to cache lines, the bias behind them included.
    var byteCount: Int { biasOffset + outputBlocks * 64 }

    /// Where the bias lies behind the weights: float32, padded to whole blocks.
    var biasOffset: Int {
        let elements = units.reduce(0) { $0 + $1.weightCount }
        return (elements * (precision == .float16 ? 2 : 4) + 63) / 64 * 64
    }
}

/// A part of a convolution whose outputs form whole blocks and which is one matrix product.
struct ConvolutionUnit: Sendable {
    var window: sn_window
    /// Channel blocks of the input that it reads.
    var inputBlocks: Range<Int>
    /// Channel blocks of the output that it writes.
    var outputBlocks: Range<Int>
    /// Rows of the weight matrix.
    var depth: Int
    /// Where the unit's weights begin among the layer's, in numbers.
    var weightStart = 0
    var weightCount: Int
    /// For phases of a transposed convolution: output pixel (y, x) of the unit is (y * step + offset) of the layer.
    var stepY = 1, stepX = 1, offsetY = 0, offsetX = 0
}

/// The Winograd algorithms by name, so that plans are values.
enum WinogradVariant: String, Sendable, Hashable {
    case f63 = "F(6,3)"
    case f43 = "F(4,3)"
    case f47 = "F(4,7)"
    case f27 = "F(2,7)"
    case f45 = "F(4,5)"

    func kernels(_ set: sn_kernels) -> UnsafePointer<sn_winograd> {
        switch self {
        case .f63: set.winograd63
        case .f43: set.winograd43
        case .f47: set.winograd47
        case .f27: set.winograd27
        case .f45: set.winograd45
        }
    }

    /// The algorithm for a square window of stride 1, or nil where every product has to be formed.
    init?(taps: Int, accuracy: InferenceOptions.Accuracy) {
        switch (taps, accuracy) {
        case (3, .fast): self = .f63
        case (3, .accurate): self = .f43
        case (7, .fast): self = .f47
        case (7, .accurate): self = .f27
        case (5, .fast): self = .f45
        default: return nil
        }
    }
}

/// The number of blocks of 16 channels.
func blockCount(_ channels: Int) -> Int { (channels + 15) / 16 }

/// The panels of a weight matrix with this many output blocks: (first block, columns), widest first.
func panels(outputBlocks: Range<Int>, panel: Int) -> [(block: Int, columns: Int)] {
    var result: [(block: Int, columns: Int)] = []
    var block = outputBlocks.lowerBound
    while block < outputBlocks.upperBound {
        let columns = min(panel, 16 * (outputBlocks.upperBound - block))
        // A panel is either full or a single block: the GEMM kernels know these two widths.
        let width = columns == panel ? panel : 16
        result.append((block, width))
        block += width / 16
    }
    return result
}

extension ConvolutionPlan {
    init(_ node: ConvolutionNode, isThin: Bool, options: InferenceOptions) {
        self.node = node
        precision = node.isDepthwise ? .float32 : options.precision
        let window = node.window
        let isSquare = window.height == window.width
        let isDense = window.strideY == 1 && window.strideX == 1 && window.dilationY == 1 && window.dilationX == 1
        let inBlocks = blockCount(node.inputChannels)
        let outBlocks = blockCount(node.outputChannels)

        if node.isDepthwise {
            algorithm = .depthwise
            units = [
                ConvolutionUnit(
                    window: sn_window(window),
                    inputBlocks: 0..<inBlocks,
                    outputBlocks: 0..<outBlocks,
                    depth: window.taps,
                    weightCount: outBlocks * window.taps * 16
                )
            ]
        } else if isThin {
            algorithm = .gatherThin
            let depth = (window.taps * node.inputChannels + 15) / 16 * 16
            units = [
                ConvolutionUnit(
                    window: sn_window(window),
                    inputBlocks: 0..<1,
                    outputBlocks: 0..<outBlocks,
                    depth: depth,
                    weightCount: depth * outBlocks * 16
                )
            ]
        } else if !node.isTransposed, node.groups == 1, isSquare, isDense,
            window.paddingY < window.height, window.paddingX < window.width,
            let variant = WinogradVariant(taps: window.height, accuracy: options.accuracy),
            !node.readsUnpooled || (window.paddingY % 2 == 1 && window.paddingX % 2 == 1)
        {
            algorithm = .winograd(variant)
            units = [
                ConvolutionUnit(
                    window: sn_window(window),
                    inputBlocks: 0..<inBlocks,
                    outputBlocks: 0..<outBlocks,
                    depth: inBlocks * 16,
                    weightCount: outBlocks * 16 * inBlocks * 16 * window.taps
                )
            ]
        } else {
            algorithm = .gather
            units = Self.gatherUnits(node, inBlocks: inBlocks, outBlocks: outBlocks)
        }
    }

    /// Whether groups are computed apart. Groups that do not fill whole blocks are computed together, with zeros between them.
    private static func groupsApart(_ node: ConvolutionNode) -> Int {
        let aligned = node.inputChannels / node.groups % 16 == 0 && node.outputChannels / node.groups % 16 == 0
        return aligned ? node.groups : 1
    }

    private static func gatherUnits(_ node: ConvolutionNode, inBlocks: Int, outBlocks: Int) -> [ConvolutionUnit] {
        let groups = groupsApart(node)
        var units: [ConvolutionUnit] = []
        var start = 0
        for phase in Phase.all(of: node) {
            for group in 0..<groups {
                let input = group * inBlocks / groups..<(group + 1) * inBlocks / groups
                let output = group * outBlocks / groups..<(group + 1) * outBlocks / groups
                let depth = Int(phase.window.height * phase.window.width) * input.count * 16
                let count = depth * output.count * 16
                units.append(
                    ConvolutionUnit(
                        window: phase.window,
                        inputBlocks: input,
                        outputBlocks: output,
                        depth: depth,
                        weightStart: start,
                        weightCount: count,
                        stepY: phase.stepY,
                        stepX: phase.stepX,
                        offsetY: phase.offsetY,
                        offsetX: phase.offsetX
                    )
                )
                start += count
            }
        }
        return units
    }

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
            let phases = Phase.all(of: node)
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
        _ phase: Phase,
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

/// The part of a transposed convolution that computes every stride-th output row and column: an ordinary convolution of stride 1.
///
/// Output y receives input (y + padding - k * dilation) / stride through tap k where that is whole. For y = phase + stride * j the
/// taps that fit are every (stride / gcd)-th one, and each step to the next reads dilation / gcd input rows further up.
private struct Phase {
    var window: sn_window
    var stepY = 1, stepX = 1, offsetY = 0, offsetX = 0
    private var firstY = 0, firstX = 0, everyY = 1, everyX = 1

    static func all(of node: ConvolutionNode) -> [Phase] {
        guard node.isTransposed else { return [Phase(window: sn_window(node.window))] }
        let w = node.window
        var phases: [Phase] = []
        for y in 0..<w.strideY {
            for x in 0..<w.strideX {
                let rows = Self.axis(
                    phase: y,
                    taps: w.height,
                    stride: w.strideY,
                    padding: w.paddingY,
                    dilation: w.dilationY
                )
                let columns = Self.axis(
                    phase: x,
                    taps: w.width,
                    stride: w.strideX,
                    padding: w.paddingX,
                    dilation: w.dilationX
                )
                var phase = Phase(
                    window: sn_window(
                        height: rows.count,
                        width: columns.count,
                        stride_y: 1,
                        stride_x: 1,
                        origin_y: rows.origin,
                        origin_x: columns.origin,
                        dilation_y: rows.dilation,
                        dilation_x: columns.dilation
                    )
                )
                (phase.stepY, phase.stepX, phase.offsetY, phase.offsetX) = (w.strideY, w.strideX, y, x)
                (phase.firstY, phase.everyY) = (rows.first, rows.every)
                (phase.firstX, phase.everyX) = (columns.first, columns.every)
                phases.append(phase)
            }
        }
        return phases
    }

    private init(window: sn_window) { self.window = window }

    /// One axis: which taps fit this phase, and which input row each reads. A phase that no tap fits gets one tap of weight 0.
    private static func axis(
        phase: Int,
        taps: Int,
        stride: Int,
        padding: Int,
        dilation: Int
    ) -> (first: Int, every: Int, count: Int, origin: Int, dilation: Int) {
        let fitting = (0..<taps).filter { (phase + padding - $0 * dilation) % stride == 0 }
        guard let first = fitting.first else { return (taps, 1, 1, 0, 1) }
        let every = fitting.count > 1 ? fitting[1] - first : 1
        return (
            first, every, fitting.count, (phase + padding - first * dilation) / stride, -(every * dilation) / stride
        )
    }

    /// The layer's tap that tap number `tap` of this phase is, or nil for a tap of weight 0.
    func sourceTap(_ tap: Int, of window: Window) -> Int? {
        let row = firstY + tap / Int(self.window.width) * everyY
        let column = firstX + tap % Int(self.window.width) * everyX
        return row < window.height && column < window.width ? row * window.width + column : nil
    }
}

extension sn_window {
    init(_ window: Window) {
        self.init(
            height: window.height,
            width: window.width,
            stride_y: window.strideY,
            stride_x: window.strideX,
            origin_y: -window.paddingY,
            origin_x: -window.paddingX,
            dilation_y: window.dilationY,
            dilation_x: window.dilationX
        )
    }
}
