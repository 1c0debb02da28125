public import SegNetImages
internal import SegNetTensors

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
    /// What each channel of an example holds: `red`, `green`, `blue`, further ones as the data set says.
    public var channels: [String]
    /// What the label files' numbers or colours mean.
    public var rule: LabelRule
    /// Classes that a user's `DatasetOptions` give to another class altogether, or (nil) to none: what predictions of such a class count as.
    public var mergedClasses: [UInt16: UInt16?] = [:]
    /// Samples by split: `train`, `val`, `test`.
    public var splits: [String: [Sample]]
    /// The size to which examples are resized when they are read; nil leaves each as its file is.
    public var size: (width: Int, height: Int)?
    /// Pictures and labels without partners that were left out, where `DatasetOptions.collectsProblems` asked for it.
    public var problems: [String] = []

    public init(
        name: String,
        classes: ClassTable,
        channels: [String] = ["red", "green", "blue"],
        rule: LabelRule,
        splits: [String: [Sample]],
        size: (width: Int, height: Int)? = nil
    ) {
        self.name = name
        self.classes = classes
        self.channels = channels
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

    /// Reads a sample: decodes picture and labels, maps the labels to classes, resizes both where the data set has a size.
    /// - Throws: `ImageError` if a file cannot be read, `DatasetError` if sizes differ or a label has no meaning.
    public func example(_ sample: Sample) throws -> Example {
        switch sample.source {
        case .files(let images, let label):
            let (pixels, width, height) = try picture(images)
            let labels = try ids(label)
            guard labels.width == width, labels.height == height else {
                throw DatasetError(
                    "\(label): is \(labels.width)x\(labels.height), its picture \(images[0]) is \(width)x\(height); "
                        + "labels must have the picture's size. Export them again."
                )
            }
            let example = Example(
                pixels: pixels,
                width: width,
                height: height,
                channels: channels.count,
                labels: labels.ids
            )
            guard let size, size != (width, height) else { return example }
            return example.resized(width: size.width, height: size.height)
        case .street(let seed):
            let size = size ?? (480, 360)
            let scene = try StreetScene(seed: seed, width: size.width, height: size.height)
            return Example(
                pixels: scene.image.rgb().pixels,
                width: size.width,
                height: size.height,
                channels: 3,
                labels: scene.labels.ids.map { $0 < 11 ? $0 : Example.ignored }
            )
        }
    }

    /// The picture of a sample alone, for prediction: samples [height, width, channels].
    public func picture(_ images: [String]) throws -> (pixels: [UInt8], width: Int, height: Int) {
        let first = try Image(path: images[0])
        let wantsAlpha = images.count == 1 && channels.count == 4
        var parts = [wantsAlpha || channels.count == 1 ? first : first.rgb()]
        if channels.count == 1 { parts = [first.gray()] }
        if wantsAlpha, first.channels != 4 {
            throw DatasetError("\(images[0]): has no alpha channel, which is to be the fourth input channel.")
        }
        for path in images.dropFirst() {
            let part = try Image(path: path).gray()
            guard part.width == first.width, part.height == first.height else {
                throw DatasetError(
                    "\(path): is \(part.width)x\(part.height), \(images[0]) is \(first.width)x\(first.height); "
                        + "all pictures of a line must have one size."
                )
            }
            parts.append(part)
        }
        guard parts.reduce(0, { $0 + $1.channels }) == channels.count else {
            throw DatasetError(
                "\(images[0]): \(images.count) file(s) give \(parts.reduce(0) { $0 + $1.channels }) channels, the data set has "
                    + "\(channels.count): \(channels.joined(separator: ", "))."
            )
        }
        guard parts.count > 1 else { return (parts[0].pixels, first.width, first.height) }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(first.width * first.height * channels.count)
        for pixel in 0..<first.width * first.height {
            for part in parts {
                for c in 0..<part.channels { pixels.append(part.pixels[pixel * part.channels + c]) }
            }
        }
        return (pixels, first.width, first.height)
    }

    /// Class ids of a label file.
    func ids(_ path: String) throws -> LabelMap {
        let raw: LabelMap
        if rule.isColored {
            raw = try LabelMap(coloring: try Image(path: path), path: path, table: rule.colors ?? classes)
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
