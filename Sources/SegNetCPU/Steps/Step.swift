import CSegNetKernels
import SegNetGraph
import SegNetPlatform

/// A node of the graph at one size: how it runs, and how its gradient runs. Each kind stands once in this folder, for running and for
/// learning. A value, so that plans are immutable and `Sendable`.
protocol Step: Sendable {
    /// Scratch of each pass.
    var forwardScratch: ScratchBytes { get }
    var backwardScratch: ScratchBytes { get }

    /// Whether the outputs are made again for the backward pass in any case: that costs less than keeping them.
    var isCheap: Bool { get }

    /// The values that `backward` reads, in addition to the gradients of the outputs.
    var backwardReads: [ValueID] { get }

    /// Where the gradient of the first input lies, if only this step reads that input.
    var gradientPlace: GradientPlace { get }

    /// Writes the outputs, on all threads, and returns when done. Cannot fail: everything was checked when the plan was made. During the
    /// backward pass once more, to the same bits: that must not change what the step remembers, such as statistics.
    func forward(_ run: Run)

    /// From the gradients of the outputs: adds to the parameters' gradients, writes the inputs' gradients where they are wanted.
    func backward(_ run: Run, _ gradients: Gradients)
}

extension Step {
    var forwardScratch: ScratchBytes { ScratchBytes() }
    var backwardScratch: ScratchBytes { ScratchBytes() }
    var isCheap: Bool { false }
    var backwardReads: [ValueID] { [] }
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

/// What a step needs to run: the threads with their kernels, and where everything lies.
struct Run {
    let crew: Crew
    /// By value.
    let values: [Value]
    /// Pictures in the batch: 1, unless the network learns.
    let pictures: Int
    let arena: UnsafeMutableRawPointer
    /// By value: bytes from the beginning of the arena to its first picture.
    let offsets: [Int]
    /// All packed weights, or all parameters that learn.
    let weights: UnsafeMutableRawPointer
    /// Seed of this run's dropout masks; nil: dropout is idle.
    var dropoutSeed: UInt64?
    /// What learning needs in addition; nil where the network only runs.
    var learning: LearningMemory?
    /// The place of the first picture, in a batch that several ranks share.
    var firstPicture = 0

    var kernels: sn_kernels { crew.kernels }
    var pool: ThreadPool { crew.pool }

    /// The same run with other shared scratch.
    func sharing(_ shared: UnsafeMutableRawPointer) -> Run {
        Run(
            crew: crew.sharing(shared),
            values: values,
            pictures: pictures,
            arena: arena,
            offsets: offsets,
            weights: weights,
            dropoutSeed: dropoutSeed,
            learning: learning,
            firstPicture: firstPicture
        )
    }

    /// The seed of one dropout layer's mask for one picture.
    func maskSeed(_ stream: UInt64, picture: Int) -> UInt64? {
        dropoutSeed.map { seed in
            var random = RandomNumbers(seed: seed, stream: stream | UInt64(firstPicture + picture))
            return random.next()
        }
    }

    func floats(at offset: Int) -> UnsafeMutablePointer<Float> {
        (weights + offset).assumingMemoryBound(to: Float.self)
    }

    // MARK: Values of one picture

    func data(_ value: ValueID, picture: Int = 0) -> UnsafeMutableRawPointer {
        arena + offsets[value] + picture * values[value].byteCount
    }

    /// A value that is stored in blocks as float32.
    func map(_ value: ValueID, picture: Int = 0) -> sn_map { sn_map(values[value], at: data(value, picture: picture)) }

    func thin(_ value: ValueID, picture: Int = 0) -> sn_thin {
        let shape = values[value]
        return sn_thin(
            data: data(value, picture: picture).assumingMemoryBound(to: Float.self),
            channels: shape.channels,
            height: shape.height,
            width: shape.width
        )
    }

    func indices(_ value: ValueID, picture: Int = 0) -> sn_indices {
        let shape = values[value]
        return sn_indices(
            data: data(value, picture: picture).assumingMemoryBound(to: UInt32.self),
            blocks: shape.blocks,
            height: shape.height,
            width: shape.width
        )
    }

    func classIDs(_ value: ValueID, picture: Int = 0) -> UnsafeMutablePointer<UInt16> {
        data(value, picture: picture).assumingMemoryBound(to: UInt16.self)
    }

    // MARK: Work

    /// Calls `body(block, picture, rows)` for items of a value of all pictures.
    func forEachItem(_ value: ValueID, _ body: (_ block: Int, _ picture: Int, _ rows: Range<Int>) -> Void) {
        forEachItemWithScratch(value) { body($1, $2, $3) }
    }

    /// The same, with the worker whose scratch may be used.
    func forEachItemWithScratch(
        _ value: ValueID,
        _ body: (_ worker: Int, _ block: Int, _ picture: Int, _ rows: Range<Int>) -> Void
    ) {
        let shape = values[value]
        crew.forEachItemWithScratch(blocks: shape.blocks * pictures, height: shape.height, width: shape.width) {
            body($0, $1 % shape.blocks, $1 / shape.blocks, $2..<$3)
        }
    }

