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
/// A batch of pictures shares U; a block of tiles may hold tiles of several pictures.
///
/// Each output value is computed by one thread in a fixed order, so results do not depend on the number of threads.
struct WinogradConvolution: ConvolutionSchedule {
    private let geometry: ConvolutionGeometry
    private let variant: WinogradVariant
    private let schedule: Schedule
    private let kernels: sn_kernels
    /// m
    private let tileSize: Int
    private let tilesAcross: Int
    /// Of one picture.
    private let tiles: Int
    /// n * n
    private let points: Int
    private let pointRow: Int
    /// Input channels, whole blocks.
    private let depth: Int

    private enum Schedule: Sendable { case tileBlocks(tiles: Int), outputBlocks(tiles: Int, pointRows: Int) }

    /// Bytes of the second-level cache that a thread's working set may fill; a third is left to the maps that stream through.
    private static let cacheBytes = CoreCache.level2Bytes / 1024 * 700
    /// U of one group of point rows: V and M stream past it. Twice as much in a cache of 2 MiB made conv4_2 9 % slower (one thread): V
    /// of a larger group then drives U out before it is used.
    private static let weightBytes = min(CoreCache.level2Bytes / 1024 * 600, 600 << 10)
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
        tileSize = m
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

    var description: String {
        switch schedule {
        case .tileBlocks: "blocks of \(largestBlock) tiles"
        case .outputBlocks(_, let rows):
            "\(largestBlock) tiles, \(kernels.panel) outputs, \(rows) of \(pointRow) rows of points"
        }
    }

    // MARK: Bands

    /// Rows of tiles of a group in tile blocks, and the items that compute it: as many rows (up to four) as it takes for blocks that
    /// are not much smaller than the cache allows.
    private static func group(tilesAcross: Int, block: Int) -> (tileRows: Int, items: Int) {
        var best = (tileRows: 1, items: 1, tiles: 0)
        for rows in 1...4 {
            let items = (rows * tilesAcross + block - 1) / block
            let tiles = rows * tilesAcross / items
            // A tenth more tiles in a block are worth another row: each block streams all transformed weights past it.
            if tiles * 10 > best.tiles * 11 { best = (rows, items, tiles) }
        }
        return (best.tileRows, best.items)
    }

    var rowGroups: RowGroups? {
        guard case .tileBlocks(let block) = schedule else { return nil }
        let group = Self.group(tilesAcross: tilesAcross, block: block)
        return RowGroups(rows: group.tileRows * tileSize, height: geometry.height, items: group.items)
    }

    func begin(_ picture: ConvolutionPicture, weights: UnsafeMutableRawPointer, on crew: Crew) -> RowGroupBody {
        guard let groups = rowGroups else { return { _, _, _ in } }
        let layer = layer([picture], weights: weights, on: crew)
        let panels = layer.makeWeights()
        let tilesOfGroup = groups.rows / tileSize * tilesAcross
        return { worker, group, item in
            let start = group * tilesOfGroup
            let count = min(tilesOfGroup, tiles - start)
            let first = start + item * count / groups.items
            let last = start + (item + 1) * count / groups.items
            guard first < last else { return }
            layer.compute(Segment(picture: 0, first: first, count: last - first, before: 0), panels, worker: worker)
        }
    }

    // MARK: Memory

    /// Floats of V for a block of tiles, and from one point to the next.
    private func inputStride(_ tiles: Int) -> Int { tiles * depth + Self.padding }
    private func productStride(_ tiles: Int) -> Int { tiles * kernels.panel + Self.padding }
    private func weightStride(_ columns: Int) -> Int { depth * columns + Self.padding }

