import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// Max pooling over any window, without indices. The backward pass finds each maximum again, by the same rule (the first in row order).
/// SegNet's own pooling is part of `ActivationStep`. Plain loops: only the competing architectures have such windows.
struct MaxPoolingStep: Step {
    let window: Window
    let input: ValueID
    let output: ValueID

    var backwardReads: [ValueID] { [input] }

    func forward(_ run: Run) {
        run.forEachPiece(output) { block, picture, rows in
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
            for lane in block * 16..<block * 16 + 16 {
                for row in 0..<dy.height {
                    for column in 0..<dy.width {
                        var best = -Float.greatestFiniteMagnitude
                        var place: (Int, Int)?
                        for i in 0..<window.height {
                            let y = row * window.strideY - window.paddingY + i * window.dilationY
                            guard y >= 0, y < x.height else { continue }
                            for j in 0..<window.width {
                                let z = column * window.strideX - window.paddingX + j * window.dilationX
                                guard z >= 0, z < x.width, x[lane, y, z] > best else { continue }
                                best = x[lane, y, z]
                                place = (y, z)
                            }
                        }
                        if let (y, z) = place { dx[lane, y, z] += dy[lane, row, column] }
                    }
                }
            }
        }
    }
}
