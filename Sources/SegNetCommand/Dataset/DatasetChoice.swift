import ArgumentParser
import SegNetToolkit

/// Which data set, and what its files' numbers mean.
struct DatasetChoice: ParsableArguments {
    @Option(help: ArgumentHelp("The kind of data set (docs/data.md).", valueName: "name"))
    var dataset: DatasetKind

    @Option(
        help: ArgumentHelp("The data set's folder; for annotations, the file itself works too.", valueName: "folder"),
        completion: .directory
    )
    var data = DatasetChoice.usualData

    /// The folder where none is named.
    private static let usualData = "."

    @OptionGroup var labels: LabelOptions

    @Option(help: .inputs)
    var inputs: String?

    @Option(
        help: ArgumentHelp(
            "The share of the training pictures used as val if the data set has no such split; 0 for none. "
                + "(default: \(DatasetOptions().validationShare))",
            valueName: "share"
        )
    )
    var valShare: Double?

    @Option(
        help: ArgumentHelp(
            "Divide the pictures of train and val into this many parts for cross-validation.",
            valueName: "count"
        )
    )
    var folds: Int?

    @Option(
        help: ArgumentHelp(
            "Which fold is val, counted from 1. (default: \(DatasetOptions().fold))",
            valueName: "number"
        )
    )
    var fold: Int?

    func validate() throws {
        if let valShare, !DatasetOptions.validationShares.contains(valShare) {
            let form = TrainingConfiguration.setting("validation-share")?.form ?? ""
            throw ValidationError("Please give '--val-share' \(form); found \(valShare).")
        }
        if valShare != nil, folds != nil {
            throw ValidationError("Please leave '--val-share' out with '--folds': the fold is val.")
        }
        if let folds, folds < DatasetOptions.leastFolds {
            throw ValidationError("Please give '--folds' at least \(DatasetOptions.leastFolds); found \(folds).")
        }
        if let fold, !(1...(folds ?? 0 > 0 ? folds ?? 1 : 1)).contains(fold) {
            throw ValidationError(
                folds == nil
                    ? "Please give '--folds' with '--fold', for example '--folds 5 --fold \(fold)'."
                    : "Please give '--fold' a number in 1...\(folds ?? 1); found \(fold)."
            )
        }
    }

    /// The first option that was given, besides the kind of data set.
    var given: String? {
        let options: [(String, Bool)] =
            [("--data", data != DatasetChoice.usualData)] + labels.options
            + [
                ("--inputs", inputs != nil), ("--val-share", valShare != nil), ("--folds", folds != nil),
                ("--fold", fold != nil),
            ]
        return options.first { $0.1 }?.0
    }

    /// As a training's recipe has it.
    func recipe() throws -> TrainingConfiguration {
        var recipe = TrainingConfiguration()
        (recipe.dataset, recipe.data) = (dataset, data)
        try labels.apply(to: &recipe)
        return recipe
    }

    /// - Parameter reader: What a network reads; used if the user does not say what the files are.
    func load(collectsProblems: Bool = false, count: Int? = nil, reader: InputFiles? = nil) throws -> Dataset {
        var options = try labels.datasetOptions()
        if let reader { options.inputs = reader.words }
        if let inputs { options.inputs = try nameList(inputs, of: "--inputs") }
        if let valShare { options.validationShare = valShare }
        if let folds { (options.folds, options.fold) = (folds, fold ?? options.fold) }
        options.collectsProblems = collectsProblems
        if let count { options.count = count }
        return try Dataset.load(dataset, directory: data, options: options)
    }
}

/// A command that reads a data set.
protocol DatasetReader: ParsableCommand {
    var choice: DatasetChoice { get }
}

extension ArgumentHelp {
    /// The help of `--inputs`.
    static var inputs: ArgumentHelp {
        ArgumentHelp(
            "The files of each picture, comma-separated: rgb, rgba or gray, then a name for each further file, such as rgb,depth. "
                + "(default: rgb, or what the model reads)",
            valueName: "names"
        )
    }
}
