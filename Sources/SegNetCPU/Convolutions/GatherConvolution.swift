import CSegNetKernels
import SegNetGraph
import SegNetPlatform

/// A convolution as matrix products over gathered windows ("implicit GEMM"): any window, stride, dilation, groups; also transposed.
///
/// A thread takes a rectangle of output pixels, gathers their windows into rows in the order in which the micro-kernel reads them, and
/// multiplies them by one panel of weights after the other. The gathered rows stay in its second-level cache; a line is
/// copied once and used for all outputs. Every product of the convolution is formed, in a fixed order: taps row by row, channels inside.
///
/// Where the weights are too large for the caches (the fully connected layers of FCN), reading them is what takes the time. There the
/// rectangle fills a thread's part of the third-level cache, a panel stays in the second-level cache, and a thread computes only some
/// panels: the weights are read a few times instead of dozens of times, and the threads share even a single pixel's work.
struct GatherConvolution: ConvolutionSchedule {
    private let geometry: ConvolutionGeometry
    private let kernels: sn_kernels
    private let jobs: [Job]
    private let deepest: Int
    private let mostPixels: Int

    /// One unit of the plan and how its output is cut into rectangles.
    private struct Job: Sendable {
        var unit: ConvolutionUnit
        /// The size of the unit's output; a phase of a transposed convolution computes every stride-th pixel.
        var height: Int
        var width: Int
        var rowsPerItem: Int
        var itemsDown: Int
        var itemsAcross: Int
        /// How the panels of weights are shared out: so many items compute a rectangle together.
        var panelGroups: Int

        /// Items of a row of rectangles.
        var itemsPerRow: Int { itemsAcross * panelGroups }
    }

    /// Bytes of gathered rows: half of a 1 MiB second-level cache, panels of weights stream past them.
    private static let cacheBytes = 400 << 10
    /// Weights of more bytes do not stay in a third-level cache; rectangles of `largeCacheBytes` then pay off. Those of SegNet's
    /// convolutions have at most 9 MiB, for which the smaller rectangles are 4 to 7 % faster.
    private static let heavyWeights = 16 << 20
    /// Bytes of gathered rows there: a thread's part of a third-level cache, as most processors have it.
    private static let largeCacheBytes = 4 << 20
    /// Items of a rectangle, and the fewest panels of each: every item gathers the windows anew.
    private static let mostPanelGroups = 16
    private static let fewestPanels = 4
    /// Beyond this many pixels nothing is gained, and small pictures would give too few items to balance the threads.
    private static let largestItem = 240

    init(_ geometry: ConvolutionGeometry, kernels: sn_kernels) {
        self.geometry = geometry
        self.kernels = kernels
        let isPooled = geometry.plan.node.isPooled
        var jobs: [Job] = []
        for unit in geometry.plan.units {
            let height = (geometry.height - unit.offsetY + unit.stepY - 1) / unit.stepY
            let width = (geometry.width - unit.offsetX + unit.stepX - 1) / unit.stepX
            guard height > 0, width > 0 else { continue }
            let isHeavy = unit.weightCount * 4 > Self.heavyWeights
            let cacheBytes = isHeavy ? Self.largeCacheBytes : Self.cacheBytes
            let fitting = max(kernels.micro_tile, min(Self.largestItem, cacheBytes / (unit.depth * 4)))
            let panelCount = panels(outputBlocks: unit.outputBlocks, panel: kernels.panel).count
            let groups = isHeavy ? max(1, min(Self.mostPanelGroups, panelCount / Self.fewestPanels)) : 1
            let rows = isPooled ? 2 : max(1, min(height, fitting / width))
            let across = (width * min(rows, height) + fitting - 1) / fitting
            jobs.append(
                Job(
                    unit: unit,
                    height: height,
                    width: width,
                    rowsPerItem: rows,
                    itemsDown: (height + rows - 1) / rows,
                    itemsAcross: max(1, min(across, isPooled ? (width + 1) / 2 : width)),
                    panelGroups: groups
                )
            )
        }
        self.jobs = jobs
        deepest = jobs.map(\.unit.depth).max() ?? 0
        mostPixels =
            jobs.map { job in
                job.rowsPerItem * ((job.width + job.itemsAcross - 1) / job.itemsAcross + 1)
            }.max() ?? 0
    }

    var description: String { "\(mostPixels) pixels at a time" }

    private var isHalf: Bool { geometry.plan.precision == .float16 }

    /// Float16 weights are widened before the products, the whole layer at once.
    var sharedBytes: Int { isHalf ? geometry.plan.units.reduce(0) { $0 + $1.weightCount } * 4 : 0 }

    var threadBytes: Int { mostPixels * (deepest + kernels.panel) * 4 }

