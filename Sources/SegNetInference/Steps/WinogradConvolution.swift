import CSegNetKernels
import SegNetNetworks
import SegNetTensors

/// A convolution of stride 1 in the Winograd domain: transform input tiles and weights, one matrix product per point, transform back.
///
/// Two schedules (kernel notes, section 5.2). Weights are never stored transformed: U would be 64/9 times as large.
/// - Tile blocks, for layers with few weights: the whole layer's U is made once and shared; then each thread takes blocks of tiles
///   whose V and M never leave its second-level cache.
/// - Output-channel blocks, for layers with many weights: V of a superblock of tiles is made by all threads and shared; then each
///   thread takes panels of outputs and makes their U itself, a few rows of points at a time, so that U stays in its second-level cache.
///
/// Each output value is computed by one thread in a fixed order, so results do not depend on the number of threads.
struct WinogradConvolution: Step {
    private let geometry: ConvolutionGeometry
    private let variant: WinogradVariant
    private let schedule: Schedule
    private let kernels: sn_kernels
    private let tilesAcross: Int
    private let tiles: Int
    /// n * n
    private let points: Int
    private let pointRow: Int
    /// Input channels, whole blocks.
    private let depth: Int

    private enum Schedule: Sendable { case tileBlocks(tiles: Int), outputBlocks(tiles: Int, pointRows: Int) }

    /// Bytes of the second-level cache that a thread's working set may fill: 1 MiB on the machines this was measured on; a third is
    /// left to the maps that stream through.
    private static let cacheBytes = 700 << 10
    /// U of one group of point rows: two thirds of the second-level cache, V and M stream past it.
    private static let weightBytes = 600 << 10
    /// Above this, U of a whole layer no longer stays in the third-level cache between tile blocks.
    private static let sharedWeightBytes = 6 << 20
    /// Tiles of a superblock: V of 100 tiles of 64 points and 512 channels is 13 MB, a third of a third-level cache.
    private static let superblock = 100
    /// 64 bytes between points, so that their streams do not fall into the same cache sets.
    private static let padding = 16

    init(_ geometry: ConvolutionGeometry, variant: WinogradVariant, kernels: sn_kernels) {
        self.geometry = geometry
        self.variant = variant
        self.kernels = kernels
        let winograd = variant.kernels(kernels).pointee
        let m = winograd.tile
        tilesAcross = (geometry.width + m - 1) / m
        tiles = (geometry.height + m - 1) / m * tilesAcross
        pointRow = winograd.points
        points = winograd.points * winograd.points
        depth = geometry.plan.inputBlocks * 16
        let outputs = geometry.plan.outputBlocks * 16
        if points * depth * outputs * 4 <= Self.sharedWeightBytes {
            let perTile = points * (depth + kernels.panel) * 4
            let fitting = Self.cacheBytes / perTile / kernels.micro_tile * kernels.micro_tile
            schedule = .tileBlocks(tiles: max(kernels.micro_tile, fitting))
        } else {
            let rows = Self.weightBytes / (pointRow * depth * kernels.panel * 4)
            schedule = .outputBlocks(tiles: Self.superblock, pointRows: max(1, min(pointRow, rows)))
        }
    }

    /// The rows of points in groups of at most `most`, cut so that the rows of points +p and -p (1 and 2, 3 and 4, ...) stay together
    /// where they can: their transforms share half of the work.
    private func pointRowGroups(most: Int) -> [Range<Int>] {
        guard most > 1 else { return (0..<pointRow).map { $0..<$0 + 1 } }
        var groups: [Range<Int>] = []
        var first = 0
        while first < pointRow {
            var last = min(first + most, pointRow)
            if last < pointRow, last % 2 == 0 { last -= 1 }
            groups.append(first..<max(last, first + 1))
            first = groups[groups.count - 1].upperBound
        }
        return groups
    }

    // MARK: Memory

    /// Floats of V for a block of tiles, and from one point to the next.
    private func inputStride(_ tiles: Int) -> Int { tiles * depth + Self.padding }
    private func productStride(_ tiles: Int) -> Int { tiles * kernels.panel + Self.padding }
    private func weightStride(_ columns: Int) -> Int { depth * columns + Self.padding }

