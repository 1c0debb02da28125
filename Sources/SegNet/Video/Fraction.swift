/// A fraction of whole numbers, as video files give frame rates and units of time.
struct Fraction: Sendable, Hashable, CustomStringConvertible {
    /// At least 1.
    let numerator: Int
    /// At least 1.
    let denominator: Int

    /// Nil unless both are at least 1 and fit in 32 bits, as in such files.
    init?(_ numerator: Int, _ denominator: Int) {
        let range = 1...Int(Int32.max)
        guard range.contains(numerator), range.contains(denominator) else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Reads `30000/1001` and `16:9`; nil for `0/0`, which stands for "not known".
    init?(_ text: String) {
        let parts = text.split { $0 == "/" || $0 == ":" }
        guard parts.count == 2, let numerator = Int(parts[0]), let denominator = Int(parts[1]) else { return nil }
        self.init(numerator, denominator)
    }

    var value: Double { Double(numerator) / Double(denominator) }

    /// Its reciprocal.
    var inverse: Fraction { Fraction(inverted: self) }

    static let milliseconds = Fraction(inverted: Fraction(whole: 1000))

    private init(whole: Int) {
        numerator = whole
        denominator = 1
    }

    private init(inverted fraction: Fraction) {
        numerator = fraction.denominator
        denominator = fraction.numerator
    }

    /// `30000/1001`
    var description: String { "\(numerator)/\(denominator)" }
}
