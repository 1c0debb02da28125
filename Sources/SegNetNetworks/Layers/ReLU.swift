import SegNetPlatform

/// max(x, 0); NaN stays NaN.
public struct ReLU: LayerKind {
    public static let name = Operation.Name.relu
    public init() {}
    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] { [BlobShape(inputs[0].shape)] }
}
