import ArgumentParser
import SegNetToolkit

/// The possible forms of an option's argument.
struct OptionForm<Value>: Sendable {
    /// Its name in the help.
    let name: String
    var completion = CompletionKind.default
    /// Says what is needed if the text is not that.
    let parse: @Sendable (String) throws(ValidationError) -> Value
    /// A default as the help shows it.
    var text: @Sendable (Value) -> String = { "\($0)" }

    /// - Parameters:
    ///   - needed: Such as "a whole number in 1...1024".
    ///   - value: Nil if the text is not that.
    private static func word(
        _ name: String,
        _ needed: String,
        _ completion: CompletionKind = .default,
        value: @escaping @Sendable (String) -> Value?
    ) -> OptionForm {
        OptionForm(name: name, completion: completion) { text throws(ValidationError) in
            guard let value = value(text) else { throw ValidationError("it has to be \(needed).") }
            return value
        }
    }
}

extension OptionForm where Value == String {
    static func text(_ name: String, _ completion: CompletionKind = .default) -> OptionForm {
        OptionForm(name: name, completion: completion) { $0 }
    }
}

extension OptionForm where Value == URL {
    static let folder = OptionForm(name: "folder", completion: .directory) { URL(filePath: $0) }
}

extension OptionForm where Value == Int {
    static func number(_ range: ClosedRange<Int>, _ name: String = "count") -> OptionForm {
        word(name, "a whole number in \(range.lowerBound)...\(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension OptionForm where Value == Duration {
    static func seconds(_ range: ClosedRange<Double>) -> OptionForm {
        func plain(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }
        var form = word("seconds", "a number of seconds in \(plain(range.lowerBound))...\(plain(range.upperBound))") {
            text in
            Double(text).flatMap { range.contains($0) ? .milliseconds(Int(($0 * 1000).rounded())) : nil }
        }
        form.text = { "\($0.components.seconds)" }
        return form
    }
}

extension OptionForm where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
    static func choice(_ name: String) -> OptionForm {
        let names = Value.allCases.map(\.rawValue)
        var form = word(name, "one of \(names.joined(separator: ", "))", .list(names)) { Value(rawValue: $0) }
        form.text = { "\($0.rawValue); one of \(names.joined(separator: ", "))" }
        return form
    }
}
