/// One axis of a chart: from where to where, and which round numbers are written at it.
package struct ChartAxis {
    package let lowest: Double
    package let highest: Double
    package let ticks: [Double]
    /// Digits behind the point that tell neighbouring ticks apart.
    package let digits: Int

    /// An axis around values, with about `count` ticks at 1, 2 or 5 times a power of ten.
    /// - Parameters:
    ///   - includingZero: Begins at 0 where all values are above.
    ///   - isTight: Ends where the values end, not at the ticks around them.
    package init(_ values: [Double], count: Int = 5, includingZero: Bool = false, isTight: Bool = false) {
        let finite = values.filter { $0.isFinite }
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        if includingZero { (low, high) = (min(low, 0), max(high, 0)) }
        if high <= low {
            let room = low == 0 ? 1 : abs(low) / 2
            (low, high) = (low - (includingZero && low == 0 ? 0 : room), high + room)
        }
        let step = Self.roundStep((high - low) / Double(max(count, 1)))
        // A value may miss its tick by the rounding of a division.
        let first = isTight ? (low / step - 1e-9).rounded(.up) : (low / step).rounded(.down)
        let last = isTight ? (high / step + 1e-9).rounded(.down) : (high / step).rounded(.up)
        lowest = isTight ? low : first * step
        highest = isTight ? high : last * step
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        var digits = 0
        var scaled = step
        while digits < 8, abs(scaled - scaled.rounded()) > 1e-6 * max(1, scaled) {
            scaled *= 10
            digits += 1
        }
        self.digits = digits
    }

    /// The next of 1, 2, 5, 10 ... that is not smaller.
    private static func roundStep(_ step: Double) -> Double {
        guard step > 0, step.isFinite else { return 1 }
        var power = 1.0
        while power * 10 <= step { power *= 10 }
        while power > step { power /= 10 }
        for factor in [1.0, 2, 5] where factor * power >= step * (1 - 1e-9) { return factor * power }
        return 10 * power
    }

    /// Where a value lies, 0 at the axis's beginning, 1 at its end.
    package func place(_ value: Double) -> Double { (value - lowest) / (highest - lowest) }
}
