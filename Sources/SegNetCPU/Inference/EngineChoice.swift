import SegNetPlatform

/// The accuracy and the kernels of options: those that are given, or else those that the environment names.
///
/// Initialisers of options do not throw, and what the environment asks for may not exist. The error is kept until the first call that uses
/// the options and can throw: `check`. It is dropped where the wrong one is replaced.
struct EngineChoice: Sendable, Hashable {
    var accuracy: InferenceOptions.Accuracy { didSet { accuracyError = nil } }
    var instructionSet: InstructionSet { didSet { instructionSetError = nil } }
    private var accuracyError: AccuracyChoiceError?
    private var instructionSetError: InstructionSetChoiceError?

    /// - Parameters:
    ///   - accuracy: Nil: the one that `SEGNET_ACCURACY` names, or else `fast`.
    ///   - instructionSet: Nil: the one that `SEGNET_ISA` names, or else the fastest of this machine.
    ///   - environment: A variable's text; tests have their own.
    init(
        accuracy: InferenceOptions.Accuracy?,
        instructionSet: InstructionSet?,
        environment: (String) -> String? = EnvironmentVariable.text
    ) {
        if let accuracy {
            self.accuracy = accuracy
        } else {
            let name = environment(InferenceOptions.Accuracy.environmentVariable)
            do throws(AccuracyChoiceError) { self.accuracy = try .chosen(name) } catch {
                self.accuracy = .fast
                accuracyError = error
            }
        }
        if let instructionSet {
            self.instructionSet = instructionSet
        } else {
            let name = environment(InstructionSet.environmentVariable)
            do throws(InstructionSetChoiceError) { self.instructionSet = try .chosen(name) } catch {
                self.instructionSet = .best
                instructionSetError = error
            }
        }
    }

    /// Refuses what the environment asks for and does not exist.
    /// - Throws: `AccuracyChoiceError`, `InstructionSetChoiceError`.
    func check() throws {
        if let accuracyError { throw accuracyError }
        if let instructionSetError { throw instructionSetError }
    }
}
