import SegNetPlatform

/// A fully connected layer. Read from files (VGG16's fc6 to fc8) and reported; this package does not run it.
///
/// Parameters: `weight` [out, C * H * W] and, if `hasBias`, `bias` [out].
public struct InnerProduct: LayerKind {
    public static let name = Operation.Name.innerProduct

    public var outputChannels: Int
    public var hasBias: Bool

    public init(outputChannels: Int, hasBias: Bool = true) {
        self.outputChannels = outputChannels
        self.hasBias = hasBias
    }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard outputChannels > 0 else { throw ShapeRuleError("needs at least one output; found \(outputChannels)") }
        return [BlobShape([inputs[0].shape.batch, outputChannels, 1, 1])]
    }

    public func parameters(for inputs: [BlobShape]) -> [LayerParameter] {
        let input = inputs[0].shape
        let weight = LayerParameter(
            .weight,
            [outputChannels, saturatingProduct(input.channels, input.height, input.width)]
        )
        return hasBias ? [weight, LayerParameter(.bias, [outputChannels])] : [weight]
    }

    public func multiplyAccumulates(inputs: [BlobShape], outputs: [BlobShape]) -> Int {
        saturatingProduct(inputs[0].shape.count, outputChannels)
    }
}
