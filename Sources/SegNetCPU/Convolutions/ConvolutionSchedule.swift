import CSegNetKernels
import SegNetPlatform

/// A convolution at one size, for any number of pictures: which thread computes what, and in which order. Inference and training run
/// the same ones.
protocol ConvolutionSchedule: Sendable, CustomStringConvertible {
    /// Bytes of scratch that all threads share while it runs.
    var sharedBytes: Int { get }
    /// Bytes of scratch for each thread.
    var threadBytes: Int { get }
    /// Runs on all threads of the crew and returns when done. Cannot fail: sizes were checked when plans were made.
    /// - Parameters:
    ///   - pictures: As many as the geometry says.
    ///   - weights: This layer's packed weights.
    func run(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew)

    /// How the convolution's output, before pooling, can be computed a group of rows at a time; nil if the schedule wants the whole
    /// input first. Rows of a group are computed from the input rows that their windows reach, and give the same numbers as a whole run.
    var rowGroups: RowGroups? { get }
    /// Makes ready on all threads what the groups of one picture share, and returns what computes them.
    func begin(_ picture: ConvolutionPicture, weights: UnsafeMutableRawPointer, on crew: Crew) -> RowGroupBody
}

/// One picture's maps of a convolution.
struct ConvolutionPicture {
    /// The input: the map, or the pooled map of an unpooled one that never exists. Unused if `thin` is.
    var input: sn_map = .none
    /// The input of a layer that reads a thin map.
    var thin = sn_thin(data: nil, channels: 0, height: 0, width: 0)
    /// The pooling indices of `input`, where the convolution reads an unpooled map.
    var indices: sn_indices = .none
    /// What happens to the sums.
    var epilogue: sn_epilogue
}

/// The sizes of a convolution's maps, for which a schedule is made.
struct ConvolutionGeometry: Sendable {
    let plan: ConvolutionPlan
    /// How many pictures are computed at once.
    var pictures = 1
    /// The size of the map that the convolution reads; where it unpools as it reads, that of the unpooled map.
    let inputHeight: Int
    let inputWidth: Int
    /// The size of the convolution's own output, before pooling.
    let height: Int
    let width: Int

    /// The schedule of the plan's algorithm.
    func schedule(kernels: sn_kernels) -> any ConvolutionSchedule {
        if let algorithm = plan.rowAlgorithm { return RowConvolution(self, algorithm: algorithm, kernels: kernels) }
        return switch plan.algorithm {
        case .winograd(let variant): WinogradConvolution(self, variant: variant, kernels: kernels)
        case .gather, .gatherThin: GatherConvolution(self, kernels: kernels)
        case .depthwise: DepthwiseConvolution(geometry: self)
        }
    }
}

/// Threads with their kernels and their scratch.
struct Crew {
    let kernels: sn_kernels
    let pool: ThreadPool
    /// Scratch that all threads share.
    let shared: UnsafeMutableRawPointer
    let threadScratch: UnsafeMutableRawPointer
    let threadStride: Int

    /// The same threads with other shared scratch.
    func sharing(_ shared: UnsafeMutableRawPointer) -> Crew {
        Crew(kernels: kernels, pool: pool, shared: shared, threadScratch: threadScratch, threadStride: threadStride)
    }

    /// The scratch of one worker.
    func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> {
        (threadScratch + worker * threadStride).assumingMemoryBound(to: Float.self)
    }

    /// Calls `body(block, first row, last row)` for items of a map: small enough to balance the threads, large enough (about
    /// 64 KiB, a few microseconds) that claiming one costs nothing.
    func forEachItem(blocks: Int, height: Int, width: Int, _ body: (Int, Int, Int) -> Void) {
        forEachItemWithScratch(blocks: blocks, height: height, width: width) { body($1, $2, $3) }
    }

    /// The same, with the number of the worker, whose scratch may be used.
    func forEachItemWithScratch(blocks: Int, height: Int, width: Int, _ body: (Int, Int, Int, Int) -> Void) {
        let rows = max(1, min(height, Self.mostPixels(width: width) / max(1, width)))
        let items = (height + rows - 1) / rows
        pool.forEach(blocks * items) { worker, index in
            let first = index % items * rows
            body(worker, index / items, first, min(height, first + rows))
        }
    }

    /// Pixels of the largest item of a map: of one row, if that is longer than an item.
    static func mostPixels(width: Int) -> Int { max(width, 1024) }
}

/// No map: for epilogues that only pool, or only store.
extension sn_map {
    static var none: sn_map {
        sn_map(data: nil, blocks: 0, height: 0, width: 0, rows: 0, block_stride: 0)
    }
}

extension sn_indices {
    static var none: sn_indices { sn_indices(data: nil, blocks: 0, height: 0, width: 0) }
}
