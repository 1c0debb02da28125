package import SegNetNetworks
import SegNetPlatform

/// What a graph is made for.
enum Purpose: Sendable {
    /// Running with weights that stand.
    /// - Parameter outputs: The blobs that are read after a run.
    /// - Parameter sampling: Whether dropout stays, for Monte-Carlo samples.
    case inference(outputs: [String], sampling: Bool)
    /// Learning: forward and backward. The class scores are the one output.
    case training
}

extension Graph {
    /// Turns a network into a graph of which every node is needed. Nothing is joined yet.
    /// - Throws: `NetworkError` for what cannot run or learn.
    init(_ network: Network, for purpose: Purpose) throws(NetworkError) {
        var lowering = try Lowering(network, purpose)
        for layer in network.layers { try lowering.add(layer) }
        self = try lowering.finished()
        removeDeadNodes()
    }

    /// The passes after which a graph for learning is done: what has parameters stays a node of its own.
    /// - Throws: `NetworkError` for what cannot learn.
    package static func training(_ network: Network) throws(NetworkError) -> Graph {
        var graph = try Graph(network, for: .training)
        // At the end they are the loss's business; elsewhere nothing that is published has them.
        for node in graph.nodes where node.operation.isClassChoice {
            throw NetworkError(
                network: network.name,
                layer: node.name,
                problem: "softmax and argmax can only be trained at the end; delete it"
            )
        }
        graph.fuseActivations()
        graph.fuseUnpooling()
        graph.numberDropout()
        return graph
    }

    /// The passes after which a graph for running is done: weights are given to it, folded and fused.
    /// - Parameters:
    ///   - outputs: The blobs that are read after a run.
    ///   - scores: The blob of the class scores.
    ///   - classesOnly: Whether the class ids take the scores' place.
    /// - Throws: `NetworkError` for what cannot run.
    package static func inference(
        _ network: Network,
        weights: Weights,
        outputs: [String],
        scores: String,
        classesOnly: Bool,
        sampling: Bool
    ) throws(NetworkError) -> Graph {
        var graph = try Graph(network, for: .inference(outputs: outputs, sampling: sampling))
        try graph.bind(weights, of: network)
        if classesOnly, !sampling { graph.reduceToClasses(scores) }
        graph.foldActivations()
        graph.composePointwise()
        graph.foldActivations()
        graph.fusePooling()
        graph.fuseActivations()
        graph.fuseUnpooling()
        if sampling {
            graph.separateSampled()
            try graph.checkSampling(network, scores: scores)
        }
        return graph
    }

    /// Numbers the masks of dropout layers by their place among the nodes.
    private mutating func numberDropout() {
        for (position, node) in nodes.enumerated() {
            guard case .dropout(let ratio, _) = node.operation else { continue }
            nodes[position].operation = .dropout(ratio: ratio, stream: UInt64(position) << 32)
        }
    }
}

/// Walks through a network's layers and makes their nodes.
private struct Lowering {
    private let network: Network
    private let purpose: Purpose
    private let shapes: NetworkShapes
    private var graph: Graph
    /// The newest value of each blob.
    private var current: [String: ValueID]
    /// Blobs that cannot be computed, and the fully connected layer that is the reason.
    private var unavailable: [String: Layer] = [:]
    private var position = 0

    init(_ network: Network, _ purpose: Purpose) throws(NetworkError) {
        self.network = network
        self.purpose = purpose
        shapes = try network.shapes()
        graph = Graph(inputChannels: network.input.channels.count)
        current = [network.input.name: .input]
    }

    /// Makes the next layer's node. Every kind of layer is named here.
    mutating func add(_ layer: Layer) throws(NetworkError) {
        defer { position += 1 }
        let reason = layer.inputs.compactMap { unavailable[$0] }.first
        for blob in layer.outputs { unavailable[blob] = reason }
        if reason != nil { return }
        switch layer.operation {
        case .convolution(let kind):
            convolution(layer, kind.window, kind.groups, kind.outputChannels, hasBias: kind.hasBias)
        case .transposedConvolution(let kind):
            convolution(
                layer,
                kind.window,
                kind.groups,
                kind.outputChannels,
                hasBias: kind.hasBias,
                isTransposed: true
            )
        case .batchNormalization(let kind):
            emit(layer, .activation(Activation(normalization: .layer(layer.name, kind))))
        case .scale(let kind):
            let folded = BatchNormalization(statistics: .folded)
            emit(layer, .activation(Activation(normalization: .layer(layer.name, folded, hasShift: kind.hasShift))))
        case .relu: emit(layer, .activation(Activation(relu: true)))
        case .elu(let kind): emit(layer, .elu(alpha: kind.alpha))
        case .maxPooling(let kind): pooling(layer, kind)
        case .averagePooling(let kind): emit(layer, .averagePooling(kind.window))
        case .unpooling: emit(layer, .unpooling)
        case .localResponseNormalization(let kind): emit(layer, .localResponseNormalization(kind))
        case .localContrastNormalization(let kind): emit(layer, .localContrastNormalization(kind))
        case .dropout(let kind): dropout(layer, kind)
        case .addition(let kind):
            let isPlain = kind.coefficients?.allSatisfy { $0 == 1 } ?? true
            emit(layer, .addition(relu: false, coefficients: isPlain ? [] : kind.coefficients ?? []))
        case .concatenation: emit(layer, .concatenation)
        case .crop(let kind): emit(layer, .crop(kind))
        case .padding: emit(layer, .padding)
        case .bilinearUpsampling: emit(layer, .resize(alignsCorners: false))
        case .resize(let kind): emit(layer, .resize(alignsCorners: true, cut: kind.cut ?? Resize.Margins()))
        case .softmax: emit(layer, .softmax)
        case .argmax: emit(layer, .argmax)
        case .innerProduct:
            for blob in layer.outputs { unavailable[blob] = layer }
            if case .training = purpose {
                throw failure(
                    layer,
                    "it is fully connected, which this package does not train; replace it by a convolution as large as its input"
                )
            }
        }
    }

