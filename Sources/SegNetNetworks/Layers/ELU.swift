import SegNetPlatform

/// x where x > 0, else alpha (e^x - 1): a ReLU that keeps a slope below 0. Source: Clevert et al., arXiv 1511.07289; Caffe's
/// `elu_layer.cpp`.
public struct ELU: LayerKind {
    public static let name = Operation.Name.elu

    /// Far below 0 the output approaches -alpha. With 1 the slope does not jump at 0.
    public var alpha: Double

    public init(alpha: Double = 1) { self.alpha = alpha }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        try ShapeRuleError.checkFinite([("alpha", alpha)])
        return [BlobShape(inputs[0].shape)]
    }
}
