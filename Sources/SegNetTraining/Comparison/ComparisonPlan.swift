public import SegNetData
public import SegNetPlatform

/// The plan of a comparison: several trainings on one data set by one protocol, all scored on the same pictures.
///
/// Written in YAML (docs/compare.md) and run by `segnet compare`, or from Swift by `SystemComparison`.
public struct ComparisonPlan: Sendable, Hashable {
    /// The heading of the pages.
    public var title = "Comparison"
    /// A paragraph below it: what the comparison asks, what is known about it.
    public var text = ""

    // MARK: Data

    /// The data that all systems learn from (unless a recipe lists several data sets of its own) and are scored on.
    public var dataset = DatasetKind.camVid
    /// The data set's folder.
    public var data = "."
    /// The split that is scored.
    public var split = "test"
    /// The size to which pictures are resized for training; nil: by each recipe. Scores are taken at the labels' own size.
    public var size: PictureSize?

    // MARK: Protocol

    /// Settings that all systems share, laid over each one's recipe.
    public var shared: RecipeChanges?
    /// How long each system trains, in place of what its recipe says.
    public var budget = ComparisonBudget()
    /// Settings that replace all others, in every recipe: `--set` of the command.
    public var overrides: [Override] = []

    /// A setting as a user writes it: `optimizer.weight-decay`, `0.01`.
    public struct Override: Sendable, Hashable {
        public var key: String
        public var text: String
        /// Where it stands, for errors: the option that gave it.
        public var place: String?

        public init(_ key: String, _ text: String, at place: String? = nil) {
            self.place = place
            self.key = key
            self.text = text
        }
    }

    /// Which model of a training is scored.
    public var model = ModelChoice.best

    /// Which of the two models that a training leaves.
    public enum ModelChoice: String, Sendable, Hashable, Codable, CaseIterable {
        /// The one with the best validation.
        case best
        /// The one after the last step.
        case last
    }

    // MARK: Systems

    public var systems: [ComparedSystem] = []

    // MARK: Pages

    /// Names of the pictures that are shown segmented by all systems; empty: four of the split, evenly chosen.
    public var pictures: [String] = []
    /// How many of each system's worst pictures are shown.
    public var worst = 2
    /// Where the published figures of the systems are from; nil: there are none.
    public var published: String?

    /// The file that it was read from; nil where it was not read from one.
    public var file: String?
    /// The folder that relative paths of recipes begin at: the plan's own.
    public var folder = "."
    /// Its text, where it was read from YAML: the pages show it.
    public var source: String?

    public init() {}
}

/// How long each system trains. Nothing: as long as its recipe says.
public struct ComparisonBudget: Sendable, Hashable {
    /// Steps.
    public var iterations: Int?
    /// Passes over the training pictures.
    public var epochs: Double?

    public init(iterations: Int? = nil, epochs: Double? = nil) {
        self.iterations = iterations
        self.epochs = epochs
    }
}
