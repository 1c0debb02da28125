import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Max pooling over any window, without indices. The backward pass finds each maximum again, by the same rule (the first in row order).
/// 2x2 windows of stride 2, SegNet's, are part of `ActivationStep`.
struct MaxPoolingStep: Step {
    let window: Window
    let input: ValueID
    let output: ValueID

    var backwardReads: [ValueID] { [input] }

    func forward(_ run: Run) {
        run.forEachItem(output) { block, picture, rows in
            let (from, to) = (run.map(input, picture: picture), run.map(output, picture: picture))
            run.kernels.maxPool(from, window: sn_window(window), to: to, block, rows)
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        let shape = run.values[input]
        run.pool.forEach(shape.blocks * run.pictures) { _, index in
            let (block, picture) = (index % shape.blocks, index / shape.blocks)
            let x = MapView(run.map(input, picture: picture))
            let dx = MapView(gradients.target(input, picture: picture))
            let dy = MapView(gradients.map(output, picture: picture))
            dx.clear(block: block)
            let (rows, columns) = (0..<dy.height, 0..<dy.width)
            for row in rows { for column in columns { spread(dy, row, column, block, x, to: dx) } }
        }
    }

    /// Adds the gradient of one output pixel to where its maxima stood: first which tap it is for each of 16 channels, then the sums.
    @inline(__always)
    private func spread(_ dy: MapView, _ row: Int, _ column: Int, _ block: Int, _ x: MapView, to dx: MapView) {
        var best = SIMD16<Float>(repeating: -.greatestFiniteMagnitude)
        var winner = SIMD16<Int32>(repeating: -1)
        forEachTap(row, column, x) { tap, y, z in
            let line = x.line(block, y, z)
            let isGreater = line .> best
            best.replace(with: line, where: isGreater)
            winner.replace(with: SIMD16<Int32>(repeating: tap), where: isGreater)
        }
        let gradient = dy.line(block, row, column)
        forEachTap(row, column, x) { tap, y, z in
            let part = SIMD16<Float>().replacing(with: gradient, where: winner .== tap)
            dx.setLine(block, y, z, dx.line(block, y, z) + part)
        }
    }

    /// Calls `body(number of the tap, row, column)` for the taps that lie inside the map, row by row.
    @inline(__always)
    private func forEachTap(_ row: Int, _ column: Int, _ map: MapView, _ body: (Int32, Int, Int) -> Void) {
        for i in 0..<window.height {
            let y = row * window.strideY - window.paddingY + i * window.dilationY
            guard y >= 0, y < map.height else { continue }
            for j in 0..<window.width {
                let z = column * window.strideX - window.paddingX + j * window.dilationX
                if z >= 0, z < map.width { body(Int32(i * window.width + j), y, z) }
            }
        }
    }
}
