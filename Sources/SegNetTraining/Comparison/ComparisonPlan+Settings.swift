internal import SegNetData
internal import Yams

//  Every key of a plan: form, range and help. Reading and explaining come from here, as a recipe's settings do.

extension ComparisonPlan {
    /// All keys of a plan, with those of groups inside them.
    public static var settings: [RecipeSetting] { table.map(\.description) }

    static let table: [SettingDeclaration<ComparisonPlan>] = [
        SettingDeclaration("title", \.title, .text, of: standard, "The heading of the pages."),
        SettingDeclaration("text", \.text, .text, of: standard, standard: "none", "A paragraph below the heading."),
        SettingDeclaration("dataset", \.dataset, .choice, of: nil, "The kind of data set (docs/data.md)."),
        SettingDeclaration("data", \.data, .folder, of: standard, "The data set's folder."),
        SettingDeclaration("split", \.split, .text, of: standard, "The split that is scored."),
        SettingDeclaration(
            "size",
            \.size,
            .size,
            initial: [],
            standard: "by each recipe",
            "Pictures and labels are resized to this size for training. Scores are taken at the labels' own size."
        ),
        SettingDeclaration(
            "protocol",
            \.shared,
            .recipe,
            initial: .empty,
            standard: "none",
            "Settings of a recipe that all systems share. They replace those of each system's recipe."
        ),
        SettingDeclaration(
            "budget",
            \.budget,
            .group("iterations or epochs", ComparisonBudget.table),
            of: standard,
            standard: "by each recipe",
            "How long each system trains."
        ),
        SettingDeclaration(
            "model",
            \.model,
            .choice,
            of: standard,
            "Which model is scored: the one with the best validation, or the one after the last step."
        ),
        SettingDeclaration(
            "systems",
            \.systems,
            .list(
                of: .group("the settings of a system", ComparedSystem.table),
                "a list of systems",
                initial: ComparedSystem("")
            ) { !$0.isEmpty },
            of: nil,
            "What is compared: one row of the tables each."
        ),
        SettingDeclaration(
            "pictures",
            \.pictures,
            .list(of: .text, "a list of pictures' names", initial: ""),
            of: standard,
            standard: "four, evenly chosen",
            "Pictures of the split that are shown segmented by all systems."
        ),
        SettingDeclaration(
            "worst",
            \.worst,
            .integer(0...20),
            of: standard,
            "How many of each system's worst pictures are shown."
        ),
        SettingDeclaration(
            "published",
            \.published,
            .text,
            initial: "",
            standard: "none",
            "Where the systems' published figures are from."
        ),
    ]

    private static let standard = ComparisonPlan()
}

extension ComparisonBudget {
    static let table: [SettingDeclaration<ComparisonBudget>] = [
        SettingDeclaration(
            "iterations",
            \.iterations,
            .integer(atLeast: 1),
            initial: 1,
            standard: "by each recipe",
            "Steps."
        ),
        SettingDeclaration(
            "epochs",
            \.epochs,
            .number(above: 0, to: 1e7),
            initial: 1,
            standard: "by each recipe",
            "Passes over the training pictures."
        ),
    ]
}

extension ComparedSystem {
    static let table: [SettingDeclaration<ComparedSystem>] = [
        SettingDeclaration("name", \.name, .text, of: nil, "What the tables call it."),
        SettingDeclaration(
            "recipe",
            \.recipe,
            .recipeSource,
            initial: .file(""),
            standard: "none, with model-of",
            "How it is trained: a file beside the plan, or settings."
        ),
        SettingDeclaration(
            "settings",
            \.settings,
            .recipe,
            initial: .empty,
            standard: "none",
            "Settings of its own. They replace those of the recipe and of the protocol."
        ),
        SettingDeclaration(
            "start-from",
            \.startFrom,
            .text,
            initial: "",
            standard: "none",
            "An earlier system whose finished model the training begins with."
        ),
        SettingDeclaration(
            "model-of",
            \.modelOf,
            .text,
            initial: "",
            standard: "none",
            "Another system, whose model stands in this row too."
        ),
        SettingDeclaration(
            "model",
            \.model,
            .choice,
            initial: .best,
            standard: "the plan's",
            "Which model is scored, where this row differs from the plan."
        ),
        SettingDeclaration(
            "refine",
            \.refine,
            .text,
            initial: "",
            standard: "none",
            "What improves the network's answer afterwards."
        ),
        SettingDeclaration(
            "published",
            \.published,
            .group("published figures", PublishedFigures.table),
            initial: PublishedFigures(),
            standard: "none",
            "Figures from a publication, which the tables show beside the measured ones."
        ),
    ]
}

extension PublishedFigures {
    static let table: [SettingDeclaration<PublishedFigures>] = [
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
    ) -> SettingDeclaration<PublishedFigures> {
        SettingDeclaration(key, path, .number(0...100), initial: 0, standard: "none", help)
    }

    private static func amount(
        _ key: String,
        _ path: any WritableKeyPath<PublishedFigures, Double?> & Sendable,
        _ help: String
    ) -> SettingDeclaration<PublishedFigures> {
        SettingDeclaration(key, path, .number(atLeast: 0), initial: 0, standard: "none", help)
    }
}
