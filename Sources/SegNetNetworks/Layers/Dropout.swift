import SegNetPlatform

/// Inverted dropout: idle outside training and Monte-Carlo sampling.
///
/// Element-wise, x * m / (1 - ratio). Source: docs/segnet.md, Dropout and sampling.
public struct Dropout: LayerKind {
    public static let name = Operation.Name.dropout

    /// The probability that a value is dropped, 0..<1.
    public var ratio: Double
    /// The original's `sample_weights_test`: whether Bayesian SegNet samples it at test time.
    public var samplesAtTest: Bool

    public init(ratio: Double = 0.5, samplesAtTest: Bool = false) {
        self.ratio = ratio
        self.samplesAtTest = samplesAtTest
    }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard ratio >= 0, ratio < 1 else {
            throw ShapeRuleError(
                "its ratio is \(ratio); the probability that a value is dropped is at least 0 and below 1"
            )
        }
        return [BlobShape(inputs[0].shape)]
    }
}
