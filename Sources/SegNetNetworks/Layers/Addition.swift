import SegNetPlatform

/// The element-wise sum of two or more maps of the same shape.
public struct Addition: LayerKind {
    public static let name = Operation.Name.addition

    /// The factor of each map; nil: 1. Source: `coeff` of Caffe's `eltwise_layer.cpp`.
    public var coefficients: [Float]?

    public init(coefficients: [Float]? = nil) { self.coefficients = coefficients }

    public var inputCount: ClosedRange<Int> { 2...64 }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        for input in inputs where input.shape != inputs[0].shape {
            throw ShapeRuleError("adds \(inputs[0].shape) and \(input.shape); all its inputs must have the same shape")
        }
        if let coefficients, coefficients.count != inputs.count {
            throw ShapeRuleError(
                "has \(coefficients.count) coefficients for \(inputs.count) maps; give one for each, or none"
            )
        }
        try ShapeRuleError.checkFinite((coefficients ?? []).map { ("coefficient", Double($0)) })
        return [BlobShape(inputs[0].shape)]
    }
}