    /// The weights as float32.
    private func wholeWeights(_ packed: UnsafeMutableRawPointer, on crew: Crew) -> UnsafePointer<Float> {
        guard isHalf else { return UnsafePointer(packed.assumingMemoryBound(to: Float.self)) }
        let half = packed.assumingMemoryBound(to: UInt16.self)
        let whole = crew.shared.assumingMemoryBound(to: Float.self)
        let count = geometry.plan.units.reduce(0) { $0 + $1.weightCount }
        let size = 1 << 16
        crew.pool.forEach((count + size - 1) / size) { _, index in
            let start = index * size
            crew.kernels.widen(half + start, whole + start, min(size, count - start))
        }
        return UnsafePointer(whole)
    }

    /// Phases of a transposed convolution write every few rows; groups of them would have to be woven together.
    var rowGroups: RowGroups? {
        guard jobs.count == 1, let job = jobs.first, job.unit.stepY == 1, job.unit.offsetY == 0 else { return nil }
        return RowGroups(rows: job.rowsPerItem, height: job.height, items: job.itemsPerRow)
    }

    func begin(_ picture: ConvolutionPicture, weights packed: UnsafeMutableRawPointer, on crew: Crew) -> RowGroupBody {
        let weights = wholeWeights(packed, on: crew)
        guard let job = jobs.first else { return { _, _, _ in } }
        return { worker, group, item in
            var picture = picture
            run(
                job,
                item: group * job.itemsPerRow + item,
                &picture,
                scratch: crew.scratch(worker),
                weights: weights + job.unit.weightStart
            )
        }
    }

    func run(_ pictures: [ConvolutionPicture], weights packed: UnsafeMutableRawPointer, on crew: Crew) {
        let weights = wholeWeights(packed, on: crew)
        for job in jobs {
            let rectangles = job.itemsDown * job.itemsAcross
            let items = rectangles * job.panelGroups
            crew.pool.forEach(items * pictures.count) { worker, index in
                var picture = pictures[index / items]
                // All rectangles of a group of panels, then the next group: its weights are still in a cache.
                let (group, rectangle) = (index % items).quotientAndRemainder(dividingBy: rectangles)
                run(
                    job,
                    item: rectangle * job.panelGroups + group,
                    &picture,
                    scratch: crew.scratch(worker),
                    weights: weights + job.unit.weightStart
                )
            }
        }
    }

    private func run(
        _ job: Job,
        item: Int,
        _ picture: inout ConvolutionPicture,
        scratch: UnsafeMutablePointer<Float>,
        weights: UnsafePointer<Float>
    ) {
        let unit = job.unit
        let (rectangle, group) = item.quotientAndRemainder(dividingBy: job.panelGroups)
        let firstRow = rectangle / job.itemsAcross * job.rowsPerItem
        let rows = min(job.rowsPerItem, job.height - firstRow)
        // Pooled items begin at even columns.
        let grain = geometry.plan.node.isPooled ? 2 : 1
        let columns = (job.width + grain - 1) / grain
        let across = rectangle % job.itemsAcross
        let left = across * columns / job.itemsAcross * grain
        let right = min(job.width, (across + 1) * columns / job.itemsAcross * grain)
        var pixels = sn_pixels(
            y: firstRow,
            x: left,
            width: right - left,
            count: rows * (right - left),
            step_y: unit.stepY,
            step_x: unit.stepX,
            offset_y: unit.offsetY,
            offset_x: unit.offsetX
        )
        var tiles = sn_tiles(data: scratch, tiles: pixels.count, depth: unit.depth, depth_block: kernels.depth_block)
        let products = scratch + mostPixels * deepest
        for micro in 0..<(pixels.count + kernels.micro_tile - 1) / kernels.micro_tile {
            geometry.pack(unit, &picture, &pixels, &tiles, micro: micro, kernels: kernels)
        }
        let all = panels(outputBlocks: unit.outputBlocks, panel: kernels.panel)
        var panelWeights = weights
        for (number, (block, columns)) in all.enumerated() {
            if number * job.panelGroups / all.count == group {
                kernels.gemm(&tiles, panelWeights, columns, products)
                kernels.store(products, columns, &pixels, block, &picture.epilogue)
            }
            panelWeights += unit.depth * columns
        }
    }
}

extension ConvolutionGeometry {
    /// Gathers the windows of a micro tile from whatever the convolution reads.
    func pack(
        _ unit: ConvolutionUnit,
        _ picture: inout ConvolutionPicture,
        _ pixels: inout sn_pixels,
        _ tiles: inout sn_tiles,
        micro: Int,
        kernels: sn_kernels
    ) {
        var window = unit.window
        let (first, last) = (unit.inputBlocks.lowerBound, unit.inputBlocks.upperBound)
        if plan.algorithm == .gatherThin {
            kernels.pack_thin(&picture.thin, &window, &pixels, &tiles, micro)
        } else if plan.node.readsUnpooled {
            kernels.pack_unpooled(
                &picture.input,
                &picture.indices,
                inputHeight,
                inputWidth,
                &window,
                &pixels,
                &tiles,
                micro,
                first,
                last
            )
        } else {
            kernels.pack(&picture.input, &window, &pixels, &tiles, micro, first, last)
        }
    }
}
