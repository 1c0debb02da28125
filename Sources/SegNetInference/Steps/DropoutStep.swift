import CSegNetKernels
import SegNetTensors

/// Inverted dropout: a fresh mask for each Monte-Carlo sample, idle in an ordinary run. Source: docs/segnet.md, Dropout
/// and sampling.
struct DropoutStep: Step {
    let input: ValueID
    /// Lies where the input lies, if nobody needs that any more.
    let output: ValueID
    let ratio: Float
    /// Tells the masks of the network's dropout layers apart.
    let layer: Int

    func run(_ run: Run) {
        let isInPlace = run.placements[input.index].offset == run.placements[output.index].offset
        if run.sampleSeed == nil, isInPlace { return }
        let maskSeed = run.sampleSeed.map { seed in
            var random = RandomNumbers(seed: seed, stream: UInt64(layer))
            return random.next()
        }
        var (input, output) = (run.map(input), run.map(output))
        withUnsafePointer(to: &input) { input in
            withUnsafePointer(to: &output) { output in
                let out = output.pointee
                run.forEachPiece(blocks: out.blocks, height: out.height, width: out.width) {
                    if let maskSeed {
                        run.kernels.dropout(input, ratio, maskSeed, output, $0, $1, $2)
                    } else {
                        run.kernels.affine(input, nil, nil, 0, output, $0, $1, $2)
                    }
                }
            }
        }
    }
}
