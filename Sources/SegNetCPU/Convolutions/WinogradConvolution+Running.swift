import CSegNetKernels
import SegNetGraph
import SegNetPlatform

extension sn_winograd {
    /// V of a micro tile, some blocks of 16 input channels, from what the convolution reads: the map, or an unpooled one that never exists.
    /// - Parameters:
    ///   - tiles: The buffer of the first point; the next point's lies `pointStride` floats behind.
    func transformInput(
        of picture: ConvolutionPicture,
        _ plan: ConvolutionPlan,
        grid: sn_tile_grid,
        tiles: sn_tiles,
        pointStride: Int,
        micro: Int,
        blocks: Range<Int>
    ) {
        var (picture, grid, tiles) = (picture, grid, tiles)
        let (first, last) = (blocks.lowerBound, blocks.upperBound)
        if plan.node.readsUnpooled {
            input_unpooled(&picture.input, &picture.indices, &grid, &tiles, pointStride, micro, first, last)
        } else {
            input(&picture.input, &grid, &tiles, pointStride, micro, first, last)
        }
    }
}

extension WinogradConvolution {
    /// The step with its pointers, for the time of one run: the loops of both blockings.
    struct Layer {
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

        func tileBuffer(_ v: UnsafeMutablePointer<Float>, tiles: Int) -> sn_tiles {
            sn_tiles(data: v, tiles: tiles, depth: step.depth, depth_block: kernels.depth_block)
        }

        func transformInput(
            _ segment: TileSegment,
            _ v: UnsafeMutablePointer<Float>,
            _ stride: Int,
            micro: Int,
            blocks: Range<Int>
        ) {
            winograd.transformInput(
                of: pictures[segment.picture],
                plan,
                grid: step.grid.kernelGrid(first: segment.first),
                tiles: tileBuffer(v + segment.before * step.depth, tiles: segment.count),
                pointStride: stride,
                micro: micro,
                blocks: blocks
            )
        }

        func transformOutput(_ segment: TileSegment, _ m: UnsafePointer<Float>, _ stride: Int, block: Int, columns: Int)
        {
            var epilogue = pictures[segment.picture].epilogue
            var grid = step.grid.kernelGrid(first: segment.first)
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
        func compute(_ segment: TileSegment, _ panels: [(block: Int, columns: Int, start: Int)], worker: Int) {
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
                compute(
                    TileSegment(picture: item / blocks, first: first, count: count, before: 0),
                    panels,
                    worker: worker
                )
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
                let segments = TileSegment.cut(range, tiles: step.tiles)
                let (vStride, mStride) = (step.inputStride(range.count), step.productStride(range.count))
                let items = segments.flatMap { segment in (0..<micros(segment.count)).map { (segment, $0) } }
                crew.pool.forEach(items.count * groups) { _, index in
                    let (segment, micro) = items[index / groups]
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
