import CSegNetKernels
import SegNetTensors

/// One step of a plan: a kernel or a schedule of kernels over whole maps. A value, so that plans are immutable and `Sendable`.
protocol Step: Sendable {
    /// Bytes of scratch that all threads share while the step runs.
    var sharedBytes: Int { get }
    /// Bytes of scratch for each thread.
    var threadBytes: Int { get }
    /// Runs on all threads of the workspace and returns when done. Cannot fail: everything was checked when the plan was made.
    func run(_ run: Run)
}

extension Step {
    var sharedBytes: Int { 0 }
    var threadBytes: Int { 0 }
}

/// Where a value lies during a run.
struct ValuePlacement: Sendable, Hashable {
    var layout: ValueLayout
    var channels: Int
    var height: Int
    var width: Int
    /// Rows that exist at a time, if the map is a ring between two steps of a chain; nil: all.
    var ringRows: Int?
    /// Bytes from the beginning of the arena.
    var offset = 0

    var blocks: Int { blockCount(channels) }
    /// Rows that exist at a time: row y of a blocked map lies at y % rows.
    var rows: Int { ringRows ?? height }

    var byteCount: Int {
        switch layout {
        case .thin: saturatingProduct(channels, height, width, 4)
        case .blocked: saturatingProduct(blocks, rows, width, 64)
        case .indices: saturatingProduct(blocks, height, width, 4)
        case .classIDs: saturatingProduct(height, width, 2)
        }
    }
}

/// What a step needs to run: the kernels, the threads, and where everything lies.
struct Run {
    let crew: Crew
    let placements: [ValuePlacement]
    let arena: UnsafeMutableRawPointer
    let weights: UnsafeMutableRawPointer
    /// Of the Monte-Carlo sample's dropout masks; nil: dropout is idle.
    let sampleSeed: UInt64?

    var kernels: sn_kernels { crew.kernels }
    var pool: ThreadPool { crew.pool }
    var shared: UnsafeMutableRawPointer { crew.shared }
    func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> { crew.scratch(worker) }

    func map(_ value: ValueID) -> sn_map {
        let place = placements[value.index]
        return sn_map(
            data: (arena + place.offset).assumingMemoryBound(to: Float.self),
            blocks: place.blocks,
            height: place.height,
            width: place.width,
            rows: place.rows,
            block_stride: place.rows * place.width * 16
        )
    }

    func thin(_ value: ValueID) -> sn_thin {
        let place = placements[value.index]
        return sn_thin(
            data: (arena + place.offset).assumingMemoryBound(to: Float.self),
            channels: place.channels,
            height: place.height,
            width: place.width
        )
    }

    func indices(_ value: ValueID) -> sn_indices {
        let place = placements[value.index]
        return sn_indices(
            data: (arena + place.offset).assumingMemoryBound(to: UInt32.self),
            blocks: place.blocks,
            height: place.height,
            width: place.width
        )
    }

    func classIDs(_ value: ValueID) -> UnsafeMutablePointer<UInt16> {
        (arena + placements[value.index].offset).assumingMemoryBound(to: UInt16.self)
    }

    /// The same run with other shared scratch.
    func sharing(_ shared: UnsafeMutableRawPointer) -> Run {
        Run(
            crew: crew.sharing(shared),
            placements: placements,
            arena: arena,
            weights: weights,
            sampleSeed: sampleSeed
        )
    }

    func forEachPiece(blocks: Int, height: Int, width: Int, _ body: (Int, Int, Int) -> Void) {
        crew.forEachPiece(blocks: blocks, height: height, width: width, body)
    }
}

/// Pointers to three values at once, without three closures.
@inline(__always)
func withUnsafePointers<A, B, C, Result>(
    _ a: inout A,
    _ b: inout B,
    _ c: inout C,
    _ body: (UnsafePointer<A>, UnsafePointer<B>, UnsafePointer<C>) -> Result
) -> Result {
    withUnsafePointer(to: &a) { a in withUnsafePointer(to: &b) { b in withUnsafePointer(to: &c) { c in body(a, b, c) } }
    }
}
