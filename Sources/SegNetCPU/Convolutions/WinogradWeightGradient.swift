import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetTensors

/// In the Winograd domain: dU = sum over tiles of V^T D at each point, dW += G^T dU G (docs/kernels.md, Gradients).
///
/// Tiles of all pictures are taken in superblocks whose V and D stay in the third-level cache. Two ways to sum over them:
/// - Where dU of the whole layer is small, it is kept: each thread takes some points, so that V and D are read once, and what all
///   superblocks add up to is taken back to the weights once, at the end.
/// - Elsewhere dU, 64/9 times as large as the weights, never exists: a thread takes a panel of outputs and a group of input channels, sums dU
///   of that part over the superblock, and takes it back to the weights, since G^T is linear.
///
/// Sums over a superblock begin at zero, which keeps the error of float32 small.
struct WinogradWeightGradient: WeightGradientSchedule {
    private let geometry: ConvolutionGeometry
    private let variant: WinogradVariant
    private let kernels: sn_kernels
    private let tilesAcross: Int
    /// Of one picture.
    private let tiles: Int
    private let points: Int
    private let pointRows: Int
    private let depth: Int
    private let outputs: Int
    private let superblock: Int
    /// dU of the whole layer is kept.
    private let keepsProducts: Bool

    /// V and D of a superblock: half of a third-level cache.
    private static let cacheBytes = 14 << 20
    private static let mostTiles = 160
    /// dU of a whole layer that stays beside V and D in a third-level cache.
    private static let mostProductBytes = 6 << 20
    /// Tiles of a superblock where dU is kept, so that a longer one saves nothing: V and D of a point fit a first-level cache with 64
    /// channels each.
    private static let mostTilesBesideProducts = 80
    /// Blocks of 16 input channels that a thread takes at a time: dU of 64 channels and a panel of 32 is 524 KB with 64 points.
    private static let group = 4
    private static let padding = 16

    init(_ geometry: ConvolutionGeometry, variant: WinogradVariant, kernels: sn_kernels) {
        self.geometry = geometry
        self.variant = variant
        self.kernels = kernels
        let winograd = variant.kernels(kernels).pointee
        tilesAcross = (geometry.width + winograd.tile - 1) / winograd.tile
        tiles = (geometry.height + winograd.tile - 1) / winograd.tile * tilesAcross
        pointRows = winograd.points
        points = pointRows * pointRows
        depth = geometry.plan.inputBlocks * 16
        outputs = geometry.plan.outputBlocks * 16
        let fitting = Self.cacheBytes / (points * (depth + outputs) * 4)
        let all = tiles * geometry.pictures
        keepsProducts = points * depth * outputs * 4 <= Self.mostProductBytes
        let mostTiles = keepsProducts ? Self.mostTilesBesideProducts : Self.mostTiles
        let most = max(kernels.micro_tile, min(fitting, mostTiles, all))
        // Superblocks of one size, so that no short one is left.
        let count = (all + most - 1) / most
        superblock = (all + count - 1) / count
    }

    private var inputStride: Int { superblock * depth + Self.padding }
    private var gradientStride: Int { superblock * outputs + Self.padding }
    /// Of the part of dU that a thread sums, or of all of it.
    private var productStride: Int {
        (keepsProducts ? depth * outputs : Self.group * 16 * kernels.panel) + Self.padding
    }

    var sharedBytes: Int { points * (inputStride + gradientStride + (keepsProducts ? productStride : 0)) * 4 }
    var threadBytes: Int { keepsProducts ? 0 : points * productStride * 4 }

