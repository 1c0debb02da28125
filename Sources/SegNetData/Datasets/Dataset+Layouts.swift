import SegNetImages
internal import SegNetPlatform

/// How the files of each kind of data set lie in its folder.
extension Dataset {
    static func camVid(
        _ folder: Folder,
        _ own: ClassTable,
        _ options: DatasetOptions,
        _ inputs: InputFiles
    ) throws -> Dataset {
        let table = options.classes ?? own
        var dataset = Dataset(
            name: own.classes.count == 12 ? "camvid12" : "camvid",
            classes: table,
            // The number after the classes is void, in whatever table.
            rule: .ids(ignoring: [UInt16(clamping: table.classes.count)]),
            splits: try lists(in: folder, inputs, options.lists)
        )
        let paths = dataset.splits.values.joined().prefix(1)
        if case .files(_, let label)? = paths.first?.source, label.hasSuffix("_L.png") || own.classes.count == 12 {
            dataset.rule = .camVidColors(table)
        }
        return dataset
    }

    /// The splits of `train.txt`, `val.txt`, `test.txt`, whichever there are, or of files with other names.
    /// - Parameter names: Splits and their files, which have to be there.
    static func lists(
        in folder: Folder,
        _ inputs: InputFiles = .rgb,
        _ names: [String: [String]] = [:]
    ) throws -> [String: [Sample]] {
        var splits: [String: [Sample]] = [:]
        let usual = ["train", "val", "test"]
        for split in usual + names.keys.filter({ !usual.contains($0) }).sorted() {
            for file in names[split] ?? ["\(split).txt"] {
                guard let text = folder.text(file) else {
                    guard names[split] != nil || folder.isTaken(file) else { continue }
                    let others = folder.files("").filter { $0.lowercased().hasSuffix(".txt") }
                    throw DatasetError(
                        "\(folder.path(file)): cannot be read; it needs one \"image label\" pair per line, relative to its folder. "
                            + (others.isEmpty
                                ? "The folder has no text files." : "The folder has \(others.joined(separator: ", ")).")
                    )
                }
                splits[split, default: []] += try list(text, name: folder.path(file), folder: folder, inputs)
            }
        }
        guard !splits.isEmpty else {
            throw folder.lacks(
                "train.txt, val.txt or test.txt",
                of: .list,
                "each needs one \"image label\" pair per line, relative to this folder. Give the \(UserChoice.data) that holds them, "
                    + "or another \(UserChoice.dataset)."
            )
        }
        return splits
    }