    private var largestBlock: Int {
        switch schedule {
        case .tileBlocks(let block), .outputBlocks(let block, _): min(block, tiles)
        }
    }

    var sharedBytes: Int {
        switch schedule {
        case .tileBlocks:
            panels(outputBlocks: geometry.plan.units[0].outputBlocks, panel: kernels.panel)
                .reduce(0) { $0 + points * weightStride($1.columns) * 4 }
        case .outputBlocks: points * inputStride(largestBlock) * 4
        }
    }

    var threadBytes: Int {
        switch schedule {
        case .tileBlocks: points * (inputStride(largestBlock) + productStride(largestBlock)) * 4
        case .outputBlocks(_, let rows):
            (rows * pointRow * weightStride(kernels.panel) + points * productStride(largestBlock)) * 4
        }
    }

    // MARK: Running

    func run(_ run: Run) {
        let winograd = variant.kernels(kernels).pointee
        var epilogue = geometry.epilogue(run)
        var input = run.map(geometry.inputs[0])
        var indices = geometry.plan.node.readsUnpooled ? run.indices(geometry.inputs[1]) : .none
        withUnsafePointers(&input, &indices, &epilogue) { input, indices, epilogue in
            let layer = Layer(
                step: self,
                winograd: winograd,
                run: run,
                input: input,
                indices: indices,
                epilogue: epilogue
            )
            switch schedule {
            case .tileBlocks(let block): layer.runTileBlocks(block)
            case .outputBlocks(let block, let rows): layer.runOutputBlocks(block, pointRows: rows)
            }
        }
    }

    /// The step with its pointers, for the time of one run.
    private struct Layer {
        let step: WinogradConvolution
        let winograd: sn_winograd
        let run: Run
        let input: UnsafePointer<sn_map>
        let indices: UnsafePointer<sn_indices>
        let epilogue: UnsafePointer<sn_epilogue>

        var kernels: sn_kernels { step.kernels }
        var plan: ConvolutionPlan { step.geometry.plan }
        var allPanels: [(block: Int, columns: Int)] {
            panels(outputBlocks: plan.units[0].outputBlocks, panel: step.kernels.panel)
        }

        func grid(first: Int) -> sn_tile_grid {
            sn_tile_grid(
                across: step.tilesAcross,
                first: first,
                padding_y: plan.node.window.paddingY,
                padding_x: plan.node.window.paddingX,
                height: step.geometry.height,
                width: step.geometry.width
            )
        }

        func transformInput(
            _ grid: inout sn_tile_grid,
            _ v: inout sn_tiles,
            _ stride: Int,
            micro: Int,
            blocks: Range<Int>
        ) {
            if plan.node.readsUnpooled {
                winograd.input_unpooled(input, indices, &grid, &v, stride, micro, blocks.lowerBound, blocks.upperBound)
            } else {
                winograd.input(input, &grid, &v, stride, micro, blocks.lowerBound, blocks.upperBound)
            }
        }

        /// The packed weights of one block of 16 outputs: [in][taps][16].
        func packedWeights(block: Int) -> UnsafeMutableRawPointer {
            step.geometry.weights(run, from: block * step.depth * winograd.taps * winograd.taps * 16)
        }

