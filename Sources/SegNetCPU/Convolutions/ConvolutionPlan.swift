import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// How one convolution is computed and how its weights lie in memory: chosen from the layer and its size in a picture of the network's own
/// size, so that one packing of the weights serves every input size.
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

    /// How a picture of three channels is convolved straight from its rows.
    enum RowAlgorithm: Sendable, Hashable {
        case direct
        /// F(m, r) in one dimension, along the rows.
        case winograd(WinogradVariant)
    }

    let algorithm: Algorithm
    /// How `gatherThin` runs where nothing has to be gathered: three channels, a square window, stride 1.
    let rowAlgorithm: RowAlgorithm?
    /// Its weights are dropped once they are packed.
    var node: ConvolutionNode
    /// Independent parts: one, or one per group or phase of a transposed convolution.
    let units: [ConvolutionUnit]
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

extension WinogradVariant {
    /// Whether it is worthwhile with a dilated window. Each phase of the pixels has its own tiles, and those of small phases are mostly
    /// empty. Unpooling and pooling are not possible with a dilated window.
    /// - Parameter size: The size of the convolution's own output; nil if it is large.
    fileprivate func suits(_ node: ConvolutionNode, size: (height: Int, width: Int)?, kernels: sn_kernels) -> Bool {
        guard !node.readsUnpooled, !node.isPooled else { return false }
        guard let (height, width) = size else { return true }
        let winograd = self.kernels(kernels).pointee
        let grid = TileGrid(node.window, tile: winograd.tile, height: height, width: width)
        // A product in the Winograd domain takes about one and a half times as long as a plain one, transforms included.
        let products = saturatingProduct(grid.count, winograd.points, winograd.points, 3)
        return products <= saturatingProduct(height, width, node.window.taps, 2)
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
    /// - Parameter size: The usual size of the convolution's own output; nil if it is large.
    init(
        _ node: ConvolutionNode,
        isThin: Bool,
        size: (height: Int, width: Int)? = nil,
        options: InferenceOptions
    ) {
        self.node = node
        precision = node.isDepthwise ? .float32 : options.precision
        let window = node.window
        let isSquare = window.height == window.width
        let hasStride1 = window.strideY == 1 && window.strideX == 1
        let isDense = hasStride1 && window.dilationY == 1 && window.dilationX == 1
        let inBlocks = blockCount(node.inputChannels)
        let outBlocks = blockCount(node.outputChannels)

        var rowAlgorithm: RowAlgorithm?
        if isThin, node.inputChannels == 3, node.groups == 1, !node.isTransposed, isSquare, isDense {
            // A window of 3 saves a quarter of the time in one dimension, before the transforms: not worth its error.
            let variant = window.height > 3 ? WinogradVariant(taps: window.height, accuracy: options.accuracy) : nil
            rowAlgorithm = variant.map(RowAlgorithm.winograd) ?? .direct
        }
        self.rowAlgorithm = rowAlgorithm
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
        } else if !node.isTransposed, node.groups == 1, isSquare, hasStride1,
            window.paddingY < window.extentY, window.paddingX < window.extentX,
            let variant = WinogradVariant(taps: window.height, accuracy: options.accuracy),
            !node.readsUnpooled || (window.paddingY % 2 == 1 && window.paddingX % 2 == 1),
            isDense || variant.suits(node, size: size, kernels: options.instructionSet.kernels)
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

    /// The channel blocks of the parts that are computed apart: groups, merged with as few neighbours (at most 15) as it takes for
    /// them to fill whole blocks, with weights of 0 between those merged.
    private static func blocksOfGroups(
        _ node: ConvolutionNode,
        inBlocks: Int,
        outBlocks: Int
    ) -> [(input: Range<Int>, output: Range<Int>)] {
        let (inputs, outputs) = (node.inputChannels / node.groups, node.outputChannels / node.groups)
        var merged = 1
        while merged < node.groups, inputs * merged % 16 != 0 || outputs * merged % 16 != 0 { merged += 1 }
        let parts = (node.groups + merged - 1) / merged
        return (0..<parts).map { part in
            let isLast = part == parts - 1
            return (
                part * merged * inputs / 16..<(isLast ? inBlocks : (part + 1) * merged * inputs / 16),
                part * merged * outputs / 16..<(isLast ? outBlocks : (part + 1) * merged * outputs / 16)
            )
        }
    }

    private static func gatherUnits(_ node: ConvolutionNode, inBlocks: Int, outBlocks: Int) -> [ConvolutionUnit] {
        let groups = blocksOfGroups(node, inBlocks: inBlocks, outBlocks: outBlocks)
        var units: [ConvolutionUnit] = []
        var start = 0
        for phase in TransposedPhase.all(of: node) {
            for (input, output) in groups {
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
