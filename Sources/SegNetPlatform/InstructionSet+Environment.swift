extension InstructionSet {
    /// The environment variable that chooses the kernels: `portable`, `avx2`, `avx512` or `neon`.
    public static let environmentVariable = "SEGNET_ISA"

    /// The instruction set that `SEGNET_ISA` names, or the fastest of this machine if it is not set or empty.
    /// - Throws: `InstructionSetChoiceError` if this machine does not have the one that is named.
    public static func chosen() throws(InstructionSetChoiceError) -> InstructionSet {
        try chosen(EnvironmentVariable.text(environmentVariable))
    }

    /// The instruction set of this name, or the fastest of this machine if there is no name.
    package static func chosen(_ name: String?) throws(InstructionSetChoiceError) -> InstructionSet {
        guard let name, !name.isEmpty else { return .best }
        do throws(InstructionSetError) {
            return try InstructionSet(named: name)
        } catch {
            throw InstructionSetChoiceError(reason: error)
        }
    }
}

/// `SEGNET_ISA` asks for kernels that this machine does not have.
public struct InstructionSetChoiceError: Error, Hashable, CustomStringConvertible {
    public let reason: InstructionSetError

    public var description: String { "environment variable \(InstructionSet.environmentVariable): \(reason)" }
}
