public import SegNetEvaluation
public import SegNetImages
public import SegNetPlatform

/// What one step did.
public struct StepReport: Sendable, Hashable, Codable {
    /// Steps of the training so far, this one included.
    public var step: Int
    /// Steps of the whole training.
    public var totalSteps: Int
    /// Passes over the training pictures so far.
    public var epoch: Double
    /// The loss of the step's pictures, divided as `TrainingConfiguration.lossDivisor` says.
    public var loss: Double
    /// Pixels of the step's pictures that have a label.
    public var labelledPixels: Int
    /// Over the training pictures since the last validation, as the network was when it saw them; in a pool, over those of the data sets
    /// whose labels name all classes.
    public var runningMeanIoU: Double?
    /// The recipe's rate times the schedule's factor, without the factors of layers and kinds of parameters.
    public var learningRate: Double
    /// The norm of the gradient over all parameters that learn, before it is clipped.
    public var gradientNorm: Double
    /// Pictures of the step, of all ranks, divided by its seconds.
    public var picturesPerSecond: Double
    /// Until the last step, at the pace so far.
    public var secondsLeft: Double
    /// The share of the step's time in which this rank waited for others and for the network; nil without ranks.
    public var waitingShare: Double?
}

/// What a validation found.
public struct ValidationReport: Sendable {
    /// Steps of the training so far.
    public var step: Int
    /// Passes over the training pictures so far.
    public var epoch: Double
    /// Mean IoU, global accuracy and the others.
    public var scores: Scores
    /// Pixels by true and predicted class.
    public var matrix: ConfusionMatrix
    /// Classes that occur in the truth and were never predicted.
    public var neverPredicted: [String]
    /// A few of the samples, always the same: photo, ground truth and prediction side by side.
    public var pictures: [Image]
    /// How long it took.
    public var seconds: Double
    /// Whether no validation before it had a better score.
    public var isBest = false
}

/// The result of a run.
public struct TrainingResult: Sendable {
    /// The best model by validation; after a stop, the best so far. Nil without a validation that had a score, if its file is gone, and on
    /// ranks that write no files.
    public var best: URL?
    /// The model of the last step. Nil after a stop: what is written then is `Trainer.checkpoint`, from which a later run goes on.
    public var last: URL?
    /// The step of the best model, if its file is gone.
    public var missingBestStep: Int?
    /// False if the run was told to stop before its last step.
    public var isFinished: Bool
}