    /// The samples of a list file's text.
    static func list(_ text: String, name: String, folder: Folder, _ inputs: InputFiles = .rgb) throws -> [Sample] {
        var samples: [Sample] = []
        for (number, line) in listEntries(text) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count == inputs.words.count + 1 else {
                let expected = inputs == .rgb ? "image" : inputs.words.joined(separator: " ")
                throw DatasetError(
                    "\(name), line \(number): has \(words.count) words; expected \"\(expected) label\". Names with spaces need the \(UserChoice.dataset) "
                        + "'folder'; for several files on a line, name the \(UserChoice.inputs), such as rgb,depth."
                )
            }
            let paths = words.map { folder.resolve($0) }
            // Reading a pipe may never end. What is missing is told when it is read, with all that is.
            if let pipe = paths.first(where: { FileAccess.kind(of: $0) == .other }) {
                throw DatasetError(
                    "\(pipe): is a pipe or a device (\(name), line \(number)), which may never end; a list names files."
                )
            }
            samples.append(Sample(images: Array(paths.dropLast()), label: paths[paths.count - 1]))
        }
        guard !samples.isEmpty else { throw DatasetError("\(name): lists no pictures.") }
        return samples
    }

    static func cityscapes(_ folder: Folder) throws -> Dataset {
        var found: [(split: String, image: String, base: String)] = []
        for split in ["train", "val", "test"] {
            for city in folder.folders("leftImg8bit/\(split)") {
                for image in folder.files("leftImg8bit/\(split)/\(city)") where image.hasSuffix("_leftImg8bit.png") {
                    let stem = image.dropLast("_leftImg8bit.png".count)
                    found.append(
                        (split, "leftImg8bit/\(split)/\(city)/\(image)", "gtFine/\(split)/\(city)/\(stem)_gtFine_")
                    )
                }
            }
        }
        // One rule for all labels: train ids, if each picture has them.
        let usesTrainIDs = found.allSatisfy { folder.has($0.base + "labelTrainIds.png") }
        let ending = usesTrainIDs ? "labelTrainIds.png" : "labelIds.png"
        var splits: [String: [Sample]] = [:]
        for entry in found {
            let sample = Sample(image: folder.path(entry.image), label: folder.path(entry.base + ending))
            splits[entry.split, default: []].append(sample)
        }
        guard !splits.isEmpty else {
            throw folder.lacks(
                "leftImg8bit/SPLIT/CITY/*_leftImg8bit.png",
                of: .cityscapes,
                "unpack leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip into one folder and give that."
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

    static func voc(_ folder: Folder) throws -> Dataset {
        var splits: [String: [Sample]] = [:]
        for split in ["train", "val", "trainval", "test"] {
            guard let text = folder.text("ImageSets/Segmentation/\(split).txt") else { continue }
            let samples = text.split(whereSeparator: \.isWhitespace).map {
                Sample(image: folder.path("JPEGImages/\($0).jpg"), label: folder.path("SegmentationClass/\($0).png"))
            }
            if !samples.isEmpty { splits[split] = samples }
        }
        guard !splits.isEmpty else {
            throw folder.lacks("ImageSets/Segmentation/train.txt", of: .voc, "give the folder VOCdevkit/VOC2012.")
        }
        return Dataset(name: "voc", classes: .pascalVOC21, rule: .ids(ignoring: [255]), splits: splits)
    }

    static func pairs(_ folder: Folder, _ options: DatasetOptions, _ inputs: InputFiles) throws -> Dataset {
        guard folder.hasFolder("images"), folder.hasFolder("labels") else {
            throw folder.lacks(
                "folders images/ and labels/",
                of: .folder,
                "give the \(UserChoice.data) that has them, or make them: images/ for the pictures, labels/ for PNGs with the same names (each "
                    + "may have folders train, val, test)."
            )
        }
        var splits: [String: [Sample]] = [:]
        var problems: [String] = []
        var warnings: [String] = []
        let named = folder.folders("images").filter { ["train", "val", "test"].contains($0) }
        let outside = outsideSplits(named, of: folder)
        for split in named.isEmpty ? [""] : named {
            let prefix = split.isEmpty ? "" : "/\(split)"
            var found = try pairs(folder, "images\(prefix)", "labels\(prefix)", suffix: options.labelSuffix)
            for word in inputs.words.dropFirst() {
                found.unlabelled += try folder.add(word + prefix, to: &found.samples)
            }
            if options.collectsProblems {
                problems += (found.unlabelled + found.dangling + found.unpictured).map(\.description)
            } else if let first = found.unlabelled.first {
                throw first
            } else {
                warnings += [found.dangling, found.unpictured].compactMap(leftOut)
            }
            splits[split.isEmpty ? "train" : split] = found.samples
        }
        let classes = try folder.classes(options)
        var dataset = Dataset(name: folder.name, classes: classes, rule: .ids(of: classes), splits: splits)
        dataset.problems = problems
        dataset.warnings = warnings + [outside].compactMap { $0 }
        return dataset
    }

    /// A note on the pictures of images/ that are in none of its splits, of which there may be none.
    private static func outsideSplits(_ splits: [String], of folder: Folder) -> String? {
        let loose = splits.isEmpty ? [] : folder.pictures("images")
        let others = folder.folders("images").filter { !splits.contains($0) }
        let left = loose + others.flatMap { part in folder.pictures("images/\(part)").map { "\(part)/\($0)" } }
        guard let first = left.first else { return nil }
        let places = splits.isEmpty ? "images/ itself" : splits.map { "images/\($0)" }.joined(separator: ", ")
        return
            "\(folder.path("images/\(first)")): is not used\(left.count > 1 ? ", nor are \(counted(left.count - 1, "other picture"))" : ""); "
            + "pictures are taken from \(places). Folders can be called train, val and test."
    }

    /// A note on files that are left out, all for the same reason: the first, and how many there are.
    private static func leftOut(_ files: [DatasetError]) -> String? {
        files.first.map { files.count > 1 ? "\($0) \(files.count) such files are left out." : "\($0) It is left out." }
    }

    private struct Pairs {
        var samples: [Sample] = []
        /// What forbids training: pictures without labels, two of one name.
        var unlabelled: [DatasetError] = []
        /// What is only left out: links to pictures or labels that are gone, and labels without pictures.
        var dangling: [DatasetError] = []
        var unpictured: [DatasetError] = []
    }

    /// Pictures and labels of the same names.
    private static func pairs(
        _ folder: Folder,
        _ images: String,
        _ labels: String,
        suffix: String
    ) throws -> Pairs {
        for part in [images, labels] { try folder.requireReadable(part) }
        let (labelFiles, labelsTwice) = folder.picturesByName(labels)
        let (pictureFiles, picturesTwice) = folder.picturesByName(images)
        let pictures = pictureFiles.values.sorted()
        let gone = [images, labels].map { folder.danglingLinks($0) }
        guard !pictures.isEmpty else {
            throw DatasetError(
                "\(folder.path(images)): holds no pictures"
                    + (gone[0].first.map { ", only broken symbolic links, such as \($0)." }
                        ?? "; put some into it, or give another \(UserChoice.data).")
            )
        }
        let behind = suffix.isEmpty ? "" : " followed by '\(suffix)'"
        let longer = suffix.isEmpty ? Self.suffix(ofLabels: labelFiles, pictures) : nil
        var found = Pairs(unlabelled: picturesTwice + labelsTwice)
        for image in pictures {
            if let longer, let label = labelFiles[Folder.stem(image) + longer] {
                found.unlabelled.append(
                    DatasetError(
                        "\(folder.path("\(images)/\(image)")): has no label of the same name in \(folder.path(labels)), but there is \(label); "
                            + "use the \(UserChoice.labelSuffix) '\(longer)'."
                    )
                )
                continue
            }
            guard let label = labelFiles[Folder.stem(image) + suffix] else {
                found.unlabelled.append(
                    DatasetError(
                        "\(folder.path("\(images)/\(image)")): has no label of the same name\(behind) in \(folder.path(labels)); add it, or "
                            + "remove the picture."
                    )
                )
                continue
            }
            found.samples.append(
                Sample(image: folder.path("\(images)/\(image)"), label: folder.path("\(labels)/\(label)"))
            )
        }
        found.dangling = zip([images, labels], gone).flatMap { part, files in
            files.map {
                DatasetError("\(folder.path("\(part)/\($0)")): is a broken symbolic link; fix it, or remove it.")
            }
        }
        // A label whose picture's link is broken is told by that link.
        let stems = Set((pictures + gone[0]).map { Folder.stem($0) + (longer ?? suffix) })
        found.unpictured = labelFiles.filter { !stems.contains($0.key) }.values.sorted().map { label in
            DatasetError(
                "\(folder.path("\(labels)/\(label)")): has no picture of the same name\(suffix.isEmpty ? "" : " without '\(suffix)'") in \(folder.path(images)); add it, or remove "
                    + "the label."
            )
        }
        return found
    }

    /// What the names of labels add to those of the pictures: "_mask" for a.jpg and a_mask.png. Nil where a label has its picture's name,
    /// or no name begins with the first picture's.
    private static func suffix(ofLabels labels: [String: String], _ pictures: [String]) -> String? {
        let stems = pictures.map(Folder.stem)
        guard let first = stems.first, stems.allSatisfy({ labels[$0] == nil }) else { return nil }
        return labels.keys.filter { $0.hasPrefix(first) }.map { String($0.dropFirst(first.count)) }
            .filter { $0.first.map { "_-.".contains($0) } ?? false }.min()
    }

    /// Rendered streets: no files.
    static func streets(_ options: DatasetOptions) -> Dataset {
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
        return Dataset(
            name: "synthetic",
            classes: .camVid11,
            rule: LabelRule(),
            splits: ["train": samples, "val": far("val", 1 << 40), "test": far("test", 1 << 41)]
        )
    }
}
