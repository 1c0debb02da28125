public import ArgumentParser
public import SegNetToolkit

/// The options that set what a recipe can say: those that people change most. Their help, choices and checks are the recipe's
/// (`TrainingConfiguration.settings`); `--set` reaches every other setting.
struct RecipeOptions: ParsableArguments {
    @Option(help: .setting("architecture"), completion: .setting("architecture")) var architecture: String?
    @Option(help: .setting("width")) var width: String?
    @Flag(inversion: .prefixedNo, help: .setting("batch-normalization")) var batchNormalization: Bool?
    @Option(help: .setting("fc")) var fc: String?
    @Option(help: .setting("upsampling"), completion: .setting("upsampling")) var upsampling: String?
    @Option(
        help: .setting("dataset", standard: "required, unless a recipe names it"),
        completion: .setting("dataset")
    )
    var dataset: String?
    @Option(help: .setting("data"), completion: .setting("data")) var data: String?
    @OptionGroup var labels: LabelOptions
    @Option(help: .setting("inputs")) var inputs: String?
    @Option(help: .setting("mean")) var mean: String?
    @Option(help: .setting("scale")) var scale: String?
    @Option(help: .setting("size")) var size: String?
    @Option(help: .setting("augmentation.crop")) var crop: String?
    @Option(help: .setting("validation-share")) var valShare: String?
    @Option(help: .setting("folds")) var folds: String?
    @Option(help: .setting("fold", valueName: "number")) var fold: String?
    @Option(help: .setting("class-weights"), completion: .file()) var classWeights: String?
    @Option(help: .setting("batch-size")) var batchSize: String?
    @Option(help: .setting("accumulate")) var accumulate: String?
    @Option(help: .setting("epochs")) var epochs: String?
    @Option(help: .setting("iterations")) var iterations: String?
    @Option(help: .setting("patience")) var patience: String?
    @Option(help: .setting("learning-rate")) var learningRate: String?
    @Option(help: .setting("model", valueName: "file|name"), completion: .setting("model")) var model: String?
    @Option(help: .setting("encoder", valueName: "file|name"), completion: .setting("encoder"))
    var encoder: String?
    @Option(help: .setting("teacher.model", valueName: "file|name"), completion: .setting("teacher.model"))
    var teacher: String?
    @Option(help: .setting("freeze", standard: "", valueName: "layers", mayBeRepeated: true))
    var freeze: [String] = []
    @Option(help: .setting("statistics"), completion: .setting("statistics")) var statistics: String?
    @Flag(inversion: .prefixedNo, help: .setting("tensorboard")) var tensorboard: Bool?
    @Option(help: .setting("seed", valueName: "number")) var seed: String?
    @Option(help: .setting("accuracy"), completion: .setting("accuracy")) var accuracy: String?
    @Option(help: .setting("storage"), completion: .setting("storage")) var storage: String?
    @Flag(inversion: .prefixedNo, help: .setting("recompute")) var recompute: Bool?

    @Option(
        help: ArgumentHelp(
            "Any setting of a recipe, such as optimizer.weight-decay=0.01; 'segnet recipe explain' lists them. May be repeated.",
            valueName: "key=value"
        )
    )
    var set: [String] = []

    /// Options whose setting is inside a group.
    private static let groups = [
        "crop": "augmentation.crop", "teacher": "teacher.model", "val-share": "validation-share",
    ]

    /// The options given, by the key of their setting.
    private var changes: [(key: String, text: String)] {
        // By reflection: an option is declared once, above, and cannot be forgotten here.
        Mirror(reflecting: self).children.compactMap { child in
            guard let key = child.label.map(Self.optionName) else { return nil }
            let text: String?
            switch child.value {
            case let option as Option<String?>: text = option.wrappedValue
            case let flag as Flag<Bool?>: text = flag.wrappedValue.map { "\($0)" }
            default: return nil
            }
            return text.map { (Self.groups[key] ?? key, $0) }
        }
    }

    /// The option of a setting; nil where only '--set' reaches it.
    static func option(of path: String) -> String? {
        let name = groups.first { $0.value == path }?.key ?? path
        let names = Mirror(reflecting: RecipeOptions()).children.compactMap { $0.label.map(optionName) }
        return names.contains(name) ? "--\(name)" : nil
    }

    /// The option of a property of the parser: `learning-rate` of `_learningRate`.
    private static func optionName(_ label: String) -> String {
        label.dropFirst().map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
    }

    func validate() throws {
        if isGiven("epochs"), isGiven("iterations") {
            throw ValidationError(
                "Please give '--epochs' or '--iterations', not both: each says how long the training is."
            )
        }
        // Errors that can be seen without the recipe: unknown keys and wrong values.
        var configuration = TrainingConfiguration()
        // Whether there is a teacher to change is seen when the options are applied to the recipe.
        configuration.teacher = TeacherConfiguration(model: "the recipe's")
        do { try apply(to: &configuration) } catch let error as ValidationError { throw error } catch {
            throw ValidationError(UserChoice.withOptions("\(error)"))
        }
    }

