import SegNetAnnotations
import SegNetImages
internal import SegNetPlatform

/// Problems that only all pictures and labels of a data set show together, each of them being right by itself.
package struct DatasetFindings {
    private let classes: ClassTable
    /// Whether all labels are numbers of label files that a label offset could still shift.
    private let canShift: Bool
    private(set) var problems: [String] = []
    private var splitWarnings: [String] = []

    /// Pictures by size: how many, and the first.
    private var sizes: [PictureSize: (count: Int, first: String)] = [:]
    private var voidPictures: [String: [String]] = [:]
    /// Annotations that lie outside their pictures: how many, and the first of these pictures.
    private var outside: (count: Int, first: String)?
    /// Pictures that are equal to an earlier one of their split, and the first of these with the earlier one.
    private var equals: (count: Int, first: String, other: String)?
    /// Pictures of the split that are their own labels: how many, and the first.
    private var ownLabels: (count: Int, first: String)?
    private var pixels: [Int]
    private var ignoredPixels = 0

    init(classes: ClassTable, canShift: Bool) {
        self.classes = classes
        self.canShift = canShift
        pixels = Array(repeating: 0, count: classes.classes.count)
    }

    /// One picture that could be read.
    mutating func add(_ example: Example, _ sample: Sample, _ split: String) {
        if case .annotated(_, let picture, _) = sample.source {
            let count = picture.annotationsOutside(width: example.width, height: example.height)
            if count > 0 { outside = ((outside?.count ?? 0) + count, outside?.first ?? sample.name) }
        }
        sizes[example.size, default: (0, sample.name)].count += 1
        if !example.labels.contains(where: { Int($0) < pixels.count }) {
            voidPictures[split, default: []].append(sample.name)
        }
    }

    /// Pictures that a list names more than once: some are to count more, others are a mistake.
    mutating func addRepeated(_ samples: [Sample], _ split: String) {
        var counts: [String: Int] = [:]
        var first: String?
        for sample in samples {
            guard case .files(let images, _) = sample.source else { continue }
            counts[images[0], default: 0] += 1
            if counts[images[0]] == 2, first == nil { first = images[0] }
        }
        guard let first, let times = counts[first] else { return }
        splitWarnings.append(
            "\(split): lists \(counted(counts.values.count { $0 > 1 }, "picture")) more than once, such as \(first) (\(times) times); each "
                + "counts as often as it is listed."
        )
    }

    /// A picture that is equal to another of its split.
    mutating func addEqual(_ sample: Sample, _ other: Sample, _ split: String, labelsDiffer: Bool) {
        // One file that a list names twice: `addRepeated` reports it.
        if sample.source == other.source { return }
        if labelsDiffer {
            problems.append(
                "\(sample.name) of \(split): is the same picture as \(other.name), with other labels. Take one of them out."
            )
        } else {
            equals = ((equals?.count ?? 0) + 1, equals?.first ?? sample.name, equals?.other ?? other.name)
        }
    }

    /// A picture that is equal to its label.
    mutating func addOwnLabel(_ sample: Sample) {
        ownLabels = ((ownLabels?.count ?? 0) + 1, ownLabels?.first ?? sample.name)
    }

    /// A split after all its pictures.
    mutating func add(_ frequencies: ClassFrequencies, _ split: String) {
        guard frequencies.pictureCount > 0 else { return }
        if let equals {
            splitWarnings.append(
                "\(split): \(counted(equals.count, "picture is", plural: "pictures are")) the same as another one with a different name, "
                    + "such as \(equals.first) and \(equals.other); all of them are counted."
            )
            self.equals = nil
        }
        if let ownLabels {
            splitWarnings.append(
                "\(split): \(counted(ownLabels.count, "picture is its own label", plural: "pictures are their own labels")), pixel for pixel, such "
                    + "as \(ownLabels.first). Put the photos in their places."
            )
            self.ownLabels = nil
        }
        for id in pixels.indices { pixels[id] += frequencies.pixels[id] }
        ignoredPixels += frequencies.ignoredPixels
        let void = voidPictures[split] ?? []
        if void.count == frequencies.pictureCount {
            problems.append(
                "\(split): none of its pictures has a labelled pixel; all labels are void. Check what their numbers mean."
            )
            return
        }
        if let first = void.first {
            let count = counted(void.count, "picture has", plural: "pictures have")
            splitWarnings.append("\(split): \(count) no labelled pixel, such as \(first).")
        }
        let absent = zip(classes.classes, frequencies.pixels).filter { $1 == 0 }.map(\.0.name)
        if split == "train", !absent.isEmpty {
            splitWarnings.append(
                "\(split): no picture shows \(absent.joined(separator: ", ")); a model cannot learn what it never sees."
            )
        }
    }

    /// Problems of the whole set.
    var warnings: [String] { splitWarnings + [shift, beyond, size, share].compactMap { $0 } }

    /// Class 0 never, the others: numbers that count from 1.
    private var shift: String? {
        guard let first = pixels.first, first == 0, pixels.contains(where: { $0 > 0 }),
            let name = classes.classes.first?.name
        else {
            return nil
        }
        return
            "class 0, '\(name)', never occurs."
            + (canShift ? " If the labels count from 1, with 0 for void, use the \(UserChoice.labelOffset) -1." : "")
    }

    private var beyond: String? {
        outside.map { count, first in
            "\(counted(count, "annotation")) outside \(count == 1 ? "its picture labels" : "their pictures label") nothing, such as in "
                + "\(first). Check that the pictures are those that were annotated."
        }
    }

    private var size: String? {
        guard sizes.count > 1 else { return nil }
        let ranked = sizes.sorted { ($1.value.count, $0.value.first) < ($0.value.count, $1.value.first) }
        let parts = ranked.prefix(3).map {
            "\($0.key) (\(counted($0.value.count, "picture")), such as \($0.value.first))"
        }
        let rest = ranked.count > 3 ? " and \(ranked.count - 3) more" : ""
        return
            "pictures have \(sizes.count) sizes: \(parts.joined(separator: ", "))\(rest). Training needs one: a \(UserChoice.size), or a "
            + "\(UserChoice.crop)."
    }

    private var share: String? {
        let all = pixels.reduce(0, +)
        guard pixels.count > 1, let greatest = pixels.indices.max(by: { pixels[$0] < pixels[$1] }),
            all > pixels[greatest],
            Double(pixels[greatest]) > 0.99 * Double(all)
        else { return nil }
        let percent = (1000 * Double(pixels[greatest]) / Double(all)).rounded(.down) / 10
        return
            "\(percent) % of all labelled pixels are '\(classes.classes[greatest].name)'. Check what the labels' numbers mean."
    }

    /// Only one class, in the table or in the labels: adds the problem.
    mutating func finish() {
        if classes.classes.count == 1, let only = classes.classes.first {
            problems.append(Self.onlyClass(only.name))
        }
        let found = pixels.indices.filter { pixels[$0] > 0 }
        guard pixels.count > 1, found.count == 1, let id = found.first else { return }
        problems.append(Self.oneClass(classes.classes[id].name, hasVoid: ignoredPixels > 0))
    }

    /// The message where the table has one class.
    package static func onlyClass(_ name: String) -> String {
        "'\(name)' is the only class, so there is nothing to tell apart: a network would see it in every pixel. Add a class for everything "
            + "else to the \(UserChoice.classes); where annotations do not cover it, name it as the \(UserChoice.unlabelled)."
    }

    /// The message where all labels are of one class.
    package static func oneClass(_ name: String, hasVoid: Bool) -> String {
        "all labelled pixels are '\(name)', so there is nothing to tell apart."
            + (hasVoid
                ? " All others are void. In masks of 0 and 255, 255 means void; the \(UserChoice.labelChange) 255=CLASS makes it a class."
                : " Check what the labels' numbers mean.")
    }
}
