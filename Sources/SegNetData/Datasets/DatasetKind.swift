public import SegNetImages
public import SegNetPlatform

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
    /// `train.txt`, `val.txt`, `test.txt` (or `--list` files) with "image label" on each line.
    case list
    /// COCO's JSON, instances or panoptic, and pictures.
    case coco
    /// labelme's JSON, one file per picture.
    case labelme
    /// "CVAT for images 1.1" and pictures.
    case cvat
    /// Label Studio's JSON export and pictures.
    case labelStudio = "label-studio"
    /// YOLO's segments: `data.yaml`, `images/`, `labels/`.
    case yolo
    /// Rendered streets with CamVid's 11 classes: no files.
    case synthetic

    /// Whether a user may say from which number its labels count.
    var takesLabelOffset: Bool { self == .folder || self == .list }

    /// Whether text files in its folder list the pictures of its splits.
    public var hasLists: Bool {
        switch self {
        case .camVid, .camVid12, .sunRGBD, .nyuV2, .list: true
        default: false
        }
    }

    /// Whether its labels are drawn from annotations, which are polygons and run lengths.
    public var isAnnotated: Bool {
        switch self {
        case .coco, .labelme, .cvat, .labelStudio, .yolo: true
        default: false
        }
    }

    /// What its folder holds, for messages.
    var layout: String {
        switch self {
        case .camVid, .camVid12, .sunRGBD, .nyuV2, .list:
            "train.txt, val.txt or test.txt with \"image label\" on each line"
        case .cityscapes: "leftImg8bit/ and gtFine/"
        case .voc: "JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/"
        case .folder: "images/ and labels/"
        case .coco: "COCO's JSON, next to the pictures or in annotations/"
        case .labelme: "labelme's JSON files"
        case .cvat: "annotations.xml and images/"
        case .labelStudio: "Label Studio's JSON and the pictures"
        case .yolo: "data.yaml (or classes.txt), images/ and labels/"
        case .synthetic: "nothing"
        }
    }
}

/// What a user can say about a data set beyond its kind and its folder.
public struct DatasetOptions: Sendable, Hashable {
    /// The classes; nil: the kind's own, or `classes.txt` or `classes.json` in the folder.
    public var classes: ClassTable?
    /// Label numbers that are ignored, in addition to the kind's own.
    public var ignored: [UInt16] = []
    /// Added to the labels' numbers, 0 or less: -1 for labels that count 1...K, with 0 for void. In `changes` and `ignored`, numbers are
    /// still those in the files. For the kinds `folder` and `list`.
    public var labelOffset = 0
    /// Suffix of a label file's name, after the picture's: `_mask` if `a.jpg` has `a_mask.png`. For the kind `folder`.
    public var labelSuffix = ""
    /// The class of pixels that no annotation covers. Nil or `void`: they have no ground truth. `background`: a class of that name, which
    /// is added if it is missing and nobody gave the classes. Otherwise the name of a class. For annotations.
    public var unlabelled: String?
    /// Labels that mean another class, by number or by name, or none: many to one.
    public var changes: [LabelChange] = []
    /// Whether labels are painted in the classes' colours.
    public var isColored = false
    /// What the files of a sample give: `rgb`, `rgba` or `gray`, and a name for each further file. See `InputFiles`.
    public var inputs: [String] = ["rgb"]
    /// The size to which pictures and labels are resized; nil keeps theirs.
    public var size: PictureSize?
    /// The share of pictures that become `val`, where the data set has no splits of its own.
    public var validationShare = 0.1
    /// The number of parts into which the pictures of `train` and `val` together are divided for cross-validation; 0 for none.
    public var folds = 0
    /// Which of these parts is `val`, from 1; the others are `train`.
    public var fold = 1
    /// Leaves out pictures without labels and labels without pictures, and says so in `Dataset.problems`, instead of failing at the
    /// first: for checking.
    public var collectsProblems = false
    /// List files in the folder that stand for splits, in place of `train.txt`, `val.txt`, `test.txt`: split, files. For kinds with lists.
    public var lists: [String: [String]] = [:]
    /// How many streets are rendered.
    public var count = 1000
    public var seed: UInt64 = 1

