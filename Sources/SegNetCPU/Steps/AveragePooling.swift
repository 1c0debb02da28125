import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// The mean of each window: the sum over what lies inside the map, divided by the part of the window that lies inside the padded map.
/// Each pixel of a window gets the same part of the gradient. Plain loops over lines of 16 channels.
struct AveragePoolingStep: Step {
    let window: Window
    let input: ValueID
    let output: ValueID

    /// The pixels of the input under one window along an axis, and how many the divisor counts.
    private struct Span {
        let inside: Range<Int>
        let counted: Int

        init(_ position: Int, window: Int, stride: Int, padding: Int, size: Int) {
            let start = position * stride - padding
            let end = min(start + window, size + padding)
            counted = end - start
            inside = max(0, start)..<max(0, min(end, size))
        }
    }

    private func rows(_ y: Int, _ map: sn_map) -> Span {
        Span(y, window: window.height, stride: window.strideY, padding: window.paddingY, size: map.height)
    }

    private func columns(_ x: Int, _ map: sn_map) -> Span {
        Span(x, window: window.width, stride: window.strideX, padding: window.paddingX, size: map.width)
    }

    func forward(_ run: Run) {
        run.forEachItem(output) { block, picture, range in
            let (from, to) = (MapView(run.map(input, picture: picture)), MapView(run.map(output, picture: picture)))
            for y in range {
                let rows = rows(y, from.map)
                for x in 0..<to.width {
                    let columns = columns(x, from.map)
                    var sum = SIMD16<Float>()
                    for row in rows.inside { for column in columns.inside { sum += from.line(block, row, column) } }
                    to.setLine(block, y, x, sum / Float(rows.counted * columns.counted))
                }
            }
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
            for y in 0..<dy.height {
                let rows = rows(y, dx.map)
                for x in 0..<dy.width {
                    let columns = columns(x, dx.map)
                    let part = dy.line(block, y, x) / Float(rows.counted * columns.counted)
                    for row in rows.inside {
                        for column in columns.inside {
                            dx.setLine(block, row, column, dx.line(block, row, column) + part)
                        }
                    }
                }
            }
        }
    }
}
