import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// As matrix products over gathered windows: dW = sum over pixels of window^T gradient, in the layout of the packed weights. Any window,
/// stride, dilation, groups; also transposed; also for pictures.
///
/// Rows are taken in runs whose windows stay in the third-level cache; a thread takes a panel of outputs and some lines of the
/// windows, and sums them over the run.
struct GatherWeightGradient: WeightGradientSchedule {
    private let geometry: ConvolutionGeometry
    private let kernels: sn_kernels
    private let jobs: [Job]

    private struct Job {
        var unit: ConvolutionUnit
        var height: Int
        var width: Int
        /// Rows of a run.
        var rows: Int
        var panels: [(block: Int, columns: Int)]

        var mostPixels: Int { min(rows, height) * width }
        var outputs: Int { panels.reduce(0) { $0 + $1.columns } }
    }

    /// Windows and gradients of a run of rows.
    private static let cacheBytes = 6 << 20
    /// Lines of 16 depths that a thread takes at a time.
    private static let group = 8

    init(_ geometry: ConvolutionGeometry, kernels: sn_kernels) {
        self.geometry = geometry
        self.kernels = kernels
        jobs = geometry.plan.units.compactMap { unit in
            let height = (geometry.height - unit.offsetY + unit.stepY - 1) / unit.stepY
            let width = (geometry.width - unit.offsetX + unit.stepX - 1) / unit.stepX
            guard height > 0, width > 0 else { return nil }
            let panels = panels(outputBlocks: unit.outputBlocks, panel: kernels.panel)
            let bytes = (unit.depth + panels.reduce(0) { $0 + $1.columns }) * width * 4
            return Job(
                unit: unit,
                height: height,
                width: width,
                rows: max(1, min(height, Self.cacheBytes / bytes)),
                panels: panels
            )
        }
    }

    var sharedBytes: Int { jobs.map { $0.mostPixels * ($0.unit.depth + $0.outputs) * 4 }.max() ?? 0 }
    var threadBytes: Int { 0 }

    func run(
        _ pictures: [ConvolutionPicture],
        gradients: [sn_map],
        into packed: UnsafeMutablePointer<Float>,
        on crew: Crew
    ) {
        let windows = crew.shared.assumingMemoryBound(to: Float.self)
        for job in jobs {
            let unit = job.unit
            let lines = unit.depth / 16
            let groups = (lines + Self.group - 1) / Self.group
            let starts = job.panels.indices.map { index in job.panels[..<index].reduce(0) { $0 + $1.columns } }
            for (number, picture) in pictures.enumerated() {
                for firstRow in stride(from: 0, to: job.height, by: job.rows) {
                    let count = min(job.rows, job.height - firstRow) * job.width
                    let pixels = sn_pixels(
                        y: firstRow,
                        x: 0,
                        width: job.width,
                        count: count,
                        step_y: unit.stepY,
                        step_x: unit.stepX,
                        offset_y: unit.offsetY,
                        offset_x: unit.offsetX
                    )
                    let tiles = sn_tiles(
                        data: windows,
                        tiles: count,
                        depth: unit.depth,
                        depth_block: kernels.depth_block
                    )
                    let products = windows + count * unit.depth
                    let micros = (count + kernels.micro_tile - 1) / kernels.micro_tile
                    crew.pool.forEach(micros + job.panels.count) { _, index in
                        var pixels = pixels
                        if index < micros {
                            var (picture, tiles) = (picture, tiles)
                            geometry.pack(unit, &picture, &pixels, &tiles, micro: index, kernels: kernels)
                        } else {
                            let panel = index - micros
                            let (block, columns) = job.panels[panel]
                            var map = gradients[number]
                            kernels.fetch(&map, &pixels, block, columns, products + starts[panel] * count)
                        }
                    }
                    crew.pool.forEach(job.panels.count * groups) { _, index in
                        let panel = index / groups
                        let columns = job.panels[panel].columns
                        let first = index % groups * Self.group
                        var tiles = tiles
                        kernels.gemm_outer(
                            &tiles,
                            first,
                            min(lines, first + Self.group),
                            products + starts[panel] * count,
                            columns,
                            1,
                            packed + unit.weightStart + starts[panel] * unit.depth + first * 16 * columns
                        )
                    }
                }
            }
        }
        if geometry.plan.node.groups > 1 { geometry.plan.clearForeignGroups(packed, panel: kernels.panel) }
    }
}

/// One channel each: a thread takes a row of the window for a block of 16 channels. A row of the gradient is summed in float32, rows in
/// float64.
struct DepthwiseWeightGradient: WeightGradientSchedule {
    let geometry: ConvolutionGeometry

    /// Floats of a row of the window.
    private var lanes: Int { geometry.plan.node.window.width * 16 }

    var sharedBytes: Int { 0 }
    /// A row's sums, and those of all rows so far.
    var threadBytes: Int { lanes * (MemoryLayout<Float>.stride + MemoryLayout<Double>.stride) }

    func run(
        _ pictures: [ConvolutionPicture],
        gradients: [sn_map],
        into packed: UnsafeMutablePointer<Float>,
        on crew: Crew
    ) {
        let size = geometry.plan.node.window
        crew.pool.forEach(geometry.plan.outputBlocks * size.height) { worker, index in
            let (block, i) = (index / size.height, index % size.height)
            let line = crew.scratch(worker)
            let sums = UnsafeMutableRawPointer(line + lanes).bindMemory(to: Double.self, capacity: lanes)
            sums.update(repeating: 0, count: lanes)
            for (picture, gradient) in zip(pictures, gradients) {
                var (input, gradient, window) = (picture.input, gradient, sn_window(size))
                for y in 0..<geometry.height {
                    crew.kernels.depthwise_gradient(&input, &window, &gradient, block, y, i, line)
                    for lane in 0..<lanes { sums[lane] += Double(line[lane]) }
                }
            }
            let to = packed + (block * size.taps + i * size.width) * 16
            for lane in 0..<lanes { to[lane] += Float(sums[lane]) }
        }
    }
}
