import SegNetPlatform

/// Enlarges a map by a whole factor with bilinear weights: output pixel y reads the input at (y + 0.5) / factor - 0.5, clamped.
public struct BilinearUpsampling: LayerKind {
    public static let name = Operation.Name.bilinearUpsampling

    public var factor: Int
    public init(factor: Int) { self.factor = factor }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard (1...256).contains(factor) else {
            throw ShapeRuleError("needs a factor in 1...256; found \(factor)")
        }
        let input = inputs[0].shape
        return [BlobShape([input.batch, input.channels, input.height * factor, input.width * factor])]
    }

    public var receptiveWindow: (extent: Int, step: Int) { (2, 1) }
}
