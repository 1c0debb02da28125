import CSegNetKernels
import SegNetNetworks

/// 2x2 max pooling with pooling indices, where no convolution could do it on the way.
struct MaxPoolingWithIndices: Step {
    let input: ValueID
    let output: ValueID
    let indices: ValueID

    func run(_ run: Run) {
        var (input, output, indices) = (run.map(input), run.map(output), run.indices(indices))
        withUnsafePointers(&input, &output, &indices) { input, output, indices in
            let out = output.pointee
            run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                run.kernels.max_pool_2x2(input, output, indices, $0, $1, $2)
            }
        }
    }
}

/// Max pooling of any window, without indices.
struct MaxPoolingStep: Step {
    let window: Window
    let input: ValueID
    let output: ValueID

    func run(_ run: Run) {
        var (input, window, output) = (run.map(input), sn_window(window), run.map(output))
        withUnsafePointers(&input, &window, &output) { input, window, output in
            let out = output.pointee
            run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                run.kernels.max_pool(input, window, output, $0, $1, $2)
            }
        }
    }
}

/// Index unpooling into a map of its own, where a reader cannot gather it on the fly or the caller wants to see it.
struct UnpoolingStep: Step {
    let pooled: ValueID
    let indices: ValueID
    let output: ValueID

    func run(_ run: Run) {
        var (pooled, indices, output) = (run.map(pooled), run.indices(indices), run.map(output))
        withUnsafePointers(&pooled, &indices, &output) { pooled, indices, output in
            let out = output.pointee
            run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                run.kernels.unpool_2x2(pooled, indices, output, $0, $1, $2)
            }
        }
    }
}
