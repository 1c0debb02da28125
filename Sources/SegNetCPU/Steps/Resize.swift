import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Bilinear resizing: the gradient uses the forward pass's weights.
struct ResizeStep: Step {
    /// Whether the corners' centres meet; else their outer edges do.
    let alignsCorners: Bool
    /// Rows and columns of the input that nothing is read of.
    let cut: Resize.Margins
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        let (from, to) = (run.values[input], run.values[output])
        let (rows, columns) = taps(from, to)
        run.forEachItem(output) { block, picture, range in
            let (x, y) = (run.map(input, picture: picture), run.map(output, picture: picture))
            guard alignsCorners else { return run.kernels.enlarge(x, to: y, block, range) }
            let (source, target) = (MapView(x), MapView(y))
            for i in range {
                let row = rows[i]
                for (j, column) in columns.enumerated() {
                    let upper = column.mix(
                        source.line(block, row.low, column.low),
                        source.line(block, row.low, column.high)
                    )
                    let lower = column.mix(
                        source.line(block, row.high, column.low),
                        source.line(block, row.high, column.high)
                    )
                    target.setLine(block, i, j, row.mix(upper, lower))
                }
            }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        let shape = run.values[input]
        let (rows, columns) = taps(shape, run.values[output])
        run.pool.forEach(shape.blocks * run.pictures) { _, index in
            let (block, picture) = (index % shape.blocks, index / shape.blocks)
            let dx = MapView(gradients.target(input, picture: picture))
            let dy = MapView(gradients.map(output, picture: picture))
            dx.clear(block: block)
            func add(_ row: Int, _ column: Int, _ part: SIMD16<Float>) {
                dx.setLine(block, row, column, dx.line(block, row, column) + part)
            }
            for (y, row) in rows.enumerated() {
                for (x, column) in columns.enumerated() {
                    let g = dy.line(block, y, x)
                    add(row.low, column.low, g * (1 - row.share) * (1 - column.share))
                    add(row.low, column.high, g * (1 - row.share) * column.share)
                    add(row.high, column.low, g * row.share * (1 - column.share))
                    add(row.high, column.high, g * row.share * column.share)
                }
            }
        }
    }

    private func taps(_ from: Value, _ to: Value) -> (rows: [Tap], columns: [Tap]) {
        func taps(_ input: Int, _ output: Int) -> [Tap] {
            // In float32, as the original.
            let input = input - cut.begin - cut.end
            let step = alignsCorners ? Float(input - 1) / Float(max(1, output - 1)) : Float(input) / Float(output)
            return (0..<output).map { position in
                let at = alignsCorners ? Float(position) * step : (Float(position) + 0.5) * step - 0.5
                let clamped = max(0, min(Float(input - 1), at))
                let low = Int(clamped)
                return Tap(
                    low: cut.begin + low,
                    high: cut.begin + min(low + 1, input - 1),
                    share: clamped - Float(low)
                )
            }
        }
        return (taps(from.height, to.height), taps(from.width, to.width))
    }

    /// Which two rows or columns of the input one of the output is made of, and the share of the second.
    private struct Tap {
        var low: Int
        var high: Int
        var share: Float

        @inline(__always)
        func mix(_ a: SIMD16<Float>, _ b: SIMD16<Float>) -> SIMD16<Float> { a * (1 - share) + b * share }
    }
}
