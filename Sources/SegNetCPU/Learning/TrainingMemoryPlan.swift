import SegNetGraph
import SegNetPlatform

/// Which buffers a training plan needs and when each exists.
///
/// Time runs through the forward pass, the loss, and the backward pass: with n steps, step i runs forward at i, the loss at n, step i
/// backward at n + 2 (n - i), and just before it whatever it reads that was not kept is made again. A plan of a statistics pass
/// ends after the forward pass, so it keeps nothing for later and has no gradients.
///
/// Values that the backward pass reads are kept, except outputs of cheap steps, which are made again from kept ones. With `recomputes`, of
/// each stage (`stages`) only that is kept which other stages read; the last stage keeps its maps, since it runs backward at once.
struct TrainingMemoryPlan {
    private var buffers: [Arena.Buffer] = []
    /// Buffer numbers, by value.
    private(set) var forward: [Int?]
    /// Where the backward pass reads a value: the same buffer, or one in which it was made again.
    private(set) var backward: [Int?]
    private(set) var gradient: [Int?]
    /// By node and input number: separate from the gradient, where several are added.
    private(set) var targets: [[Int?]]
    private(set) var cleared: [Int: [ValueID]] = [:]
    /// By node: the steps that run forward again before it runs backward, in their order.
    private(set) var repeated: [Int: [Int]] = [:]
    /// By node: scratch that all threads share.
    private(set) var shared: [(forward: Int, repeated: Int, backward: Int)] = []
    /// Nil if it is larger than any address space.
    private(set) var arena: Arena?

    private let graph: Graph
    private let values: [Value]
    private let steps: [any Step]
    private let batchSize: Int
    private let runsBackward: Bool
    private let scores: ValueID
    /// By value: the node that writes it; nil for the network's input.
    private var writers: [Int?]

    init(
        graph: Graph,
        scores: ValueID,
        values: [Value],
        steps: [any Step],
        batchSize: Int,
        runsBackward: Bool,
        recomputes: Bool
    ) {
        self.graph = graph
        self.scores = scores
        self.values = values
        self.steps = steps
        self.batchSize = batchSize
        self.runsBackward = runsBackward
        forward = Array(repeating: nil, count: values.count)
        backward = forward
        gradient = forward
        writers = forward
        targets = graph.nodes.map { Array(repeating: nil, count: $0.inputs.count) }
        for (position, node) in graph.nodes.enumerated() {
            for output in node.outputs { writers[output] = position }
        }
        planForward()
        if runsBackward {
            planBackward(kept: recomputes ? keptBetweenStages() : nil)
            planGradients()
        }
        planScratch()
        arena = Arena(fitting: buffers)
    }

    private var loss: Int { steps.count }
    private func backwardTime(_ step: Int) -> Int { 3 * steps.count - 2 * step }
    private func repeatTime(_ step: Int) -> Int { backwardTime(step) - 1 }
    private func bytes(_ value: ValueID) -> Int { saturatingProduct(values[value].byteCount, batchSize) }

    private mutating func add(_ byteCount: Int, _ lifetime: ClosedRange<Int>) -> Int {
        buffers.append(Arena.Buffer(byteCount: byteCount, lifetime: lifetime))
        return buffers.count - 1
    }

    // MARK: Values

    /// From the step that writes a value to the last that reads it.
    private mutating func planForward() {
        var lastRead: [Int?] = Array(repeating: nil, count: values.count)
        for (position, node) in graph.nodes.enumerated() {
            for input in node.inputs { lastRead[input] = position }
        }
        lastRead[scores] = loss
        for value in values.indices.map(ValueID.init(index:)) where writers[value] != nil || lastRead[value] != nil {
            // The network's input is there before the first step.
            let written = writers[value] ?? -1
            forward[value] = add(bytes(value), written...max(written, lastRead[value] ?? written))
        }
    }

    /// - Parameter kept: The values that may be kept; nil: all but those of cheap steps.
    private mutating func planBackward(kept: Set<ValueID>?) {
        for position in backwardNodes {
            for value in steps[position].backwardReads {
                need(value, for: position, at: backwardTime(position), kept: kept)
            }
        }
    }

