import ArgumentParser
import SegNet

/// Which data set, and what its files' numbers mean.
struct DatasetChoice: ParsableArguments {
    @Option(help: ArgumentHelp("\(DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var dataset: DatasetKind

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"), completion: .directory)
    var data = "."

    @OptionGroup var labels: LabelOptions

    func load(collectsProblems: Bool = false, count: Int? = nil) throws -> Dataset {
        var options = try labels.datasetOptions()
        options.collectsProblems = collectsProblems
        if let count { options.count = count }
        return try Dataset.load(dataset, directory: data, options: options)
    }
}
