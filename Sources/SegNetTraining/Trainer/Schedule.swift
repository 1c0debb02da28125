import SegNetPlatform

/// How the learning rate changes over the steps, as a factor of the base rate.
public struct Schedule: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Always 1.
        case constant
        /// gamma to the power of (steps / every), as Caffe's `step`.
        case step
        /// (1 - done)^power, as Caffe's and DeepLab's `poly`.
        case poly
        /// Half a cosine from 1 to `final`.
        case cosine
        /// Up a straight line from `start` to 1 for the first `peak` of the steps, down a cosine to `final`. (Smith, arXiv 1708.07120)
        case oneCycle = "one-cycle"
    }

    public var kind: Kind
    /// `step`: the factor.
    public var gamma: Double
    /// `step`: after how many steps.
    public var every: Int
    /// `poly`: the exponent.
    public var power: Double
    /// `cosine`, `one-cycle`: what is left at the end.
    public var final: Double
    /// `one-cycle`: where it begins.
    public var start: Double
    /// `one-cycle`: the share of steps until the top.
    public var peak: Double
    /// Steps of a straight line from 0 in front of everything.
    public var warmUp: Int

    public init(
        _ kind: Kind = .constant,
        gamma: Double = 0.1,
        every: Int = 1,
        power: Double = 0.9,
        final: Double = 0,
        start: Double = 0.04,
        peak: Double = 0.3,
        warmUp: Int = 0
    ) {
        self.kind = kind
        self.gamma = gamma
        self.every = every
        self.power = power
        self.final = final
        self.start = start
        self.peak = peak
        self.warmUp = warmUp
    }

    /// The factor of the base rate at a step.
    /// - Parameters:
    ///   - step: From 0.
    ///   - total: Steps of the whole training.
    public func factor(step: Int, of total: Int) -> Double {
        let rise = warmUp > 0 ? min(1, Double(step + 1) / Double(warmUp)) : 1
        let left = max(1, total - warmUp)
        let done = max(0, min(1, Double(step - warmUp) / Double(left)))
        func cosine(_ share: Double) -> Double { final + (1 - final) * 0.5 * (1 + cos(Double.pi * share)) }
        switch kind {
        case .constant: return rise
        case .step: return rise * pow(gamma, Double(max(0, step - warmUp) / max(1, every)))
        case .poly: return rise * pow(1 - done, power)
        case .cosine: return rise * cosine(done)
        case .oneCycle:
            if done < peak { return rise * (start + (1 - start) * done / max(peak, 1e-9)) }
            return rise * cosine((done - peak) / max(1 - peak, 1e-9))
        }
    }
}
