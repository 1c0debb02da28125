import CSegNetKernels
import SegNetGraph
import SegNetPlatform

/// A convolution, also transposed: where its schedule finds its maps, and how its gradients are found.
struct ConvolutionStep: Step {
    let geometry: ConvolutionGeometry
    let schedule: any ConvolutionSchedule
    /// The map, or the pooled map and its pooling indices.
    let inputs: [ValueID]
    /// The map, or the pooled map and its pooling indices.
    let outputs: [ValueID]
    /// The first output.
    let shape: Value
    /// Where the weights lie among the packed weights or the parameters, in bytes.
    let weight: Int
    /// Where the bias lies, likewise; nil: there is none.
    let bias: Int?
    /// Whether padding channels of the output are set to 0 again, since another layer reads them.
    ///
    /// Their weights are 0, but 0 x infinity is NaN, and the next convolution would spread it over real channels.
    let clearsPadding: Bool
    /// Nil where nothing learns.
    let gradient: ConvolutionGradient?

    /// Stored in 16 bits, the sums are computed in scratch and then rounded.
    var forwardScratch: ScratchBytes {
        let sums = shape.layout == .half ? saturatingProduct(shape.gradientByteCount, geometry.pictures) : 0
        return ScratchBytes(
            shared: sums == 0 ? schedule.sharedBytes : saturatingSum([scheduleBytes, sums]),
            thread: schedule.threadBytes
        )
    }

    private var scheduleBytes: Int { (schedule.sharedBytes + 63) / 64 * 64 }

    var backwardScratch: ScratchBytes { gradient?.scratch(geometry) ?? ScratchBytes() }
    var backwardReads: [ValueID] {
        gradient?.isWeightTrained == true ? inputs : Array(inputs.dropFirst())
    }

    func forward(_ run: Run) {
        let isHalf = shape.layout == .half
        let sums = run.crew.shared + scheduleBytes
        let halves =
            isHalf ? (0..<run.pictures).map { sn_map(shape, at: sums + $0 * shape.gradientByteCount) } : []
        let pictures = (0..<run.pictures).map { picture(run, $0, out: isHalf ? halves[$0] : nil) }
        schedule.run(pictures, weights: run.weights + weight, on: run.crew)
        guard isHalf || clearsPadding else { return }
        run.forEachItemWithScratch(outputs[0]) { worker, block, picture, rows in
            if isHalf {
                run.store(halves[picture], outputs[0], worker: worker, block, picture: picture, rows)
            } else if block == shape.blocks - 1 {
                run.clearPadding(outputs[0], picture: picture, rows)
            }
        }
    }

    func backward(_ run: Run, _ gradients: Gradients) {
        gradient?.run(self, (0..<run.pictures).map { picture(run, $0) }, run, gradients)
    }

    /// One picture's maps.
    /// - Parameter out: Where the sums go, if not to the output.
    private func picture(_ run: Run, _ index: Int, out: sn_map? = nil) -> ConvolutionPicture {
        var picture = ConvolutionPicture(epilogue: epilogue(run, index, out))
        if geometry.plan.algorithm == .gatherThin {
            picture.thin = run.thin(inputs[0], picture: index)
        } else {
            picture.input = run.map(inputs[0], picture: index)
        }
        if geometry.plan.node.readsUnpooled { picture.indices = run.indices(inputs[1], picture: index) }
        return picture
    }

    private func epilogue(_ run: Run, _ index: Int, _ out: sn_map?) -> sn_epilogue {
        let plan = geometry.plan
        let zeros = run.learning?.zeros ?? UnsafePointer(run.floats(at: 0))
        var epilogue = sn_epilogue(
            bias: bias.map { UnsafePointer(run.floats(at: $0)) } ?? zeros,
            relu: plan.node.relu ? 1 : 0,
            out: .none,
            pooled: .none,
            indices: .none
        )
        if plan.node.isPooled {
            epilogue.pooled = run.map(outputs[0], picture: index)
            epilogue.indices = run.indices(outputs[1], picture: index)
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
            epilogue.out = out ?? run.map(outputs[0], picture: index)
        }
        return epilogue
    }
}

extension ConvolutionStep: RowLocalStep {
    private var pooling: Int { geometry.plan.node.isPooled ? 2 : 1 }

    var rowGroups: RowGroups? {
        guard !clearsPadding, let groups = schedule.rowGroups, groups.rows % pooling == 0 else { return nil }
        return RowGroups(
            rows: groups.rows / pooling,
            height: (groups.height + pooling - 1) / pooling,
            items: groups.items
        )
    }

    func inputRows(for rows: Range<Int>) -> Range<Int> {
        guard let window = geometry.plan.units.first?.window, !rows.isEmpty else { return 0..<0 }
        let last = pooling * rows.upperBound - 1
        // From a window's first tap to its last. Those of a transposed convolution go upwards.
        let reach = (window.height - 1) * window.dilation_y
        let first = pooling * rows.lowerBound * window.stride_y + window.origin_y + min(0, reach)
        let end = last * window.stride_y + window.origin_y + max(0, reach) + 1
        // Where the map is unpooled on the way, rows of the pooled one.
        let shrinking = geometry.plan.node.readsUnpooled ? 2 : 1
        let height = (geometry.inputHeight + shrinking - 1) / shrinking
        let clipped = min(max(0, first), geometry.inputHeight) / shrinking
        return clipped..<max(clipped, min(height, (max(0, end) + shrinking - 1) / shrinking))
    }

    func begin(_ run: Run) -> RowGroupBody {
        schedule.begin(picture(run, 0), weights: run.weights + weight, on: run.crew)
    }
}
