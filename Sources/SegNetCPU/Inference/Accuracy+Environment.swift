import SegNetPlatform

extension InferenceOptions.Accuracy {
    /// The environment variable that chooses the accuracy where nothing else does: `fast`, `accurate` or `exact`.
    public static let environmentVariable = "SEGNET_ACCURACY"

    /// The accuracy that `SEGNET_ACCURACY` names, `fast` if it is not set or empty.
    /// - Throws: `AccuracyChoiceError` if there is none of that name.
    public static func chosen() throws(AccuracyChoiceError) -> Self {
        try chosen(EnvironmentVariable.text(environmentVariable))
    }

    /// The accuracy of this name, `fast` for none.
    package static func chosen(_ name: String?) throws(AccuracyChoiceError) -> Self {
        guard let name, !name.isEmpty else { return .fast }
        guard let accuracy = Self(rawValue: name) else { throw AccuracyChoiceError(name: name) }
        return accuracy
    }
}

/// `SEGNET_ACCURACY` asks for an accuracy that does not exist.
public struct AccuracyChoiceError: Error, Hashable, CustomStringConvertible {
    public let name: String

    public var description: String {
        let names = InferenceOptions.Accuracy.allCases.map(\.rawValue).joined(separator: ", ")
        return "environment variable \(InferenceOptions.Accuracy.environmentVariable): there is no accuracy '\(name)'; "
            + "choose one of \(names)."
    }
}
