import SegNetPlatform

/// Batch normalisation, the original's `BN` layer (not Caffe's later `BatchNorm`).
///
/// - `folded`: y = x * scale + shift; the statistics are already inside (the original's `bn_mode: INFERENCE`).
/// - `kept`: y = scale * (x - mean) / sqrt(variance + epsilon) + shift with stored statistics.
/// - `batch`: mean and variance are those of the current batch (`bn_mode: LEARN`). Such a network can be trained but not used:
///   its statistics must be computed first.
///
/// Source: docs/segnet.md, Batch normalisation; caffe-segnet `bn_layer.cpp`.
public struct BatchNormalization: LayerKind {
    public static let name = Operation.Name.batchNormalization

    public enum Statistics: String, Sendable, Hashable, Codable { case folded, kept, batch }

    public var statistics: Statistics
    /// Added to the variance. The original uses 1e-9, most frameworks 1e-5.
    public var epsilon: Double

    public init(statistics: Statistics = .folded, epsilon: Double = 1e-9) {
        self.statistics = statistics
        self.epsilon = epsilon
    }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard epsilon.isFinite, epsilon >= 0 else {
            throw ShapeRuleError("its epsilon is \(epsilon); a finite number of at least 0 is needed")
        }
        return [BlobShape(inputs[0].shape)]
    }

    public func parameters(for inputs: [BlobShape]) -> [LayerParameter] {
        let shape: Shape = [inputs[0].shape.channels]
        var parameters = [LayerParameter(.scale, shape), LayerParameter(.shift, shape)]
        if statistics == .kept {
            parameters += [
                LayerParameter(.mean, shape, isStatistic: true), LayerParameter(.variance, shape, isStatistic: true),
            ]
        }
        return parameters
    }
}
