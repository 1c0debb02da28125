import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// Inverted dropout. The mask is a function of the run's seed, the step, the layer and the picture, so that the backward pass makes it
/// again and no memory holds it. Source: docs/segnet.md, Dropout and sampling.
struct DropoutStep: TrainingStep {
    let input: Int
    let output: Int
    let ratio: Float
    /// Tells the masks of layers apart; the same for all storages.
    let layer: Int
    let needsInputGradient: Bool

    var isCheap: Bool { true }

    func forward(_ run: TrainingRun) {
        apply(run, from: { run.map(input, picture: $0) }, to: { run.map(output, picture: $0) })
    }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient else { return }
        apply(run, from: { run.gradient(output, picture: $0) }, to: { run.target(input, picture: $0) })
    }

    private func apply(_ run: TrainingRun, from: (Int) -> sn_map, to: (Int) -> sn_map) {
        run.forEachPiece(output) { block, picture, first, last in
            var (source, target) = (from(picture), to(picture))
            if run.dropsOut {
                run.kernels.dropout(&source, ratio, run.dropoutSeed(layer, picture), &target, block, first, last)
            } else {
                run.kernels.affine(&source, nil, nil, 0, &target, block, first, last)
            }
        }
    }
}