    /// Whether an option, its own or `--set`, gives a setting a value; null takes one away.
    func isGiven(_ key: String) -> Bool {
        let own = changes.filter { $0.key == key }.map(\.text)
        let others = set.filter { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
        return (own + others).contains { !["", "~", "null"].contains($0) }
    }

    /// Changes a recipe by the options given.
    func apply(to configuration: inout TrainingConfiguration) throws {
        for (key, text) in changes { try configuration.set(key, to: text) }
        for word in set {
            guard let sign = word.firstIndex(of: "="), sign != word.startIndex else {
                throw ValidationError("Please give '--set' as key=value; found '\(word)'.")
            }
            try configuration.set(String(word[..<sign]), to: String(word[word.index(after: sign)...]), option: "--set")
        }
        // Last, because '--set freeze=[] --freeze conv1' replaces the recipe's list.
        try labels.apply(to: &configuration)
        configuration.freeze += freeze.filter { !configuration.freeze.contains($0) }
    }

    /// The first option given that chooses a network, or the weights that it begins with.
    var networkOption: String? {
        let keys = ["architecture", "width", "batch-normalization", "fc", "upsampling", "model", "encoder"]
        if let change = changes.first(where: { keys.contains($0.key) }) {
            return "--\(change.text == "false" ? "no-" : "")\(change.key)"
        }
        return set.first { word in keys.contains { word.hasPrefix("\($0)=") } }.map { "--set \($0)" }
    }

    /// The first option given that speaks of one data set.
    var oneDatasetOption: String? {
        let own = [
            ("--dataset", dataset != nil), ("--data", data != nil), ("--classes", labels.classes != nil),
            ("--colored", labels.colored), ("--map", !labels.map.isEmpty), ("--ignore", !labels.ignore.isEmpty),
            ("--label-offset", labels.labelOffset != nil), ("--label-suffix", labels.labelSuffix != nil),
            ("--unlabelled", labels.unlabelled != nil),
        ].first { $0.1 }?.0
        let other = set.first { word in
            TrainingConfiguration.keysOfOneDataset.contains(String(word.prefix { !"=.".contains($0) }))
        }
        return own ?? other.map { "--set \($0)" }
    }
}

extension ArgumentHelp {
    /// The help of a setting, from the recipe's table.
    /// - Parameters:
    ///   - standard: What happens without the option, where that is not the setting's default; empty says nothing.
    ///   - valueName: The value's name, where the setting's form does not give one.
    ///   - mayBeRepeated: Whether the option adds to what was said before.
    ///   - namesChoices: False where the parser adds them, as it does for an option whose type has cases.
    static func setting(
        _ key: String,
        standard: String? = nil,
        valueName name: String? = nil,
        mayBeRepeated: Bool = false,
        namesChoices: Bool = true
    ) -> ArgumentHelp {
        guard let setting = TrainingConfiguration.setting(key) else { return "" }
        let choices =
            !namesChoices || setting.choices.isEmpty || setting.choices == ["true", "false"]
                || setting.choices.count > 8
            ? "" : " One of \(setting.choices.joined(separator: ", "))."
        let words = ["true": "yes", "false": "no"]
        let ending =
            standard.map { $0.isEmpty ? "" : " (\($0))" }
            ?? (setting.standard.isEmpty ? "" : " (default: \(words[setting.standard] ?? setting.standard))")
        let again = mayBeRepeated ? " May be repeated." : ""
        return ArgumentHelp("\(setting.help)\(choices)\(again)\(ending)", valueName: name ?? valueName(setting))
    }

    private static func valueName(_ setting: RecipeSetting) -> String {
        if !setting.choices.isEmpty { return "name" }
        if setting.form.contains("per input channel") { return "numbers" }
        let words = [
            "a file": "file", "a folder": "folder", "a whole number": "count", "a number": "number", "[width": "WxH",
        ]
        return words.first { setting.form.hasPrefix($0.key) }?.value ?? "value"
    }
}

extension CompletionKind {
    /// Completions for the setting's values.
    static func setting(_ key: String) -> CompletionKind {
        guard let setting = TrainingConfiguration.setting(key) else { return .default }
        switch setting.form {
        case let form where form.hasPrefix("a file"): return .file()
        case "a folder": return .directory
        default: return setting.choices.isEmpty ? .default : .list(setting.choices)
        }
    }
}

extension DatasetKind: ExpressibleByArgument {}
extension AnnotationFormat: ExpressibleByArgument {}
extension TrainingConfiguration.StatisticsRule: ExpressibleByArgument {}
extension TrainingStorage: ExpressibleByArgument {}
