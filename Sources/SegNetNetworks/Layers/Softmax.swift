import SegNetPlatform

/// Probabilities over the channels of each pixel, the maximum subtracted first.
public struct Softmax: LayerKind {
    public static let name = Operation.Name.softmax
    public init() {}
    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] { [BlobShape(inputs[0].shape)] }
}
