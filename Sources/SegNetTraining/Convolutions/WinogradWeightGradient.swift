import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// In the Winograd domain: dU = sum over tiles of V^T D at each point, dW += G^T dU G (kernel notes, section 7.1).
///
/// Tiles of all pictures are taken in superblocks whose V and D stay in the third-level cache. A thread takes a panel of outputs and a
/// group of input channels, sums dU of that part over the superblock, and takes it back to the weights: since G^T is linear, dU of the
/// whole layer, 64/9 times as large as the weights, never exists. Short float32 sums also keep the error small.
struct WinogradWeightGradient: WeightGradientSchedule {
    private let geometry: ConvolutionGeometry
    private let variant: WinogradVariant
    private let kernels: sn_kernels
    private let tilesAcross: Int
    /// Of one picture.
    private let tiles: Int
    private let points: Int
    private let depth: Int
    private let outputs: Int
    private let superblock: Int

    /// V and D of a superblock: half of a third-level cache.
    private static let cacheBytes = 14 << 20
    private static let mostTiles = 160
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
        points = winograd.points * winograd.points
        depth = geometry.plan.inputBlocks * 16
        outputs = geometry.plan.outputBlocks * 16
        let fitting = Self.cacheBytes / (points * (depth + outputs) * 4)
        let all = tiles * geometry.pictures
        let most = max(kernels.micro_tile, min(fitting, Self.mostTiles, all))
        // Superblocks of one size, so that no short one is left.
        let count = (all + most - 1) / most
        superblock = (all + count - 1) / count
    }

    private var inputStride: Int { superblock * depth + Self.padding }
    private var gradientStride: Int { superblock * outputs + Self.padding }
    private var productStride: Int { Self.group * 16 * kernels.panel + Self.padding }

    var sharedBytes: Int { points * (inputStride + gradientStride) * 4 }
    var threadBytes: Int { points * productStride * 4 }

    /// The tiles of one picture within a superblock.
    private struct Segment {
        var picture: Int
        var first: Int
        var count: Int
        var before: Int
    }

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
        let panels = panels(outputBlocks: plan.units[0].outputBlocks, panel: kernels.panel)
        let groups = (plan.inputBlocks + Self.group - 1) / Self.group
        let all = tiles * pictures.count

        func grid(_ segment: Segment) -> sn_tile_grid {
            sn_tile_grid(
                across: tilesAcross,
                first: segment.first,
                padding_y: plan.node.window.paddingY,
                padding_x: plan.node.window.paddingX,
                height: geometry.height,
                width: geometry.width
            )
        }
        func buffer(_ segment: Segment, point: Int) -> sn_tiles {
            sn_tiles(
                data: v + point * inputStride + segment.before * depth,
                tiles: segment.count,
                depth: depth,
                depth_block: kernels.depth_block
            )
        }

        for start in stride(from: 0, to: all, by: superblock) {
            let segments = segments(start..<min(all, start + superblock))
            let micros = segments.flatMap { segment in
                (0..<(segment.count + kernels.micro_tile - 1) / kernels.micro_tile).map { (segment, $0) }
            }
            // V by micro tiles and groups of channels, then D by pictures and panels.
            let inputItems = micros.count * groups
            crew.pool.forEach(inputItems + segments.count * panels.count) { _, index in
                if index < inputItems {
                    let (segment, micro) = micros[index / groups]
                    let first = index % groups * Self.group
                    let last = min(plan.inputBlocks, first + Self.group)
                    var picture = pictures[segment.picture]
                    var grid = grid(segment)
                    var tiles = buffer(segment, point: 0)
                    if plan.node.readsUnpooled {
                        winograd.input_unpooled(
                            &picture.input,
                            &picture.indices,
                            &grid,
                            &tiles,
                            inputStride,
                            micro,
                            first,
                            last
                        )
                    } else {
                        winograd.input(&picture.input, &grid, &tiles, inputStride, micro, first, last)
                    }
                } else {
                    let segment = segments[(index - inputItems) / panels.count]
                    let (block, columns) = panels[(index - inputItems) % panels.count]
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
            crew.pool.forEach(panels.count * groups) { worker, index in
                let (block, columns) = panels[index / groups]
                let first = index % groups * Self.group
                let last = min(plan.inputBlocks, first + Self.group)
                let u = crew.scratch(worker)
                for point in 0..<points {
                    for segment in segments {
                        var tiles = buffer(segment, point: point)
                        kernels.gemm_outer(
                            &tiles,
                            first,
                            last,
                            d + point * gradientStride + block * 16 * superblock + segment.before * columns,
                            columns,
                            segment.before > 0 ? 1 : 0,
                            u + point * productStride
                        )
                    }
                }
                for half in 0..<columns / 16 {
                    winograd.weight_gradient(
                        u + half * 16,
                        productStride,
                        columns,
                        first * 16,
                        last * 16,
                        packed + (block + half) * depth * winograd.taps * winograd.taps * 16
                    )
                }
            }
        }
    }
}
