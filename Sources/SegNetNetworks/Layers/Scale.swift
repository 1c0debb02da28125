import SegNetPlatform

/// x * scale + shift, one number of each per channel: what `BatchNormalization` does once its statistics are folded in. Source: Caffe's
/// `scale_layer.cpp` with one input.
public struct Scale: LayerKind {
    public static let name = Operation.Name.scale

    /// Whether there is a shift.
    public var hasShift: Bool

    public init(hasShift: Bool = false) { self.hasShift = hasShift }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] { [BlobShape(inputs[0].shape)] }

    public func parameters(for inputs: [BlobShape]) -> [LayerParameter] {
        let shape: Shape = [inputs[0].shape.channels]
        return [LayerParameter(.scale, shape)] + (hasShift ? [LayerParameter(.shift, shape)] : [])
    }
}