    /// Has a value at a time of the backward pass: keeps it, or makes it again before `position` runs backward.
    private mutating func need(_ value: ValueID, for position: Int, at time: Int, kept: Set<ValueID>?) {
        if let buffer = backward[value] {
            extend(buffer, to: time)
        } else if let writer = writers[value], !(kept?.contains(value) ?? !steps[writer].isCheap) {
            for input in graph.nodes[writer].dataInputs {
                need(input, for: position, at: repeatTime(position), kept: kept)
            }
            backward[value] = add(bytes(value), repeatTime(position)...time)
            repeated[position, default: []].append(writer)
        } else {
            backward[value] = forward[value]
            extend(forward[value], to: time)
        }
    }

    /// Values that stages leave for others, those that the last stage makes, and small ones.
    private func keptBetweenStages() -> Set<ValueID> {
        let stages = stages
        var kept: Set<ValueID> = []
        func keep(_ value: ValueID) {
            guard let writer = writers[value] else { return }
            // In place of a cheap step's output, what it is made from.
            guard steps[writer].isCheap else {
                kept.insert(value)
                return
            }
            for input in graph.nodes[writer].dataInputs { keep(input) }
        }
        for (position, node) in graph.nodes.enumerated() {
            for output in node.outputs {
                let isRead = graph.nodes.indices.contains {
                    stages[$0] != stages[position] && graph.nodes[$0].inputs.contains(output)
                }
                let isSmall = [.thin, .indices].contains(values[output].layout)
                if isRead || isSmall || stages[position] == stages.last { keep(output) }
            }
            // Steps with several outputs write all of them or none.
            if node.outputs.contains(where: kept.contains) { kept.formUnion(node.outputs) }
        }
        return kept
    }

    // MARK: Gradients

    /// From the last reader of a value, which is the first to write, back to the value's writer, which reads the sum.
    private mutating func planGradients() {
        // Later nodes first: a gradient may take the place of one behind it.
        for writer in graph.nodes.indices.reversed() {
            for value in graph.nodes[writer].outputs where values[value].needsGradient {
                planGradient(of: value, writer: writer)
            }
        }
    }

    private mutating func planGradient(of value: ValueID, writer: Int) {
        let byteCount = saturatingProduct(values[value].gradientByteCount, batchSize)
        let read = backwardTime(writer)
        var first = value == scores ? loss : nil as Int?
        for position in graph.nodes.indices.reversed() {
            for (number, input) in graph.nodes[position].inputs.enumerated() where input == value {
                guard graph.nodes[position].operation.passesGradient(toInput: number) else { continue }
                let time = backwardTime(position)
                if first == nil {
                    first = time
                } else {
                    targets[position][number] = add(byteCount, time...time)
                }
            }
        }
        if first == nil { cleared[writer, default: []].append(value) }
        let reader = graph.soleReader(of: value)
        switch reader.map({ steps[$0].gradientPlace }) ?? .own {
        case .input: gradient[value] = backward[value]
        case .outputGradient: gradient[value] = reader.flatMap { gradient[graph.nodes[$0].outputs[0]] }
        case .own: gradient[value] = add(byteCount, min(first ?? read, read)...read)
        }
        extend(gradient[value], to: read)
    }

    // MARK: Scratch

    private mutating func planScratch() {
        for (position, step) in steps.enumerated() {
            // Steps that run again do so in turn: the largest decides.
            let again = repeated[position]?.map { steps[$0].forwardScratch.shared }.max() ?? 0
            let (before, time) = (repeatTime(position), backwardTime(position))
            shared.append(
                (
                    add(step.forwardScratch.shared, position...position),
                    add(again, before...before),
                    add(runsBackward ? step.backwardScratch.shared : 0, time...time)
                )
            )
        }
    }

    private mutating func extend(_ buffer: Int?, to time: Int) {
        guard let buffer else { return }
        let old = buffers[buffer].lifetime
        buffers[buffer].lifetime = min(old.lowerBound, time)...max(old.upperBound, time)
    }

    /// Whether the gradient of any output is wanted.
    private func hasGradient(_ node: Int) -> Bool {
        graph.nodes[node].outputs.contains { values[$0].needsGradient }
    }

    /// The nodes that run backward, in their order.
    var backwardNodes: [Int] { runsBackward ? graph.nodes.indices.reversed().filter(hasGradient) : [] }

    /// The number of the stage to which each node belongs: a stage is a run of nodes that work at one resolution. A pooling belongs to the
    /// stage that it ends, an unpooling to the one that it begins.
    private var stages: [Int] {
        var stage = 0
        var last: Int?
        return graph.nodes.map { node in
            let pixels = (node.inputs + node.outputs).map { values[$0].height * values[$0].width }.max() ?? 0
            if let last, last != pixels { stage += 1 }
            last = pixels
            return stage
        }
    }
}
