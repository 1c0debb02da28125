/// Vectors of one number for each channel that steps keep between passes: in one memory, 64-byte aligned.
struct VectorSpace {
    private(set) var count = 0
    /// Vectors of zeros and of ones, as long as the widest map has channels.
    let zeros: Int
    let ones: Int

    init(widest channels: Int) {
        zeros = 0
        ones = (channels + 15) / 16 * 16
        count = 2 * ones
    }

    private mutating func reserve(_ floats: Int) -> Int {
        defer { count += (floats + 15) / 16 * 16 }
        return count
    }

    /// Where the vectors of a batch normalisation begin.
    struct Normalization: Sendable {
        let mean, inverseDeviation, factor, term: Int
        /// The factors of the gradient a g + b (x - mean) + c.
        let a, b, c: Int
    }

    mutating func normalization(channels: Int) -> Normalization {
        Normalization(
            mean: reserve(channels),
            inverseDeviation: reserve(channels),
            factor: reserve(channels),
            term: reserve(channels),
            a: reserve(channels),
            b: reserve(channels),
            c: reserve(channels)
        )
    }
}
