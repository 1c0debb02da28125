import CSegNetKernels
import SegNetGraph

/// Inverted dropout. The mask is a function of the run's seed, the layer and the picture, so that the backward pass makes it again and no
/// memory holds it. Idle without a seed. Source: docs/segnet.md, Dropout and sampling.
struct DropoutStep: Step {
    let ratio: Float
    /// Tells the masks of the network's dropout layers apart.
    let stream: UInt64
    let input: ValueID
    /// Lies where the input lies, if nobody needs that any more.
    let output: ValueID

    var isCheap: Bool { true }

    func forward(_ run: Run) {
        if run.dropoutSeed == nil, run.offsets[input] == run.offsets[output] { return }
        apply(run, from: { run.map(input, picture: $0) }, to: { run.map(output, picture: $0) })
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        apply(run, from: { gradients.map(output, picture: $0) }, to: { gradients.target(input, picture: $0) })
    }

    private func apply(_ run: Run, from: (Int) -> sn_map, to: (Int) -> sn_map) {
        run.forEachItem(output) { block, picture, rows in
            if let seed = run.maskSeed(stream, picture: picture) {
                run.kernels.dropout(from(picture), ratio: ratio, seed: seed, to: to(picture), block, rows)
            } else {
                run.kernels.affine(from(picture), to: to(picture), block, rows)
            }
        }
    }
}