        func runTileBlocks(_ blockTiles: Int) {
            let shared = run.shared.assumingMemoryBound(to: Float.self)
            var starts: [Int] = []
            var start = 0
            for panel in allPanels {
                starts.append(start)
                start += step.points * step.weightStride(panel.columns)
            }
            let panels = allPanels
            // U, one block of outputs and a pair of rows of points an item.
            let halves = panels.enumerated().flatMap { index, panel in
                (0..<panel.columns / 16).map { (panel: index, column: $0 * 16, block: panel.block + $0) }
            }
            let rows = step.pointRowGroups(most: 2)
            run.pool.forEach(halves.count * rows.count) { _, index in
                let (panel, column, block) = halves[index / rows.count]
                let columns = panels[panel].columns
                let group = rows[index % rows.count]
                let stride = step.weightStride(columns)
                winograd.weights(
                    packedWeights(block: block),
                    step.geometry.isHalf ? 1 : 0,
                    0,
                    step.depth,
                    group.lowerBound,
                    group.upperBound,
                    shared + starts[panel] + group.lowerBound * step.pointRow * stride + column,
                    stride,
                    columns
                )
            }
            let blocks = (step.tiles + blockTiles - 1) / blockTiles
            run.pool.forEach(blocks) { worker, index in
                let first = index * step.tiles / blocks
                let count = (index + 1) * step.tiles / blocks - first
                let (vStride, mStride) = (step.inputStride(count), step.productStride(count))
                let v = run.scratch(worker)
                let m = v + step.points * step.inputStride(step.largestBlock)
                var grid = grid(first: first)
                var tiles = sn_tiles(data: v, tiles: count, depth: step.depth, depth_block: kernels.depth_block)
                let micros = (count + kernels.micro_tile - 1) / kernels.micro_tile
                for micro in 0..<micros {
                    transformInput(&grid, &tiles, vStride, micro: micro, blocks: 0..<plan.inputBlocks)
                }
                for (panel, start) in zip(panels, starts) {
                    let uStride = step.weightStride(panel.columns)
                    for point in 0..<step.points {
                        tiles.data = v + point * vStride
                        kernels.gemm(&tiles, shared + start + point * uStride, panel.columns, m + point * mStride)
                    }
                    winograd.output(m, mStride, panel.columns, &grid, count, panel.block, epilogue)
                }
            }
        }

        func runOutputBlocks(_ blockTiles: Int, pointRows: Int) {
            let v = run.shared.assumingMemoryBound(to: Float.self)
            let panels = allPanels
            let blocks = (step.tiles + blockTiles - 1) / blockTiles
            let rowGroups = step.pointRowGroups(most: pointRows)
            /// Channel blocks of one item of the input transform: enough work to be worth claiming.
            let group = 8
            let groups = (plan.inputBlocks + group - 1) / group
            for block in 0..<blocks {
                let first = block * step.tiles / blocks
                let count = (block + 1) * step.tiles / blocks - first
                let (vStride, mStride) = (step.inputStride(count), step.productStride(count))
                let micros = (count + kernels.micro_tile - 1) / kernels.micro_tile
                run.pool.forEach(micros * groups) { _, index in
                    var grid = grid(first: first)
                    var tiles = sn_tiles(data: v, tiles: count, depth: step.depth, depth_block: kernels.depth_block)
                    let from = index % groups * group
                    transformInput(
                        &grid,
                        &tiles,
                        vStride,
                        micro: index / groups,
                        blocks: from..<min(plan.inputBlocks, from + group)
                    )
                }
                run.pool.forEach(panels.count) { worker, index in
                    let panel = panels[index]
                    let uStride = step.weightStride(panel.columns)
                    let u = run.scratch(worker)
                    let m = u + pointRows * step.pointRow * step.weightStride(kernels.panel)
                    var grid = grid(first: first)
                    var tiles = sn_tiles(data: v, tiles: count, depth: step.depth, depth_block: kernels.depth_block)
                    for rows in rowGroups {
                        for half in 0..<panel.columns / 16 {
                            winograd.weights(
                                packedWeights(block: panel.block + half),
                                step.geometry.isHalf ? 1 : 0,
                                0,
                                step.depth,
                                rows.lowerBound,
                                rows.upperBound,
                                u + half * 16,
                                uStride,
                                panel.columns
                            )
                        }
                        let firstPoint = rows.lowerBound * step.pointRow
                        for point in firstPoint..<rows.upperBound * step.pointRow {
                            tiles.data = v + point * vStride
                            kernels.gemm(&tiles, u + (point - firstPoint) * uStride, panel.columns, m + point * mStride)
                        }
                    }
                    winograd.output(m, mStride, panel.columns, &grid, count, panel.block, epilogue)
                }
            }
        }
    }
}
