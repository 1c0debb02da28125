/// What has the settings that say what label numbers mean: a recipe for its one data set, and each entry of `datasets` for its own.
protocol LabelSettings: SettingGroup {
    var colored: Bool { get set }
    var ignore: [UInt16] { get set }
    var map: [String: String] { get set }
    var classes: String? { get set }
}

extension TrainingConfiguration: LabelSettings {}
extension DatasetEntry: LabelSettings {}

extension LabelSettings {
    static var labelTable: [Setting<Self>] {
        [
            Setting("colored", \.colored, .flag, "Labels are painted in the colours of the classes."),
            Setting(
                "ignore",
                \.ignore,
                .list(of: .integer(0...65_535), "a list of label numbers", initial: 0),
                "Label numbers without meaning, beside the data set's own."
            ),
            Setting(
                "map",
                \.map,
                .map(of: .text, "labels with classes, {12: Car}", initial: ""),
                standard: "{}",
                "Labels that mean another class: number or name, then number, name or void."
            ),
            Setting(
                "classes",
                \.classes,
                .text,
                initial: "",
                standard: "the data set's own",
                "The classes: a table by name, or a file."
            ),
        ]
    }
}
