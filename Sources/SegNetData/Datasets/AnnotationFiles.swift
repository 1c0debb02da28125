import SegNetAnnotations
import SegNetImages
internal import SegNetPlatform

/// The annotation files of a data set: their contents, and where their pictures are.
struct AnnotationFiles {
    let kind: DatasetKind
    /// The folder in which pictures are looked for.
    let folder: Folder
    private(set) var set = AnnotationSet()
    /// Every picture below the folder, by its name.
    private let pictures: [String: [String]]

    /// - Parameter path: A folder, or one annotation file.
    /// - Throws: `DatasetError` or `AnnotationError` if there are no annotations, or a file as a whole cannot be read.
    init(_ kind: DatasetKind, _ path: String) throws {
        self.kind = kind
        let file = Folder(path).isFile ? path : nil
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        var folder = Folder(file == nil ? path : parent.isEmpty ? "/" : parent)
        let usual = ["annotations", "Annotations"]
        // The pictures of `annotations/train.json` are next to that folder.
        if file != nil, usual.contains(folder.name), parent != "." {
            folder = Folder(parent.lastIndex(of: "/").map { String(parent[..<$0]) } ?? ".")
        }
        self.folder = folder
        let tree = Self.tree(folder)
        pictures = Dictionary(grouping: tree.filter { PictureFormat.isFileName($0) }) { Self.name($0) }
        switch kind {
        case .labelme: set = AnnotationSet(labelme: try files(file, tree, ["json"]).map { folder.path($0) })
        case .yolo: try readYOLO(file, tree)
        default:
            let endings = kind == .cvat ? ["xml"] : ["json"]
            for name in try files(file, tree.filter { $0.split(separator: "/").count <= 2 }, endings) {
                let path = folder.path(name)
                switch kind {
                case .coco: set.append(try AnnotationSet(coco: path))
                case .cvat: set.append(try AnnotationSet(cvat: path))
                default: set.append(try AnnotationSet(labelStudio: path))
                }
            }
        }
    }

    private func relative(_ path: String) -> String {
        path.hasPrefix(folder.path("")) ? String(path.dropFirst(folder.path("").count)) : path
    }

