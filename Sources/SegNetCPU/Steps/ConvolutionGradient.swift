import CSegNetKernels
import SegNetGraph

/// The gradients of a convolution: the input's by the mirrored convolution, the weights' by `WeightGradientSchedule`.
///
/// The mirror of a convolution is the transposed convolution with the same weights; with stride 1 that is a convolution with the weights
/// turned by 180 degrees, inputs and outputs exchanged.
struct ConvolutionGradient {
    let isWeightTrained: Bool
    /// False also before a batch normalisation by batch statistics: the gradient is 0 there, since the mean takes any bias away.
    let isBiasTrained: Bool
    let weights: any WeightGradientSchedule
    /// Nil if the input's gradient is not wanted.
    let mirror: MirroredConvolution?
    let sums: BatchSums

    func scratch(_ geometry: ConvolutionGeometry) -> ScratchBytes {
        var scratch = ScratchBytes()
        if isWeightTrained { scratch = ScratchBytes(shared: weights.sharedBytes, thread: weights.threadBytes) }
        if isBiasTrained { scratch.shared = max(scratch.shared, sums.byteCount) }
        if let mirror {
            scratch.shared = max(scratch.shared, mirror.sharedBytes(unpooled: Self.unpooledBytes(geometry)))
            scratch.thread = max(scratch.thread, mirror.schedule.threadBytes)
        }
        return scratch
    }

    /// The gradient of an unpooled map, of all pictures, before it is gathered.
    private static func unpooledBytes(_ geometry: ConvolutionGeometry) -> Int {
        guard geometry.plan.node.readsUnpooled else { return 0 }
        return geometry.pictures * geometry.plan.inputBlocks * geometry.inputHeight * geometry.inputWidth * 64
    }

    /// - Parameter pictures: What the convolution read.
    func run(_ step: ConvolutionStep, _ pictures: [ConvolutionPicture], _ run: Run, _ gradients: Gradients) {
        let ofOutput = (0..<run.pictures).map { gradients.map(step.outputs[0], picture: $0) }
        let node = step.geometry.plan.node
        if isWeightTrained {
            let target = gradients.parameters + step.weight / 4
            weights.run(pictures, gradients: ofOutput, into: target, on: run.crew)
        }
        if isBiasTrained, let bias = step.bias {
            let (sum, _) = sums.run(run.crew, scratch: run.crew.shared) { _, block, picture, rows, sums in
                run.kernels.addSums(ofOutput[picture], to: sums, block, rows)
            }
            for channel in 0..<node.outputChannels { gradients.parameters[bias / 4 + channel] += Float(sum[channel]) }
        }
        guard let mirror else { return }
        let input = step.inputs[0]
        let results =
            node.readsUnpooled
            ? unpooledMaps(step.geometry, at: run.crew.shared + mirror.sharedBytes(unpooled: 0))
            : (0..<run.pictures).map { gradients.target(input, picture: $0) }
        mirror.run(
            ofOutput,
            to: results,
            weights: run.floats(at: step.weight),
            zeros: gradients.memory.zeros,
            on: run.crew
        )
        guard node.readsUnpooled else { return }
        run.forEachItem(input) { block, picture, rows in
            let indices = run.indices(step.inputs[1], picture: picture)
            let pooled = gradients.target(input, picture: picture)
            run.kernels.gather2x2(results[picture], indices, to: pooled, block, rows)
        }
    }

    private func unpooledMaps(_ geometry: ConvolutionGeometry, at scratch: UnsafeMutableRawPointer) -> [sn_map] {
        let pictureBytes = Self.unpooledBytes(geometry) / max(1, geometry.pictures)
        return (0..<geometry.pictures).map { index in
            sn_map(
                data: (scratch + index * pictureBytes).assumingMemoryBound(to: Float.self),
                blocks: geometry.plan.inputBlocks,
                height: geometry.inputHeight,
                width: geometry.inputWidth,
                rows: geometry.inputHeight,
                block_stride: geometry.inputHeight * geometry.inputWidth * 16
            )
        }
    }
}
