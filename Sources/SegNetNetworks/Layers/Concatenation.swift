import SegNetPlatform

/// Joins maps of the same size along the channels.
public struct Concatenation: LayerKind {
    public static let name = Operation.Name.concatenation
    public init() {}
    public var inputCount: ClosedRange<Int> { 1...64 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        var joined = inputs[0].shape
        for input in inputs.dropFirst() {
            guard input.shape.height == joined.height, input.shape.width == joined.width else {
                throw ShapeRuleError(
                    "joins \(inputs[0].shape) and \(input.shape); heights and widths must be equal (crop one of them first)"
                )
            }
            joined[1] += input.shape.channels
        }
        return [BlobShape(joined)]
    }
}
