import CSegNetKernels
import SegNetNetworks
import SegNetTensors

/// What every algorithm for a convolution needs to know at one input size.
struct ConvolutionGeometry: Sendable {
    let plan: ConvolutionPlan
    /// The map, or the pooled map and its pooling indices.
    let inputs: [ValueID]
    /// The map, or the pooled map and its pooling indices.
    let outputs: [ValueID]
    /// Of the map that the convolution reads: where it reads an unpooled one, that map's size.
    let inputHeight: Int
    let inputWidth: Int
    /// Of the convolution's own output, before pooling.
    let height: Int
    let width: Int

    func epilogue(_ run: Run) -> sn_epilogue {
        let bias = run.weights + plan.weightOffset + plan.biasOffset
        var epilogue = sn_epilogue(
            bias: UnsafePointer(bias.assumingMemoryBound(to: Float.self)),
            relu: plan.node.relu ? 1 : 0,
            out: .none,
            pooled: .none,
            indices: .none
        )
        if plan.node.isPooled {
            epilogue.pooled = run.map(outputs[0])
            epilogue.indices = run.indices(outputs[1])
            // No memory behind it: it tells where the map ends.
            epilogue.out = sn_map(
                data: nil,
                blocks: plan.outputBlocks,
                height: height,
                width: width,
                rows: height,
                block_stride: 0
            )
        } else {
            epilogue.out = run.map(outputs[0])
        }
        return epilogue
    }

    /// The packed weights from a number on.
    func weights(_ run: Run, from start: Int = 0) -> UnsafeMutableRawPointer {
        run.weights + plan.weightOffset + start * (isHalf ? 2 : 4)
    }

    var isHalf: Bool { plan.precision == .float16 }
}

/// The step for a convolution by its plan's algorithm.
func convolutionStep(_ geometry: ConvolutionGeometry, kernels: sn_kernels) -> any Step {
    switch geometry.plan.algorithm {
    case .winograd(let variant): WinogradConvolution(geometry, variant: variant, kernels: kernels)
    case .gather, .gatherThin: GatherConvolution(geometry, kernels: kernels)
    case .depthwise: DepthwiseConvolution(geometry: geometry)
    }
}

/// One channel each: see the kernel.
struct DepthwiseConvolution: Step {
    let geometry: ConvolutionGeometry

    func run(_ run: Run) {
        var input = run.map(geometry.inputs[0])
        var window = geometry.plan.units[0].window
        let weights = geometry.weights(run).assumingMemoryBound(to: Float.self)
        var epilogue = geometry.epilogue(run)
        withUnsafePointers(&input, &window, &epilogue) { input, window, epilogue in
            run.forEachPiece(blocks: geometry.plan.outputBlocks, height: geometry.height, width: geometry.width) {
                run.kernels.depthwise(input, window, weights, $0, $1, $2, epilogue)
            }
        }
    }
}

/// A convolution whose output has padding channels that another layer reads: they are set to 0 again.
///
/// Their weights are 0, but 0 x infinity is NaN, and the next convolution would spread it over real channels.
struct PaddingConvolution: Step {
    let convolution: any Step
    let output: ValueID

    var sharedBytes: Int { convolution.sharedBytes }
    var threadBytes: Int { convolution.threadBytes }

    func run(_ run: Run) {
        convolution.run(run)
        let map = run.map(output)
        guard let data = map.data else { return }
        let block = data + (map.blocks - 1) * map.block_stride
        let first = run.placements[output.index].channels % 16
        run.forEachPiece(blocks: 1, height: map.height, width: map.width) { _, firstRow, lastRow in
            for pixel in firstRow * map.width..<lastRow * map.width {
                for lane in first..<16 { block[pixel * 16 + lane] = 0 }
            }
        }
    }
}

/// Pointers to three values at once, without three closures.
@inline(__always)
func withUnsafePointers<A, B, C, Result>(
    _ a: inout A,
    _ b: inout B,
    _ c: inout C,
    _ body: (UnsafePointer<A>, UnsafePointer<B>, UnsafePointer<C>) -> Result
) -> Result {
    withUnsafePointer(to: &a) { a in withUnsafePointer(to: &b) { b in withUnsafePointer(to: &c) { c in body(a, b, c) } }
    }
}
