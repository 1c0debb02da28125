import SegNetPlatform

/// Local contrast normalisation of the input picture: subtract the local mean, divide by the local deviation.
///
/// Both are taken over a Gaussian window (`size` x `size`, deviation `sigma`) and all channels, renormalised at the borders. The divisor is
/// max(local deviation, mean of all local deviations of the picture), so that flat regions are not blown up.
/// The paper mentions it (section 3.1, after Jarrett et al. 2009) without parameters, and the released code has no such
/// layer: the numbers are our reading.
public struct LocalContrastNormalization: LayerKind {
    public static let name = Operation.Name.localContrastNormalization

    /// The window's extent in pixels; odd.
    public var size: Int
    /// The Gaussian's deviation in pixels.
    public var sigma: Double

    public init(size: Int = 9, sigma: Double = 2) {
        self.size = size
        self.sigma = sigma
    }

    public func outputs(of inputs: [BlobShape]) throws(ShapeRuleError) -> [BlobShape] {
        guard size > 0, size % 2 == 1, size <= 255, sigma > 0, sigma.isFinite else {
            throw ShapeRuleError("needs an odd size in 1...255 and a positive sigma; found \(size) and \(sigma)")
        }
        return [BlobShape(inputs[0].shape)]
    }

    public var receptiveWindow: (extent: Int, step: Int) { (size, 1) }
}
