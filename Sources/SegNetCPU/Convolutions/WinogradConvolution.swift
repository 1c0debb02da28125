import CSegNetKernels
import SegNetGraph
import SegNetPlatform

/// A convolution of stride 1 in the Winograd domain: transform input tiles and weights, one matrix product per point, transform back.
///
/// Two blockings (docs/kernels.md, Two blockings). Weights are never stored transformed: U would be 64/9 times as
/// large.
/// - Tile blocks, for layers with few weights: the whole layer's U is made once and shared; then each thread takes blocks of tiles
///   whose V and M never leave its second-level cache.
/// - Output-channel blocks, for layers with many weights: V of a superblock of tiles is made by all threads and shared; then each
///   thread takes panels of outputs and makes their U itself, a few rows of points at a time, so that U stays in its second-level cache.
///
/// A batch of pictures shares U; a block of tiles may hold tiles of several pictures.
///
/// Each output value is computed by one thread in a fixed order, so results do not depend on the number of threads.
struct WinogradConvolution: ConvolutionSchedule {
    let geometry: ConvolutionGeometry
    private let variant: WinogradVariant
    private let blocking: Blocking
    let kernels: sn_kernels
    /// m
    private let tileSize: Int
    let grid: TileGrid
    /// Tiles of one picture.
    var tiles: Int { grid.count }
    /// n * n
    let points: Int
    let pointRow: Int
    /// Input channels, whole blocks.
    let depth: Int

    private enum Blocking: Sendable { case tileBlocks(tiles: Int), outputBlocks(tiles: Int, pointRows: Int) }

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
        grid = TileGrid(geometry.plan.node.window, tile: m, height: geometry.height, width: geometry.width)
        pointRow = winograd.points
        points = winograd.points * winograd.points
        depth = geometry.plan.inputBlocks * 16
        let outputs = geometry.plan.outputBlocks * 16
        if points * depth * outputs * 4 <= Self.sharedWeightBytes {
            let perTile = points * (depth + kernels.panel) * 4
            let fitting = Self.cacheBytes / perTile / kernels.micro_tile * kernels.micro_tile
            blocking = .tileBlocks(tiles: max(kernels.micro_tile, fitting))
        } else {
            let rows = Self.weightBytes / (pointRow * depth * kernels.panel * 4)
            blocking = .outputBlocks(tiles: Self.superblock, pointRows: max(1, min(pointRow, rows)))
        }
    }

    /// The rows of points in groups of at most `most`, cut so that the rows of points +p and -p (1 and 2, 3 and 4, ...) stay together
    /// where they can: their transforms share half of the work.
    func pointRowGroups(most: Int) -> [Range<Int>] {
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
        switch blocking {
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
        guard case .tileBlocks(let block) = blocking, !grid.isDilated else { return nil }
        let group = Self.group(tilesAcross: grid.across, block: block)
        return RowGroups(rows: group.tileRows * tileSize, height: geometry.height, items: group.items)
    }

    func begin(_ picture: ConvolutionPicture, weights: UnsafeMutableRawPointer, on crew: Crew) -> RowGroupBody {
        guard let groups = rowGroups else { return { _, _, _ in } }
        let layer = layer([picture], weights: weights, on: crew)
        let panels = layer.makeWeights()
        let tilesOfGroup = groups.rows / tileSize * grid.across
        return { worker, group, item in
            let start = group * tilesOfGroup
            let count = min(tilesOfGroup, tiles - start)
            let first = start + item * count / groups.items
            let last = start + (item + 1) * count / groups.items
            guard first < last else { return }
            layer.compute(TileSegment(picture: 0, first: first, count: last - first, before: 0), panels, worker: worker)
        }
    }

    // MARK: Memory

    /// Floats of V for a block of tiles, and from one point to the next.
    func inputStride(_ tiles: Int) -> Int { tiles * depth + Self.padding }
    func productStride(_ tiles: Int) -> Int { tiles * kernels.panel + Self.padding }
    func weightStride(_ columns: Int) -> Int { depth * columns + Self.padding }

    var largestBlock: Int {
        switch blocking {
        case .tileBlocks(let block): min(block, tiles)
        case .outputBlocks(let block, _): min(block, tiles * geometry.pictures)
        }
    }

    var sharedBytes: Int {
        switch blocking {
        case .tileBlocks:
            panels(outputBlocks: geometry.plan.units[0].outputBlocks, panel: kernels.panel)
                .reduce(0) { $0 + points * weightStride($1.columns) * 4 }
        case .outputBlocks: points * inputStride(largestBlock) * 4
        }
    }

    var threadBytes: Int {
        switch blocking {
        case .tileBlocks: points * (inputStride(largestBlock) + productStride(largestBlock)) * 4
        case .outputBlocks(_, let rows):
            (rows * pointRow * weightStride(kernels.panel) + points * productStride(largestBlock)) * 4
        }
    }

    // MARK: Running

    func run(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) {
        let layer = layer(pictures, weights: weights, on: crew)
        switch blocking {
        case .tileBlocks(let block): layer.runTileBlocks(block)
        case .outputBlocks(let block, let rows): layer.runOutputBlocks(block, pointRows: rows)
        }
    }

    private func layer(_ pictures: [ConvolutionPicture], weights: UnsafeMutableRawPointer, on crew: Crew) -> Layer {
        Layer(step: self, winograd: variant.kernels(kernels).pointee, crew: crew, pictures: pictures, weights: weights)
    }
}