    /// The greatest number of streets.
    package static let greatestCount = 1_000_000
    /// What `validationShare` can be.
    package static let validationShares: Range<Double> = 0..<1
    /// The least number of parts for cross-validation: one to learn from, one to validate on.
    package static let leastFolds = 2

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
        let inputs = try InputFiles(options.inputs)
        try inputs.check(for: kind)
        try options.check(kind)
        if !kind.hasLists, let list = options.lists.sorted(by: { $0.key < $1.key }).first {
            let kinds = DatasetKind.allCases.filter(\.hasLists).map(\.rawValue).joined(separator: ", ")
            throw DatasetError(
                "\(list.value.joined(separator: ", ")): '\(kind.rawValue)' has no list files; name one of its splits, or take a kind that has lists (\(kinds))."
            )
        }
        if kind != .synthetic, !folder.hasFolder(""), !(kind.isAnnotated && folder.isFile) {
            let problem = folder.isFile ? "is a file" : "there is no such folder"
            throw DatasetError("\(directory): \(problem); give the \(UserChoice.data) that holds \(kind.layout).")
        }
        switch kind {
        case .camVid: dataset = try camVid(folder, .camVid11, options, inputs)
        case .camVid12: dataset = try camVid(folder, .camVid12, options, inputs)
        case .sunRGBD:
            var rule = LabelRule.ids(ignoring: [0])
            for number in 1...37 as ClosedRange<UInt16> { rule.mapping[number] = number - 1 }
            dataset = Dataset(
                name: "sunrgbd",
                classes: .sunRGBD37WithoutVoid,
                rule: rule,
                splits: try lists(in: folder, inputs, options.lists)
            )
        case .nyuV2:
            dataset = Dataset(
                name: "nyuv2",
                classes: .sunRGBD37WithoutVoid,
                rule: .ids(ignoring: [255]),
                splits: try lists(in: folder, inputs, options.lists)
            )
        case .cityscapes: dataset = try cityscapes(folder)
        case .voc: dataset = try voc(folder)
        case .folder: dataset = try pairs(folder, options, inputs)
        case .list:
            // Lists first: without them it is the folder that is wrong.
            let splits = try lists(in: folder, inputs, options.lists)
            let classes = try folder.classes(options)
            dataset = Dataset(name: folder.name, classes: classes, rule: .ids(of: classes), splits: splits)
        case .coco, .labelme, .cvat, .labelStudio, .yolo:
            dataset = try annotated(kind, directory, options)
        case .synthetic: dataset = streets(options)
        }
        if kind.hasLists, options.lists.isEmpty { dataset.warnings += folder.misnamedLists }
        if let classes = options.classes { dataset.classes = classes }
        dataset.inputs = inputs
        dataset.rule.isColored = dataset.rule.isColored || options.isColored
        if dataset.rule.isColored, dataset.rule.colors == nil { try dataset.classes.requireDistinctColors() }
        if options.labelOffset != 0 {
            try options.checkOffset(kind, isColored: dataset.rule.isColored)
            dataset.rule = dataset.rule.shifted(by: options.labelOffset, classes: dataset.classes)
        } else {
            dataset.rule.acceptsOffset = kind.takesLabelOffset && !dataset.rule.isColored
        }
        let original = dataset.rule
        for number in options.ignored { dataset.rule.mapping[number] = .some(nil) }
        dataset.rule = try dataset.rule.changed(by: options.changes, classes: dataset.classes)
        if kind.isAnnotated { try dataset.requireMeanings(options) }
        dataset.mergedClasses = dataset.rule.mergedClasses(from: original, count: dataset.classes.classes.count)
        dataset.size = options.size
        try dataset.divide(options)
        dataset.addValidation(options)
        return dataset
    }

    /// Where there is no validation split, some training pictures become one, evenly spread, so that they are the same each time: every
    /// n-th for a share of 1/n.
    private mutating func addValidation(_ options: DatasetOptions) {
        guard splits["val"]?.isEmpty ?? true, let all = splits["train"], all.count > 1, options.validationShare > 0
        else { return }
        // How many of the first pictures are chosen; what is added makes up for rounding in count / n.
        func chosen(of count: Int) -> Int { Int(Double(count) * options.validationShare + 1e-6) }
        // If there are few pictures, the last one; never the first, so that one is left to learn from.
        let isChosen: (Int) -> Bool = { index in
            chosen(of: all.count) == 0 ? index == all.count - 1 : index > 0 && chosen(of: index + 1) > chosen(of: index)
        }
        undivided = all
        splits["val"] = all.enumerated().filter { isChosen($0.offset) }.map(\.element)
        splits["train"] = all.enumerated().filter { !isChosen($0.offset) }.map(\.element)
    }
}

extension DatasetOptions {
    fileprivate func checkOffset(_ kind: DatasetKind, isColored: Bool) throws(DatasetError) {
        guard (-65_535..<0).contains(labelOffset) else {
            throw DatasetError(
                "\(UserChoice.labelOffset) \(labelOffset): has to be a number in -65535...-1, such as -1 for labels 1...K."
            )
        }
        guard kind.takesLabelOffset else {
            throw DatasetError(
                "\(UserChoice.labelOffset) \(labelOffset): the kind '\(kind.rawValue)' fixes what its label numbers mean; use the "
                    + "\(UserChoice.dataset) 'folder' or 'list' for other labels."
            )
        }
        guard !isColored else {
            throw DatasetError(
                "\(UserChoice.labelOffset) \(labelOffset): painted labels have no numbers; leave one of the two out."
            )
        }
    }
}
