internal import SegNetData

//  The settings inside `datasets`, `phases`, `teacher` and `augmentation`.

extension DatasetEntry: SettingGroup {
    static let standard = DatasetEntry(.camVid)
    static let table: [Setting<DatasetEntry>] =
        [
            Setting("kind", \.kind, .choice, isRequired: true, "The kind of data set."),
            Setting("data", \.data, .folder, "Its folder."),
            Setting(
                "train",
                \.train,
                .list(of: .text, "a split, or list files whose names end in .txt", initial: "") {
                    !$0.isEmpty && ($0.count == 1 || $0.allSatisfy { $0.hasSuffix(".txt") })
                },
                "The pictures to learn from: a split, or list files in the folder."
            ),
            Setting(
                "val",
                \.validation,
                .text,
                initial: "",
                standard: "val for the first entry if no other names any, else none",
                "The pictures to validate on: a split, a list file, or none."
            ),
            Setting(
                "share",
                \.share,
                .share,
                initial: 0,
                standard: "its number of pictures",
                "How much of each batch comes from here, relative to the other entries. Give every entry a share, or none of them."
            ),
            Setting(
                "labelled",
                \.labelled,
                .list(of: .text, "a list of at least one class", initial: "") { !$0.isEmpty },
                standard: "all classes",
                "The classes that its labels can name, if not all. The softmax then runs over these alone."
            ),
        ] + labelTable + [
            Setting("count", \.count, .integer(1...DatasetOptions.greatestCount), "How many streets are rendered.")
        ]
}

extension TrainingPhase: SettingGroup {
    static let standard = TrainingPhase(from: 0, shares: [])
    static let table: [Setting<TrainingPhase>] = [
        Setting(
            "from",
            \.from,
            .number("a fraction of the steps, above 0 and below 1, such as 0.8") { $0 > 0 && $0 < 1 },
            isRequired: true,
            "The fraction of the steps after which the phase begins."
        ),
        Setting(
            "shares",
            \.shares,
            .list(of: .share, "a list of numbers in 0...1000000", initial: 0),
            isRequired: true,
            "One share per data set, relative to each other; 0 leaves a data set out."
        ),
    ]
}

extension TeacherConfiguration: SettingGroup {
    static let standard = TeacherConfiguration(model: "")
    static let table: [Setting<TeacherConfiguration>] = [
        Setting(
            "model",
            \.model,
            .model,
            isRequired: true,
            "A finished model to learn from in addition to the labels."
        ),
        Setting(
            "temperature",
            \.temperature,
            .number(0.1...100),
            "Both networks' scores are divided by this before they are compared."
        ),
        Setting(
            "share",
            \.share,
            .number(above: 0, to: 1),
            "The teacher's share of the loss; the labels have the rest."
        ),
    ]
}

extension Augmentation: SettingGroup {
    static let standard = Augmentation()
    static let table: [Setting<Augmentation>] = [
        Setting("flip", \.flip, .flag, "Mirrors half of the pictures, chosen at random, left to right."),
        Setting(
            "scale",
            \.scale,
            .list(
                of: .number(above: 0, to: Double(Augmentation.greatestScale)),
                "two factors [least, greatest] above 0 and up to \(Augmentation.greatestScale)",
                initial: 1,
                where: Augmentation.isScale
            ),
            initial: [],
            standard: "1",
            "The picture is scaled by a random factor between these, uniform on a logarithmic scale."
        ),
        Setting(
            "rotation",
            \.rotation,
            .number(0...45),
            "Greatest angle in degrees, either way, around the middle of the crop."
        ),
        Setting(
            "crop",
            \.crop,
            .size,
            initial: .camVid,
            standard: "the whole picture",
            "Size of the random crop. Where the picture is smaller, the rest is black and void."
        ),
        Setting("brightness", \.brightness, .number(0...1), "Brightness is multiplied by 1 plus or minus up to this."),
        Setting("contrast", \.contrast, .number(0...1), "Contrast around mid-grey, likewise."),
        Setting("saturation", \.saturation, .number(0...1), "Saturation, likewise."),
        Setting("hue", \.hue, .number(0...180), "Hues turn by up to this many degrees, either way."),
        Setting("gamma", \.gamma, .number(0...4), "The exponent of brightness is between 1 / (1 + this) and 1 + this."),
        Setting(
            "temperature",
            \.temperature,
            .number(0...1),
            "Red is multiplied and blue divided by a factor between 1 / (1 + this) and 1 + this."
        ),
        Setting("gray", \.gray, .number(0...1), "The share of pictures that lose their colours."),
        Setting(
            "erase",
            \.erase,
            .number(0...1),
            "The share of pictures in which one to three rectangles become noise or a flat colour, and their labels void."
        ),
        Setting("blur", \.blur, .number(0...1), "The share of pictures that are blurred."),
        Setting(
            "blur-radius",
            \.blurRadius,
            .number(0...10),
            "Greatest standard deviation of the blur in pixels; 0: always a small 3x3 blur."
        )
        .counts(if: { $0.blur > 0 }, else: "blur is 0"),
        Setting("noise", \.noise, .number(0...255), "Standard deviation of noise, in units of 0...255."),
        Setting("jpeg", \.jpeg, .number(0...1), "The share of pictures that get JPEG artefacts."),
        Setting(
            "jpeg-quality",
            \.jpegQuality,
            .list(
                of: .integer(Augmentation.jpegQualities),
                "two qualities [least, greatest] of \(Augmentation.jpegQualities)",
                initial: 50,
                where: Augmentation.isJPEGQuality
            ),
            "Range of the quality of that compression."
        )
        .counts(if: { $0.jpeg > 0 }, else: "jpeg is 0"),
        Setting(
            "paste",
            \.paste,
            .number(0...1),
            "The share of pictures into which the pixels of paste-classes are copied from another picture, if it has any, with their "
                + "labels."
        ),
        Setting(
            "paste-classes",
            \.pasteClasses,
            .list(of: .text, "a list of classes", initial: ""),
            "The classes that paste copies, usually rare ones: they are then seen more often, and on other backgrounds."
        )
        .counts(if: { $0.paste > 0 }, else: "paste is 0"),
    ]
}
