import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

//  Layers that join or cut maps. Their gradients only move numbers.

/// The sum of maps: each gets the gradient.
struct AdditionStep: TrainingStep {
    let inputs: [Int]
    let output: Int
    let wanted: [Bool]

    func forward(_ run: TrainingRun) {
        run.forEachPiece(output) { block, picture, first, last in
            var sum = run.map(inputs[0], picture: picture)
            var to = run.map(output, picture: picture)
            for input in inputs.dropFirst() {
                var other = run.map(input, picture: picture)
                run.kernels.add(&sum, &other, 0, &to, block, first, last)
                sum = to
            }
        }
    }

    func backward(_ run: TrainingRun) {
        for (number, input) in inputs.enumerated() where wanted[number] {
            run.forEachPiece(output) { block, picture, first, last in
                var from = run.gradient(output, picture: picture)
                var to = run.target(input, number: number, picture: picture)
                run.kernels.affine(&from, nil, nil, 0, &to, block, first, last)
            }
        }
    }
}

/// Maps one behind the other along the channels.
struct ConcatenationStep: TrainingStep {
    let inputs: [Int]
    let output: Int
    let wanted: [Bool]

    func forward(_ run: TrainingRun) {
        run.forEachRows(output) { picture, first, last in
            var to = run.map(output, picture: picture)
            var channel = 0
            for input in inputs {
                var from = run.map(input, picture: picture)
                let channels = run.plan.graph.values[input].channels
                run.kernels.copy(&from, channels, 0, 0, &to, channel, first, last)
                channel += channels
            }
            run.clearPadding(output, picture: picture, first, last)
        }
    }

    func backward(_ run: TrainingRun) {
        run.forEachRows(output) { picture, first, last in
            let dy = MapView(run.gradient(output, picture: picture))
            var channel = 0
            for (number, input) in inputs.enumerated() {
                let shape = run.plan.graph.values[input]
                defer { channel += shape.channels }
                guard wanted[number] else { continue }
                let dx = MapView(run.target(input, number: number, picture: picture))
                for c in 0..<shape.blocks * 16 {
                    for y in first..<last {
                        for x in 0..<shape.width { dx[c, y, x] = c < shape.channels ? dy[channel + c, y, x] : 0 }
                    }
                }
            }
        }
    }
}

/// A part of a map, as large as a reference, which only lends its size.
struct CropStep: TrainingStep {
    let crop: Crop
    let input: Int
    let output: Int
    let needsInputGradient: Bool

    func forward(_ run: TrainingRun) {
        run.forEachRows(output) { picture, first, last in
            var from = run.map(input, picture: picture)
            var to = run.map(output, picture: picture)
            let channels = run.plan.graph.values[input].channels
            run.kernels.copy(&from, channels, crop.top, crop.left, &to, 0, first, last)
            run.clearPadding(output, picture: picture, first, last)
        }
    }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient else { return }
        run.crew.pool.forEach(run.pictures) { _, picture in
            let dx = MapView(run.target(input, picture: picture))
            let dy = MapView(run.gradient(output, picture: picture))
            dx.clear()
            for c in 0..<run.plan.graph.values[input].channels {
                for y in 0..<dy.height {
                    for x in 0..<dy.width { dx[c, y + crop.top, x + crop.left] = dy[c, y, x] }
                }
            }
        }
    }
}

/// Bilinear upsampling by a whole factor: the gradient goes back with the weights with which the values came.
struct BilinearUpsamplingStep: TrainingStep {
    let input: Int
    let output: Int
    let needsInputGradient: Bool

    func forward(_ run: TrainingRun) {
        run.forEachPiece(output) { block, picture, first, last in
            var from = run.map(input, picture: picture)
            var to = run.map(output, picture: picture)
            run.kernels.bilinear(&from, &to, block, first, last)
        }
    }

    func backward(_ run: TrainingRun) {
        guard needsInputGradient else { return }
        let shape = run.plan.graph.values[input]
        run.crew.pool.forEach(shape.blocks * run.pictures) { _, index in
            let (block, picture) = (index % shape.blocks, index / shape.blocks)
            let dx = MapView(run.target(input, picture: picture))
            let dy = MapView(run.gradient(output, picture: picture))
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

/// A picture's layout to that of maps. Nothing in front of it learns.
struct BlockStep: TrainingStep {
    let input: Int
    let output: Int

    func forward(_ run: TrainingRun) {
        run.forEachRows(output) { picture, first, last in
            var from = run.thin(input, picture: picture)
            var to = run.map(output, picture: picture)
            run.kernels.block_thin(&from, &to, first, last)
        }
    }

    func backward(_ run: TrainingRun) {}
}

extension TrainingRun {
    /// Zeroes the padding channels of rows.
    func clearPadding(_ value: Int, picture: Int, _ first: Int, _ last: Int) {
        let shape = plan.graph.values[value]
        guard shape.channels % 16 != 0 else { return }
        let view = MapView(map(value, picture: picture))
        for y in first..<last {
            for x in 0..<shape.width {
                for c in shape.channels..<shape.blocks * 16 { view[c, y, x] = 0 }
            }
        }
    }
}
