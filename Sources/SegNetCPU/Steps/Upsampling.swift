import CSegNetKernels
import SegNetGraph
import SegNetTensors

/// Bilinear upsampling by a whole factor: the gradient goes back with the weights with which the values came.
struct BilinearUpsamplingStep: Step {
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        run.forEachPiece(output) { block, picture, rows in
            run.kernels.enlarge(
                run.map(input, picture: picture),
                to: run.map(output, picture: picture),
                block,
                rows
            )
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        let shape = run.values[input]
        run.pool.forEach(shape.blocks * run.pictures) { _, index in
            let (block, picture) = (index % shape.blocks, index / shape.blocks)
            let dx = MapView(gradients.target(input, picture: picture))
            let dy = MapView(gradients.map(output, picture: picture))
            dx.clear(block: block)
            let rows = Self.taps(from: dx.height, to: dy.height)
            let columns = Self.taps(from: dx.width, to: dy.width)
            for c in block * 16..<block * 16 + 16 {
                for (y, row) in rows.enumerated() {
                    for (x, column) in columns.enumerated() {
                        let g = dy[c, y, x]
                        dx[c, row.low, column.low] += g * (1 - row.share) * (1 - column.share)
                        dx[c, row.low, column.high] += g * (1 - row.share) * column.share
                        dx[c, row.high, column.low] += g * row.share * (1 - column.share)
                        dx[c, row.high, column.high] += g * row.share * column.share
                    }
                }
            }
        }
    }

    /// Which two rows an output row is made of, and the share of the second.
    private static func taps(from input: Int, to output: Int) -> [(low: Int, high: Int, share: Float)] {
        (0..<output).map { y in
            let at = (Float(y) + 0.5) * Float(input) / Float(output) - 0.5
            let clamped = max(0, min(Float(input - 1), at))
            let low = Int(clamped)
            return (low, min(low + 1, input - 1), clamped - Float(low))
        }
    }
}
