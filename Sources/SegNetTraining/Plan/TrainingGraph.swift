import CSegNetKernels
import SegNetInference
import SegNetNetworks
import SegNetTensors

/// The network as a list of nodes over values that are written once, as training sees it: batch normalisation stays a layer, ReLU and
/// pooling join it, unpooling joins the convolution behind it.
struct TrainingGraph {
    var nodes: [TrainingNode] = []
    var values: [TrainingValue] = []
    /// The class scores, of which the loss is taken.
    var scores = 0

    mutating func makeValue(_ shape: BlobShape, _ layout: TrainingValue.Layout) -> Int {
        values.append(
            TrainingValue(
                layout: layout,
                channels: shape.shape.channels,
                height: shape.shape.height,
                width: shape.shape.width,
                pooledFrom: shape.pooledFrom.map { ($0.height, $0.width) }
            )
        )
        return values.count - 1
    }

    /// The positions of the nodes that read a value.
    func readers(of value: Int) -> [Int] { nodes.indices.filter { nodes[$0].inputs.contains(value) } }

    func writer(of value: Int) -> Int? { nodes.firstIndex { $0.outputs.contains(value) } }

    /// The one node that reads a value which nobody else needs; nil if there are none or several.
    func soleReader(of value: Int) -> Int? {
        let readers = readers(of: value)
        return readers.count == 1 && value != scores ? readers[0] : nil
    }
}

/// A blob's value at one point of the network, for one picture.
struct TrainingValue {
    enum Layout {
        /// [H][W][C], pictures.
        case thin
        /// [C/16][H][W][16]
        case blocked
        /// The same in float16.
        case half
        /// 2 bits per pooled value.
        case indices
    }

    var layout: Layout
    var channels: Int
    var height: Int
    var width: Int
    /// For pooling indices: the size of the map that was pooled.
    var pooledFrom: (height: Int, width: Int)?
    /// Whether a learnt parameter lies in front of it, so that its gradient is wanted.
    var needsGradient = false

    var blocks: Int { blockCount(channels) }

    /// Of one picture, whole cache lines.
    var byteCount: Int {
        let bytes =
            switch layout {
            case .thin: saturatingProduct(channels, height, width, 4)
            case .blocked: saturatingProduct(blocks, height, width, 64)
            case .half: saturatingProduct(blocks, height, width, 32)
            case .indices: saturatingProduct(blocks, height, width, 4)
            }
        return saturatingSum([bytes, 63]) / 64 * 64
    }

    /// Of the gradient of one picture, which is always blocked and float32.
    var gradientByteCount: Int { saturatingProduct(blocks, height, width, 64) }
}

struct TrainingNode {
    /// The name of the layer; of the convolution where several became one.
    var name: String
    var operation: TrainingOperation
    var inputs: [Int]
    var outputs: [Int]
}

enum TrainingOperation {
    case convolution(ConvolutionNode, layer: String, hasBias: Bool)
    case activation(Activation)
    case unpooling
    case maxPooling(Window)
    case dropout(Dropout)
    case localResponseNormalization(LocalResponseNormalization)
    case localContrastNormalization(LocalContrastNormalization)
    case addition
    case concatenation
    case crop(Crop)
    case bilinearUpsampling
    /// Thin to blocked.
    case block
    /// Half to blocked.
    case widening

    /// Batch normalisation, ReLU and 2x2 max pooling with indices: whichever of them follow each other.
    struct Activation {
        /// The layer's name and kind.
        var normalization: (layer: String, kind: BatchNormalization)?
        var hasReLU = false
        var isPooled = false
    }
}

