public import SegNetImages

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The data sets whose layout is known by name. Raw values are what `--dataset` takes.
public enum DatasetKind: String, Sendable, CaseIterable, Codable {
    /// CamVid as the SegNet authors shipped it: `train.txt`, `val.txt`, `test.txt` with pairs of files; 11 classes, void 11. Labels
    /// that are painted in the original's 32 colours (`*_L.png`) are mapped to the 11.
    case camVid = "camvid"
    /// CamVid's original colours with road markings as a class of its own: 12 classes.
    case camVid12 = "camvid12"
    /// SUN RGB-D: list files; labels 1...37 are the classes 0...36, 0 is void.
    case sunRGBD = "sunrgbd"
    /// NYUv2 with the 37 classes of SUN RGB-D, 255 void.
    case nyuV2 = "nyuv2"
    /// Cityscapes: `leftImg8bit` and `gtFine`, 19 classes by train id, 255 void.
    case cityscapes
    /// Pascal VOC: `JPEGImages`, `SegmentationClass`, `ImageSets/Segmentation`; 21 classes, 255 void.
    case voc
    /// `images/` and `labels/` with files of the same names, each with folders `train`, `val`, `test` or without.
    case folder
    /// `train.txt`, `val.txt`, `test.txt` (or `--list` files) with "image label" a line.
    case list
    /// Rendered streets with CamVid's 11 classes: no files.
    case synthetic

    /// One line for help texts.
    public var summary: String {
        switch self {
        case .camVid: "CamVid, 11 classes (the SegNet authors' folders, or the original's 32 colours)"
        case .camVid12: "CamVid with road markings, 12 classes, from the original's 32 colours"
        case .sunRGBD: "SUN RGB-D, 37 classes, by list files"
        case .nyuV2: "NYUv2 with SUN RGB-D's 37 classes"
        case .cityscapes: "Cityscapes, 19 classes"
        case .voc: "Pascal VOC, 21 classes"
        case .folder: "images/ and labels/ with files of the same names"
        case .list: "list files with \"image label\" a line"
        case .synthetic: "rendered streets with CamVid's 11 classes"
        }
    }

    /// What its folder holds, for messages.
    var layout: String {
        switch self {
        case .camVid, .camVid12, .sunRGBD, .nyuV2, .list: "train.txt, val.txt or test.txt with \"image label\" a line"
        case .cityscapes: "leftImg8bit/ and gtFine/"
        case .voc: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/"
        case .folder: "images/ and labels/"
        case .synthetic: "nothing"
        }
    }
}

/// What a user can say about a data set beyond its kind and its folder.
public struct DatasetOptions: Sendable, Hashable {
    /// The classes; nil: the kind's own, or `classes.txt` or `classes.json` in the folder.
    public var classes: ClassTable?
    /// Label numbers that are ignored, beside the kind's own.
    public var ignored: [UInt16] = []
    /// Label numbers that mean another class: many to one.
    public var mapping: [UInt16: UInt16] = [:]
    /// The same by number or by name, and to no class.
    public var changes: [LabelChange] = []
    /// Whether labels are painted in the classes' colours.
    public var isColored = false
    /// The channels of an example: one file gives `red`, `green`, `blue` (and `alpha`) or `gray`; more files give one each.
    public var channels: [String] = ["red", "green", "blue"]
    /// The size to which pictures and labels are resized; nil keeps theirs.
    public var width: Int?
    public var height: Int?
    /// The share of pictures without a split of their own that become `val` and `test`.
    public var validationShare = 0.1
    public var testShare = 0.0
    /// Leaves out pictures without labels and labels without pictures, and says so in `Dataset.problems`, instead of failing at the
    /// first: for checking.
    public var collectsProblems = false
    /// Of rendered streets.
    public var count = 1000
    public var seed: UInt64 = 1

    public init() {}
}

