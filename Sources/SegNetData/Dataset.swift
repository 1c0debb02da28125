public import SegNetAnnotations
public import SegNetImages
public import SegNetNetworks
public import SegNetPlatform

/// Pictures with ground truth, in splits: what a model is trained, chosen and judged on.
///
///     let camVid = try Dataset.load(.camVid, directory: "CamVid")
///     let example = try camVid.example(camVid.samples(of: "train")[0])
///
/// It knows where the files lie and what their numbers or colours mean; it holds no pixels.
public struct Dataset: Sendable {
    /// For people: "camvid".
    public var name: String
    /// The K classes that a network learns; void is none of them.
    public var classes: ClassTable
    /// What the files of a sample give.
    public var inputs: InputFiles
    /// What each channel of an example holds: those of the picture, 8 bits each, then those with a file of their own, 16 bits each.
    public var channels: [InputChannel] { inputs.channels }
    /// What the label files' numbers or colours mean.
    public var rule: LabelRule
    /// Classes that a user's `DatasetOptions` give to another class altogether, or (nil) to none: what predictions of such a class count
    /// as.
    public var mergedClasses: [UInt16: UInt16?] = [:]
    /// Samples by split: `train`, `val`, `test`.
    public var splits: [String: [Sample]]
    /// The pictures in their order from which those for validation were chosen; nil where the data set has its own.
    var undivided: [Sample]?
    /// The size to which examples are resized when they are read; nil leaves each as its file is.
    public var size: PictureSize?
    /// Pictures and labels without partners that were left out, where `DatasetOptions.collectsProblems` asked for it.
    public var problems: [String] = []
    /// Notes in full sentences: files that are left out, contents of files that are not read, or that are often a mistake.
    public var warnings: [String] = []

    public init(
        name: String,
        classes: ClassTable,
        inputs: InputFiles = .rgb,
        rule: LabelRule,
        splits: [String: [Sample]],
        size: PictureSize? = nil
    ) {
        self.name = name
        self.classes = classes
        self.inputs = inputs
        self.rule = rule
        self.splits = splits
        self.size = size
    }

    /// The samples of a split.
    /// - Throws: `DatasetError` naming the splits that there are.
    public func samples(of split: String) throws(DatasetError) -> [Sample] {
        guard let samples = splits[split], !samples.isEmpty else {
            let names = splits.filter { !$0.value.isEmpty }.keys.sorted().joined(separator: ", ")
            throw DatasetError("data set '\(name)' has no split '\(split)'; it has \(names.isEmpty ? "none" : names).")
        }
        return samples
    }

    /// Masks are named like pictures: two of one name would be one mask.
    /// - Parameter ignoresCase: Whether the masks' folder takes `A` and `a` for the same name.
    /// - Throws: `DatasetError` naming a split's first name that occurs twice.
    package func requireUniqueNames(_ split: String, ignoresCase: Bool = false) throws(DatasetError) {
        var seen: [String: String] = [:]
        for sample in splits[split] ?? [] {
            let key = ignoresCase ? sample.name.lowercased() : sample.name
            guard let other = seen.updateValue(sample.name, forKey: key) else { continue }
            guard other != sample.name else {
                throw DatasetError(
                    "split '\(split)': has two pictures named '\(sample.name)', whose masks would be one file; rename one."
                )
            }
            throw DatasetError(
                "split '\(split)': has pictures named '\(other)' and '\(sample.name)', whose masks would be one file, as the folder does not "
                    + "distinguish upper and lower case; rename one, or give another folder."
            )
        }
    }

