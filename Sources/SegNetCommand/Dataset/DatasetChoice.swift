import ArgumentParser
import SegNetToolkit

/// Which data set, and what its files' numbers mean.
struct DatasetChoice: ParsableArguments {
    @Option(help: ArgumentHelp("\(DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var dataset: DatasetKind

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"), completion: .directory)
    var data = "."

    @OptionGroup var labels: LabelOptions

    @Option(help: .inputs)
    var inputs: String?

    /// - Parameter reader: What a network reads, where the user does not say what the files are.
    func load(collectsProblems: Bool = false, count: Int? = nil, reader: InputFiles? = nil) throws -> Dataset {
        var options = try labels.datasetOptions()
        if let reader { options.inputs = reader.words }
        if let inputs { options.inputs = InputFiles.words(inputs) }
        options.collectsProblems = collectsProblems
        if let count { options.count = count }
        return try Dataset.load(dataset, directory: data, options: options)
    }
}

extension ArgumentHelp {
    /// The help of `--inputs`.
    static var inputs: ArgumentHelp {
        ArgumentHelp(
            "The files of a picture, with commas: rgb, rgba or gray, then a name for each further file, such as rgb,depth. "
                + "(default: rgb; with a model, what it reads)",
            valueName: "names"
        )
    }
}

extension InputFiles {
    /// The words of an option's value.
    static func words(_ value: String) -> [String] { value.split(separator: ",").map(String.init) }
}