extension Dataset {
    /// Finds the files of a data set. Opens no picture.
    /// - Throws: `DatasetError` saying which layout was expected.
    public static func load(
        _ kind: DatasetKind,
        directory: String = ".",
        options: DatasetOptions = DatasetOptions()
    ) throws -> Dataset {
        var dataset: Dataset
        let folder = Folder(directory)
        if kind != .synthetic, !folder.hasFolder("") {
            throw DatasetError(
                "\(directory): there is no such folder; give the folder that holds \(kind.layout) (--data)."
            )
        }
        switch kind {
        case .camVid: dataset = try camVid(folder, table: .camVid11)
        case .camVid12: dataset = try camVid(folder, table: .camVid12)
        case .sunRGBD:
            var rule = LabelRule.ids(ignoring: [0])
            for number in 1...37 as ClosedRange<UInt16> { rule.mapping[number] = number - 1 }
            dataset = Dataset(
                name: "sunrgbd",
                classes: .sunRGBD37WithoutVoid,
                rule: rule,
                splits: try lists(in: folder, channels: options.channels.count)
            )
        case .nyuV2:
            dataset = Dataset(
                name: "nyuv2",
                classes: .sunRGBD37WithoutVoid,
                rule: .ids(ignoring: [255]),
                splits: try lists(in: folder, channels: options.channels.count)
            )
        case .cityscapes: dataset = try cityscapes(folder)
        case .voc: dataset = try voc(folder)
        case .folder: dataset = try pairs(folder, options)
        case .list:
            // Lists first: without them it is the folder that is wrong.
            let splits = try lists(in: folder, channels: options.channels.count)
            dataset = Dataset(
                name: folder.name,
                classes: try folder.classes(options),
                rule: .ids(ignoring: [255]),
                splits: splits
            )
        case .synthetic:
            let samples = (0..<max(1, options.count)).map { index in
                Sample(
                    name: "street\(options.seed &+ UInt64(index))",
                    source: .street(seed: options.seed &+ UInt64(index))
                )
            }
            // Streets are cheap: those for validation and testing come from far away seeds.
            func far(_ split: String, _ start: UInt64) -> [Sample] {
                (0..<50).map { Sample(name: "street-\(split)\($0)", source: .street(seed: start + UInt64($0))) }
            }
            dataset = Dataset(
                name: "synthetic",
                classes: .camVid11,
                rule: LabelRule(),
                splits: ["train": samples, "val": far("val", 1 << 40), "test": far("test", 1 << 41)]
            )
        }
        if let classes = options.classes { dataset.classes = classes }
        dataset.channels = options.channels
        dataset.rule.isColored = dataset.rule.isColored || options.isColored
        let original = dataset.rule
        for number in options.ignored { dataset.rule.mapping[number] = .some(nil) }
        for (number, id) in options.mapping { dataset.rule.mapping[number] = id }
        for (number, id) in options.mapping where Int(id) >= dataset.classes.classes.count {
            throw DatasetError(
                "--map \(number)=\(id): there are \(dataset.classes.classes.count) classes, 0...\(dataset.classes.classes.count - 1)."
            )
        }
        dataset.rule = try dataset.rule.changed(by: options.changes, classes: dataset.classes)
        dataset.mergedClasses = dataset.rule.mergedClasses(from: original, count: dataset.classes.classes.count)
        if let width = options.width, let height = options.height { dataset.size = (width, height) }
        dataset.addValidation(options)
        return dataset
    }

    /// Where there is no validation split, some training pictures become one: every n-th, so that it is the same each time.
    private mutating func addValidation(_ options: DatasetOptions) {
        guard splits["val"]?.isEmpty ?? true, let all = splits["train"], all.count > 1 else { return }
        let every = options.validationShare > 0 ? max(2, Int((1 / options.validationShare).rounded())) : 0
        guard every > 0 else { return }
        // Fewer pictures than that: the last one.
        let isChosen: (Int) -> Bool = { all.count < every ? $0 == all.count - 1 : $0 % every == every - 1 }
        splits["val"] = all.enumerated().filter { isChosen($0.offset) }.map(\.element)
        splits["train"] = all.enumerated().filter { !isChosen($0.offset) }.map(\.element)
    }

    // MARK: Layouts

    private static func camVid(_ folder: Folder, table: ClassTable) throws -> Dataset {
        var dataset = Dataset(
            name: table.classes.count == 12 ? "camvid12" : "camvid",
            classes: table,
            rule: .ids(ignoring: [UInt16(table.classes.count)]),
            splits: try lists(in: folder, channels: 3)
        )
        let paths = dataset.splits.values.joined().prefix(1)
        if case .files(_, let label)? = paths.first?.source, label.hasSuffix("_L.png") || table.classes.count == 12 {
            dataset.rule = .camVidColors(table)
        }
        return dataset
    }

