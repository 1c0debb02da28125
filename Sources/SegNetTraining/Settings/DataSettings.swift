internal import SegNetData
internal import SegNetNetworks

//  The settings inside `datasets`, `phases`, `teacher` and `augmentation`.

extension DatasetEntry {
    static let table: [SettingDeclaration<DatasetEntry>] = [
        SettingDeclaration("kind", \.kind, .choice, of: nil, "The kind of data set."),
        SettingDeclaration("data", \.data, .folder, of: standard, "Its folder."),
        SettingDeclaration(
            "train",
            \.train,
            .list(of: .text, "a split, or list files whose names end in .txt", initial: "") {
                !$0.isEmpty && ($0.count == 1 || $0.allSatisfy { $0.hasSuffix(".txt") })
            },
            of: standard,
            "The pictures to learn from: a split, or list files in the folder."
        ),
        SettingDeclaration(
            "val",
            \.validation,
            .text,
            initial: "",
            standard: "val for the first entry, else none",
            "The pictures to validate on: a split, a list file, or none."
        ),
        SettingDeclaration(
            "share",
            \.share,
            .number(atLeast: 0),
            initial: 0,
            standard: "its number of pictures",
            "How much of each batch comes from here, relative to the other entries. All entries have one, or none."
        ),
        SettingDeclaration(
            "labelled",
            \.labelled,
            .list(of: .text, "a list of at least one class", initial: "") { !$0.isEmpty },
            of: standard,
            standard: "all classes",
            "The classes that its labels can name, where these are not all. The softmax then runs over these alone."
        ),
        SettingDeclaration(
            "colored",
            \.colored,
            .flag,
            of: standard,
            "Its labels are painted in the colours of the classes."
        ),
        SettingDeclaration(
            "ignore",
            \.ignore,
            .list(of: .integer(0...65_535), "a list of label numbers", initial: 0),
            of: standard,
            "Label numbers without meaning, beside the data set's own."
        ),
        SettingDeclaration(
            "map",
            \.map,
            .map(of: .text, "labels with classes, {12: Car}", initial: ""),
            of: standard,
            standard: "{}",
            "Labels that mean another class: number or name, then number, name or void."
        ),
        SettingDeclaration(
            "classes",
            \.classes,
            .text,
            initial: "",
            standard: "the data set's own",
            "The classes: a table by name, or a file."
        ),
        SettingDeclaration("count", \.count, .integer(atLeast: 1), of: standard, "How many streets are rendered."),
    ]

    private static let standard = DatasetEntry(.camVid)
}

extension TrainingPhase {
    static let table: [SettingDeclaration<TrainingPhase>] = [
        SettingDeclaration(
            "from",
            \.from,
            .number("a part of the steps above 0 and below 1, such as 0.8") { $0 > 0 && $0 < 1 },
            of: nil,
            "The part of the steps after which the phase begins."
        ),
        SettingDeclaration(
            "shares",
            \.shares,
            .list(of: .number(atLeast: 0), "a list of numbers of at least 0", initial: 0),
            of: nil,
            "One share per data set, relative to each other; 0 leaves a data set out."
        ),
    ]
}

extension TeacherConfiguration {
    static let table: [SettingDeclaration<TeacherConfiguration>] = [
        SettingDeclaration("model", \.model, .file, of: nil, "The teacher's file."),
        SettingDeclaration(
            "temperature",
            \.temperature,
            .number(0.1...100),
            of: standard,
            "What both networks' scores are divided by before they are compared."
        ),
        SettingDeclaration(
            "share",
            \.share,
            .number(above: 0, to: 1),
            of: standard,
            "What the teacher counts in the loss; the labels count the rest."
        ),
    ]

    private static let standard = TeacherConfiguration(model: "")
}

extension Augmentation {
    static let table: [SettingDeclaration<Augmentation>] = [
        SettingDeclaration("flip", \.flip, .flag, of: standard, "Mirrors every second picture left to right."),
        SettingDeclaration(
            "scale",
            \.scale,
            .list(of: .number(above: 0, to: 16), "two factors [least, greatest] above 0 and up to 16", initial: 1) {
                $0.count == 2 && $0[0] <= $0[1]
            },
            initial: [],
            standard: "1",
            "The picture grows by a factor between these, evenly distributed in its logarithm."
        ),
        SettingDeclaration(
            "rotation",
            \.rotation,
            .number(0...45),
            of: standard,
            "Greatest angle in degrees, either way, about the middle of what is cut out."
        ),
        SettingDeclaration(
            "crop",
            \.crop,
            .size,
            initial: [],
            standard: "the whole picture",
            "Size of the part that is cut out at a random place. Where the picture is smaller, the rest is black and ignored."
        ),
        SettingDeclaration(
            "brightness",
            \.brightness,
            .number(0...1),
            of: standard,
            "Brightness is multiplied by 1 plus or minus up to this."
        ),
        SettingDeclaration(
            "contrast",
            \.contrast,
            .number(0...1),
            of: standard,
            "Contrast around the middle grey, likewise."
        ),
        SettingDeclaration("saturation", \.saturation, .number(0...1), of: standard, "Saturation, likewise."),
        SettingDeclaration(
            "hue",
            \.hue,
            .number(0...180),
            of: standard,
            "Hues turn by up to this many degrees, either way."
        ),
        SettingDeclaration(
            "gamma",
            \.gamma,
            .number(0...4),
            of: standard,
            "The exponent of brightness is between 1 / (1 + this) and 1 + this."
        ),
        SettingDeclaration(
            "temperature",
            \.temperature,
            .number(0...1),
            of: standard,
            "Red is multiplied and blue divided by a factor between 1 / (1 + this) and 1 + this."
        ),
        SettingDeclaration(
            "gray",
            \.gray,
            .number(0...1),
            of: standard,
            "The share of pictures that lose their colours."
        ),
        SettingDeclaration(
            "erase",
            \.erase,
            .number(0...1),
            of: standard,
            "The share of pictures that lose one to three rectangles to noise or a flat colour; their labels are ignored there."
        ),
        SettingDeclaration("blur", \.blur, .number(0...1), of: standard, "The share of pictures that are blurred."),
        SettingDeclaration(
            "blur-radius",
            \.blurRadius,
            .number(0...10),
            of: standard,
            "Greatest standard deviation of the blur in pixels; 0: always a little (3x3)."
        ),
        SettingDeclaration(
            "noise",
            \.noise,
            .number(0...255),
            of: standard,
            "Standard deviation of noise, in units of 0...255."
        ),
        SettingDeclaration(
            "jpeg",
            \.jpeg,
            .number(0...1),
            of: standard,
            "The share of pictures that get the traces of JPEG compression."
        ),
        SettingDeclaration(
            "jpeg-quality",
            \.jpegQuality,
            .list(of: .integer(1...100), "two qualities [least, greatest] of 1...100", initial: 50) {
                $0.count == 2 && $0[0] <= $0[1]
            },
            of: standard,
            "Range of the quality of that compression."
        ),
    ]

    private static let standard = Augmentation()
}
