import SegNetPlatform

/// Resizes a map bilinearly with aligned corners: output row y reads the input at y (in - 1) / (out - 1). By a whole factor z, which makes
/// (in - 1) z + 1 of `in` rows; to a size; or to that of a second input. Source: DeepLab's Caffe, `interp_layer.cpp`.
public struct Resize: LayerKind {
    public static let kindName = "resize"

    public enum Target: Sendable, Hashable, Codable {
        case factor(Int)
        case size(height: Int, width: Int)
        /// That of the second input, which only lends it.
        case reference
    }

    public var target: Target

    public init(to target: Target) { self.target = target }

    public var inputCount: ClosedRange<Int> { target == .reference ? 2...2 : 1...1 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        let input = inputs[0].shape
        let (height, width): (Int, Int)
        switch target {
        case .factor(let factor):
            guard (1...256).contains(factor) else {
                throw ShapeRuleError("needs a factor in 1...256; found \(factor).")
            }
            (height, width) = ((input.height - 1) * factor + 1, (input.width - 1) * factor + 1)
        case .size(let rows, let columns): (height, width) = (rows, columns)
        case .reference: (height, width) = (inputs[1].shape.height, inputs[1].shape.width)
        }
        return [BlobShape([input.batch, input.channels, height, width])]
    }

    public var receptiveWindow: (extent: Int, step: Int) { (2, 1) }
}
