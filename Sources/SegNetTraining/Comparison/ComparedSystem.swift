/// One row of a comparison: a training of its own, or another row's model used in another way.
public struct ComparedSystem: Sendable, Hashable {
    public var name: String
    /// How it is trained; nil where `modelOf` names another system.
    public var recipe: RecipeSource?
    /// Settings of its own, laid over the recipe and over what all systems share.
    public var settings: RecipeChanges?
    /// An earlier system whose finished model the training begins with: FCN-16s goes on from FCN-32s.
    public var startFrom: String?
    /// Another system whose model stands in this row.
    public var modelOf: String?
    /// Which model of the training is scored; nil: as the plan says.
    public var model: ComparisonPlan.ModelChoice?
    /// What improves the network's answer afterwards.
    public var refine: String?
    /// What others have published of this system.
    public var published: PublishedFigures?

    public init(_ name: String) { self.name = name }

    /// The folder of its files: the name in small letters, with one hyphen for everything that is neither letter nor digit.
    public var folderName: String {
        let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return words.joined(separator: "-")
    }

    /// Where a recipe stands.
    public enum RecipeSource: Sendable, Hashable {
        /// In a file; a relative path begins at the plan's folder.
        case file(String)
        /// In the plan.
        case settings(RecipeChanges)
    }
}

/// Figures from a publication, to be shown next to the measured ones. Nil: not published.
public struct PublishedFigures: Sendable, Hashable {
    /// Scores in per cent.
    public var globalAccuracy: Double?
    public var classAverageAccuracy: Double?
    public var meanIoU: Double?
    public var boundaryF1: Double?
    public var millionParameters: Double?
    public var forwardMilliseconds: Double?
    public var backwardMilliseconds: Double?
    /// Megabytes as published, 10^6 or 2^20 bytes.
    public var trainingMegabytes: Double?
    public var inferenceMegabytes: Double?
    public var modelMegabytes: Double?

    public init() {}
}
