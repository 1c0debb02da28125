import CSegNetKernels
import SegNetNetworks
import SegNetTensors

/// A convolution of one picture: where its schedule finds its maps.
struct ConvolutionStep: Step {
    let geometry: ConvolutionGeometry
    let schedule: any ConvolutionSchedule
    /// The map, or the pooled map and its pooling indices.
    let inputs: [ValueID]
    /// The map, or the pooled map and its pooling indices.
    let outputs: [ValueID]

    init(_ geometry: ConvolutionGeometry, inputs: [ValueID], outputs: [ValueID], kernels: sn_kernels) {
        self.geometry = geometry
        self.inputs = inputs
        self.outputs = outputs
        schedule = geometry.schedule(kernels: kernels)
    }

    var sharedBytes: Int { schedule.sharedBytes }
    var threadBytes: Int { schedule.threadBytes }

    func run(_ run: Run) {
        schedule.run([picture(run)], weights: run.weights + geometry.plan.weightOffset, on: run.crew)
    }

    private func picture(_ run: Run) -> ConvolutionPicture {
        let plan = geometry.plan
        var picture = ConvolutionPicture(epilogue: epilogue(run))
        if plan.algorithm == .gatherThin {
            picture.thin = run.thin(inputs[0])
        } else {
            picture.input = run.map(inputs[0])
        }
        if plan.node.readsUnpooled { picture.indices = run.indices(inputs[1]) }
        return picture
    }

    private func epilogue(_ run: Run) -> sn_epilogue {
        let plan = geometry.plan
        let bias = run.weights + plan.weightOffset + plan.biasOffset
        var epilogue = sn_epilogue(
            bias: UnsafePointer(bias.assumingMemoryBound(to: Float.self)),
            relu: plan.node.relu ? 1 : 0,
            out: .none,
            pooled: .none,
            indices: .none
        )
        if plan.node.isPooled {
            epilogue.pooled = run.map(outputs[0])
            epilogue.indices = run.indices(outputs[1])
            // No memory behind it: it tells where the map ends.
            epilogue.out = sn_map(
                data: nil,
                blocks: plan.outputBlocks,
                height: geometry.height,
                width: geometry.width,
                rows: geometry.height,
                block_stride: 0
            )
        } else {
            epilogue.out = run.map(outputs[0])
        }
        return epilogue
    }
}

extension ConvolutionStep: RowLocalStep {
    private var pooling: Int { geometry.plan.node.isPooled ? 2 : 1 }

    var rowGroups: RowGroups? {
        guard let groups = schedule.rowGroups, groups.rows % pooling == 0 else { return nil }
        return RowGroups(
            rows: groups.rows / pooling,
            height: (groups.height + pooling - 1) / pooling,
            items: groups.items
        )
    }

    func inputRows(for rows: Range<Int>) -> Range<Int> {
        guard let window = geometry.plan.units.first?.window, !rows.isEmpty else { return 0..<0 }
        let last = pooling * rows.upperBound - 1
        let first = pooling * rows.lowerBound * window.stride_y + window.origin_y
        let end = last * window.stride_y + window.origin_y + (window.height - 1) * window.dilation_y + 1
        // Where the map is unpooled on the way, rows of the pooled one.
        let shrinking = geometry.plan.node.readsUnpooled ? 2 : 1
        let height = (geometry.inputHeight + shrinking - 1) / shrinking
        let clipped = min(max(0, first), geometry.inputHeight) / shrinking
        return clipped..<max(clipped, min(height, (max(0, end) + shrinking - 1) / shrinking))
    }

    func begin(_ run: Run) -> RowGroupBody {
        schedule.begin(picture(run), weights: run.weights + geometry.plan.weightOffset, on: run.crew)
    }
}

/// A convolution whose output has padding channels that another layer reads: they are set to 0 again.
///
/// Their weights are 0, but 0 x infinity is NaN, and the next convolution would spread it over real channels.
struct PaddingConvolution: Step {
    let convolution: any Step
    let output: ValueID

    var sharedBytes: Int { convolution.sharedBytes }
    var threadBytes: Int { convolution.threadBytes }

    func run(_ run: Run) {
        convolution.run(run)
        let map = run.map(output)
        guard let data = map.data else { return }
        let block = data + (map.blocks - 1) * map.block_stride
        let first = run.placements[output.index].channels % 16
        run.forEachPiece(blocks: 1, height: map.height, width: map.width) { _, firstRow, lastRow in
            for pixel in firstRow * map.width..<lastRow * map.width {
                for lane in first..<16 { block[pixel * 16 + lane] = 0 }
            }
        }
    }
}