extension TrainingGraph {
    /// Turns a network into a graph.
    /// - Throws: `NetworkError` for what cannot be trained: inner products, class ids in the middle, softmax in front of other layers.
    init(_ network: Network) throws(NetworkError) {
        func failure(_ layer: Layer?, _ reason: String) -> NetworkError {
            NetworkError(network: network.name, layer: layer?.name, reason: reason)
        }
        let shapes = try network.shapes()
        guard let scoresBlob = network.scoresBlob else { throw failure(nil, "it has no layers.") }
        var current = [network.input.name: makeValue(BlobShape(network.input.shape), .thin)]

        for (index, layer) in network.layers.enumerated() {
            let inputs = layer.inputs.compactMap { current[$0] }
            let (inputShapes, outputShapes) = shapes.layers[index]
            let channels = inputShapes.first?.shape.channels ?? 0
            func emit(_ operation: TrainingOperation, _ layouts: [TrainingValue.Layout] = [.blocked]) {
                let outputs = zip(outputShapes, layouts).map { makeValue($0, $1) }
                nodes.append(TrainingNode(name: layer.name, operation: operation, inputs: inputs, outputs: outputs))
                for (blob, value) in zip(layer.outputs, outputs) { current[blob] = value }
            }
            func convolution(_ window: Window, _ groups: Int, _ outputs: Int, _ hasBias: Bool, isTransposed: Bool) {
                let node = ConvolutionNode(
                    window: window,
                    isTransposed: isTransposed,
                    groups: groups,
                    inputChannels: channels,
                    outputChannels: outputs,
                    weight: .values([]),
                    bias: []
                )
                emit(.convolution(node, layer: layer.name, hasBias: hasBias))
            }
            switch layer.operation {
            case .convolution(let kind):
                convolution(kind.window, kind.groups, kind.outputChannels, kind.hasBias, isTransposed: false)
            case .transposedConvolution(let kind):
                convolution(kind.window, kind.groups, kind.outputChannels, kind.hasBias, isTransposed: true)
            case .batchNormalization(let kind):
                emit(.activation(.init(normalization: (layer.name, kind))))
            case .relu: emit(.activation(.init(hasReLU: true)))
            case .maxPooling(let kind):
                if kind.givesIndices {
                    emit(.activation(.init(isPooled: true)), [.blocked, .indices])
                } else {
                    emit(.maxPooling(kind.window))
                }
            case .unpooling: emit(.unpooling)
            case .localResponseNormalization(let kind): emit(.localResponseNormalization(kind))
            case .localContrastNormalization(let kind): emit(.localContrastNormalization(kind))
            case .dropout(let kind): emit(.dropout(kind))
            case .addition: emit(.addition)
            case .concatenation: emit(.concatenation)
            case .crop(let kind): emit(.crop(kind))
            case .bilinearUpsampling: emit(.bilinearUpsampling)
            case .softmax, .argmax:
                // At the end they are the loss's business; elsewhere nothing that is published has them.
                guard
                    layer.outputs.allSatisfy({ blob in
                        !network.layers[(index + 1)...].contains { $0.inputs.contains(blob) }
                    })
                else { throw failure(layer, "softmax and argmax can only be trained at the end; delete it.") }
            case .innerProduct:
                throw failure(
                    layer,
                    "it is fully connected, which this package does not train; replace it by a convolution as large as its input."
                )
            }
        }
        guard let scores = current[scoresBlob] else { throw failure(nil, "it has no blob '\(scoresBlob)'.") }
        self.scores = scores
        removeDeadNodes()
        fuseActivations()
        fuseUnpooling()
        propagateThin()
        try checkInput(network)
    }

    private mutating func removeDeadNodes() {
        var needed: Set<Int> = [scores]
        nodes = nodes.reversed().filter { node in
            guard !needed.isDisjoint(with: node.outputs) else { return false }
            needed.formUnion(node.inputs)
            return true
        }.reversed()
    }

    /// Joins ReLU to the batch normalisation in front of it, and pooling to either.
    private mutating func fuseActivations() {
        var position = 0
        while position < nodes.count {
            guard case .activation(var first) = nodes[position].operation, !first.isPooled,
                let reader = soleReader(of: nodes[position].outputs[0]),
                case .activation(let second) = nodes[reader].operation,
                second.normalization == nil, !(first.hasReLU && second.hasReLU)
            else {
                position += 1
                continue
            }
            first.hasReLU = first.hasReLU || second.hasReLU
            first.isPooled = second.isPooled
            nodes[position].operation = .activation(first)
            nodes[position].outputs = nodes[reader].outputs
            nodes.remove(at: reader)
        }
    }

    /// Lets convolutions read pooled maps and indices where all readers of an unpooled map can.
    private mutating func fuseUnpooling() {
        for position in nodes.indices.reversed() {
            guard case .unpooling = nodes[position].operation, nodes[position].outputs[0] != scores else { continue }
            let readers = readers(of: nodes[position].outputs[0])
            let canFuse = readers.allSatisfy { reader in
                guard case .convolution(let node, _, _) = nodes[reader].operation else { return false }
                return node.groups == 1 && !node.isTransposed
            }
            guard canFuse else { continue }
            for reader in readers {
                guard case .convolution(var node, let layer, let hasBias) = nodes[reader].operation else { continue }
                node.readsUnpooled = true
                nodes[reader].operation = .convolution(node, layer: layer, hasBias: hasBias)
                nodes[reader].inputs = nodes[position].inputs
            }
            nodes.remove(at: position)
        }
    }

    /// Normalisations of the picture keep the picture's layout; whoever cannot read it gets a blocked copy.
    private mutating func propagateThin() {
        var position = 0
        while position < nodes.count {
            let node = nodes[position]
            let thin = node.inputs.filter { values[$0].layout == .thin }
            guard let input = thin.first else {
                position += 1
                continue
            }
            switch node.operation {
            case .localResponseNormalization where values[input].channels < 16, .localContrastNormalization:
                values[node.outputs[0]].layout = .thin
            case .convolution(let convolution, _, _)
            where convolution.inputChannels < 16 && convolution.groups == 1 && !convolution.isTransposed: break
            case .block: break
            default:
                var copy = values[input]
                copy.layout = .blocked
                values.append(copy)
                let blocked = values.count - 1
                nodes.insert(
                    TrainingNode(name: node.name, operation: .block, inputs: [input], outputs: [blocked]),
                    at: position
                )
                nodes[position + 1].inputs = node.inputs.map { $0 == input ? blocked : $0 }
                position += 1
            }
            position += 1
        }
    }

    private func checkInput(_ network: Network) throws(NetworkError) {
        for node in nodes {
            guard case .localContrastNormalization = node.operation, values[node.inputs[0]].layout != .thin else {
                continue
            }
            throw NetworkError(
                network: network.name,
                layer: node.name,
                reason: "local contrast normalisation is for the network's input; move it to the front."
            )
        }
    }
}
