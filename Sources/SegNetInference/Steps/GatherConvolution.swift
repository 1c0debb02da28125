import CSegNetKernels
import SegNetNetworks
import SegNetTensors

/// A convolution as matrix products over gathered windows ("implicit GEMM"): any window, stride, dilation, groups; also transposed.
///
/// A thread takes a rectangle of output pixels, gathers their windows into rows in the order in which the micro-kernel reads them, and
/// multiplies them by one panel of weights after the other. The gathered rows stay in its second-level cache; a line is
/// copied once and used for all outputs. Every product of the convolution is formed, in a fixed order: taps row by row, channels inside.
struct GatherConvolution: Step {
    private let geometry: ConvolutionGeometry
    private let kernels: sn_kernels
    private let jobs: [Job]
    private let deepest: Int
    private let mostPixels: Int

    /// One unit of the plan and how its output is cut into rectangles.
    private struct Job: Sendable {
        var unit: ConvolutionUnit
        /// Of the unit's output: for a phase of a transposed convolution every stride-th pixel.
        var height: Int
        var width: Int
        var rowsPerPiece: Int
        var piecesDown: Int
        var piecesAcross: Int
    }

    /// Bytes of gathered rows: half of a 1 MiB second-level cache, panels of weights stream past them.
    private static let cacheBytes = 400 << 10
    /// Beyond this many pixels nothing is gained, and small pictures would give too few pieces to balance the threads.
    private static let largestPiece = 240

    init(_ geometry: ConvolutionGeometry, kernels: sn_kernels) {
        self.geometry = geometry
        self.kernels = kernels
        let isPooled = geometry.plan.node.isPooled
        var jobs: [Job] = []
        for unit in geometry.plan.units {
            let height = (geometry.height - unit.offsetY + unit.stepY - 1) / unit.stepY
            let width = (geometry.width - unit.offsetX + unit.stepX - 1) / unit.stepX
            guard height > 0, width > 0 else { continue }
            let fitting = max(kernels.micro_tile, min(Self.largestPiece, Self.cacheBytes / (unit.depth * 4)))
            let rows = isPooled ? 2 : max(1, min(height, fitting / width))
            let across = (width * min(rows, height) + fitting - 1) / fitting
            jobs.append(
                Job(
                    unit: unit,
                    height: height,
                    width: width,
                    rowsPerPiece: rows,
                    piecesDown: (height + rows - 1) / rows,
                    piecesAcross: max(1, min(across, isPooled ? (width + 1) / 2 : width))
                )
            )
        }
        self.jobs = jobs
        deepest = jobs.map(\.unit.depth).max() ?? 0
        mostPixels =
            jobs.map { job in
                job.rowsPerPiece * ((job.width + job.piecesAcross - 1) / job.piecesAcross + 1)
            }.max() ?? 0
    }

    /// Float16 weights are widened before the products, the whole layer at once.
    var sharedBytes: Int {
        geometry.isHalf ? geometry.plan.units.reduce(0) { $0 + $1.weightCount } * 4 : 0
    }

    var threadBytes: Int { mostPixels * (deepest + kernels.panel) * 4 }

    func run(_ run: Run) {
        let isThin = geometry.plan.algorithm == .gatherThin
        var weights = geometry.weights(run).assumingMemoryBound(to: Float.self)
        if geometry.isHalf {
            let half = geometry.weights(run).assumingMemoryBound(to: UInt16.self)
            let whole = run.shared.assumingMemoryBound(to: Float.self)
            let count = geometry.plan.units.reduce(0) { $0 + $1.weightCount }
            let piece = 1 << 16
            run.pool.forEach((count + piece - 1) / piece) { _, index in
                let start = index * piece
                run.kernels.widen(half + start, whole + start, min(piece, count - start))
            }
            weights = whole
        }
        var input = isThin ? .none : run.map(geometry.inputs[0])
        var thin = isThin ? run.thin(geometry.inputs[0]) : sn_thin(data: nil, channels: 0, height: 0, width: 0)
        var epilogue = geometry.epilogue(run)
        var indices = geometry.plan.node.readsUnpooled ? run.indices(geometry.inputs[1]) : .none
        withUnsafePointers(&input, &thin, &epilogue) { input, thin, epilogue in
            withUnsafePointer(to: &indices) { indices in
                for job in jobs {
                    run.pool.forEach(job.piecesDown * job.piecesAcross) { worker, index in
                        self.run(
                            job,
                            piece: index,
                            run,
                            scratch: run.scratch(worker),
                            weights: weights + job.unit.weightStart,
                            input: isThin ? nil : input,
                            thin: thin,
                            indices: geometry.plan.node.readsUnpooled ? indices : nil,
                            epilogue: epilogue
                        )
                    }
                }
            }
        }
    }

    private func run(
        _ job: Job,
        piece: Int,
        _ run: Run,
        scratch: UnsafeMutablePointer<Float>,
        weights: UnsafePointer<Float>,
        input: UnsafePointer<sn_map>?,
        thin: UnsafePointer<sn_thin>,
        indices: UnsafePointer<sn_indices>?,
        epilogue: UnsafePointer<sn_epilogue>
    ) {
        let unit = job.unit
        let firstRow = piece / job.piecesAcross * job.rowsPerPiece
        let rows = min(job.rowsPerPiece, job.height - firstRow)
        // Pooled pieces begin at even columns.
        let grain = geometry.plan.node.isPooled ? 2 : 1
        let columns = (job.width + grain - 1) / grain
        let across = piece % job.piecesAcross
        let left = across * columns / job.piecesAcross * grain
        let right = min(job.width, (across + 1) * columns / job.piecesAcross * grain)
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
        var window = unit.window
        var tiles = sn_tiles(data: scratch, tiles: pixels.count, depth: unit.depth, depth_block: kernels.depth_block)
        let products = scratch + mostPixels * deepest
        let (first, last) = (unit.inputBlocks.lowerBound, unit.inputBlocks.upperBound)
        for micro in 0..<(pixels.count + kernels.micro_tile - 1) / kernels.micro_tile {
            if let input, let indices {
                kernels.pack_unpooled(
                    input,
                    indices,
                    geometry.inputHeight,
                    geometry.inputWidth,
                    &window,
                    &pixels,
                    &tiles,
                    micro,
                    first,
                    last
                )
            } else if let input {
                kernels.pack(input, &window, &pixels, &tiles, micro, first, last)
            } else {
                kernels.pack_thin(thin, &window, &pixels, &tiles, micro)
            }
        }
        var panelWeights = weights
        for (block, columns) in panels(outputBlocks: unit.outputBlocks, panel: kernels.panel) {
            kernels.gemm(&tiles, panelWeights, columns, products)
            kernels.store(products, columns, &pixels, block, epilogue)
            panelWeights += unit.depth * columns
        }
    }
}
