import ArgumentParser
import SegNetToolkit

/// What the numbers or colours of label files mean: shared by every command that reads labels. Their help is that of a recipe's settings.
struct LabelOptions: ParsableArguments {
    @Option(help: .setting("classes", valueName: "name|file"), completion: .file())
    var classes: String?

    @Option(
        help: .setting("ignore", standard: "", valueName: "number", mayBeRepeated: true),
        transform: wholeNumber
    )
    var ignore: [UInt16] = []

    @Option(parsing: .unconditional, help: .setting("label-offset", standard: "", valueName: "number"))
    var labelOffset: Int?

    @Option(help: .setting("label-suffix", standard: "", valueName: "text"))
    var labelSuffix: String?

    @Option(help: .setting("unlabelled", valueName: "class"))
    var unlabelled: String?

    @Option(help: .setting("map", standard: "", valueName: "old=new", mayBeRepeated: true))
    var map: [String] = []

    @Flag(help: .setting("colored", standard: ""))
    var colored = false

    func validate() throws {
        var known: [String: LabelChange] = [:]
        // What is written wrongly is told where it is read.
        for change in map.compactMap({ try? LabelChange($0) }) {
            guard let other = known.updateValue(change, forKey: change.oldText.lowercased()), other.new != change.new
            else { continue }
            throw ValidationError(
                "Please give '--map' one meaning for each label; found '\(other.text)' and '\(change.text)'."
            )
        }
    }

    /// The options, and whether each was given.
    var options: [(String, Bool)] {
        [
            ("--classes", classes != nil), ("--ignore", !ignore.isEmpty), ("--label-offset", labelOffset != nil),
            ("--label-suffix", labelSuffix != nil), ("--unlabelled", unlabelled != nil), ("--map", !map.isEmpty),
            ("--colored", colored),
        ]
    }

    /// Changes a recipe by the options given.
    func apply(to configuration: inout TrainingConfiguration) throws {
        if let classes { configuration.classes = classes }
        if colored { configuration.colored = true }
        if let labelOffset { try configuration.set("label-offset", to: "\(labelOffset)") }
        if let labelSuffix { configuration.labelSuffix = labelSuffix }
        if let unlabelled { configuration.unlabelled = unlabelled }
        for word in map {
            let change = try LabelChange(word)
            configuration.map[change.oldText] = change.newText
        }
        // A run that goes on may be given again what its recipe says already.
        configuration.ignore += ignore.filter { !configuration.ignore.contains($0) }
    }

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
