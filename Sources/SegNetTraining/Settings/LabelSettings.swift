/// A type with the settings for the meaning of label numbers: a recipe for its one data set, and each entry of `datasets` for its own.
protocol LabelSettings: SettingGroup {
    var colored: Bool { get set }
    var ignore: [UInt16] { get set }
    var labelOffset: Int? { get set }
    var labelSuffix: String? { get set }
    var unlabelled: String? { get set }
    var map: [String: String] { get set }
    var classes: String? { get set }
}

extension TrainingConfiguration: LabelSettings {}
extension DatasetEntry: LabelSettings {}

extension LabelSettings {
    static var labelTable: [Setting<Self>] {
        [
            Setting("colored", \.colored, .flag, "Label files show the classes' colours, not class numbers."),
            Setting(
                "ignore",
                \.ignore,
                .list(of: .integer(0...65_535), "a list of label numbers", initial: 0),
                "Label numbers to treat as void, in addition to the data set's own."
            ),
            Setting(
                "label-offset",
                \.labelOffset,
                .integer(-65_535...(-1)),
                initial: -1,
                standard: "0",
                "Added to each label number: -1 for labels numbered 1...K, with 0 as void. map and ignore use the numbers in the files. "
                    + "Only for the kinds folder and list."
            ),
            Setting(
                "label-suffix",
                \.labelSuffix,
                .text,
                initial: "",
                standard: "none",
                "What label files add to the picture's name: _mask if a_mask.png is the label of a.jpg. Only for the kind folder."
            ),
            Setting(
                "unlabelled",
                \.unlabelled,
                .text,
                initial: "",
                standard: "void",
                "The class of pixels that no annotation covers: void, background (a class of that name), or another class. Only for "
                    + "annotations."
            ),
            Setting(
                "map",
                \.map,
                .map(of: .text, "labels with classes, {12: Car}", initial: ""),
                standard: "{}",
                "Labels to remap: the old label (number or name), then its new class (number, name or void)."
            ),
            Setting(
                "classes",
                \.classes,
                .text,
                initial: "",
                standard: "the data set's own",
                "The classes: a table by name, or a file with \"name\" or \"name red green blue\" on each line, or JSON."
            ),
        ]
    }
}
