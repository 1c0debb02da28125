public import SegNetCPU
public import SegNetEvaluation

/// Where a training stands: what a checkpoint holds in addition to the numbers. Optional properties are missing in checkpoints of earlier
/// versions.
public struct TrainingProgress: Sendable, Hashable, Codable {
    /// Steps taken.
    public var step = 0
    /// Examples used: with the seed, the position in the data and in every random stream.
    public var place = 0
    /// The best validation score so far and its step.
    public var bestScore: Double?
    public var bestStep = 0
    /// Validations done.
    public var validations = 0
    /// How many of them came after the best score.
    public var validationsSinceBest: Int?
    /// True if the training was saved between the step and its validation: the validation comes first when it goes on.
    public var isValidationDue: Bool?
    /// Predictions of the steps since the last validation.
    public var running: ConfusionMatrix?
    /// Steps of the optimiser and the average, which count for their corrections.
    public var optimizerSteps = 0
    public var averageSteps = 0
    /// Running statistics, exactly.
    public var statistics: [NormalizationStatistics] = []
    public var statisticsBatches = 0
    /// The network and the pictures' size: a resumed run must have the same.
    public var fingerprint = ""
    /// The network's name in recipes; networks with the same parameters have the same fingerprint.
    public var architecture: String?
    /// The recipe by which the steps so far were taken, as YAML: the file in the run's folder may have been edited since.
    public var recipe: String?
    /// The pictures of the training: with others, or in another order, it would see some twice and validate on some that it has learnt.
    public var pictures: [PictureList]?
    /// The names of the classes in their order: the data set's table may have been edited since.
    public var classes: [String]?
    /// CRC-32C of the files that are read again when the training goes on, by their settings: `teacher.model`, `class-weights`. They keep
    /// their names where their contents change.
    public var files: [String: UInt32]?
    /// The instructions that computed the steps so far; others round otherwise.
    public var instructionSet: String?

    public init() {}

    /// Why no training can have these values; nil if one can.
    var problem: String? {
        // More than a century of steps, and little enough that no sum of two overflows.
        let limit = 1 << 40
        let counts = [
            ("step", step, limit), ("place", place, limit), ("bestStep", bestStep, step),
            ("validations", validations, step),
            ("validationsSinceBest", validationsSinceBest ?? 0, validations),
            ("optimizerSteps", optimizerSteps, step), ("averageSteps", averageSteps, step),
            ("statisticsBatches", statisticsBatches, limit),
        ]
        if let wrong = counts.first(where: { !(0...max(0, $0.2)).contains($0.1) }) {
            return "'\(wrong.0)' is \(wrong.1), at step \(step)"
        }
        // A step takes at least one picture.
        if step > place { return "'place' is \(place), at step \(step)" }
        if let bestScore, !(0...1).contains(bestScore) { return "'bestScore' is \(bestScore)" }
        for values in statistics {
            if let wrong = values.mean.first(where: { !$0.isFinite }) {
                return "a running mean of layer '\(values.layer)' is \(wrong)"
            }
            if let wrong = values.variance.first(where: { !$0.isFinite || $0 < 0 }) {
                return "a running variance of layer '\(values.layer)' is \(wrong)"
            }
        }
        if let recipe, recipe.utf8.count > Self.greatestRecipe { return "'recipe' has \(recipe.utf8.count) bytes" }
        for list in pictures ?? [] where list.source < 1 || !(0...limit).contains(list.count) {
            return "'pictures' has \(list.count) of data set \(list.source)"
        }
        return running.flatMap(Self.problem)
    }

    /// Bytes; a recipe has some thousand.
    private static let greatestRecipe = 16 << 20

    /// The recipe by which the steps so far were taken; nil in checkpoints of earlier versions.
    /// - Parameter file: The checkpoint's name in errors.
    /// - Throws: `ConfigurationError` if it cannot be understood.
    func configuration(file: String) throws(ConfigurationError) -> TrainingConfiguration? {
        guard let recipe else { return nil }
        return try TrainingConfiguration(yaml: recipe, file: "\(file), its recipe")
    }

    private static func problem(_ matrix: ConfusionMatrix) -> String? {
        let size = matrix.classCount.multipliedReportingOverflow(by: matrix.classCount)
        guard matrix.classCount >= 0, !size.overflow, matrix.counts.count == size.partialValue,
            matrix.strays.count == matrix.classCount,
            (matrix.counts + matrix.strays).allSatisfy({ (0...1 << 50).contains($0) })
        else { return "'running' is not a confusion matrix" }
        return nil
    }
}
