import ArgumentParser
import SegNet

/// Which data set, and what its files' numbers mean.
struct DatasetChoice: ParsableArguments {
    @Option(help: ArgumentHelp("\(DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var dataset: DatasetKind

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"), completion: .directory)
    var data = "."

    @OptionGroup var labels: LabelOptions

    /// - Parameter inputs: What the files of a sample give; nil: a colour picture.
    func load(collectsProblems: Bool = false, count: Int? = nil, inputs: [String]? = nil) throws -> Dataset {
        var options = try labels.datasetOptions()
        options.collectsProblems = collectsProblems
        if let count { options.count = count }
        if let inputs { options.inputs = inputs }
        return try Dataset.load(dataset, directory: data, options: options)
    }
}
