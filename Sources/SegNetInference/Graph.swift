package import SegNetNetworks
import SegNetTensors

/// A blob's value at one point of the network: unlike blob names, a value is written once.
struct ValueID: Hashable, Sendable {
    var index: Int
}

/// Where a value's shape comes from, so that the same graph serves every input size.
enum ValueOrigin: Hashable, Sendable {
    case input
    case layer(index: Int, output: Int)
}

/// How a value lies in memory.
enum ValueLayout: Hashable, Sendable {
    /// [H][W][C] for pictures.
    case thin
    /// [C/16][H][W][16]
    case blocked
    /// 2 bits per pooled value.
    case indices
    /// One class id of 16 bits per pixel.
    case classIDs
}

/// What a node of the optimised graph does. Batch normalisation, dropout (but for sampling) and most ReLUs, poolings and unpoolings no longer appear:
/// they are parts of other nodes.
enum NodeOperation: Sendable {
    case convolution(ConvolutionNode)
    /// x * scale + shift, then ReLU if asked; nil means 1 or 0.
    case affine(scale: [Float]?, shift: [Float]?, relu: Bool)
    case maxPooling(Window)
    case maxPoolingWithIndices
    case unpooling
    /// Only where Monte-Carlo samples are wanted.
    case dropout(ratio: Float, layer: Int)
    case localResponseNormalization(LocalResponseNormalization)
    case localContrastNormalization(LocalContrastNormalization)
    case addition(relu: Bool)
    case concatenation
    case crop(Crop)
    case bilinearUpsampling
    case softmax
    case argmax
    /// Thin to blocked.
    case block
}

/// A convolution with everything that was fused into it.
package struct ConvolutionNode: Sendable {
    package var window: Window
    package var isTransposed = false
    package var groups: Int
    package var inputChannels: Int
    package var outputChannels: Int
    package var weight: WeightSource
    /// Folded batch normalisation: each output channel's weights are multiplied by this.
    package var scale: [Float]?
    /// One per output channel, after folding.
    package var bias: [Float]
    package var relu = false
    /// Whether the node's inputs are (pooled map, pooling indices) of a map that is unpooled on the fly.
    package var readsUnpooled = false
    /// Whether the node writes (pooled map, pooling indices) in place of its own output.
    package var isPooled = false

    package init(
        window: Window,
        isTransposed: Bool = false,
        groups: Int = 1,
        inputChannels: Int,
        outputChannels: Int,
        weight: WeightSource,
        bias: [Float],
        readsUnpooled: Bool = false
    ) {
        self.window = window
        self.isTransposed = isTransposed
        self.groups = groups
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.weight = weight
        self.bias = bias
        self.readsUnpooled = readsUnpooled
    }
}

/// Where a convolution's numbers come from: read when they are packed, one tensor at a time.
package enum WeightSource: Sendable {
    /// A tensor of the model, [out, in / groups, kh, kw] or, transposed, [in, out / groups, kh, kw].
    case tensor(WeightTensor)
    /// Computed by a pass.
    case values([Float])

    /// Calls `body` with the numbers, without a copy where they lie in memory as float32. A mapped file's pages are given back.
    package func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        switch self {
        case .tensor(let tensor):
            defer { tensor.release() }
            return try tensor.withFloats(body)
        case .values(let values): return try values.withUnsafeBufferPointer(body)
        }
    }

    package func floats() -> [Float] {
        switch self {
        case .tensor(let tensor):
            let values = tensor.floats()
            tensor.release()
            return values
        case .values(let values): return values
        }
    }
}

/// A step of the optimised graph, before memory is planned.
struct Node: Sendable {
    /// The name of the layer, or of the last of the layers that became this node.
    var name: String
    var operation: NodeOperation
    var inputs: [ValueID]
    var outputs: [ValueID]
}

/// The network as a list of nodes over values that are written once. Independent of the input's size.
struct Graph: Sendable {
    var nodes: [Node] = []
    var origins: [ValueOrigin] = []
    var layouts: [ValueLayout] = []
    /// The values that the caller reads, by blob name.
    var outputs: [String: ValueID] = [:]
    /// The nodes from here on depend on dropout: they run once for each Monte-Carlo sample, those before only once.
    var firstSampledNode = 0
    /// Of the network's input, which lies thin in memory.
    var inputChannels = 0

    mutating func makeValue(_ origin: ValueOrigin, _ layout: ValueLayout) -> ValueID {
        origins.append(origin)
        layouts.append(layout)
        return ValueID(index: origins.count - 1)
    }

    func isKept(_ value: ValueID) -> Bool { outputs.values.contains(value) }

    /// The positions of the nodes that read a value.
    func readers(of value: ValueID) -> [Int] { nodes.indices.filter { nodes[$0].inputs.contains(value) } }

    /// The position of the node that writes a value; nil for the network's input.
    func writer(of value: ValueID) -> Int? { nodes.firstIndex { $0.outputs.contains(value) } }

    /// The node whose only purpose is to feed `reader` with `value`: nobody else reads the value, and the caller does not want it.
    func soleWriter(of value: ValueID, for reader: Int) -> Int? {
        guard !isKept(value), readers(of: value) == [reader] else { return nil }
        return writer(of: value)
    }

    /// Drops nodes of which nothing is needed.
    mutating func removeDeadNodes() {
        var needed = Set(outputs.values)
        var alive: [Node] = []
        for node in nodes.reversed() where !needed.isDisjoint(with: node.outputs) {
            needed.formUnion(node.inputs)
            alive.append(node)
        }
        nodes = alive.reversed()
    }

    /// The same graph without the numbers of its convolutions.
    func withoutWeights() -> Graph {
        var copy = self
        for position in copy.nodes.indices {
            guard case .convolution(var convolution) = copy.nodes[position].operation else { continue }
            convolution.weight = .values([])
            copy.nodes[position].operation = .convolution(convolution)
        }
        return copy
    }
}
