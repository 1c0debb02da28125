import CSegNetKernels
import SegNetGraph

@testable import SegNetCPU

/// The choices of a forward pass between branches: where each maximum stood, and which side of 0 each number in front of a ReLU lay.
///
/// Two greatest values of a window that differ by rounding alone may swap between two ways of computing, and a number may fall on the
/// other side of 0; with them the path of the gradient changes, and two gradients differ by more than rounding. With the decisions of one
/// way forced upon the other, only rounding is left to compare.
struct PassDecisions: Equatable {
    /// By node: the pooling indices of all pictures in turn.
    var indices: [Int: [UInt32]] = [:]
    /// By node: whether each number is above 0, in memory's order, padding included.
    var signs: [Int: [Bool]] = [:]
}

extension Learner {
    /// Lets the forward pass take these decisions in place of its own.
    func takeDecisions(_ decisions: PassDecisions) { didRun = { [unowned self] in force(decisions, node: $0, $1) } }

    /// The decisions of the last forward pass; valid until the next pass, forward or backward.
    var decisions: PassDecisions {
        var result = PassDecisions()
        for node in plan.steps.indices {
            guard let step = plan.steps[node] as? ActivationStep else { continue }
            let run = run(shared: 0)
            for picture in 0..<plan.batchSize {
                if step.isPooled {
                    let indices = run.indices(step.outputs[1], picture: picture)
                    let words = UnsafeBufferPointer(
                        start: indices.data,
                        count: indices.blocks * indices.height * indices.width
                    )
                    result.indices[node, default: []] += words
                }
                if step.relu {
                    step.forEachNumber(run, picture) { value, scale, shift, _ in
                        result.signs[node, default: []].append(value.pointee * scale + shift > 0)
                    }
                }
            }
        }
        return result
    }

    /// Puts the running node, which has just run, on the forced path.
    private func force(_ decisions: PassDecisions, node: Int, _ run: Run) {
        guard let step = plan.steps[node] as? ActivationStep else { return }
        for picture in 0..<plan.batchSize {
            if let signs = decisions.signs[node] { step.force(signs, run, picture) }
            if let indices = decisions.indices[node] { step.force(indices, run, picture) }
        }
    }
}

extension ActivationStep {
    /// Calls `body(number of the input, its channel's scale and shift, its place in the picture's memory)`. Of an input that is stored in
    /// 16 bits these are copies: the decisions can be read there, not forced.
    fileprivate func forEachNumber(
        _ run: Run,
        _ picture: Int,
        _ body: (UnsafeMutablePointer<Float>, Float, Float, Int) -> Void
    ) {
        let (scale, shift) = (factors(run).scale, factors(run).shift)
        let line = shape.width * 16
        for row in 0..<shape.blocks * shape.height {
            let (block, y) = row.quotientAndRemainder(dividingBy: shape.height)
            let map = run.rows(input, worker: 0, block, picture: picture, y..<y + 1)
            guard let data = map.data else { continue }
            let numbers = data + block * map.block_stride + y % map.rows * line
            for place in 0..<line {
                let channel = block * 16 + place % 16
                body(numbers + place, scale?[channel] ?? 1, shift?[channel] ?? 0, row * line + place)
            }
        }
    }

    /// Moves each input whose scale x + shift lies on the wrong side of 0 over to the right one: by rounding, some units in the last place.
    fileprivate func force(_ signs: [Bool], _ run: Run, _ picture: Int) {
        let count = signs.count / run.pictures
        let output =
            isPooled ? nil : run.data(outputs[0], picture: picture).assumingMemoryBound(to: Float.self)
        forEachNumber(run, picture) { value, scale, shift, place in
            let isAbove = signs[picture * count + place]
            guard scale != 0, (value.pointee * scale + shift > 0) != isAbove else { return }
            let zero = -shift / scale
            let step = 4 * max(zero.ulp, .leastNormalMagnitude)
            value.pointee = (scale > 0) == isAbove ? zero + step : zero - step
            output?[place] = isAbove ? max(value.pointee * scale + shift, 0) : 0
        }
    }

    /// Takes the pooled values from the given places.
    fileprivate func force(_ given: [UInt32], _ run: Run, _ picture: Int) {
        let words = run.indices(outputs[1], picture: picture)
        let count = words.blocks * words.height * words.width
        precondition(given.count == count * run.pictures)
        let (scale, shift) = (factors(run).scale, factors(run).shift)
        let from = MapView(run.map(input, picture: picture))
        let to = MapView(run.map(outputs[0], picture: picture))
        for index in 0..<count {
            let word = given[picture * count + index]
            words.data?[index] = word
            let (line, x) = index.quotientAndRemainder(dividingBy: words.width)
            let (block, y) = line.quotientAndRemainder(dividingBy: words.height)
            for lane in 0..<16 {
                let channel = block * 16 + lane
                let row = 2 * y + Int(word >> UInt32(16 + lane) & 1)
                let column = 2 * x + Int(word >> UInt32(lane) & 1)
                let value = from[channel, row, column] * (scale?[channel] ?? 1) + (shift?[channel] ?? 0)
                to[channel, y, x] = relu ? max(value, 0) : value
            }
        }
    }
}
