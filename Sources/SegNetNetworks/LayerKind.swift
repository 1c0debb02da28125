public import SegNetPlatform

/// What a kind of layer states about itself: its parameters, its shape rule, its cost. One file per kind in `Layers/`.
///
/// How a kind runs, and how its gradient does, is in `SegNetCPU/Steps`.
public protocol LayerKind: Sendable, Hashable, Codable {
    /// The name of the kind.
    static var name: Operation.Name { get }

    /// The number of blobs that the layer reads.
    var inputCount: ClosedRange<Int> { get }

    /// The shapes of the layer's outputs.
    /// - Parameter inputs: One for each input blob, `inputCount` of them.
    /// - Throws: `ShapeRuleError`, which the network completes with the layer's name.
    func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape]

    /// The tensors that the layer learns, for inputs of these shapes.
    func parameters(for inputs: [BlobShape]) -> [LayerParameter]

    /// Multiply-accumulates of the plain algorithm for one run; counted for convolutions and inner products only, as papers do.
    func multiplyAccumulates(inputs: [BlobShape], outputs: [BlobShape]) -> Int

    /// How the layer widens the receptive field: window extent and step in pixels of its input. (1, 1) for layers without a window.
    var receptiveWindow: (extent: Int, step: Int) { get }
}

extension LayerKind {
    /// The name of the kind in summaries, files and errors, for example `convolution`.
    public static var kindName: String { name.rawValue }
    public var inputCount: ClosedRange<Int> { 1...1 }
    public func parameters(for inputs: [BlobShape]) -> [LayerParameter] { [] }
    public func multiplyAccumulates(inputs: [BlobShape], outputs: [BlobShape]) -> Int { 0 }
    public var receptiveWindow: (extent: Int, step: Int) { (1, 1) }
}

/// The shape of a blob, N, C, H, W; for pooling indices also the shape of the map they point into.
public struct BlobShape: Sendable, Hashable {
    public var shape: Shape
    /// Set for pooling indices: the shape of the map that was pooled, to which unpooling returns.
    public var pooledFrom: Shape?
    /// Whether the blob holds class ids, which no layer computes with.
    public var isClassIDs: Bool

    /// A map of numbers, unless one of the last two parameters is given.
    public init(_ shape: Shape, pooledFrom: Shape? = nil, isClassIDs: Bool = false) {
        self.shape = shape
        self.pooledFrom = pooledFrom
        self.isClassIDs = isClassIDs
    }
}

/// A learnt tensor of a layer.
public struct LayerParameter: Sendable, Hashable {
    /// What a tensor does in its layer. The raw value follows the layer's name and a dot: `conv1_1.weight`.
    public enum Role: String, Sendable, Hashable {
        case weight, bias, scale, shift, mean, variance
    }

    public var role: Role
    public var shape: Shape
    /// Statistics are measured, not learnt; they do not count as parameters.
    public var isStatistic: Bool

    public var name: String { role.rawValue }

    public init(_ role: Role, _ shape: Shape, isStatistic: Bool = false) {
        self.role = role
        self.shape = shape
        self.isStatistic = isStatistic
    }
}

/// Shapes that do not fit a layer, without the layer's name.
public struct ShapeRuleError: Error, Hashable {
    /// What is wrong, with both shapes, and the next step: a sentence without its full stop.
    public let problem: String
    public init(_ problem: String) { self.problem = problem }

    /// Refuses NaN and infinities, which files can state, and whose results would look as if the weights were to blame.
    static func checkFinite(_ numbers: [(name: String, value: Double)]) throws(ShapeRuleError) {
        for (name, value) in numbers where !value.isFinite {
            throw ShapeRuleError("its \(name) is \(value); a finite number is needed")
        }
    }
}
