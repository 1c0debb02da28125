import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// A convolution, also transposed: forward by the schedules of inference, the input's gradient by the mirrored convolution, the weights'
/// gradient by `WeightGradientSchedule`.
///
/// The mirror of a convolution is the transposed convolution with the same weights; with stride 1 that is a convolution with the weights
/// turned by 180 degrees, inputs and outputs exchanged.
struct ConvolutionTraining: TrainingStep {
    /// The map, or the pooled map and its pooling indices.
    let inputs: [Int]
    let output: Int
    /// Of the output.
    let shape: TrainingValue
    let geometry: ConvolutionGeometry
    let schedule: any ConvolutionSchedule
    /// Of the weights and the bias among the parameters; nil without bias.
    let weight: Int
    let bias: Int?
    let isWeightTrained: Bool
    /// False in front of a batch normalisation by batch statistics: the gradient is 0 there, since the mean takes any bias away.
    let isBiasTrained: Bool
    let mirror: MirroredConvolution?
    let weightGradient: any WeightGradientSchedule
    let sums: BatchSums
    let zeros: Int

    /// Stored in 16 bits, the sums are computed in scratch and then rounded.
    var forwardScratch: ScratchBytes {
        let sums = shape.layout == .half ? saturatingProduct(shape.gradientByteCount, geometry.pictures) : 0
        return ScratchBytes(shared: saturatingSum([scheduleBytes, sums]), thread: schedule.threadBytes)
    }

    private var scheduleBytes: Int { (schedule.sharedBytes + 63) / 64 * 64 }

    var backwardScratch: ScratchBytes {
        var scratch = ScratchBytes()
        if isWeightTrained {
            scratch.shared = weightGradient.sharedBytes
            scratch.thread = weightGradient.threadBytes
        }
        if isBiasTrained { scratch.shared = max(scratch.shared, sums.byteCount) }
        if let mirror {
            scratch.shared = max(scratch.shared, mirror.sharedBytes(unpooled: unpooledBytes))
            scratch.thread = max(scratch.thread, mirror.schedule.threadBytes)
        }
        return scratch
    }

    var backwardReads: [Int] { isWeightTrained ? inputs : Array(inputs.dropFirst()) }

    /// The gradient of an unpooled map, of all pictures, before it is gathered.
    private var unpooledBytes: Int {
        guard geometry.plan.node.readsUnpooled else { return 0 }
        return geometry.pictures * geometry.plan.inputBlocks * geometry.inputHeight * geometry.inputWidth * 64
    }

    private func picture(_ run: TrainingRun, _ index: Int, out: sn_map = .none) -> ConvolutionPicture {
        var picture = ConvolutionPicture(
            epilogue: sn_epilogue(
                bias: UnsafePointer(bias.map { run.parameters + $0 } ?? run.vectors + zeros),
                relu: 0,
                out: out,
                pooled: .none,
                indices: .none
            )
        )
        if geometry.plan.algorithm == .gatherThin {
            picture.thin = run.thin(inputs[0], picture: index)
        } else {
            picture.input = run.map(inputs[0], picture: index)
        }
        if geometry.plan.node.readsUnpooled { picture.indices = run.indices(inputs[1], picture: index) }
        return picture
    }

    func forward(_ run: TrainingRun) {
        let sums = run.crew.shared + scheduleBytes
        let outputs = (0..<run.pictures).map { index in
            shape.layout == .half
                ? sn_map(shape, at: sums + index * shape.gradientByteCount) : run.map(output, picture: index)
        }
        schedule.run(
            outputs.enumerated().map { picture(run, $0, out: $1) },
            weights: UnsafeMutableRawPointer(run.parameters + weight),
            on: run.crew
        )
        guard shape.layout == .half else { return }
        run.forEachPieceWithScratch(output) { worker, block, picture, first, last in
            run.store(outputs[picture], output, worker: worker, block, picture: picture, first, last)
        }
    }

    func backward(_ run: TrainingRun) {
        let gradients = (0..<run.pictures).map { run.gradient(output, picture: $0) }
        if isWeightTrained {
            weightGradient.run(
                (0..<run.pictures).map { picture(run, $0) },
                gradients: gradients,
                into: run.gradients + weight,
                on: run.crew
            )
        }
        if isBiasTrained, let bias {
            let (sum, _) = sums.run(run.crew, scratch: run.crew.shared) { _, block, picture, first, last, sums in
                var map = gradients[picture]
                run.kernels.sums(&map, block, first, last, sums, nil)
            }
            for channel in 0..<geometry.plan.node.outputChannels {
                run.gradients[bias + channel] += Float(sum[channel])
            }
        }
        guard let mirror else { return }
        let readsUnpooled = geometry.plan.node.readsUnpooled
        let full = run.crew.shared + mirror.sharedBytes(unpooled: 0)
        let pictureBytes = unpooledBytes / max(1, run.pictures)
        let results = (0..<run.pictures).map { index -> sn_map in
            guard readsUnpooled else { return run.target(inputs[0], picture: index) }
            return sn_map(
                data: (full + index * pictureBytes).assumingMemoryBound(to: Float.self),
                blocks: geometry.plan.inputBlocks,
                height: geometry.inputHeight,
                width: geometry.inputWidth,
                rows: geometry.inputHeight,
                block_stride: geometry.inputHeight * geometry.inputWidth * 16
            )
        }
        mirror.run(gradients, to: results, weights: run.parameters + weight, zeros: run.vectors + zeros, on: run.crew)
        guard readsUnpooled else { return }
        run.forEachPiece(inputs[0]) { block, picture, first, last in
            var map = results[picture]
            var indices = run.indices(inputs[1], picture: picture)
            var pooled = run.target(inputs[0], picture: picture)
            run.kernels.gather_2x2(&map, &indices, &pooled, block, first, last)
        }
    }
}