    /// The same for layers that look across channels.
    func forEachRows(_ value: ValueID, _ body: (_ picture: Int, _ rows: Range<Int>) -> Void) {
        let shape = values[value]
        crew.forEachItem(blocks: pictures, height: shape.height, width: shape.width * shape.blocks) {
            body($0, $1..<$2)
        }
    }

    /// The numbers of a blocked map, [C][H][W].
    func planar(_ value: ValueID, picture: Int = 0) -> [Float] {
        let shape = values[value]
        let map = map(value, picture: picture)
        return [Float](unsafeUninitializedCapacity: shape.channels * shape.height * shape.width) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            crew.forEachItem(blocks: 1, height: shape.height, width: shape.width) {
                kernels.unblock(map, channels: shape.channels, to: target, $1..<$2)
            }
            count = shape.channels * shape.height * shape.width
        }
    }

    /// Zeroes the padding channels of rows.
    func clearPadding(_ value: ValueID, picture: Int, _ rows: Range<Int>) {
        let shape = values[value]
        guard shape.channels % 16 != 0 else { return }
        let map = map(value, picture: picture)
        guard let data = map.data else { return }
        let block = data + (map.blocks - 1) * map.block_stride
        for pixel in rows.lowerBound * map.width..<rows.upperBound * map.width {
            for lane in shape.channels % 16..<16 { block[pixel * 16 + lane] = 0 }
        }
    }
}

/// The memory that steps need in addition where the network learns.
struct LearningMemory {
    /// Statistics of batch normalisation and constant vectors; see `VectorSpace`.
    let vectors: UnsafeMutablePointer<Float>
    /// As many as the widest map has channels, whole blocks.
    let zeros: UnsafePointer<Float>
    let ones: UnsafePointer<Float>
    let statistics: BatchStatistics
    /// In the backward pass values that were not kept are made again.
    let isBackward: Bool
    /// Numbers that were too large for 16 bits, one count for each worker: see `Run.store`.
    let beyond: UnsafeMutablePointer<Int>
    /// The other ranks that learn from the same batch; nil if there are none.
    var exchange: RankExchange?

    /// Counts of workers lie in cache lines of their own.
    static let countStride = 16
}

/// Where gradients lie while a step runs backward.
struct Gradients {
    private let values: [Value]
    private let arena: UnsafeMutableRawPointer
    /// By value.
    private let offsets: [Int]
    /// By number of the running node's input: where its gradient is written, if not to the value's.
    private let targets: [Int?]
    /// All parameters' gradients.
    let parameters: UnsafeMutablePointer<Float>
    let memory: LearningMemory

    init(_ run: Run, offsets: [Int], targets: [Int?], parameters: UnsafeMutablePointer<Float>, memory: LearningMemory) {
        values = run.values
        arena = run.arena
        self.offsets = offsets
        self.targets = targets
        self.parameters = parameters
        self.memory = memory
    }

    /// Whether the gradient of a value is wanted.
    func wants(_ value: ValueID) -> Bool { values[value].needsGradient }

    /// The gradient of a value, of one picture.
    func map(_ value: ValueID, picture: Int) -> sn_map { map(value, at: offsets[value], picture) }

    /// Where the running node writes the gradient of its input number `number`: to the value's gradient, or to memory of its own where
    /// several layers read the value and their gradients are added.
    func target(_ value: ValueID, number: Int = 0, picture: Int) -> sn_map {
        map(value, at: targets[number] ?? offsets[value], picture)
    }

    private func map(_ value: ValueID, at offset: Int, _ picture: Int) -> sn_map {
        let shape = values[value]
        return sn_map(shape, at: arena + offset + picture * shape.gradientByteCount)
    }

    /// Sets the gradient of a value to 0.
    func clear(_ value: ValueID, _ run: Run) {
        for picture in 0..<run.pictures { MapView(map(value, picture: picture)).clear() }
    }

    /// Adds what the running node wrote separately to the gradients of its inputs.
    func collect(_ inputs: [ValueID], _ run: Run) {
        for (number, value) in inputs.enumerated() where targets[number] != nil {
            run.forEachItem(value) { block, picture, rows in
                let sum = map(value, picture: picture)
                run.kernels.add(sum, target(value, number: number, picture: picture), to: sum, block, rows)
            }
        }
    }
}

extension sn_map {
    /// The map of a value's shape at an address.
    init(_ shape: Value, at address: UnsafeMutableRawPointer) {
        self.init(
            data: address.assumingMemoryBound(to: Float.self),
            blocks: shape.blocks,
            height: shape.height,
            width: shape.width,
            rows: shape.rows,
            block_stride: shape.rows * shape.width * 16
        )
    }
}
