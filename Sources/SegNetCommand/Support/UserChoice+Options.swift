import ArgumentParser
import SegNetToolkit

extension UserChoice {
    /// Its name on the command line: an option, or a command in quotes.
    var option: String {
        switch self {
        case .size: "--size"
        case .threads: "--threads"
        case .precision: "--precision"
        case .model: "--model"
        case .network: "--network"
        case .statistics: "--statistics-from"
        case .classNames: "--classes-from"
        case .views: "--tta"
        case .output: "--output"
        case .dataset: "--dataset"
        case .data: "--data"
        case .classes: "--classes"
        case .inputs: "--inputs"
        case .labelChange: "--map"
        case .labelOffset: "--label-offset"
        case .labelSuffix: "--label-suffix"
        case .unlabelled: "--unlabelled"
        case .crop: "--crop"
        case .coloredLabels: "--colored"
        case .ignoredLabels: "--ignore"
        case .masks: "--predictions"
        case .resuming: "--resume"
        case .retraining: "--retrain"
        case .batchSize: "--batch-size"
        case .validationShare: "--val-share"
        case .learningRate: "--learning-rate"
        case .storage: "--storage"
        case .eventLog: "--no-tensorboard"
        case .mean: "--mean"
        case .tile: "--tile"
        case .overlap: "--overlap"
        case .layers: "'segnet info'"
        case .settings: "'segnet recipe explain'"
        case .recipes: "'segnet recipe list'"
        case .datasetCheck: "'segnet dataset check'"
        case .datasetImport: "'segnet dataset import'"
        case .labelConversion: "'segnet dataset convert'"
        case .refinement: "--refine"
        }
    }

    /// A message of the library with the option behind each setting that it names: "a smaller picture size (--size)".
    static func withOptions(_ message: String) -> String {
        allCases.reduce(message) { message, setting in
            let named = "\(setting) (\(setting.option))"
            return message.contains(named) ? message : message.replacing("\(setting)", with: named, maxReplacements: 1)
        }
    }
}

/// An error of the library in the words of the command.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    /// Nil where there is nothing to add.
    init?(_ error: any Error) {
        // Errors of `ArgumentParser` name options already.
        if error is ExitCode || error is CleanExit || error is ValidationError { return nil }
        let message = "\(error)"
        description = UserChoice.withOptions(message)
        if description == message { return nil }
    }
}
