/// A fully connected conditional random field, which moves the borders between classes to the edges of the picture.
///
///     let crf = DenseCRF(w1: 5, sigmaAlpha: 50, sigmaBeta: 3)
///     let refined = try crf.refine(probabilities: probabilities, classCount: 11, picture: photo)
///     refined.classes  // [H, W]
///
/// Every pair of pixels that differ in class costs
///
///     w1 exp(-|p - p'|^2 / 2 sigmaAlpha^2 - |I - I'|^2 / 2 sigmaBeta^2) + w2 exp(-|p - p'|^2 / 2 sigmaGamma^2)
///
/// with p in pixels and I in colour values of 0...255: neighbours of similar colour are drawn to one class by the first kernel, small
/// specks are removed by the second. Mean field inference finds class probabilities of low energy in `iterations` steps. Each filters the
/// probabilities of all classes with both kernels on a permutohedral lattice, in time linear in the pixels.
///
/// Sources: Krähenbühl and Koltun, arXiv 1210.5644; Adams, Baek and Davis 2010 (the lattice); DeepLab, arXiv 1412.7062, whose names the
/// parameters have and whose normalisation is the default. The sums include the pixel itself, as all released programs' do.
///
/// Results are the same for any number of threads, and differ between instruction sets by rounding (docs/numerics.md).
public struct DenseCRF: Sendable, Hashable {
    /// Weight of the kernel of position and colour.
    public var w1: Double
    /// Standard deviation of its positions, in pixels.
    public var sigmaAlpha: Double
    /// Standard deviation of its colours, of 0...255 each.
    public var sigmaBeta: Double
    /// Weight of the kernel of position alone.
    public var w2: Double
    /// Standard deviation of its positions, in pixels.
    public var sigmaGamma: Double
    /// Steps of mean field inference. 0: none.
    public var iterations: Int
    public var normalization: Normalization

    /// How a filter's sums are divided by n, what the filter makes of ones everywhere. It decides how strong a weight is.
    public enum Normalization: String, Sendable, Hashable, Codable, CaseIterable {
        /// By n of the pixel that receives: a weighted mean, as DeepLab's program computes.
        case after
        /// By the square roots of n of both pixels: the default of Krähenbühl's library and of pydensecrf.
        case symmetric
    }

    /// The default is what DeepLab's authors ran for LargeFOV on PASCAL VOC; other data sets want other values (`segnet tune crf`).
    public init(
        w1: Double = 4,
        sigmaAlpha: Double = 49,
        sigmaBeta: Double = 5,
        w2: Double = 3,
        sigmaGamma: Double = 3,
        iterations: Int = 10,
        normalization: Normalization = .after
    ) {
        self.w1 = w1
        self.sigmaAlpha = sigmaAlpha
        self.sigmaBeta = sigmaBeta
        self.w2 = w2
        self.sigmaGamma = sigmaGamma
        self.iterations = iterations
        self.normalization = normalization
    }

    /// The range of weights.
    public static let weightRange = 0.0...1000
    /// The range of standard deviations.
    public static let deviationRange = 0.1...10_000
    /// How many steps may be asked for.
    public static let iterationRange = 0...1000

    /// - Throws: `DenseCRFError` with the parameter that is out of range.
    public func check() throws(DenseCRFError) {
        func check(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(DenseCRFError) {
            guard range.contains(value) else {
                throw DenseCRFError(
                    "\(name) is \(Self.number(value)); give a number in \(Self.number(range.lowerBound))...\(Self.number(range.upperBound))"
                )
            }
        }
        try check("w1", w1, Self.weightRange)
        try check("sigma-alpha", sigmaAlpha, Self.deviationRange)
        try check("sigma-beta", sigmaBeta, Self.deviationRange)
        try check("w2", w2, Self.weightRange)
        try check("sigma-gamma", sigmaGamma, Self.deviationRange)
        guard Self.iterationRange.contains(iterations) else {
            throw DenseCRFError(
                "iterations is \(iterations); give a whole number in \(Self.iterationRange.lowerBound)...\(Self.iterationRange.upperBound)"
            )
        }
    }
}

/// A dense CRF cannot be applied.
public struct DenseCRFError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, and what to give: a sentence without its full stop.
    public let problem: String

    init(_ problem: String) { self.problem = problem }

    public var description: String { "dense CRF: \(problem)." }
}