    func run(
        _ pictures: [ConvolutionPicture],
        gradients: [sn_map],
        into packed: UnsafeMutablePointer<Float>,
        on crew: Crew
    ) {
        let winograd = variant.kernels(kernels).pointee
        let plan = geometry.plan
        let v = crew.shared.assumingMemoryBound(to: Float.self)
        let d = v + points * inputStride
        let products = d + points * gradientStride
        let panels = panels(outputBlocks: plan.units[0].outputBlocks, panel: kernels.panel)
        let groups = (plan.inputBlocks + Self.group - 1) / Self.group
        let all = tiles * pictures.count

        func grid(_ segment: TileSegment) -> sn_tile_grid {
            sn_tile_grid(
                across: tilesAcross,
                first: segment.first,
                padding_y: plan.node.window.paddingY,
                padding_x: plan.node.window.paddingX,
                height: geometry.height,
                width: geometry.width
            )
        }
        func buffer(_ segment: TileSegment, point: Int) -> sn_tiles {
            sn_tiles(
                data: v + point * inputStride + segment.before * depth,
                tiles: segment.count,
                depth: depth,
                depth_block: kernels.depth_block
            )
        }

        for start in stride(from: 0, to: all, by: superblock) {
            let segments = TileSegment.cut(start..<min(all, start + superblock), tiles: tiles)
            let micros = segments.flatMap { segment in
                (0..<(segment.count + kernels.micro_tile - 1) / kernels.micro_tile).map { (segment, $0) }
            }
            // D by pictures and panels, then V by micro tiles and groups of channels: smaller pieces last, so that threads end together.
            let gradientItems = segments.count * panels.count
            crew.pool.forEach(gradientItems + micros.count * groups) { _, index in
                if index >= gradientItems {
                    let index = index - gradientItems
                    let (segment, micro) = micros[index / groups]
                    winograd.transformInput(
                        of: pictures[segment.picture],
                        plan,
                        grid: grid(segment),
                        tiles: buffer(segment, point: 0),
                        pointStride: inputStride,
                        micro: micro,
                        blocks: lines(index % groups)
                    )
                } else {
                    let segment = segments[index / panels.count]
                    let (block, columns) = panels[index % panels.count]
                    var map = gradients[segment.picture]
                    var grid = grid(segment)
                    winograd.gradient(
                        &map,
                        &grid,
                        segment.count,
                        block,
                        columns,
                        d + block * 16 * superblock + segment.before * columns,
                        gradientStride
                    )
                }
            }
            if keepsProducts {
                // Rows of points: the kernel prefetches the next point's V.
                crew.pool.forEach(pointRows) { _, row in
                    for point in row * pointRows..<(row + 1) * pointRows {
                        for (block, columns) in panels {
                            let part = products + point * productStride + block * 16 * depth
                            sum(point, block, columns, lines: 0..<plan.inputBlocks, into: part, adds: start > 0)
                        }
                    }
                }
                continue
            }
            crew.pool.forEach(panels.count * groups) { worker, index in
                let (block, columns) = panels[index / groups]
                let lines = lines(index % groups)
                let u = crew.scratch(worker)
                for point in 0..<points {
                    sum(point, block, columns, lines: lines, into: u + point * productStride, adds: false)
                }
                takeBack(u, block, columns, lines: lines)
            }

            /// dU of a point: a panel of outputs, some lines of 16 input channels.
            func sum(
                _ point: Int,
                _ block: Int,
                _ columns: Int,
                lines: Range<Int>,
                into u: UnsafeMutablePointer<Float>,
                adds: Bool
            ) {
                for segment in segments {
                    var tiles = buffer(segment, point: point)
                    kernels.gemm_outer(
                        &tiles,
                        lines.lowerBound,
                        lines.upperBound,
                        d + point * gradientStride + block * 16 * superblock + segment.before * columns,
                        columns,
                        adds || segment.before > 0 ? 1 : 0,
                        u
                    )
                }
            }
        }
        if keepsProducts {
            crew.pool.forEach(panels.count * groups) { _, index in
                let (block, columns) = panels[index / groups]
                let lines = lines(index % groups)
                takeBack(
                    products + block * 16 * depth + lines.lowerBound * 16 * columns,
                    block,
                    columns,
                    lines: lines
                )
            }
        }

        func lines(_ group: Int) -> Range<Int> { group * Self.group..<min(plan.inputBlocks, (group + 1) * Self.group) }

        /// Adds G^T dU G to the weights' gradient; `u` begins with the first of the lines.
        func takeBack(_ u: UnsafeMutablePointer<Float>, _ block: Int, _ columns: Int, lines: Range<Int>) {
            for half in 0..<columns / 16 {
                winograd.weight_gradient(
                    u + half * 16,
                    productStride,
                    columns,
                    lines.lowerBound * 16,
                    lines.upperBound * 16,
                    packed + (block + half) * depth * winograd.taps * winograd.taps * 16
                )
            }
        }
    }
}
