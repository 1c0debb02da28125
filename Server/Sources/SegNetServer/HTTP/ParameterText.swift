internal import HTTPTypes
internal import SegNetToolkit

/// Reads what the parameters of requests say. Each error is a `Problem` 400 naming the parameter, what was found and what it can be.
enum ParameterText {
    /// Unknown parameters are errors, so that a misspelt one is noticed.
    static func check(_ query: QueryParameters, names: [String]) throws(Problem) {
        for name in query.values.keys.sorted() where !names.contains(name) {
            let hint = closestName(to: name, among: names).map { " Did you mean '\($0)'?" } ?? ""
            throw Problem(
                .badRequest,
                "There is no parameter '\(name.shortened)'.\(hint) There are \(names.joined(separator: ", "))."
            )
        }
    }

    static func choice<Choice: RawRepresentable<String> & Equatable>(
        _ name: String,
        _ text: String,
        _ choices: [Choice]
    ) throws(Problem) -> Choice {
        guard let choice = Choice(rawValue: text), choices.contains(choice) else {
            throw bad(name, text, "one of \(choices.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    static func number(_ name: String, _ text: String, _ range: ClosedRange<Int>) throws(Problem) -> Int {
        guard isNumber(text), let number = Int(text), range.contains(number) else {
            throw bad(name, text, "a whole number in \(range.lowerBound)...\(range.upperBound)")
        }
        return number
    }

    /// A number with digits and a point alone.
    /// - Parameter needed: The range in words, and an example.
    static func decimal(
        _ name: String,
        _ text: String,
        _ range: ClosedRange<Double>,
        _ needed: String
    ) throws(Problem) -> Double {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let number = Double(text), range.contains(number) else {
            throw bad(name, text, "a number in \(needed)")
        }
        return number
    }

    /// Whether a text is a whole number as JSON and the OpenAPI file write it. Swift's initialisers also take `+5` and `007`.
    static func isNumber(_ text: some StringProtocol) -> Bool {
        let digits = text.hasPrefix("-") && text != "-0" ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (digits.count == 1 || digits.first != "0")
    }

    static func bad(_ name: String, _ found: String, _ needed: String) -> Problem {
        Problem(.badRequest, "The parameter '\(name)' is '\(found.shortened)'; it has to be \(needed).")
    }
}
