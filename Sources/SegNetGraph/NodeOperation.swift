package import SegNetNetworks

/// What a node of the graph does.
///
/// Every kind of layer that runs becomes one of these (`Lowering`). Passes join neighbours: batch normalisation, ReLU and pooling become
/// one activation or part of a convolution, unpooling becomes part of the convolutions that read it, dropout stays only where it is wanted.
package enum NodeOperation: Sendable {
    case convolution(ConvolutionNode)
    case activation(Activation)
    case elu(alpha: Double)
    case maxPooling(Window)
    /// Nil: over the whole map.
    case averagePooling(Window?)
    case unpooling
    /// - Parameter stream: Tells the masks of the network's dropout layers apart.
    case dropout(ratio: Float, stream: UInt64)
    case localResponseNormalization(LocalResponseNormalization)
    case localContrastNormalization(LocalContrastNormalization)
    /// - Parameter coefficients: What each input is multiplied by; empty: 1.
    case addition(relu: Bool, coefficients: [Float] = [])
    case concatenation
    case crop(Crop)
    /// To the size of the output, with zeros at the bottom and right.
    case padding
    /// Bilinear, to the size of the output, without the margins of the input that are cut off.
    case resize(alignsCorners: Bool, cut: Resize.Margins = Resize.Margins())
    case softmax
    case argmax
    /// A copy. No layer becomes one: a processor inserts it where a value is needed in another layout.
    case copy

    var isArgmax: Bool { if case .argmax = self { true } else { false } }
    /// Whether it turns scores into probabilities or classes.
    var isClassChoice: Bool { if case .softmax = self { true } else { isArgmax } }

    /// How many of the node's first inputs it reads the numbers of; nil for all.
    var dataInputCount: Int? {
        switch self {
        case .crop, .resize: 1
        default: nil
        }
    }

    /// Whether the gradient of the output goes on to this input, if it is wanted there: pooling indices and the references that only lend
    /// their size have none.
    package func passesGradient(toInput number: Int) -> Bool {
        switch self {
        case .crop, .resize, .unpooling: number == 0
        case .convolution(let convolution): !convolution.readsUnpooled || number == 0
        default: true
        }
    }
}

/// Batch normalisation, ReLU and 2x2 max pooling with indices: whichever of them follow each other.
package struct Activation: Sendable {
    package enum Normalization: Sendable {
        /// By the parameters of a layer, which may be learning. Without a shift 0 is added.
        case layer(String, BatchNormalization, hasShift: Bool = true)
        /// x * scale + shift, one number per channel: what a layer is once its parameters and statistics stand.
        case constants(scale: [Float], shift: [Float])
    }

    package var normalization: Normalization?
    package var relu = false
    /// Whether it writes (pooled map, pooling indices) in place of the map.
    package var isPooled = false
}

/// A convolution with everything that was fused into it.
package struct ConvolutionNode: Sendable {
    /// Its parameters are those of this layer.
    package var layer: String
    package var window: Window
    package var isTransposed = false
    /// Whether the tensor is that of a transposed convolution of stride 1, [in, out, kh, kw], of which this convolution is the equal: each
    /// window is turned by 180 degrees. Source: docs/kernels.md, Transposed convolutions.
    package var turnsTensor = false
    package var groups: Int
    package var inputChannels: Int
    package var outputChannels: Int
    package var hasBias: Bool
    /// The numbers are given to a graph that only runs; where it learns they are parameters, and this is empty.
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
        layer: String = "",
        window: Window,
        isTransposed: Bool = false,
        turnsTensor: Bool = false,
        groups: Int = 1,
        inputChannels: Int,
        outputChannels: Int,
        hasBias: Bool = false,
        weight: WeightSource = .values([]),
        bias: [Float] = [],
        readsUnpooled: Bool = false
    ) {
        self.layer = layer
        self.window = window
        self.isTransposed = isTransposed
        self.turnsTensor = turnsTensor
        self.groups = groups
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.hasBias = hasBias
        self.weight = weight
        self.bias = bias
        self.readsUnpooled = readsUnpooled
    }

    /// Each output channel reads the input channel of the same number, and nothing else.
    package var isDepthwise: Bool {
        groups > 1 && groups == inputChannels && groups == outputChannels && !isTransposed
    }
    /// Whether it can pool its output before storing it.
    var canPool: Bool { groups == 1 && !isTransposed && !isPooled }
    /// Whether it can read an unpooled map that does not exist.
    var canGather: Bool { groups == 1 && !isTransposed }
}

/// Where a convolution's numbers come from: read when they are packed, one tensor at a time.
package enum WeightSource: Sendable {
    /// A tensor of the model, [out, in / groups, kh, kw] or, transposed, [in, out / groups, kh, kw].
    case tensor(WeightTensor)
    /// Computed by a pass.
    case values([Float])

    /// Calls `body` with the numbers, without a copy where they lie in memory as float32. A mapped file's pages are returned to the system.
    package func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        switch self {
        case .tensor(let tensor):
            defer { tensor.release() }
            return try tensor.withFloats(body)
        case .values(let values): return try values.withUnsafeBufferPointer(body)
        }
    }

    func floats() -> [Float] { withFloats { Array($0) } }
}