    private mutating func emit(_ layer: Layer, _ operation: NodeOperation) {
        let inputs = layer.inputs.compactMap { current[$0] }
        let outputs = layer.outputs.indices.map { graph.makeValue(.layer(index: position, output: $0)) }
        graph.nodes.append(Node(name: layer.name, operation: operation, inputs: inputs, outputs: outputs))
        for (blob, value) in zip(layer.outputs, outputs) { current[blob] = value }
    }

    /// 2x2 pooling can become part of what it reads. Its indices are there in any case: the gradient finds the maxima by them.
    private mutating func pooling(_ layer: Layer, _ kind: MaxPooling) {
        guard kind.isTwoByTwo else { return emit(layer, .maxPooling(kind.window)) }
        emit(layer, .activation(Activation(isPooled: true)))
        if !kind.givesIndices {
            let indices = graph.makeValue(.poolingIndices(layer: position))
            graph.nodes[graph.nodes.count - 1].outputs.append(indices)
        }
    }

    private mutating func convolution(
        _ layer: Layer,
        _ window: Window,
        _ groups: Int,
        _ outputs: Int,
        hasBias: Bool,
        isTransposed: Bool = false
    ) {
        var window = window
        // The equal convolution is faster, and can read and write what is pooled.
        let turns =
            isTransposed && groups == 1 && window.strideY == 1 && window.strideX == 1
            && window.paddingY < window.extentY && window.paddingX < window.extentX
        if turns {
            window.paddingY = window.extentY - 1 - window.paddingY
            window.paddingX = window.extentX - 1 - window.paddingX
        }
        let node = ConvolutionNode(
            layer: layer.name,
            window: window,
            isTransposed: isTransposed && !turns,
            turnsTensor: turns,
            groups: groups,
            inputChannels: shapes.layers[position].inputs[0].shape.channels,
            outputChannels: outputs,
            hasBias: hasBias
        )
        emit(layer, .convolution(node))
    }

    /// Dropout is idle at test time, unless it is sampled.
    private mutating func dropout(_ layer: Layer, _ kind: Dropout) {
        if case .inference(_, let sampling) = purpose, !sampling || kind.ratio <= 0 {
            for (blob, value) in zip(layer.outputs, layer.inputs.compactMap({ current[$0] })) { current[blob] = value }
        } else {
            emit(layer, .dropout(ratio: Float(kind.ratio), stream: UInt64(position)))
        }
    }

    /// The graph with its outputs.
    func finished() throws(NetworkError) -> Graph {
        var result = graph
        switch purpose {
        case .training:
            guard let scores = network.scoresBlob else { throw failure(nil, "it has no layers") }
            guard let value = current[scores] else { throw failure(nil, "it has no blob '\(scores)'") }
            result.outputs[scores] = value
        case .inference(let names, _):
            for name in names { result.outputs[name] = try value(of: name) }
        }
        result.firstSampledNode = result.nodes.count
        return result
    }

    private func value(of name: String) throws(NetworkError) -> ValueID {
        if let layer = unavailable[name] {
            throw failure(
                layer,
                "it is fully connected, which this package reads and reports but does not run; "
                    + "delete it and the layers that follow from it from the .prototxt, so that the network ends before it"
            )
        }
        if let value = current[name] { return value }
        var hint = closestName(to: name, among: Array(current.keys)).map { " Did you mean '\($0)'?" } ?? ""
        if let layer = network.layers.first(where: { $0.name == name }) {
            // Layers and blobs are easily taken for each other: many have the same name.
            let written = layer.outputs.map { "'\($0)'" }.joined(separator: " and ")
            hint = " Layer '\(name)' writes \(written); ask for that."
        }
        throw failure(nil, "it has no blob '\(name)'.\(hint) See \(UserChoice.layers)")
    }

    private func failure(_ layer: Layer?, _ problem: String) -> NetworkError {
        NetworkError(network: network.name, layer: layer?.name, problem: problem)
    }
}
