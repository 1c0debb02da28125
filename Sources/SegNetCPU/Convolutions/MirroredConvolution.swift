import CSegNetKernels
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

/// The convolution that takes the gradient of a convolution's output to the gradient of its input.
struct MirroredConvolution: Sendable {
    let forward: ConvolutionPlan
    let plan: ConvolutionPlan
    let schedule: any ConvolutionSchedule

    /// - Parameters:
    ///   - geometry: The geometry of the convolution itself.
    ///   - options: Which algorithms may be used.
    init(_ geometry: ConvolutionGeometry, options: InferenceOptions) {
        forward = geometry.plan
        let node = geometry.plan.node
        var window = node.window
        var isTransposed = !node.isTransposed
        if case .winograd = geometry.plan.algorithm {
            isTransposed = false
            window.paddingY = window.extentY - 1 - window.paddingY
            window.paddingX = window.extentX - 1 - window.paddingX
        } else if node.turnsTensor {
            // The gradient of the transposed convolution that the tensor is of: the tensor as it is.
            isTransposed = false
            window.paddingY = window.extentY - 1 - window.paddingY
            window.paddingX = window.extentX - 1 - window.paddingX
        } else if case .depthwise = geometry.plan.algorithm, window.strideY == 1, window.strideX == 1 {
            isTransposed = false
            window.paddingY = window.extentY - 1 - window.paddingY
            window.paddingX = window.extentX - 1 - window.paddingX
        }
        let mirrored = ConvolutionNode(
            window: window,
            isTransposed: isTransposed,
            groups: node.groups,
            inputChannels: node.outputChannels,
            outputChannels: node.inputChannels,
            weight: .values([]),
            bias: []
        )
        plan = ConvolutionPlan(mirrored, isThin: false, options: options)
        schedule = ConvolutionGeometry(
            plan: plan,
            pictures: geometry.pictures,
            inputHeight: geometry.height,
            inputWidth: geometry.width,
            height: geometry.inputHeight,
            width: geometry.inputWidth
        ).schedule(kernels: options.instructionSet.kernels)
    }

    private var weightBytes: Int { (plan.units.reduce(0) { $0 + $1.weightCount } * 4 + 63) / 64 * 64 }

    /// Scratch: the mirrored weights, what the schedule shares, and `unpooled` bytes behind them.
    func sharedBytes(unpooled: Int) -> Int { weightBytes + (schedule.sharedBytes + 63) / 64 * 64 + unpooled }

    /// - Parameters:
    ///   - weights: The forward convolution's packed weights.
    ///   - zeros: At least as many as there are input channels: there is no bias.
    func run(
        _ gradients: [sn_map],
        to results: [sn_map],
        weights: UnsafePointer<Float>,
        zeros: UnsafePointer<Float>,
        on crew: Crew
    ) {
        let mirrored = crew.shared.assumingMemoryBound(to: Float.self)
        mirrorWeights(weights, to: mirrored, on: crew)
        let pictures = zip(gradients, results).map { gradient, result in
            ConvolutionPicture(
                input: gradient,
                epilogue: sn_epilogue(bias: zeros, relu: 0, out: result, pooled: .none, indices: .none)
            )
        }
        let inner = crew.sharing(crew.shared + weightBytes)
        schedule.run(pictures, weights: UnsafeMutableRawPointer(mirrored), on: inner)
    }

    private func mirrorWeights(_ weights: UnsafePointer<Float>, to mirrored: UnsafeMutablePointer<Float>, on crew: Crew)
    {
        if case .winograd = plan.algorithm, case .winograd = forward.algorithm {
            turnPacked(weights, to: mirrored, on: crew)
            return
        }
        // Where either is not in the Winograd domain, as always with accuracy `exact`: through the tensor as files have it.
        var tensor = [Float](repeating: 0, count: forward.tensorCount)
        forward.unpack(weights, to: &tensor, panel: crew.kernels.panel)
        // The mirror of a transposed convolution is the plain one, as it is.
        if case .depthwise = plan.algorithm, !forward.node.isTransposed {
            let taps = forward.node.window.taps
            tensor = tensor.indices.map { tensor[$0 / taps * taps + taps - 1 - $0 % taps] }
        }
        var whole = plan
        whole.node.weight = .values(tensor)
        mirrored.update(repeating: 0, count: weightBytes / 4)
        whole.packWeights(to: mirrored, kernels: crew.kernels)
    }

    /// [out/16][in][taps][16 outs] to [in/16][out][taps turned][16 ins].
    private func turnPacked(_ weights: UnsafePointer<Float>, to mirrored: UnsafeMutablePointer<Float>, on crew: Crew) {
        let taps = plan.node.window.taps
        let (inputs, outputs) = (forward.inputBlocks, forward.outputBlocks)
        crew.pool.forEach(inputs * outputs) { _, index in
            let (input, output) = (index % inputs, index / inputs)
            let from = weights + (output * inputs + input) * 16 * taps * 16
            let to = mirrored + (input * outputs + output) * 16 * taps * 16
            for c in 0..<16 {
                for tap in 0..<taps {
                    let line = from + (c * taps + tap) * 16
                    let target = to + (taps - 1 - tap) * 16 + c
                    for k in 0..<16 { target[k * taps * 16] = line[k] }
                }
            }
        }
    }
}
