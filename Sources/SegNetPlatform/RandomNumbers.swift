/// Seeded random numbers: the same seed gives the same sequence on every machine.
///
/// The generator is SplitMix64 (Steele, Lea and Flood 2014): 64 bits of state that a checkpoint can store, good enough for
/// initial weights, augmentation and synthetic pictures; not for cryptography.
public struct RandomNumbers: RandomNumberGenerator, Sendable, Codable, Hashable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// An independent stream of the same seed, for example one per layer or per picture.
    public init(seed: UInt64, stream: UInt64) {
        var mixer = RandomNumbers(seed: stream &* 0x9E37_79B9_7F4A_7C15 ^ 0xD1B5_4A32_D192_ED03)
        state = seed ^ mixer.next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1), 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in the range.
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// Gaussian with mean 0 and deviation 1 (Box and Muller; one of the pair is dropped so that there is no hidden state).
    public mutating func gaussian() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }
}
