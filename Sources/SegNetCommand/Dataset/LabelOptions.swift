import ArgumentParser
import SegNetToolkit

/// What the numbers or colours of label files mean: shared by every command that reads labels.
struct LabelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The classes: a table by name, or a file with \"name\" or \"name red green blue\" on each line, or JSON. "
                + "(default: the data set's own)",
            valueName: "name|file"
        ),
        completion: .file()
    )
    var classes: String?

    @Option(help: ArgumentHelp("Label numbers without meaning. May be repeated.", valueName: "number"))
    var ignore: [UInt16] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Added to every label number: -1 for labels that count 1...K, with 0 for void. For the kinds folder and list.",
            valueName: "number"
        )
    )
    var labelOffset: Int?

    @Option(
        help: ArgumentHelp(
            "Suffix of the label files' names, after the picture's, such as _mask. For the kind folder.",
            valueName: "text"
        )
    )
    var labelSuffix: String?

    @Option(
        help: ArgumentHelp(
            "The class of pixels that no annotation covers: void, background (a class of that name), or another class. (default: void)",
            valueName: "class"
        )
    )
    var unlabelled: String?

    @Option(
        help: ArgumentHelp(
            "Labels, by number or name, that mean this class or void. May be repeated, many to one.",
            valueName: "old=new"
        )
    )
    var map: [String] = []

    @Flag(help: "Labels are painted in the colours of the classes.")
    var colored = false

    /// The options of a data set that is read so.
    func datasetOptions() throws -> DatasetOptions {
        var options = DatasetOptions()
        options.ignored = ignore
        options.labelOffset = labelOffset ?? 0
        options.isColored = colored
        options.labelSuffix = labelSuffix ?? ""
        options.unlabelled = unlabelled
        if let classes { options.classes = try ClassTable(namedOrIn: classes) }
        options.changes = try map.map { word throws(DatasetError) in try LabelChange(word) }
        return options
    }
}
