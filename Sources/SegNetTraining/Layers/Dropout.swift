import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// Inverted dropout. The mask is a function of the run's seed, the step, the layer and the picture, so that the backward pass makes it
/// again and no memory holds it. Source: segnet-facts 1.6.
struct DropoutStep: TrainingStep {
    let input: Int
    let output: Int
    let ratio: Float
    /// Tells the masks of layers apart.
    let layer: Int
    let needsInputGradient: Bool

    func forward(_ run: TrainingRun) { apply(run, from: (input, .forward), to: (output, .forward)) }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient else { return }
        apply(run, from: (output, .gradient), to: (input, .gradient))
    }

    private func apply(
        _ run: TrainingRun,
        from: (value: Int, role: TrainingRun.Role),
        to: (value: Int, role: TrainingRun.Role)
    ) {
        run.forEachPiece(output) { block, picture, first, last in
            var source = run.map(from.value, from.role, picture: picture)
            var target =
                to.role == .gradient
                ? run.target(to.value, picture: picture) : run.map(to.value, to.role, picture: picture)
            if run.dropsOut {
                run.kernels.dropout(&source, ratio, run.dropoutSeed(layer, picture), &target, block, first, last)
            } else {
                run.kernels.affine(&source, nil, nil, 0, &target, block, first, last)
            }
        }
    }
}
