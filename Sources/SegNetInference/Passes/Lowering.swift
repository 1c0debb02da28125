import SegNetNetworks
import SegNetTensors

extension Graph {
    /// Turns a network and its weights into a graph: blob names become values, dropout disappears unless it is sampled, batch normalisation becomes affine.
    ///
    /// - Throws: `NetworkError` for what cannot be run: batch statistics without stored ones, inner products, unknown outputs.
    ///   Weights must have been checked against the network.
    init(_ network: Network, weights: Weights, outputs names: [String], sampling: Bool = false) throws(NetworkError) {
        func failure(_ layer: Layer, _ reason: String) -> NetworkError {
            NetworkError(network: network.name, layer: layer.name, reason: reason)
        }
        let shapes = try network.shapes()
        inputChannels = network.input.channels.count
        let input = makeValue(.input, .thin)
        var current: [String: ValueID] = [network.input.name: input]
        // Blobs that cannot be computed, and the fully connected layer that is the reason.
        var unavailable: [String: Layer] = [:]

        for (index, layer) in network.layers.enumerated() {
            var reason = layer.inputs.compactMap { unavailable[$0] }.first
            if case .innerProduct = layer.operation { reason = reason ?? layer }
            for blob in layer.outputs { unavailable[blob] = reason }
            if reason != nil { continue }
            let inputs = layer.inputs.compactMap { current[$0] }
            let inputShapes = shapes.layers[index].inputs
            let channels = inputShapes[0].shape.channels

            func vector(_ name: String) -> [Float]? { weights["\(layer.name).\(name)"]?.floats() }
            func emit(_ operation: NodeOperation, _ layouts: [ValueLayout] = [.blocked]) {
                var written: [ValueID] = []
                for (position, layout) in layouts.enumerated() {
                    written.append(makeValue(.layer(index: index, output: position), layout))
                }
                nodes.append(Node(name: layer.name, operation: operation, inputs: inputs, outputs: written))
                for (blob, value) in zip(layer.outputs, written) { current[blob] = value }
            }
            func convolution(_ window: Window, _ groups: Int, _ outputs: Int, isTransposed: Bool) throws(NetworkError) {
                guard let weight = weights["\(layer.name).weight"] else { throw failure(layer, "it has no weights.") }
                emit(
                    .convolution(
                        ConvolutionNode(
                            window: window,
                            isTransposed: isTransposed,
                            groups: groups,
                            inputChannels: channels,
                            outputChannels: outputs,
                            weight: .tensor(weight),
                            bias: vector("bias") ?? Array(repeating: 0, count: outputs)
                        )
                    )
                )
            }

            switch layer.operation {
            case .convolution(let kind):
                try convolution(kind.window, kind.groups, kind.outputChannels, isTransposed: false)
            case .transposedConvolution(let kind):
                try convolution(kind.window, kind.groups, kind.outputChannels, isTransposed: true)
            case .batchNormalization(let kind):
                guard let scale = vector("scale"), let shift = vector("shift") else {
                    throw failure(layer, "it has no scale and shift.")
                }
                guard
                    let factors = kind.factors(
                        scale: scale,
                        shift: shift,
                        mean: vector("mean"),
                        variance: vector("variance")
                    )
                else {
                    throw failure(
                        layer,
                        "it normalises by the statistics of each batch (bn_mode LEARN) and none are stored, so the network "
                            + "cannot be used for inference. Take them over the training pictures with 'segnet convert IN OUT "
                            + "--statistics-from LIST'; for a file whose statistics are already folded use its prototxt with "
                            + "bn_mode: INFERENCE."
                    )
                }
                emit(.affine(scale: factors.scale, shift: factors.shift, relu: false))
            case .relu: emit(.affine(scale: nil, shift: nil, relu: true))
            case .maxPooling(let kind):
                if kind.givesIndices {
                    emit(.maxPoolingWithIndices, [.blocked, .indices])
                } else {
                    emit(.maxPooling(kind.window))
                }
            case .unpooling: emit(.unpooling)
            case .localResponseNormalization(let kind): emit(.localResponseNormalization(kind))
            case .localContrastNormalization(let kind): emit(.localContrastNormalization(kind))
            case .dropout(let kind) where sampling && kind.ratio > 0:
                emit(.dropout(ratio: Float(kind.ratio), layer: index))
            case .dropout:
                // Idle at test time.
                for (blob, value) in zip(layer.outputs, inputs) { current[blob] = value }
            case .addition: emit(.addition(relu: false))
            case .concatenation: emit(.concatenation)
            case .crop(let kind): emit(.crop(kind))
            case .bilinearUpsampling: emit(.bilinearUpsampling)
            case .softmax: emit(.softmax)
            case .argmax: emit(.argmax, [.classIDs])
            case .innerProduct: break
            }
        }

        for name in names {
            if let layer = unavailable[name] {
                throw failure(
                    layer,
                    "it is fully connected, which this package reads and reports but does not run; "
                        + "delete it and the layers that follow from it from the .prototxt, so that the network ends before it."
                )
            }
            guard let value = current[name] else {
                var hint = closestName(to: name, among: Array(current.keys)).map { " Did you mean '\($0)'?" } ?? ""
                if let layer = network.layers.first(where: { $0.name == name }) {
                    // Layers and blobs are easily taken for each other: many have the same name.
                    let written = layer.outputs.map { "'\($0)'" }.joined(separator: " and ")
                    hint = " Layer '\(name)' writes \(written); ask for that."
                }
                throw NetworkError(
                    network: network.name,
                    layer: nil,
                    reason: "it has no blob '\(name)'.\(hint) 'segnet info' lists them."
                )
            }
            self.outputs[name] = value
        }
        removeDeadNodes()
    }
}
