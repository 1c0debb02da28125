import CSegNetKernels
import SegNetNetworks
import SegNetTensors

extension InferencePlan {
    /// The steps that the nodes of the graph become at one size, one each.
    /// - Parameter shape: Of each value, at that size.
    /// - Throws: `NetworkError` for a node that cannot run.
    static func steps(
        of prepared: PreparedNetwork,
        placements: [ValuePlacement],
        shape: (ValueID) -> BlobShape
    ) throws -> [any Step] {
        let (graph, network) = (prepared.graph, prepared.network)
        let kernels = prepared.options.instructionSet.kernels
        var steps: [any Step] = []
        for (position, node) in graph.nodes.enumerated() {
            let step: any Step
            let (inputs, outputs) = (node.inputs, node.outputs)
            switch node.operation {
            case .convolution(let description):
                guard let convolution = prepared.convolutions[position] else {
                    throw NetworkError(
                        network: network.name,
                        layer: node.name,
                        reason: "it was not prepared; this is a fault of this program."
                    )
                }
                let read = description.readsUnpooled ? shape(inputs[1]).pooledFrom ?? [] : shape(inputs[0]).shape
                let written = description.isPooled ? shape(outputs[1]).pooledFrom ?? [] : shape(outputs[0]).shape
                let convolutionStep = ConvolutionStep(
                    ConvolutionGeometry(
                        plan: convolution,
                        inputHeight: read.height,
                        inputWidth: read.width,
                        height: written.height,
                        width: written.width
                    ),
                    inputs: inputs,
                    outputs: outputs,
                    kernels: kernels
                )
                let hasPadding = placements[outputs[0].index].channels % 16 != 0
                step =
                    hasPadding && graph.isReadWithPadding(outputs[0])
                    ? PaddingConvolution(convolution: convolutionStep, output: outputs[0]) : convolutionStep
            case .affine(let scale, let shift, let relu):
                step = AffineStep(
                    hasScale: scale != nil,
                    hasShift: shift != nil,
                    relu: relu,
                    offset: prepared.affineOffsets[position] ?? 0,
                    input: inputs[0],
                    output: outputs[0]
                )
            case .maxPooling(let window):
                step = MaxPoolingStep(window: window, input: inputs[0], output: outputs[0])
            case .maxPoolingWithIndices:
                step = MaxPoolingWithIndices(input: inputs[0], output: outputs[0], indices: outputs[1])
            case .dropout(let ratio, let layer):
                step = DropoutStep(input: inputs[0], output: outputs[0], ratio: ratio, layer: layer)
            case .unpooling: step = UnpoolingStep(pooled: inputs[0], indices: inputs[1], output: outputs[0])
            case .localResponseNormalization(let kind):
                step = LocalResponseNormalizationStep(
                    kind: kind,
                    isThin: placements[inputs[0].index].layout == .thin,
                    input: inputs[0],
                    output: outputs[0]
                )
            case .localContrastNormalization(let kind):
                guard placements[inputs[0].index].layout == .thin else {
                    throw NetworkError(
                        network: network.name,
                        layer: node.name,
                        reason: "local contrast normalisation is for the network's input; move it to the front."
                    )
                }
                step = LocalContrastNormalizationStep(kind: kind, input: inputs[0], output: outputs[0])
            case .addition(let relu): step = AdditionStep(relu: relu, inputs: inputs, output: outputs[0])
            case .concatenation: step = ConcatenationStep(inputs: inputs, output: outputs[0])
            case .crop(let crop): step = CropStep(crop: crop, input: inputs[0], output: outputs[0])
            case .bilinearUpsampling: step = BilinearUpsamplingStep(input: inputs[0], output: outputs[0])
            case .softmax: step = SoftmaxStep(input: inputs[0], output: outputs[0])
            case .argmax:
                let place = placements[inputs[0].index]
                step = ArgmaxStep(input: inputs[0], output: outputs[0], height: place.height, width: place.width)
            case .block: step = BlockStep(input: inputs[0], output: outputs[0])
            }
            steps.append(step)
        }
        return steps
    }
}

extension Graph {
    /// Whether somebody reads the padding channels of a value, too.
    fileprivate func isReadWithPadding(_ value: ValueID) -> Bool {
        readers(of: value).contains { reader in
            if case .argmax = nodes[reader].operation { false } else { true }
        }
    }
}
