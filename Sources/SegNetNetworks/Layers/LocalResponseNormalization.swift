import SegNetPlatform

/// Local response normalisation across channels: y = x * (k + alpha / size * sum of squares over `size` channels)^-beta.
///
/// SegNet-Basic's first layer; over a picture's three channels all share one factor. alpha is divided by the full size, at the
/// borders too. Source: docs/segnet.md, Local response normalisation; caffe-segnet `lrn_layer.cpp`.
public struct LocalResponseNormalization: LayerKind {
    public static let name = Operation.Name.localResponseNormalization

    /// The number of channels that a sum spans; odd.
    public var size: Int
    public var alpha: Double
    public var beta: Double
    public var k: Double
    /// For pictures: only the first `channels` channels are normalised and summed, and the others are copied. Nil: all.
    ///
    /// Brightness depends on the colours alone; a depth channel must not darken them. The original has no such setting.
    public var channels: Int?

    public init(size: Int = 5, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1, channels: Int? = nil) {
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.channels = channels
    }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard size > 0, size % 2 == 1, size <= Window.limit else {
            throw ShapeRuleError("needs an odd size of at least 1; found \(size)")
        }
        try ShapeRuleError.checkFinite([("alpha", alpha), ("beta", beta), ("k", k)])
        if let channels {
            guard (1...inputs[0].shape.channels).contains(channels), inputs[0].shape.channels < 16 else {
                throw ShapeRuleError(
                    "normalises the first \(channels) channels of a picture of \(inputs[0].shape.channels); needs 1 or more, no more than "
                        + "there are, and a picture of fewer than 16"
                )
            }
        }
        return [BlobShape(inputs[0].shape)]
    }
}
