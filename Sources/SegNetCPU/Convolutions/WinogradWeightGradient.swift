import CSegNetKernels
import SegNetGraph
import SegNetPlatform

/// In the Winograd domain: dU = sum over tiles of V^T D at each point, dW += G^T dU G (docs/kernels.md, Gradients).
///
/// Tiles of all pictures are taken in superblocks whose V and D stay in the third-level cache. Two ways to sum over them:
/// - Where dU of the whole layer is small, it is kept: each thread takes some points, so that V and D are read once, and what all
///   superblocks add up to is taken back to the weights once, at the end.
/// - Elsewhere dU, 64/9 times as large as the weights, never exists: a thread takes a panel of outputs and a group of input channels, sums
///   dU of that part over the superblock, and takes it back to the weights, since G^T is linear.
///
/// Sums over a superblock begin at zero, which keeps the error of float32 small.
struct WinogradWeightGradient: WeightGradientSchedule {
    private let geometry: ConvolutionGeometry
    private let variant: WinogradVariant
    private let kernels: sn_kernels
    private let grid: TileGrid
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
    /// dU of a whole layer that stays with V and D in a third-level cache.
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
        let window = geometry.plan.node.window
        grid = TileGrid(window, tile: winograd.tile, height: geometry.height, width: geometry.width)
        pointRows = winograd.points
        points = pointRows * pointRows
        depth = geometry.plan.inputBlocks * 16
        outputs = geometry.plan.outputBlocks * 16
        let fitting = Self.cacheBytes / (points * (depth + outputs) * 4)
        let all = grid.count * geometry.pictures
        keepsProducts = points * depth * outputs * 4 <= Self.mostProductBytes
        let mostTiles = keepsProducts ? Self.mostTilesBesideProducts : Self.mostTiles
        let most = max(kernels.micro_tile, min(fitting, mostTiles, all))
        // Superblocks of one size, so that no short one is left.
        let count = (all + most - 1) / most
        superblock = (all + count - 1) / count
    }

    private var inputStride: Int { superblock * depth + Self.padding }
    private var gradientStride: Int { superblock * outputs + Self.padding }
    /// From point to point in the part of dU that a thread sums, or in all of it.
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
        let layer = Layer(step: self, crew: crew, pictures: pictures, gradients: gradients, packed: packed)
        let all = grid.count * pictures.count
        for start in stride(from: 0, to: all, by: superblock) {
            let segments = TileSegment.cut(start..<min(all, start + superblock), tiles: grid.count)
            layer.transform(segments)
            if keepsProducts {
                layer.addProducts(segments, isFirst: start == 0)
            } else {
                layer.addParts(segments)
            }
        }
        if keepsProducts { layer.takeProductsBack() }
    }

    /// The step with its pictures, gradients and scratch.
    private struct Layer {
        let step: WinogradWeightGradient
        let crew: Crew
        let pictures: [ConvolutionPicture]
        let gradients: [sn_map]
        let packed: UnsafeMutablePointer<Float>
        private let winograd: sn_winograd
        private let v: UnsafeMutablePointer<Float>
        private let d: UnsafeMutablePointer<Float>
        private let products: UnsafeMutablePointer<Float>
        private let panels: [(block: Int, columns: Int)]
        private let groups: Int

        init(
            step: WinogradWeightGradient,
            crew: Crew,
            pictures: [ConvolutionPicture],
            gradients: [sn_map],
            packed: UnsafeMutablePointer<Float>
        ) {
            self.step = step
            self.crew = crew
            self.pictures = pictures
            self.gradients = gradients
            self.packed = packed
            let plan = step.geometry.plan
            winograd = step.variant.kernels(step.kernels).pointee
            v = crew.shared.assumingMemoryBound(to: Float.self)
            d = v + step.points * step.inputStride
            products = d + step.points * step.gradientStride
            panels = SegNetCPU.panels(outputBlocks: plan.units[0].outputBlocks, panel: step.kernels.panel)
            groups = (plan.inputBlocks + WinogradWeightGradient.group - 1) / WinogradWeightGradient.group
        }

        private var plan: ConvolutionPlan { step.geometry.plan }

        private func buffer(_ segment: TileSegment, point: Int) -> sn_tiles {
            sn_tiles(
                data: v + point * step.inputStride + segment.before * step.depth,
                tiles: segment.count,
                depth: step.depth,
                depth_block: step.kernels.depth_block
            )
        }

        private func lines(_ group: Int) -> Range<Int> {
            let most = WinogradWeightGradient.group
            return group * most..<min(plan.inputBlocks, (group + 1) * most)
        }

        /// D by pictures and panels, then V by micro tiles and groups of channels: smaller items last, so that threads end together.
        func transform(_ segments: [TileSegment]) {
            let micros = segments.flatMap { segment in
                (0..<(segment.count + step.kernels.micro_tile - 1) / step.kernels.micro_tile).map { (segment, $0) }
            }
            let gradientItems = segments.count * panels.count
            crew.pool.forEach(gradientItems + micros.count * groups) { _, index in
                if index >= gradientItems {
                    let index = index - gradientItems
                    let (segment, micro) = micros[index / groups]
                    winograd.transformInput(
                        of: pictures[segment.picture],
                        plan,
                        grid: step.grid.kernelGrid(first: segment.first),
                        tiles: buffer(segment, point: 0),
                        pointStride: step.inputStride,
                        micro: micro,
                        blocks: lines(index % groups)
                    )
                } else {
                    let segment = segments[index / panels.count]
                    let (block, columns) = panels[index % panels.count]
                    var map = gradients[segment.picture]
                    var grid = step.grid.kernelGrid(first: segment.first)
                    winograd.gradient(
                        &map,
                        &grid,
                        segment.count,
                        block,
                        columns,
                        d + block * 16 * step.superblock + segment.before * columns,
                        step.gradientStride
                    )
                }
            }
        }

        /// Adds to the kept dU of the whole layer. A thread takes rows of points: the kernel prefetches the next point's V.
        func addProducts(_ segments: [TileSegment], isFirst: Bool) {
            crew.pool.forEach(step.pointRows) { _, row in
                for point in row * step.pointRows..<(row + 1) * step.pointRows {
                    for panel in panels {
                        let part = products + point * step.productStride + panel.block * 16 * step.depth
                        sum(segments, point, panel, lines: 0..<plan.inputBlocks, into: part, adds: !isFirst)
                    }
                }
            }
        }

        /// Sums dU part by part and takes each back at once.
        func addParts(_ segments: [TileSegment]) {
            crew.pool.forEach(panels.count * groups) { worker, index in
                let panel = panels[index / groups]
                let lines = lines(index % groups)
                let u = crew.scratch(worker)
                for point in 0..<step.points {
                    sum(segments, point, panel, lines: lines, into: u + point * step.productStride, adds: false)
                }
                takeBack(u, panel, lines: lines)
            }
        }

        func takeProductsBack() {
            crew.pool.forEach(panels.count * groups) { _, index in
                let panel = panels[index / groups]
                let lines = lines(index % groups)
                let u = products + panel.block * 16 * step.depth + lines.lowerBound * 16 * panel.columns
                takeBack(u, panel, lines: lines)
            }
        }

        /// dU of a point: a panel of outputs, some lines of 16 input channels.
        private func sum(
            _ segments: [TileSegment],
            _ point: Int,
            _ panel: (block: Int, columns: Int),
            lines: Range<Int>,
            into u: UnsafeMutablePointer<Float>,
            adds: Bool
        ) {
            for segment in segments {
                var tiles = buffer(segment, point: point)
                step.kernels.gemm_outer(
                    &tiles,
                    lines.lowerBound,
                    lines.upperBound,
                    d + point * step.gradientStride + panel.block * 16 * step.superblock
                        + segment.before * panel.columns,
                    panel.columns,
                    adds || segment.before > 0 ? 1 : 0,
                    u
                )
            }
        }

        /// Adds G^T dU G to the weights' gradient; `u` begins with the first of the lines.
        private func takeBack(
            _ u: UnsafeMutablePointer<Float>,
            _ panel: (block: Int, columns: Int),
            lines: Range<Int>
        ) {
            for half in 0..<panel.columns / 16 {
                winograd.weight_gradient(
                    u + half * 16,
                    step.productStride,
                    panel.columns,
                    lines.lowerBound * 16,
                    lines.upperBound * 16,
                    packed + (panel.block + half) * step.depth * winograd.taps * winograd.taps * 16
                )
            }
        }
    }
}
