/// How accurate a model is where it is certain: the pixels of all pictures are ranked by their uncertainty, and the
/// accuracy of the most certain part is measured.
///
/// A model whose uncertainty is meaningful is almost always right on its most certain tenth, and mostly wrong among the
/// rest. Source: Bayesian SegNet (arXiv 1511.02680); docs/segnet.md, Dropout and sampling.
///
/// Values are counted in bins of relative width 2^-8, so that any number of pixels takes one megabyte; right and wrong
/// pixels are taken as evenly mixed within a bin.
public struct ConfidenceCurve: Sendable, Hashable {
    /// Labelled pixels, and the correctly classified ones among them, by bin of rising uncertainty.
    private var pixels: [Int]
    private var right: [Int]

    // Non-negative floats sort as their bit patterns do: sign and exponent are 9 bits, 8 bits of the fraction follow.
    private static let shift: UInt32 = 15

    public init() {
        pixels = Array(repeating: 0, count: Int(Float.infinity.bitPattern >> Self.shift) + 1)
        right = pixels
    }

    /// Adds a picture. Pixels without ground truth do not count.
    /// - Parameters:
    ///   - truth: Class ids, [H, W]; ids that are not below `classCount` have no ground truth.
    ///   - prediction: Class ids, [H, W].
    ///   - uncertainty: At least 0, [H, W]: a variance, or 1 - confidence. NaN counts as the greatest.
    /// - Precondition: All have the same number of pixels.
    public mutating func add(truth: [UInt16], prediction: [UInt16], uncertainty: [Float], classCount: Int) {
        precondition(truth.count == prediction.count && truth.count == uncertainty.count)
        for index in truth.indices where Int(truth[index]) < classCount {
            let value = uncertainty[index]
            let bin = value.isNaN ? pixels.count - 1 : Int(max(0, value).magnitude.bitPattern >> Self.shift)
            pixels[bin] += 1
            if truth[index] == prediction[index] { right[bin] += 1 }
        }
    }

    /// The accuracy of the most certain `share` of all labelled pixels; nil if there are none.
    /// - Parameter share: Above 0, at most 1.
    public func accuracy(ofSurest share: Double) -> Double? {
        let total = pixels.reduce(0, +)
        guard total > 0, share > 0 else { return nil }
        let wanted = min(1, share) * Double(total)
        var taken = 0.0
        var correct = 0.0
        for (count, rightCount) in zip(pixels, right) where count > 0 {
            let part = min(1, (wanted - taken) / Double(count))
            taken += part * Double(count)
            correct += part * Double(rightCount)
            if part < 1 { break }
        }
        return correct / taken
    }
}
