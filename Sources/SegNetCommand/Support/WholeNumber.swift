import ArgumentParser

/// The whole number in an option's value.
/// - Throws: `ValidationError`, which names the range; the parser alone would say no more than that the value is invalid.
func wholeNumber<Number: FixedWidthInteger>(_ word: String) throws -> Number {
    guard let number = Number(word) else {
        throw ValidationError("a whole number in \(Number.min)...\(Number.max) is needed.")
    }
    return number
}
