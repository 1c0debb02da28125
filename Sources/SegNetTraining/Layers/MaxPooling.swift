import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// Max pooling over any window, without indices: the backward pass finds each maximum again, by the same rule (the first in row order).
/// SegNet's own pooling is part of `ActivationStep`. Plain loops: only the competing architectures have such windows.
struct MaxPoolingStep: TrainingStep {
    let window: Window
    let input: Int
    let output: Int
    let needsInputGradient: Bool

    var backwardReads: [Int] { [input] }

    func forward(_ run: TrainingRun) {
        run.forEachPiece(output) { block, picture, first, last in
            var from = run.map(input, picture: picture)
            var to = run.map(output, picture: picture)
            var window = sn_window(window)
            run.kernels.max_pool(&from, &window, &to, block, first, last)
        }
    }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient else { return }
        let shape = run.plan.graph.values[input]
        run.crew.pool.forEach(shape.blocks * run.pictures) { _, index in
            let (block, picture) = (index % shape.blocks, index / shape.blocks)
            let x = MapView(run.map(input, picture: picture))
            let dx = MapView(run.target(input, picture: picture))
            let dy = MapView(run.gradient(output, picture: picture))
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

/// A blocked map by channel, row and column, for layers that plain loops serve.
struct MapView {
    let map: sn_map
    private let data: UnsafeMutablePointer<Float>

    init(_ map: sn_map) {
        self.map = map
        // A map of a plan always has memory; an empty one would have no pixels either.
        data = map.data ?? UnsafeMutablePointer<Float>(bitPattern: 64).unsafelyUnwrapped
    }

    var height: Int { map.height }
    var width: Int { map.width }

    subscript(_ channel: Int, _ y: Int, _ x: Int) -> Float {
        @inline(__always) get { data[index(channel, y, x)] }
        @inline(__always) nonmutating set { data[index(channel, y, x)] = newValue }
    }

    @inline(__always)
    private func index(_ channel: Int, _ y: Int, _ x: Int) -> Int {
        channel / 16 * map.block_stride + (y * map.width + x) * 16 + channel % 16
    }

    func clear(block: Int) {
        (data + block * map.block_stride).update(repeating: 0, count: map.height * map.width * 16)
    }
    func clear() { for block in 0..<map.blocks { clear(block: block) } }
}