    /// The splits of `train.txt`, `val.txt`, `test.txt`, whichever there are.
    static func lists(in folder: Folder, channels: Int) throws -> [String: [Sample]] {
        var splits: [String: [Sample]] = [:]
        for split in ["train", "val", "test"] {
            guard let text = folder.text("\(split).txt") else { continue }
            splits[split] = try list(text, name: folder.path("\(split).txt"), folder: folder, channels: channels)
        }
        guard !splits.isEmpty else {
            throw DatasetError(
                "\(folder.directory): holds no train.txt, val.txt or test.txt; each is to have one \"image label\" pair a line, "
                    + "relative to this folder. Give the folder that holds them (--data), or another --dataset."
            )
        }
        return splits
    }

    /// The samples of a list file's text.
    static func list(_ text: String, name: String, folder: Folder, channels: Int) throws -> [Sample] {
        var samples: [Sample] = []
        let images = max(1, channels - 2)
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard !words.isEmpty, !words[0].hasPrefix("#") else { continue }
            // Several files give the channels beyond three; alpha comes with the picture.
            guard words.count == 2 || words.count == images + 1 else {
                throw DatasetError(
                    "\(name), line \(number + 1): has \(words.count) words; expected \"image label\""
                        + (images > 1 ? " or \(images) images and a label" : "")
                        + ". Names with spaces need the folder layout (--dataset folder)."
                )
            }
            let paths = words.map { folder.resolve($0) }
            samples.append(Sample(images: Array(paths.dropLast()), label: paths[paths.count - 1]))
        }
        guard !samples.isEmpty else { throw DatasetError("\(name): lists no pictures.") }
        return samples
    }

    private static func cityscapes(_ folder: Folder) throws -> Dataset {
        var splits: [String: [Sample]] = [:]
        var usesTrainIDs = true
        for split in ["train", "val", "test"] {
            for city in folder.folders("leftImg8bit/\(split)") {
                for image in folder.files("leftImg8bit/\(split)/\(city)") where image.hasSuffix("_leftImg8bit.png") {
                    let stem = image.dropLast("_leftImg8bit.png".count)
                    let base = "gtFine/\(split)/\(city)/\(stem)_gtFine_"
                    let trainIDs = folder.path(base + "labelTrainIds.png")
                    if !folder.has(base + "labelTrainIds.png") { usesTrainIDs = false }
                    let label = usesTrainIDs ? trainIDs : folder.path(base + "labelIds.png")
                    splits[split, default: []].append(
                        Sample(image: folder.path("leftImg8bit/\(split)/\(city)/\(image)"), label: label)
                    )
                }
            }
        }
        guard !splits.isEmpty else {
            throw DatasetError(
                "\(folder.directory): holds no leftImg8bit/SPLIT/CITY/*_leftImg8bit.png; unpack leftImg8bit_trainvaltest.zip and "
                    + "gtFine_trainvaltest.zip into one folder and give that."
            )
        }
        var rule = LabelRule.ids(ignoring: [255])
        if !usesTrainIDs {
            // The original's label ids of the 19 classes; every other one is void.
            for number in 0...33 as ClosedRange<UInt16> { rule.mapping[number] = .some(nil) }
            let ids: [UInt16] = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
            for (id, number) in ids.enumerated() { rule.mapping[number] = UInt16(id) }
        }
        return Dataset(name: "cityscapes", classes: .cityscapes19, rule: rule, splits: splits)
    }

    private static func voc(_ folder: Folder) throws -> Dataset {
        var splits: [String: [Sample]] = [:]
        for split in ["train", "val", "trainval", "test"] {
            guard let text = folder.text("ImageSets/Segmentation/\(split).txt") else { continue }
            let samples = text.split(whereSeparator: \.isWhitespace).map {
                Sample(
                    image: folder.path("JPEGImages/\($0).jpg"),
                    label: folder.path("SegmentationClass/\($0).png")
                )
            }
            if !samples.isEmpty { splits[split] = samples }
        }
        guard !splits.isEmpty else {
            throw DatasetError(
                "\(folder.directory): holds no ImageSets/Segmentation/train.txt; give the folder VOCdevkit/VOC2012."
            )
        }
        return Dataset(name: "voc", classes: .pascalVOC21, rule: .ids(ignoring: [255]), splits: splits)
    }

    private static func pairs(_ folder: Folder, _ options: DatasetOptions) throws -> Dataset {
        guard folder.hasFolder("images"), folder.hasFolder("labels") else {
            throw DatasetError(
                "\(folder.directory): holds no folders images/ and labels/; put pictures into the one and label PNGs of the same names "
                    + "into the other (each may have folders train, val, test)."
            )
        }
        var splits: [String: [Sample]] = [:]
        var problems: [String] = []
        let named = folder.folders("images").filter { ["train", "val", "test"].contains($0) }
        for split in named.isEmpty ? [""] : named {
            let prefix = split.isEmpty ? "" : "/\(split)"
            let found = try pairs(folder, "images\(prefix)", "labels\(prefix)")
            if let first = found.unlabelled.first, !options.collectsProblems { throw first }
            problems += (found.unlabelled + found.unpictured).map(\.description)
            splits[split.isEmpty ? "train" : split] = found.samples
        }
        var dataset = Dataset(
            name: folder.name,
            classes: try folder.classes(options),
            rule: .ids(ignoring: [255]),
            splits: splits
        )
        dataset.problems = problems
        return dataset
    }

    /// Pictures and labels of the same names, pictures without labels, labels without pictures.
    private static func pairs(
        _ folder: Folder,
        _ images: String,
        _ labels: String
    ) throws -> (samples: [Sample], unlabelled: [DatasetError], unpictured: [DatasetError]) {
        func stem(_ file: String) -> String { file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file }
        func isPicture(_ file: String) -> Bool {
            [".png", ".jpg", ".jpeg"].contains { file.lowercased().hasSuffix($0) }
        }
        let labelFiles = Dictionary(
            folder.files(labels).filter(isPicture).map { (stem($0), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let pictures = folder.files(images).filter(isPicture)
        guard !pictures.isEmpty else {
            throw DatasetError("\(folder.path(images)): holds no PNG or JPEG pictures.")
        }
        var samples: [Sample] = []
        var unlabelled: [DatasetError] = []
        for image in pictures {
            guard let label = labelFiles[stem(image)] else {
                unlabelled.append(
                    DatasetError(
                        "\(folder.path("\(images)/\(image)")): has no label of the same name in \(folder.path(labels)); add it, or take "
                            + "the picture away."
                    )
                )
                continue
            }
            samples.append(Sample(image: folder.path("\(images)/\(image)"), label: folder.path("\(labels)/\(label)")))
        }
        let stems = Set(pictures.map(stem))
        let unpictured = labelFiles.filter { !stems.contains($0.key) }.values.sorted().map { label in
            DatasetError(
                "\(folder.path("\(labels)/\(label)")): has no picture of the same name in \(folder.path(images)); add it, or take "
                    + "the label away."
            )
        }
        return (samples, unlabelled, unpictured)
    }
}

/// A folder of a data set.
struct Folder {
    let directory: String

    init(_ directory: String) { self.directory = directory }

    /// The last part of its path.
    var name: String { directory.split(separator: "/").last.map(String.init) ?? "data" }

    func path(_ relative: String) -> String {
        directory.hasSuffix("/") ? directory + relative : "\(directory)/\(relative)"
    }

    /// The text of a file, or nil if there is none.
    func text(_ relative: String) -> String? {
        FileManager.default.contents(atPath: path(relative)).map { String(decoding: $0, as: UTF8.self) }
    }

    func has(_ relative: String) -> Bool { FileManager.default.fileExists(atPath: path(relative)) }

    func hasFolder(_ relative: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path(relative), isDirectory: &isFolder) && isFolder
    }

    /// Sorted, so that every machine has the same order.
    func files(_ relative: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(relative))) ?? []).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    func folders(_ relative: String) -> [String] { files(relative).filter { hasFolder("\(relative)/\($0)") } }

    /// A path of a list: relative to this folder, absolute, or the authors' `/SegNet/CamVid/...`, which stands for this folder.
    func resolve(_ word: String) -> String {
        guard word.hasPrefix("/") else { return path(word) }
        for prefix in ["/SegNet/CamVid/", "/SegNet/"] where word.hasPrefix(prefix) {
            return path(String(word.dropFirst(prefix.count)))
        }
        return word
    }

    /// The classes that options or a file in the folder name.
    func classes(_ options: DatasetOptions) throws -> ClassTable {
        if let classes = options.classes { return classes }
        for file in ["classes.json", "classes.txt"] where has(file) { return try ClassTable(path: path(file)) }
        throw DatasetError(
            "\(directory): nothing says which classes the labels have; add classes.txt with one name a line, in the order of the label "
                + "values (\"name\" or \"name red green blue\"), or give --classes."
        )
    }
}
