/// Where each new row or column comes from: two old ones and the second's weight of 256, and the nearest; -1 outside.
struct SamplingAxis {
    var low: [Int] = []
    var high: [Int] = []
    var weight: [Int32] = []
    var nearest: [Int] = []

    /// - Parameters:
    ///   - count: New ones.
    ///   - from: Old ones.
    ///   - scale: Old ones per new one.
    ///   - offset: The old coordinate at which the new picture begins.
    init(count: Int, from: Int, scale: Double, offset: Double = 0, isFlipped: Bool = false) {
        for index in 0..<count {
            let new = isFlipped ? count - 1 - index : index
            let at = (Double(new) + 0.5) * scale - 0.5 + offset
            let inside = at > -0.5001 && at < Double(from) - 0.4999
            let clamped = max(0, min(Double(from - 1), at))
            let first = Int(clamped)
            low.append(first)
            high.append(min(first + 1, from - 1))
            weight.append(Int32((clamped - Double(first)) * 256))
            nearest.append(inside ? Int((clamped + 0.5).rounded(.down)) : -1)
        }
    }
}