    /// All files below a folder, sorted, without names that begin with a dot.
    private static func tree(_ folder: Folder, _ relative: String = "", depth: Int = 0) -> [String] {
        guard depth < 6 else { return [] }
        return folder.files(relative.isEmpty ? "." : relative).flatMap { name in
            let path = relative.isEmpty ? name : "\(relative)/\(name)"
            return folder.hasFolder(path) ? tree(folder, path, depth: depth + 1) : [path]
        }
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The split of a picture: the one that its annotations name; otherwise the one that the name of their file says, or the closest of
    /// its folders; otherwise `train`.
    func split(of picture: AnnotatedPicture) -> String {
        if let subset = picture.split, !Self.isUnnamed(subset) { return Self.split(subset) ?? subset.lowercased() }
        var names = relative(picture.source).split(separator: "/").map(String.init)
        // A file for one picture is named like it, and `test/train_station.json` may show a train.
        if kind == .labelme || kind == .yolo { names.removeLast() }
        return names.reversed().lazy.compactMap(Self.split).first ?? "train"
    }

    /// Whether CVAT made up this name because the task has no subset: `default`, or `default_1` where a user's own subset is called
    /// `default`.
    private static func isUnnamed(_ subset: String) -> Bool {
        let words = subset.split(separator: "_", maxSplits: 1)
        return words.isEmpty || (words[0] == "default" && words.dropFirst().allSatisfy { Int($0) != nil })
    }

    /// The split that a word of a name says: "instances_val2017.json" is val, "interval.json" is not.
    private static func split(_ name: String) -> String? {
        let words = Set(name.lowercased().split { !$0.isLetter })
        if !words.isDisjoint(with: ["train", "training"]) { return "train" }
        if !words.isDisjoint(with: ["val", "valid", "validation"]) { return "val" }
        return words.isDisjoint(with: ["test", "testing"]) ? nil : "test"
    }

    /// The annotation files.
    private func files(_ file: String?, _ tree: [String], _ endings: [String]) throws -> [String] {
        if let file { return [relative(file)] }
        // COCO's folder also has files about other things.
        let others = ["captions_", "person_keypoints_", "image_info_", "stuff_"]
        var found = tree.filter { path in
            endings.contains { path.lowercased().hasSuffix(".\($0)") }
                && !others.contains { Self.name(path).hasPrefix($0) }
                // The table of classes.
                && path != "classes.json"
        }
        if found.contains(where: { Self.name($0).hasPrefix("instances_") }) {
            found.removeAll { Self.name($0).hasPrefix("panoptic_") }
        }
        guard !found.isEmpty else {
            throw DatasetError(
                "\(folder.directory): holds no annotations of the kind '\(kind.rawValue)' (\(kind.layout)); give the \(UserChoice.data) that "
                    + "holds them, or the file itself."
            )
        }
        return found
    }

    // MARK: YOLO

    private mutating func readYOLO(_ file: String?, _ tree: [String]) throws {
        let description =
            file.map(relative) ?? tree.first { !$0.contains("/") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }
        let yaml = try description.map { try YOLODescription(path: folder.path($0)) }
        let names = try yaml?.names ?? classNames()
        let all = tree.filter {
            PictureFormat.isFileName($0) && !$0.split(separator: "/").dropLast().contains("labels")
        }
        guard !all.isEmpty else {
            throw DatasetError(
                "\(folder.directory): holds no pictures; put them into images/, and their text files into labels/."
            )
        }
        var used: [(file: String, split: String?)] = all.map { ($0, nil) }
        if let yaml, let description, !yaml.splits.isEmpty {
            let splits = try YOLOSplits(yaml, folder.path(description), folder, all)
            used = splits.pictures.map { ($0.file, $0.split) }
            set.problems += splits.problems
            set.notes += splits.notes
        }
        let texts = Set(tree.filter { $0.lowercased().hasSuffix(".txt") })
        for (picture, split) in used {
            let text = Self.textPlaces(of: picture).first(where: texts.contains)
            let before = set.pictures.count
            set.addYOLO(text.map { folder.path($0) }, picture: folder.path(picture), names: names)
            guard set.pictures.count > before else { continue }
            set.pictures[before].split = split
        }
    }

    private func classNames() throws -> [String] {
        guard folder.has("classes.txt") else {
            throw DatasetError(
                "\(folder.directory): holds no data.yaml and no classes.txt, so that nothing names its classes; add one of them, or give "
                    + "the \(UserChoice.data) that holds them."
            )
        }
        return try ClassTable(path: folder.path("classes.txt")).classes.map(\.name)
    }

    /// Where the text file of a picture may be: in a folder `labels` in place of a folder `images`, the last one first; in a `labels` with
    /// the same folders; or next to the picture.
    private static func textPlaces(of picture: String) -> [String] {
        let stem = Folder.stem(picture)
        let parts = stem.split(separator: "/")
        let mirrored = parts.indices.dropLast().reversed().filter { parts[$0] == "images" }.map { index in
            (parts[..<index] + ["labels"] + parts[(index + 1)...]).joined(separator: "/")
        }
        return (mirrored + ["labels/\(stem)", stem]).map { "\($0).txt" }
    }

    // MARK: Pictures

    /// The file of an annotated picture: its name is a path from the annotation file or from the folder, or it is the only file with that
    /// name below the folder.
    /// - Throws: `DatasetError` if there is none, or if there are several.
    func file(of picture: AnnotatedPicture) throws(DatasetError) -> String {
        let name = picture.file
        // YOLO's pictures were found before their annotations.
        if kind == .yolo { return name }
        if name.hasPrefix("/"), FileManager.default.fileExists(atPath: name) { return name }
        let beside = picture.source.lastIndex(of: "/").map { String(picture.source[...$0]) } ?? ""
        // CVAT names the folders of pictures as its subsets.
        let splits = [picture.split, split(of: picture)].compactMap { $0 }
        let places =
            [beside + name, folder.path(name), folder.path("images/\(name)")]
            + splits.map { folder.path("images/\($0)/\(name)") }
        if !name.hasPrefix("/"), let found = places.first(where: { FileManager.default.isFolder($0) == false }) {
            return found
        }
        // Label Studio puts eight letters and a dash before the names of files that were uploaded.
        var names = [Self.name(name)]
        if let dash = names[0].firstIndex(of: "-"), names[0][..<dash].utf8.count == 8,
            names[0][..<dash].allSatisfy(\.isHexDigit)
        {
            names.append(String(names[0][names[0].index(after: dash)...]))
        }
        for last in names {
            let found = pictures[last] ?? []
            if found.count == 1 { return folder.path(found[0]) }
            if let near = [last, "images/\(last)"].first(where: found.contains) { return folder.path(near) }
            if let first = found.first {
                if let exact = found.first(where: { name.hasSuffix("/\($0)") }) { return folder.path(exact) }
                throw DatasetError(
                    "\(picture.source): names the picture '\(name)', and there are several with that name in \(folder.directory), such as \(first) "
                        + "and \(found[1]); rename them, or name them with their folders."
                )
            }
        }
        throw DatasetError(
            "\(picture.source): names the picture '\(name)', which is not in \(folder.directory); put it there, or give the \(UserChoice.data) "
                + "that holds both."
        )
    }
}
