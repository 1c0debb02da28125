import CSegNetKernels
import SegNetGraph

/// Unpooling where its map has to exist: a reader is not a convolution, or the caller wants to see it. (Else the convolutions read the
/// pooled map and the indices.)
struct UnpoolingStep: Step {
    let pooled: ValueID
    let indices: ValueID
    let output: ValueID

    var backwardReads: [ValueID] { [indices] }

    func forward(_ run: Run) {
        run.forEachItem(output) { block, picture, rows in
            run.kernels.unpool2x2(
                run.map(pooled, picture: picture),
                run.indices(indices, picture: picture),
                to: run.map(output, picture: picture),
                block,
                rows
            )
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(pooled) else { return }
        run.forEachItem(pooled) { block, picture, rows in
            run.kernels.gather2x2(
                gradients.map(output, picture: picture),
                run.indices(indices, picture: picture),
                to: gradients.target(pooled, picture: picture),
                block,
                rows
            )
        }
    }
}
