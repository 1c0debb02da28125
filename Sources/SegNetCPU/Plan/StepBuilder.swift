import CSegNetKernels
import SegNetGraph
import SegNetNetworks

/// Where the parameters of a node lie among the packed weights, or among the parameters that learn; in bytes.
enum NodeParameters: Sendable {
    case none
    /// - Parameter bias: Nil if there is none.
    case convolution(ConvolutionPlan, weight: Int, bias: Int?)
    case normalization(scale: Int, shift: Int?)
}

/// Makes the steps that the nodes of a graph become at one size, one each.
struct StepBuilder {
    let network: Network
    let graph: CPUGraph
    /// By value.
    let values: [Value]
    /// By node.
    let parameters: [NodeParameters]
    let kernels: sn_kernels
    /// Nil where nothing learns.
    let learning: Learning?

    /// What steps need in addition where the network learns.
    struct Learning {
        let layout: ParameterLayout
        let pictures: Int
        /// By layer.
        let vectors: [String: VectorSpace.Normalization]
    }

    private var pictures: Int { learning?.pictures ?? 1 }

    /// - Throws: `NetworkError` for a node that cannot run.
    func steps() throws(NetworkError) -> [any Step] {
        var steps: [any Step] = []
        for position in graph.graph.nodes.indices { steps.append(try step(position)) }
        return steps
    }

    /// Every kind of node has its step here.
    private func step(_ position: Int) throws(NetworkError) -> any Step {
        let node = graph.graph.nodes[position]
        let (input, output) = (node.inputs[0], node.outputs[0])
        switch node.operation {
        case .convolution(let convolution): return try step(position, node, convolution)
        case .activation(let activation): return try step(position, node, activation)
        case .elu(let alpha): return ELUStep(alpha: Float(alpha), input: input, output: output)
        case .maxPooling(let window): return MaxPoolingStep(window: window, input: input, output: output)
        case .averagePooling(let window):
            let whole = Window(height: values[input].height, width: values[input].width)
            return AveragePoolingStep(window: window ?? whole, input: input, output: output)
        case .unpooling: return UnpoolingStep(pooled: input, indices: node.inputs[1], output: output)
        case .dropout(let ratio, let stream):
            return DropoutStep(ratio: ratio, stream: stream, input: input, output: output)
        case .localResponseNormalization(let kind):
            return LocalResponseNormalizationStep(kind: kind, input: input, output: output)
        case .localContrastNormalization(let kind):
            return LocalContrastNormalizationStep(kind: kind, input: input, output: output)
        case .addition(let relu, let coefficients):
            return AdditionStep(relu: relu, coefficients: coefficients, inputs: node.inputs, output: output)
        case .concatenation: return ConcatenationStep(inputs: node.inputs, output: output)
        case .crop(let crop): return CropStep(crop: crop, input: input, output: output)
        case .padding: return PaddingStep(input: input, output: output)
        case .resize(let alignsCorners, let cut):
            return ResizeStep(alignsCorners: alignsCorners, cut: cut, input: input, output: output)
        case .softmax: return SoftmaxStep(input: input, output: output)
        case .argmax:
            return ArgmaxStep(input: input, output: output, height: values[input].height, width: values[input].width)
        case .copy where values[input].layout == .half: return WideningStep(input: input, output: output)
        case .copy: return BlockStep(input: input, output: output)
        }
    }

    private func step(
        _ position: Int,
        _ node: Node,
        _ convolution: ConvolutionNode
    ) throws(NetworkError) -> any Step {
        guard case .convolution(let plan, let weight, let bias) = parameters[position] else {
            throw unprepared(node)
        }
        let (output, input) = (values[node.outputs[0]], values[node.inputs[0]])
        // Pooling indices know the size of the map that was pooled, which the convolution reads or writes in effect.
        let read = convolution.readsUnpooled ? values[node.inputs[1]].pooledSize : (input.height, input.width)
        let written = convolution.isPooled ? values[node.outputs[1]].pooledSize : (output.height, output.width)
        let geometry = ConvolutionGeometry(
            plan: plan,
            pictures: pictures,
            inputHeight: read.0,
            inputWidth: read.1,
            height: written.0,
            width: written.1
        )
        return ConvolutionStep(
            geometry: geometry,
            schedule: geometry.schedule(kernels: kernels),
            inputs: node.inputs,
            outputs: node.outputs,
            shape: output,
            weight: weight,
            bias: bias,
            clearsPadding: learning == nil && output.channels % 16 != 0 && graph.isReadWithPadding(node.outputs[0]),
            gradient: learning.map { gradient(node, convolution, geometry, $0) }
        )
    }

    private func gradient(
        _ node: Node,
        _ convolution: ConvolutionNode,
        _ geometry: ConvolutionGeometry,
        _ learning: Learning
    ) -> ConvolutionGradient {
        // Before a normalisation by batch statistics a bias changes nothing.
        var biasMatters = true
        if let reader = graph.graph.soleReader(of: node.outputs[0]),
            case .activation(let next) = graph.graph.nodes[reader].operation,
            case .layer(_, let kind, _) = next.normalization, kind.statistics == .batch
        {
            biasMatters = false
        }
        return ConvolutionGradient(
            isWeightTrained: learning.layout.learns(convolution.layer, .weight),
            isBiasTrained: biasMatters && learning.layout.learns(convolution.layer, .bias),
            weights: geometry.weightGradient(kernels: kernels),
            mirror: values[node.inputs[0]].needsGradient
                ? MirroredConvolution(geometry, options: learning.layout.options.inference) : nil,
            sums: BatchSums(values[node.outputs[0]], pictures: pictures)
        )
    }

    private func step(_ position: Int, _ node: Node, _ activation: Activation) throws(NetworkError) -> any Step {
        let shape = values[node.inputs[0]]
        var normalization = ActivationStep.Normalization.none
        switch (activation.normalization, parameters[position]) {
        case (nil, _): break
        case (.constants, .normalization(let scale, let shift?)): normalization = .constants(scale: scale, shift: shift)
        case (.layer(let layer, let kind, _), .normalization(let scale, let shift)):
            guard let learning, let index = learning.layout.normalizationIndex(layer),
                let vectors = learning.vectors[layer]
            else { throw unprepared(node) }
            normalization = .learning(
                LearningNormalization(
                    kind: kind,
                    scale: scale / 4,
                    shift: shift.map { $0 / 4 },
                    index: index,
                    isTrained: learning.layout.learns(layer),
                    vectors: vectors
                )
            )
        default: throw unprepared(node)
        }
        // A convolution's sums are read by nobody after this step: their gradient may take their place, if that is large enough.
        var gradientPlace = GradientPlace.own
        if let writer = graph.graph.writer(of: node.inputs[0]), case .convolution = graph.graph.nodes[writer].operation,
            graph.graph.soleReader(of: node.inputs[0]) != nil
        {
            gradientPlace = shape.layout != .half ? .input : activation.isPooled ? .own : .outputGradient
        }
        return ActivationStep(
            input: node.inputs[0],
            outputs: node.outputs,
            relu: activation.relu,
            isPooled: activation.isPooled,
            normalization: normalization,
            shape: shape,
            storesHalves: values[node.outputs[0]].layout == .half,
            gradientPlace: gradientPlace,
            sums: BatchSums(shape, pictures: pictures)
        )
    }

    private func unprepared(_ node: Node) -> NetworkError {
        NetworkError(
            network: network.name,
            layer: node.name,
            problem: "it was not prepared; this is a fault of this program"
        )
    }
}
