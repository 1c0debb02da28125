import SegNetInference
import SegNetTensors

/// Which buffers a training plan needs and when each exists. Time runs through the forward pass, the loss, and the backward pass: with n
/// steps, step i runs forward at i, the loss at n, step i backward at 2n - i.
struct TrainingMemoryPlan {
    private var buffers: [Arena.Buffer] = []
    /// Buffer numbers, by value.
    private(set) var forward: [Int?]
    /// Where the backward pass reads a value: the same buffer, or one in which it was made again.
    private(set) var backward: [Int?]
    private(set) var gradient: [Int?]
    /// By node and input number: beside the gradient, where several are added.
    private(set) var targets: [[Int?]]
    private(set) var cleared: [Int: [Int]] = [:]
    private(set) var recomputed: [Int: [Int]] = [:]
    private(set) var shared: [(forward: Int, backward: Int)] = []
    /// Nil if it is larger than any address space.
    private(set) var arena: Arena?

    init(graph: TrainingGraph, steps: [any TrainingStep], batchSize: Int) {
        let count = steps.count
        let loss = count
        func backwardTime(_ step: Int) -> Int { 2 * count - step }
        forward = Array(repeating: nil, count: graph.values.count)
        backward = forward
        gradient = forward
        targets = graph.nodes.map { Array(repeating: nil, count: $0.inputs.count) }

        func bytes(_ value: Int) -> Int { saturatingProduct(graph.values[value].byteCount, batchSize) }
        func add(_ byteCount: Int, _ lifetime: ClosedRange<Int>) -> Int {
            buffers.append(Arena.Buffer(byteCount: byteCount, lifetime: lifetime))
            return buffers.count - 1
        }

        // Values: how long the forward pass reads them, and when the backward pass does.
        var written = Array(repeating: -1, count: graph.values.count)
        var lastRead = Array(repeating: -1, count: graph.values.count)
        var backwardReads: [[Int]] = Array(repeating: [], count: graph.values.count)
        for (position, node) in graph.nodes.enumerated() {
            for output in node.outputs { written[output] = position }
            for input in node.inputs { lastRead[input] = position }
            if Self.runsBackward(graph, node) {
                for value in steps[position].backwardReads { backwardReads[value].append(position) }
            }
        }
        lastRead[graph.scores] = loss
        for value in graph.values.indices where written[value] >= 0 || lastRead[value] >= 0 {
            let end = max(lastRead[value], written[value])
            let reads = backwardReads[value].map(backwardTime)
            let producer = written[value]
            if let first = reads.min(), let last = reads.max(), producer >= 0, steps[producer].canRecompute {
                forward[value] = add(bytes(value), producer...end)
                backward[value] = add(bytes(value), first...last)
                recomputed[2 * count - first, default: []].append(producer)
            } else {
                forward[value] = add(bytes(value), written[value]...max(end, reads.max() ?? end))
                backward[value] = forward[value]
            }
        }
        // Who makes a value again reads its own input then.
        for (before, producers) in recomputed {
            for producer in producers {
                for value in graph.nodes[producer].inputs { extend(forward[value], to: backwardTime(before)) }
            }
        }

        // Gradients: written from the last reader of the value back to its writer, which reads the sum.
        for value in graph.values.indices where graph.values[value].needsGradient && written[value] >= 0 {
            let reads = backwardTime(written[value])
            var first = value == graph.scores ? loss : nil as Int?
            for position in graph.nodes.indices.reversed() {
                for (number, input) in graph.nodes[position].inputs.enumerated() where input == value {
                    guard Self.writesGradient(graph.nodes[position], number) else { continue }
                    let time = backwardTime(position)
                    if first == nil {
                        first = time
                    } else {
                        targets[position][number] = add(bytes(value), time...time)
                    }
                }
            }
            if first == nil { cleared[written[value], default: []].append(value) }
            if let reader = graph.soleReader(of: value), steps[reader].gradientReplacesInput {
                gradient[value] = forward[value]
                extend(forward[value], to: reads)
            } else {
                gradient[value] = add(bytes(value), min(first ?? reads, reads)...reads)
            }
        }
        for (position, step) in steps.enumerated() {
            let time = backwardTime(position)
            shared.append(
                (
                    add(step.forwardScratch.shared, position...position),
                    add(step.backwardScratch.shared, time...time)
                )
            )
        }
        guard saturatingSum(buffers.map(\.byteCount)) < 1 << 46 else { return }
        arena = Arena(buffers)
    }

    private mutating func extend(_ buffer: Int?, to time: Int) {
        guard let buffer else { return }
        let old = buffers[buffer].lifetime
        buffers[buffer].lifetime = min(old.lowerBound, time)...max(old.upperBound, time)
    }

    /// Whether the gradient of any output is wanted.
    static func runsBackward(_ graph: TrainingGraph, _ node: TrainingNode) -> Bool {
        node.outputs.contains { graph.values[$0].needsGradient }
    }

    /// Whether a node writes the gradient of this input if it is wanted: pooling indices and a crop's reference have none.
    static func writesGradient(_ node: TrainingNode, _ number: Int) -> Bool {
        switch node.operation {
        case .crop, .unpooling: number == 0
        case .convolution(let convolution, _, _): !convolution.readsUnpooled || number == 0
        default: true
        }
    }
}
