public import SegNetEvaluation
public import SegNetImages
public import SegNetPlatform

/// What one step did.
public struct StepReport: Sendable, Hashable, Codable {
    public var step: Int
    public var totalSteps: Int
    public var epoch: Double
    public var loss: Double
    public var labelledPixels: Int
    /// Over the training pictures since the last validation, as the network was when it saw them; in a pool, over those of the data sets
    /// whose labels name all classes.
    public var runningMeanIoU: Double?
    public var learningRate: Double
    public var gradientNorm: Double
    public var picturesPerSecond: Double
    /// At the pace so far.
    public var secondsLeft: Double
    /// The share of the step's time in which this rank waited for others and for the network; nil without ranks.
    public var waitingShare: Double?
}

/// What a validation found.
public struct ValidationReport: Sendable {
    public var step: Int
    public var epoch: Double
    public var scores: Scores
    public var matrix: ConfusionMatrix
    /// Classes that occur in the truth and were never predicted.
    public var neverPredicted: [String]
    /// A few of the samples, always the same: photo, ground truth and prediction side by side.
    public var pictures: [Image]
    public var seconds: Double
    public var isBest = false
}

/// The result of a run.
public struct TrainingResult: Sendable {
    /// The best model by validation, and the last.
    public var best: URL?
    public var last: URL?
    /// The step of the best model, if its file is gone.
    public var missingBestStep: Int?
    /// False if the run was told to stop before its last step.
    public var isFinished: Bool
}
