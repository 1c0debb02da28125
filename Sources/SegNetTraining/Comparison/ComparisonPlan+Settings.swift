internal import SegNetData
internal import Yams

//  Every key of a plan: form, range and help. Reading and explaining come from here, as a recipe's settings do.

extension ComparisonPlan: SettingGroup {
    /// All keys of a plan, with those of groups inside them.
    public static var settings: [RecipeSetting] { table.map(\.description) }

    static let table: [Setting<ComparisonPlan>] = [
        Setting("title", \.title, .text, "The heading of the pages."),
        Setting("text", \.text, .text, standard: "none", "A paragraph below the heading."),
        Setting("dataset", \.dataset, .choice, isRequired: true, "The kind of data set (docs/data.md)."),
        Setting("data", \.data, .folder, "The data set's folder."),
        Setting("split", \.split, .text, "The split that is scored."),
        Setting(
            "size",
            \.size,
            .size,
            initial: .camVid,
            standard: "by each recipe",
            "Pictures and labels are resized to this size for training. Scores are taken at the labels' own size."
        ),
        Setting(
            "protocol",
            \.shared,
            .recipe,
            initial: .empty,
            standard: "none",
            "Settings of a recipe that all systems share. They replace those of each system's recipe."
        ),
        Setting(
            "budget",
            \.budget,
            .group("iterations or epochs"),
            standard: "by each recipe",
            "How long each system trains."
        ),
        Setting(
            "model",
            \.model,
            .choice,
            "Which model is scored: the one with the best validation, or the one after the last step."
        ),
        Setting(
            "systems",
            \.systems,
            .list(
                of: .group("the settings of a system"),
                "a list of systems",
                initial: ComparedSystem("")
            ) { !$0.isEmpty },
            isRequired: true,
            "The systems that are compared: one row each in the tables."
        ),
        Setting(
            "pictures",
            \.pictures,
            .list(of: .text, "a list of pictures' names", initial: ""),
            standard: "four, evenly chosen",
            "Pictures of the split that are shown segmented by all systems."
        ),
        Setting(
            "worst",
            \.worst,
            .integer(0...20),
            "How many of each system's worst pictures are shown."
        ),
        Setting(
            "published",
            \.published,
            .text,
            initial: "",
            standard: "none",
            "Where the systems' published figures are from."
        ),
    ]

    static let standard = ComparisonPlan()
}

extension ComparisonBudget: SettingGroup {
    static let standard = ComparisonBudget()

    static let table: [Setting<ComparisonBudget>] = [
        Setting(
            "iterations",
            \.iterations,
            .integer(1...TrainingConfiguration.greatestIterations),
            initial: 1,
            standard: "by each recipe",
            "Steps."
        ),
        Setting(
            "epochs",
            \.epochs,
            .number(above: 0, to: 1e7),
            initial: 1,
            standard: "by each recipe",
            "Passes over the training pictures."
        ),
    ]
}

extension ComparedSystem: SettingGroup {
    static let standard = ComparedSystem("")

    static let table: [Setting<ComparedSystem>] = [
        Setting("name", \.name, .text, isRequired: true, "Its name in the tables."),
        Setting(
            "recipe",
            \.recipe,
            .recipeSource,
            initial: .file(""),
            standard: "none, with model-of",
            "How it is trained: a file next to the plan, or settings."
        ),
        Setting(
            "settings",
            \.settings,
            .recipe,
            initial: .empty,
            standard: "none",
            "Settings of its own. They replace those of the recipe and of the protocol."
        ),
        Setting(
            "start-from",
            \.startFrom,
            .text,
            initial: "",
            standard: "none",
            "An earlier system whose finished model the training begins with."
        ),
        Setting(
            "model-of",
            \.modelOf,
            .text,
            initial: "",
            standard: "none",
            "Another system, whose model this row uses too."
        ),
        Setting(
            "model",
            \.model,
            .choice,
            initial: .best,
            standard: "the plan's",
            "Which model is scored, where this row differs from the plan."
        ),
        Setting(
            "refine",
            \.refine,
            .text,
            initial: "",
            standard: "none",
            "A refinement of the network's predictions: crf, or crf:w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations."
        ),
        Setting(
            "published",
            \.published,
            .group("published figures"),
            initial: PublishedFigures(),
            standard: "none",
            "Figures from a publication, which the tables show next to the measured ones."
        ),
    ]
}

extension PublishedFigures: SettingGroup {
    static let standard = PublishedFigures()

    static let table: [Setting<PublishedFigures>] = [
        score("global-accuracy", \.globalAccuracy, "G, in per cent."),
        score("class-average", \.classAverageAccuracy, "C, in per cent."),
        score("mean-iou", \.meanIoU, "Mean IoU, in per cent."),
        score("boundary-f1", \.boundaryF1, "BF, in per cent."),
        amount("million-parameters", \.millionParameters, "Parameters, in millions."),
        amount("forward-milliseconds", \.forwardMilliseconds, "A forward pass."),
        amount("backward-milliseconds", \.backwardMilliseconds, "A backward pass."),
        amount("training-megabytes", \.trainingMegabytes, "Memory of training."),
        amount("inference-megabytes", \.inferenceMegabytes, "Memory of inference."),
        amount("model-megabytes", \.modelMegabytes, "The model's file."),
    ]

    private static func score(
        _ key: String,
        _ path: any WritableKeyPath<PublishedFigures, Double?> & Sendable,
        _ help: String
    ) -> Setting<PublishedFigures> {
        Setting(key, path, .number(0...100), initial: 0, standard: "none", help)
    }

    private static func amount(
        _ key: String,
        _ path: any WritableKeyPath<PublishedFigures, Double?> & Sendable,
        _ help: String
    ) -> Setting<PublishedFigures> {
        Setting(key, path, .number(atLeast: 0), initial: 0, standard: "none", help)
    }
}