    private var largestBlock: Int {
        switch schedule {
        case .tileBlocks(let block): min(block, tiles)
        case .outputBlocks(let block, _): min(block, tiles * geometry.pictures)
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

    func run(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) {
        let layer = layer(pictures, weights: weights, on: crew)
        switch schedule {
        case .tileBlocks(let block): layer.runTileBlocks(block)
        case .outputBlocks(let block, let rows): layer.runOutputBlocks(block, pointRows: rows)
        }
    }

    private func layer(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) -> Layer {
        Layer(
            step: self,
            winograd: variant.kernels(kernels).pointee,
            crew: crew,
            pictures: pictures,
            weights: weights
        )
    }

    /// The tiles of one picture within a block of tiles.
    private struct Segment {
        var picture: Int
        /// The first of its tiles in the picture's grid.
        var first: Int
        var count: Int
        /// Tiles of other pictures before it in the block.
        var before: Int
    }

    /// Cuts tiles, numbered through all pictures, at the pictures' borders.
    private func segments(_ range: Range<Int>) -> [Segment] {
        var result: [Segment] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let picture = start / tiles
            let end = min(range.upperBound, (picture + 1) * tiles)
            result.append(
                Segment(
                    picture: picture,
                    first: start - picture * tiles,
                    count: end - start,
                    before: start - range.lowerBound
                )
            )
            start = end
        }
        return result
    }

    /// The step with its pointers, for the time of one run.
    private struct Layer {
        let step: WinogradConvolution
        let winograd: sn_winograd
        let crew: Crew
        let pictures: [ConvolutionPicture]
        let weights: UnsafeMutableRawPointer

        var kernels: sn_kernels { step.kernels }
        var plan: ConvolutionPlan { step.geometry.plan }
        var isHalf: Int32 { plan.precision == .float16 ? 1 : 0 }
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

        func tileBuffer(_ v: UnsafeMutablePointer<Float>, tiles: Int) -> sn_tiles {
            sn_tiles(data: v, tiles: tiles, depth: step.depth, depth_block: kernels.depth_block)
        }

        func transformInput(
            _ segment: Segment,
            _ v: UnsafeMutablePointer<Float>,
            _ stride: Int,
            micro: Int,
            blocks: Range<Int>
        ) {
            var picture = pictures[segment.picture]
            var grid = grid(first: segment.first)
            var tiles = tileBuffer(v + segment.before * step.depth, tiles: segment.count)
            let (first, last) = (blocks.lowerBound, blocks.upperBound)
            if plan.node.readsUnpooled {
                winograd.input_unpooled(
                    &picture.input,
                    &picture.indices,
                    &grid,
                    &tiles,
                    stride,
                    micro,
                    first,
                    last
                )
            } else {
                winograd.input(&picture.input, &grid, &tiles, stride, micro, first, last)
            }
        }

        func transformOutput(_ segment: Segment, _ m: UnsafePointer<Float>, _ stride: Int, block: Int, columns: Int) {
            var epilogue = pictures[segment.picture].epilogue
            var grid = grid(first: segment.first)
            winograd.output(m + segment.before * columns, stride, columns, &grid, segment.count, block, &epilogue)
        }

        /// The packed weights of one block of 16 outputs: [in][taps][16].
        func packedWeights(block: Int) -> UnsafeMutableRawPointer {
            weights + block * step.depth * winograd.taps * winograd.taps * 16 * (isHalf == 1 ? 2 : 4)
        }

        func micros(_ tiles: Int) -> Int { (tiles + kernels.micro_tile - 1) / kernels.micro_tile }

        /// Transforms the weights of the whole layer to the shared scratch. Returns where each panel's begin there.
        func makeWeights() -> [(block: Int, columns: Int, start: Int)] {
            let shared = crew.shared.assumingMemoryBound(to: Float.self)
            var panels: [(block: Int, columns: Int, start: Int)] = []
            var start = 0
            for panel in allPanels {
                panels.append((panel.block, panel.columns, start))
                start += step.points * step.weightStride(panel.columns)
            }
            // One block of outputs and a pair of rows of points an item.
            let halves = panels.flatMap { panel in (0..<panel.columns / 16).map { (panel: panel, half: $0) } }
            let rows = step.pointRowGroups(most: 2)
            crew.pool.forEach(halves.count * rows.count) { _, index in
                let (panel, half) = halves[index / rows.count]
                let group = rows[index % rows.count]
                let stride = step.weightStride(panel.columns)
                winograd.weights(
                    packedWeights(block: panel.block + half),
                    isHalf,
                    0,
                    step.depth,
                    group.lowerBound,
                    group.upperBound,
                    shared + panel.start + group.lowerBound * step.pointRow * stride + half * 16,
                    stride,
                    panel.columns
                )
            }
            return panels
        }

        /// Computes a block of tiles, at most as many as the scratch has room for.
        func compute(_ segment: Segment, _ panels: [(block: Int, columns: Int, start: Int)], worker: Int) {
            let shared = crew.shared.assumingMemoryBound(to: Float.self)
            let count = segment.count
            let (vStride, mStride) = (step.inputStride(count), step.productStride(count))
            let v = crew.scratch(worker)
            let m = v + step.points * step.inputStride(step.largestBlock)
            for micro in 0..<micros(count) {
                transformInput(segment, v, vStride, micro: micro, blocks: 0..<plan.inputBlocks)
            }
            for panel in panels {
                let uStride = step.weightStride(panel.columns)
                var tiles = tileBuffer(v, tiles: count)
                for point in 0..<step.points {
                    tiles.data = v + point * vStride
                    kernels.gemm(&tiles, shared + panel.start + point * uStride, panel.columns, m + point * mStride)
                }
                transformOutput(segment, m, mStride, block: panel.block, columns: panel.columns)
            }
        }

        func runTileBlocks(_ blockTiles: Int) {
            let panels = makeWeights()
            let blocks = (step.tiles + blockTiles - 1) / blockTiles
            crew.pool.forEach(blocks * pictures.count) { worker, item in
                let index = item % blocks
                let first = index * step.tiles / blocks
                let count = (index + 1) * step.tiles / blocks - first
                compute(Segment(picture: item / blocks, first: first, count: count, before: 0), panels, worker: worker)
            }
        }

        func runOutputBlocks(_ blockTiles: Int, pointRows: Int) {
            let v = crew.shared.assumingMemoryBound(to: Float.self)
            let panels = allPanels
            let all = step.tiles * pictures.count
            let blocks = (all + blockTiles - 1) / blockTiles
            let rowGroups = step.pointRowGroups(most: pointRows)
            /// Channel blocks of one item of the input transform: enough work to be worth claiming.
            let group = 8
            let groups = (plan.inputBlocks + group - 1) / group
            for block in 0..<blocks {
                let range = block * all / blocks..<(block + 1) * all / blocks
                let segments = step.segments(range)
                let (vStride, mStride) = (step.inputStride(range.count), step.productStride(range.count))
                let pieces = segments.flatMap { segment in (0..<micros(segment.count)).map { (segment, $0) } }
                crew.pool.forEach(pieces.count * groups) { _, index in
                    let (segment, micro) = pieces[index / groups]
                    let from = index % groups * group
                    let blocks = from..<min(plan.inputBlocks, from + group)
                    transformInput(segment, v, vStride, micro: micro, blocks: blocks)
                }
                crew.pool.forEach(panels.count) { worker, index in
                    let panel = panels[index]
                    let uStride = step.weightStride(panel.columns)
                    let u = crew.scratch(worker)
                    let m = u + pointRows * step.pointRow * step.weightStride(kernels.panel)
                    for rows in rowGroups {
                        for half in 0..<panel.columns / 16 {
                            winograd.weights(
                                packedWeights(block: panel.block + half),
                                isHalf,
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
                        for segment in segments {
                            var tiles = tileBuffer(v, tiles: segment.count)
                            for point in firstPoint..<rows.upperBound * step.pointRow {
                                tiles.data = v + point * vStride + segment.before * step.depth
                                kernels.gemm(
                                    &tiles,
                                    u + (point - firstPoint) * uStride,
                                    panel.columns,
                                    m + point * mStride + segment.before * panel.columns
                                )
                            }
                        }
                    }
                    for segment in segments {
                        transformOutput(segment, m, mStride, block: panel.block, columns: panel.columns)
                    }
                }
            }
        }
    }
}
