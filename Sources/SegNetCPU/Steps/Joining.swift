import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

//  Layers that join or cut maps, and copies. Their gradients only move numbers.

/// The sum of maps, one after the other: each gets the gradient.
struct AdditionStep: Step {
    /// Only a graph that does not learn has the ReLU here.
    let relu: Bool
    /// The factor of each input; empty: 1.
    let coefficients: [Float]
    let inputs: [ValueID]
    let output: ValueID

    func forward(_ run: Run) {
        guard coefficients.isEmpty else { return weighted(run) }
        run.forEachItem(output) { block, picture, rows in
            var sum = run.map(inputs[0], picture: picture)
            let to = run.map(output, picture: picture)
            for (number, input) in inputs.enumerated().dropFirst() {
                let isLast = number == inputs.count - 1
                run.kernels.add(sum, run.map(input, picture: picture), relu: relu && isLast, to: to, block, rows)
                sum = to
            }
        }
    }

    /// A sum that no published network has: plain loops.
    private func weighted(_ run: Run) {
        let columns = 0..<run.values[output].width
        run.forEachItem(output) { block, picture, rows in
            let maps = inputs.map { MapView(run.map($0, picture: picture)) }
            let to = MapView(run.map(output, picture: picture))
            for row in rows {
                for column in columns {
                    var sum = SIMD16<Float>(repeating: 0)
                    for (map, factor) in zip(maps, coefficients) { sum += map.line(block, row, column) * factor }
                    to.setLine(block, row, column, relu ? sum.replacing(with: 0, where: sum .< 0) : sum)
                }
            }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        for (number, input) in inputs.enumerated() where gradients.wants(input) {
            run.forEachItem(output) { block, picture, rows in
                let target = gradients.target(input, number: number, picture: picture)
                run.kernels.affine(gradients.map(output, picture: picture), to: target, block, rows)
                guard !coefficients.isEmpty else { return }
                let numbers = MapView(target).rows(rows, block: block)
                for index in numbers.indices { numbers[index] *= coefficients[number] }
            }
        }
    }
}

/// Maps one behind the other along the channels.
struct ConcatenationStep: Step {
    let inputs: [ValueID]
    let output: ValueID

    func forward(_ run: Run) {
        run.forEachRows(output) { picture, rows in
            let to = run.map(output, picture: picture)
            var first = 0
            for input in inputs {
                let channels = run.values[input].channels
                let from = run.map(input, picture: picture)
                run.kernels.copy(from, channels: channels, to: to, firstChannel: first, rows)
                first += channels
            }
            run.clearPadding(output, picture: picture, rows)
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        run.forEachRows(output) { picture, rows in
            let dy = MapView(gradients.map(output, picture: picture))
            var channel = 0
            for (number, input) in inputs.enumerated() {
                let shape = run.values[input]
                defer { channel += shape.channels }
                guard gradients.wants(input) else { continue }
                let dx = MapView(gradients.target(input, number: number, picture: picture))
                for c in 0..<shape.blocks * 16 {
                    for y in rows {
                        for x in 0..<shape.width { dx[c, y, x] = c < shape.channels ? dy[channel + c, y, x] : 0 }
                    }
                }
            }
        }
    }
}

/// A part of a map, as large as a reference, which only lends its size.
struct CropStep: Step {
    let crop: Crop
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        run.forEachRows(output) { picture, rows in
            let (from, to) = (run.map(input, picture: picture), run.map(output, picture: picture))
            let channels = run.values[input].channels
            run.kernels.copy(from, channels: channels, top: crop.top, left: crop.left, to: to, rows)
            run.clearPadding(output, picture: picture, rows)
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        guard gradients.wants(input) else { return }
        run.pool.forEach(run.pictures) { _, picture in
            let dx = MapView(gradients.target(input, picture: picture))
            let dy = MapView(gradients.map(output, picture: picture))
            dx.clear()
            for c in 0..<run.values[input].channels {
                for y in 0..<dy.height {
                    for x in 0..<dy.width { dx[c, y + crop.top, x + crop.left] = dy[c, y, x] }
                }
            }
        }
    }
}

/// A picture's layout to that of maps. Nothing before it learns.
struct BlockStep: Step {
    let input: ValueID
    let output: ValueID

    func forward(_ run: Run) {
        run.forEachRows(output) { picture, rows in
            run.kernels.block(run.thin(input, picture: picture), to: run.map(output, picture: picture), rows)
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {}
}

/// A map that is stored in 16 bits as float32, for steps that read whole maps. Made again in the backward pass.
struct WideningStep: Step {
    let input: ValueID
    let output: ValueID

    var isCheap: Bool { true }
    var gradientPlace: GradientPlace { .outputGradient }

    func forward(_ run: Run) {
        let shape = run.values[input]
        run.pool.forEach(run.pictures * shape.blocks) { _, index in
            let (picture, block) = index.quotientAndRemainder(dividingBy: shape.blocks)
            let plane = shape.height * shape.width * 16
            run.kernels.widen(
                run.data(input, picture: picture).assumingMemoryBound(to: UInt16.self) + block * plane,
                run.data(output, picture: picture).assumingMemoryBound(to: Float.self) + block * plane,
                plane
            )
        }
    }

    /// The gradient of the one is that of the other, in the same memory.
    func backward(_ run: Run, _ gradients: Gradients) {}
}
