import CSegNetKernels
import SegNetInference
import SegNetTensors

/// A node of the training graph at one size: how it runs forward, and how its gradient runs. One file a kind in this folder.
protocol TrainingStep: Sendable {
    /// Scratch of each pass.
    var forwardScratch: ScratchBytes { get }
    var backwardScratch: ScratchBytes { get }

    /// Whether the outputs are made again for the backward pass in any case: that costs less than keeping them.
    var isCheap: Bool { get }

    /// The values that `backward` reads, beside the gradients of the outputs.
    var backwardReads: [Int] { get }

    /// Where the gradient of the first input lies, if only this step reads that input.
    var gradientPlace: GradientPlace { get }

    /// Writes the outputs. During the backward pass (`run.pass`) once more, to the same bits: that must not change what the step
    /// remembers, such as statistics.
    func forward(_ run: TrainingRun)
    /// From the gradients of the outputs: adds to the parameters' gradients, writes the inputs' gradients where they are wanted.
    func backward(_ run: TrainingRun)
}

extension TrainingStep {
    var forwardScratch: ScratchBytes { ScratchBytes() }
    var backwardScratch: ScratchBytes { ScratchBytes() }
    var isCheap: Bool { false }
    var backwardReads: [Int] { [] }
    var gradientPlace: GradientPlace { .own }
}

/// Which memory a gradient takes.
enum GradientPlace: Sendable {
    case own
    /// The input's, which nothing reads after this step.
    case input
    /// That of the output's gradient, which nothing reads after this step.
    case outputGradient
}

/// Bytes of scratch.
struct ScratchBytes: Sendable {
    /// For all threads together.
    var shared = 0
    /// For each.
    var thread = 0
}

/// What a step needs to run: threads, where every value lies, parameters and their gradients.
struct TrainingRun {
    let crew: Crew
    let plan: TrainingPlan
    let arena: UnsafeMutableRawPointer
    /// All parameters and all gradients; ranges say where which lies.
    let parameters: UnsafeMutablePointer<Float>
    let gradients: UnsafeMutablePointer<Float>
    /// Statistics of batch normalisation and constant vectors; see `VectorSpace`.
    let vectors: UnsafeMutablePointer<Float>
    let batchStatistics: BatchStatistics
    /// Seed of this step's dropout; nil where dropout is idle.
    let dropoutSeed: UInt64?
    /// The node that runs.
    let node: Int
    /// In which values are read and written: one that is not kept lies elsewhere in the backward pass.
    let pass: Pass
    /// Numbers that were too large for 16 bits, one count a worker: see `store`.
    let beyond: UnsafeMutablePointer<Int>

    var kernels: sn_kernels { crew.kernels }
    var pictures: Int { plan.batchSize }
    var dropsOut: Bool { dropoutSeed != nil }

    /// The seed of one layer's mask for one picture.
    func dropoutSeed(_ layer: Int, _ picture: Int) -> UInt64 {
        var random = RandomNumbers(seed: dropoutSeed ?? 0, stream: UInt64(layer) << 32 | UInt64(picture))
        return random.next()
    }

    enum Pass { case forward, backward }

    func data(_ value: Int, picture: Int) -> UnsafeMutableRawPointer {
        arena + plan.offset(value, pass) + picture * plan.graph.values[value].byteCount
    }

    /// A value of one picture, which is stored as float32.
    func map(_ value: Int, picture: Int) -> sn_map {
        sn_map(plan.graph.values[value], at: data(value, picture: picture))
    }

    /// The gradient of a value, of one picture.
    func gradient(_ value: Int, picture: Int) -> sn_map {
        let shape = plan.graph.values[value]
        return sn_map(shape, at: arena + plan.gradientOffset(value) + picture * shape.gradientByteCount)
    }

    /// Where the running node writes the gradient of its input number `number`: to the value's gradient, or beside it where
    /// several layers read the value and their gradients are added.
    func target(_ value: Int, number: Int = 0, picture: Int) -> sn_map {
        let shape = plan.graph.values[value]
        let offset = plan.targetOffset(node: node, number: number) ?? plan.gradientOffset(value)
        return sn_map(shape, at: arena + offset + picture * shape.gradientByteCount)
    }

