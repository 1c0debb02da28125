import SegNetPlatform

/// The element-wise sum of two or more maps of the same shape.
public struct Addition: LayerKind {
    public static let kindName = "addition"
    public init() {}
    public var inputCount: ClosedRange<Int> { 2...64 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        for input in inputs where input.shape != inputs[0].shape {
            throw ShapeRuleError("adds \(inputs[0].shape) and \(input.shape); all its inputs must have the same shape.")
        }
        return [BlobShape(inputs[0].shape)]
    }
}
