import SegNetPlatform

/// Cuts the first input to the height and width of the second, from an offset on (FCN's crop).
public struct Crop: LayerKind {
    public static let name = Operation.Name.crop

    /// Rows left out at the top.
    public var top: Int
    /// Columns left out at the left.
    public var left: Int

    public init(top: Int = 0, left: Int = 0) {
        self.top = top
        self.left = left
    }

    public var inputCount: ClosedRange<Int> { 2...2 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        let (input, reference) = (inputs[0].shape, inputs[1].shape)
        guard top >= 0, left >= 0, top <= input.height, left <= input.width,
            input.height - top >= reference.height, input.width - left >= reference.width
        else {
            throw ShapeRuleError(
                "cannot cut \(input) to the size of \(reference) from row \(top), column \(left) on; use smaller offsets"
            )
        }
        return [BlobShape([input.batch, input.channels, reference.height, reference.width])]
    }
}
