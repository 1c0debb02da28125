import CSegNetKernels
import SegNetGraph
import SegNetNetworks

/// The part of a transposed convolution that computes every stride-th output row and column: an ordinary convolution of stride 1.
///
/// Output y receives input (y + padding - k * dilation) / stride through tap k where that is whole. For y = phase + stride * j the
/// taps that fit are every (stride / gcd)-th one, and each step to the next reads dilation / gcd input rows further up.
struct TransposedPhase {
    var window: sn_window
    var stepY = 1, stepX = 1, offsetY = 0, offsetX = 0
    private var firstY = 0, firstX = 0, everyY = 1, everyX = 1

    static func all(of node: ConvolutionNode) -> [TransposedPhase] {
        guard node.isTransposed else { return [TransposedPhase(window: sn_window(node.window))] }
        let w = node.window
        var phases: [TransposedPhase] = []
        for y in 0..<w.strideY {
            for x in 0..<w.strideX {
                let rows = Self.axis(
                    phase: y,
                    taps: w.height,
                    stride: w.strideY,
                    padding: w.paddingY,
                    dilation: w.dilationY
                )
                let columns = Self.axis(
                    phase: x,
                    taps: w.width,
                    stride: w.strideX,
                    padding: w.paddingX,
                    dilation: w.dilationX
                )
                var phase = TransposedPhase(
                    window: sn_window(
                        height: rows.count,
                        width: columns.count,
                        stride_y: 1,
                        stride_x: 1,
                        origin_y: rows.origin,
                        origin_x: columns.origin,
                        dilation_y: rows.dilation,
                        dilation_x: columns.dilation
                    )
                )
                (phase.stepY, phase.stepX, phase.offsetY, phase.offsetX) = (w.strideY, w.strideX, y, x)
                (phase.firstY, phase.everyY) = (rows.first, rows.every)
                (phase.firstX, phase.everyX) = (columns.first, columns.every)
                phases.append(phase)
            }
        }
        return phases
    }

    private init(window: sn_window) { self.window = window }

    /// One axis: which taps fit this phase, and which input row each reads. A phase that no tap fits gets one tap of weight 0.
    private static func axis(
        phase: Int,
        taps: Int,
        stride: Int,
        padding: Int,
        dilation: Int
    ) -> (first: Int, every: Int, count: Int, origin: Int, dilation: Int) {
        let fitting = (0..<taps).filter { (phase + padding - $0 * dilation) % stride == 0 }
        // Beyond every map, so that the tap reads 0 and not 0 times something that may be NaN.
        guard let first = fitting.first else { return (taps, 1, 1, -(1 << 21), 1) }
        let every = fitting.count > 1 ? fitting[1] - first : 1
        return (
            first, every, fitting.count, (phase + padding - first * dilation) / stride, -(every * dilation) / stride
        )
    }

    /// The layer's tap that tap number `tap` of this phase is, or nil for a tap of weight 0.
    func sourceTap(_ tap: Int, of window: Window) -> Int? {
        let row = firstY + tap / Int(self.window.width) * everyY
        let column = firstX + tap % Int(self.window.width) * everyX
        return row < window.height && column < window.width ? row * window.width + column : nil
    }
}