    func thin(_ value: Int, picture: Int) -> sn_thin {
        let shape = plan.graph.values[value]
        return sn_thin(
            data: data(value, picture: picture).assumingMemoryBound(to: Float.self),
            channels: shape.channels,
            height: shape.height,
            width: shape.width
        )
    }

    func indices(_ value: Int, picture: Int) -> sn_indices {
        let shape = plan.graph.values[value]
        return sn_indices(
            data: data(value, picture: picture).assumingMemoryBound(to: UInt32.self),
            blocks: shape.blocks,
            height: shape.height,
            width: shape.width
        )
    }

    /// Calls `body(block, picture, first row, last row)` for pieces of a value of all pictures.
    func forEachPiece(_ value: Int, _ body: (_ block: Int, _ picture: Int, _ first: Int, _ last: Int) -> Void) {
        let shape = plan.graph.values[value]
        crew.forEachPiece(blocks: shape.blocks * pictures, height: shape.height, width: shape.width) {
            body($0 % shape.blocks, $0 / shape.blocks, $1, $2)
        }
    }

    /// The same, with the worker whose scratch may be used.
    func forEachPieceWithScratch(
        _ value: Int,
        _ body: (_ worker: Int, _ block: Int, _ picture: Int, _ first: Int, _ last: Int) -> Void
    ) {
        let shape = plan.graph.values[value]
        crew.forEachPieceWithScratch(blocks: shape.blocks * pictures, height: shape.height, width: shape.width) {
            body($0, $1 % shape.blocks, $1 / shape.blocks, $2, $3)
        }
    }

    /// The same for layers that look across channels.
    func forEachRows(_ value: Int, _ body: (_ picture: Int, _ first: Int, _ last: Int) -> Void) {
        let shape = plan.graph.values[value]
        crew.forEachPiece(blocks: pictures, height: shape.height, width: shape.width * shape.blocks, body)
    }
}

extension sn_map {
    /// The map of a value's shape at an address.
    init(_ shape: TrainingValue, at address: UnsafeMutableRawPointer) {
        self.init(
            data: address.assumingMemoryBound(to: Float.self),
            blocks: shape.blocks,
            height: shape.height,
            width: shape.width,
            rows: shape.height,
            block_stride: shape.height * shape.width * 16
        )
    }
}

/// Sums over the pixels of a batch, in float64, in an order that does not depend on the number of threads: each piece of rows has
/// sums of its own, which are added up in turn.
struct BatchSums {
    let value: Int
    let pictures: Int
    let blocks: Int
    let height: Int
    let rows: Int
    let pieces: Int
    /// Sums a block of a piece leaves: two for each of 16 lanes.
    static let width = 32

    init(value: Int, shape: TrainingValue, pictures: Int) {
        self.value = value
        self.pictures = pictures
        blocks = shape.blocks
        height = shape.height
        rows = max(1, min(shape.height, 2048 / max(1, shape.width)))
        pieces = (shape.height + rows - 1) / rows
    }

    var byteCount: Int { pieces * pictures * blocks * Self.width * 8 }

    /// - Parameters:
    ///   - scratch: `byteCount` bytes.
    ///   - body: Adds to the 32 sums of (block, picture, first row, last row).
    /// - Returns: [blocks * 16] sums of the first kind and of the second.
    func run(
        _ crew: Crew,
        scratch: UnsafeMutableRawPointer,
        _ body: (
            _ worker: Int, _ block: Int, _ picture: Int, _ first: Int, _ last: Int, _ sums: UnsafeMutablePointer<Double>
        ) -> Void
    ) -> (first: [Double], second: [Double]) {
        let partial = scratch.assumingMemoryBound(to: Double.self)
        crew.pool.forEach(pieces * pictures * blocks) { worker, index in
            let sums = partial + index * Self.width
            for i in 0..<Self.width { sums[i] = 0 }
            let piece = index % pieces
            let (block, picture) = (index / pieces % blocks, index / pieces / blocks)
            body(worker, block, picture, piece * rows, min(height, (piece + 1) * rows), sums)
        }
        var first = [Double](repeating: 0, count: blocks * 16)
        var second = first
        for index in 0..<pieces * pictures * blocks {
            let block = index / pieces % blocks
            for lane in 0..<16 {
                first[block * 16 + lane] += partial[index * Self.width + lane]
                second[block * 16 + lane] += partial[index * Self.width + 16 + lane]
            }
        }
        return (first, second)
    }
}