    /// Reads a sample: decodes picture and labels, maps the labels to classes, resizes both where the data set has a size.
    /// - Throws: `ImageError` if a file cannot be read, `DatasetError` if sizes differ, a label has no meaning, or a file is none.
    public func example(_ sample: Sample) throws -> Example {
        switch sample.source {
        case .files(let images, let label):
            try Self.requireFiles(images + [label])
            let picture = try inputs.read(images)
            let labels = try ids(label)
            try Self.checkSize(ofLabels: label, labels.size, images[0], picture.size)
            let example = Example(picture, planes: inputs.planeChannels, labels: labels.ids)
            guard let size, size != picture.size else { return example }
            return example.resized(width: size.width, height: size.height)
        case .annotated(let image, let annotated, let labels):
            try Self.requireFiles([image])
            let picture = try inputs.read([image])
            let ids = try self.ids(annotated, labels, width: picture.width, height: picture.height)
            let example = Example(picture, labels: ids)
            guard let size, size != picture.size else { return example }
            return example.resized(width: size.width, height: size.height)
        case .street(let seed):
            let size = size ?? .camVid
            let scene = try StreetScene(seed: seed, width: size.width, height: size.height)
            return Example(
                MultichannelImage(inputs.words == ["gray"] ? scene.image.gray() : scene.image.rgb()),
                labels: scene.labels.ids.map { $0 < 11 ? $0 : Example.ignored }
            )
        }
    }

    /// Refuses pipes and devices: reading one can wait for ever, and nothing ends that.
    private static func requireFiles(_ paths: [String]) throws(DatasetError) {
        guard let path = paths.first(where: { FileAccess.kind(of: $0) == .other }) else { return }
        throw DatasetError("\(path): is a pipe or a device; pictures and labels must be files. Put the file back.")
    }

    /// An example of this data set as a picture again, for a `Segmenter`.
    public func picture(of example: Example) throws(ImageError) -> MultichannelImage {
        var planes: [String: Plane] = [:]
        for (name, samples) in zip(inputs.planeChannels, example.planes) {
            planes[name.rawValue] = try Plane(width: example.width, height: example.height, samples: samples)
        }
        guard example.channels > 0 else { return try MultichannelImage(nil, planes) }
        let image = try Image(
            width: example.width,
            height: example.height,
            channels: example.channels,
            pixels: example.pixels
        )
        return try MultichannelImage(image, planes)
    }

    /// The class ids that annotations give.
    func ids(_ annotated: AnnotatedPicture, _ labels: Int, width: Int, height: Int) throws -> [UInt16] {
        let raw = try annotated.labelMap(
            width: width,
            height: height,
            unlabelled: UInt16(clamping: labels),
            void: UInt16(clamping: labels + 1)
        )
        return try rule.map(raw, path: annotated.source, classes: classes).ids
    }

    /// Class ids of a label file.
    func ids(_ path: String) throws -> LabelMap {
        let raw: LabelMap
        if rule.isColored {
            // A table of its own belongs to the kind, whose labels are always painted.
            raw = try LabelMap(
                painted: path,
                table: rule.colors ?? classes,
                ifIDs: rule.colors == nil ? "do not read them as \(UserChoice.coloredLabels)" : nil
            )
        } else {
            raw = try LabelMap(path: path)
        }
        return try rule.map(raw, path: path, classes: classes)
    }
}

/// One picture of a data set.
public struct Sample: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// A picture, or several files that give its channels, and its labels.
        case files(images: [String], label: String)
        /// A picture with its annotations. `labels` is the number of labels: the next number is for unlabelled pixels, the one after it for
        /// void.
        case annotated(image: String, AnnotatedPicture, labels: Int)
        /// A rendered street.
        case street(seed: UInt64)
    }

    /// The picture's file name without its ending.
    public var name: String
    public var source: Source

    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// A picture's file and its labels'.
    public init(image: String, label: String) {
        self.init(images: [image], label: label)
    }

    /// The files of a picture's channels and its labels'.
    public init(images: [String], label: String) {
        let file = images[0].split(separator: "/").last.map(String.init) ?? images[0]
        name = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        source = .files(images: images, label: label)
    }
}

/// Something is wrong with a data set: the file or folder, what was found, what to do.
public struct DatasetError: Error, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
