import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// Unpooling where its map has to exist: its reader is no convolution. (Else the convolution reads the pooled map and the indices.)
struct UnpoolingStep: TrainingStep {
    let pooled: Int
    let indices: Int
    let output: Int
    let needsInputGradient: Bool

    var backwardReads: [Int] { [indices] }

    func forward(_ run: TrainingRun) {
        run.forEachPiece(output) { block, picture, first, last in
            var from = run.map(pooled, picture: picture)
            var words = run.indices(indices, picture: picture)
            var to = run.map(output, picture: picture)
            run.kernels.unpool_2x2(&from, &words, &to, block, first, last)
        }
    }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient else { return }
        run.forEachPiece(pooled) { block, picture, first, last in
            var from = run.gradient(output, picture: picture)
            var words = run.indices(indices, picture: picture)
            var to = run.target(pooled, picture: picture)
            run.kernels.gather_2x2(&from, &words, &to, block, first, last)
        }
    }
}
