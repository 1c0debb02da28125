internal import SegNetPlatform

/// An error that ended a training after what it had learnt was saved.
public struct TrainingInterruptedError: Error, CustomStringConvertible {
    /// What happened.
    public let cause: any Error
    /// Steps taken, all saved, and steps of the whole training.
    public let step: Int
    public let totalSteps: Int
    /// Where they are saved.
    public let checkpoint: String

    public var description: String {
        "\(cause) The training is saved at step \(step) of \(totalSteps) (\(checkpoint)): fix this, then \(UserChoice.resuming)."
    }
}
