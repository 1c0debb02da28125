package import SegNetAnnotations
public import SegNetImages
internal import SegNetPlatform

extension Dataset {
    /// The drawn or stored labels of a sample, mapped to class ids; `Example.ignored` where there is no ground truth.
    /// - Throws: As `example` does.
    public func labels(of sample: Sample) throws -> LabelMap {
        switch sample.source {
        case .files(_, let label): return try ids(label)
        case .annotated(let image, let annotated, let count):
            let header = try PictureHeader(path: image)
            let ids = try ids(annotated, count, width: header.width, height: header.height)
            return try LabelMap(width: header.width, height: header.height, ids: ids)
        case .street:
            let example = try example(sample)
            return try LabelMap(width: example.width, height: example.height, ids: example.labels)
        }
    }

    /// The number in label files for pixels without ground truth.
    private var voidNumber: Int { ClassTable.usualVoid(classCount: classes.classes.count) }

    /// Writes the data set as a data set of the kind `folder`: `images/SPLIT`, `labels/SPLIT` and `classes.txt`.
    /// - Parameters:
    ///   - output: The folder; it must hold neither images/ nor labels/, nor a table of other classes.
    ///   - progress: Called before each sample with its split.
    /// - Returns: How many pictures were written, and what is wrong with the others.
    /// - Throws: `DatasetError` if the folder cannot be written to.
    package func writeFolder(
        to output: String,
        progress: (_ split: String, Sample) -> Void = { _, _ in }
    ) throws -> (count: Int, problems: [String]) {
        let folder = Folder(output)
        let keepsClasses = holdsSameClasses(folder)
        try Self.requireNone(of: ["images", "labels"] + (keepsClasses ? [] : Self.classFiles), in: output)
        var count = 0
        var problems: [String] = []
        let isDivided = splits.filter { !$0.value.isEmpty }.keys.sorted() != ["train"]
        for split in splitNames {
            try requireUniqueNames(split)
            let prefix = isDivided ? "/\(split)" : ""
            for part in ["images", "labels"] { try Self.make(folder.path(part + prefix)) }
            for sample in splits[split] ?? [] {
                progress(split, sample)
                do {
                    let map = try labels(of: sample)
                    let target = try copyPicture(of: sample, to: folder.path("images\(prefix)"))
                    let label = folder.path("labels\(prefix)/\(sample.name).png")
                    do { try map.write(path: label, void: voidNumber) } catch {
                        try? FileManager.default.removeItem(atPath: target)
                        throw error
                    }
                    count += 1
                } catch { problems.append("\(error)") }
            }
        }
        if !keepsClasses { try writeClasses(folder) }
        return (count, problems)
    }

    private static let classFiles = ["classes.txt", "classes.json"]

    /// Whether a folder has a table with these classes already, which somebody may have written: it stays as it is.
    private func holdsSameClasses(_ folder: Folder) -> Bool {
        let there = Self.classFiles.filter(folder.isTaken)
        guard there.count == 1, let table = try? ClassTable(path: folder.path(there[0])) else { return false }
        return table.classes == classes.classes
    }

    /// Sees that a folder does not hold parts of a data set already, which would be replaced or mixed with those of another.
    /// - Throws: `DatasetError` naming the part that is there.
    package static func requireNone(of parts: [String], in output: String) throws(DatasetError) {
        let folder = Folder(output)
        for part in parts where folder.isTaken(part) {
            throw DatasetError(
                "\(folder.path(part)): already exists; choose another \(UserChoice.output), so that data sets are not mixed."
            )
        }
    }

    private static func make(_ folder: String) throws(DatasetError) {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw DatasetError(
                "\(folder): cannot be made; choose another \(UserChoice.output), or check its permissions."
            )
        }
    }

    private static func write(_ data: Data, to path: String) throws(DatasetError) {
        do { try FileAccess.write(Array(data), to: path) } catch {
            throw DatasetError("\(path): cannot be written; check the permissions of its folder and the disk.")
        }
    }

    /// Copies a sample's picture unchanged, under the sample's name.
    /// - Returns: Its new path.
    private func copyPicture(of sample: Sample, to folder: String) throws -> String {
        let image: String
        switch sample.source {
        case .files(let images, _): image = images[0]
        case .annotated(let path, _, _): image = path
        case .street(let seed):
            let size = size ?? .camVid
            let target = "\(folder)/\(sample.name).png"
            try StreetScene(seed: seed, width: size.width, height: size.height).image.write(path: target)
            return target
        }
        let ending = image.split(separator: ".").last.map(String.init) ?? "png"
        let target = "\(folder)/\(sample.name).\(ending)"
        guard let data = FileManager.default.contents(atPath: image) else {
            throw DatasetError("\(image): cannot be read; check its permissions.")
        }
        try Self.write(data, to: target)
        return target
    }

    private func writeClasses(_ folder: Folder) throws {
        var lines = classes.classes.map { "\($0.name) \($0.color.red) \($0.color.green) \($0.color.blue)" }
        let void = classes.ignoredColor
        lines += ["void \(void.red) \(void.green) \(void.blue)", ""]
        let path = folder.path("classes.txt")
        try Self.write(Data(lines.joined(separator: "\n").utf8), to: path)
        // Some names cannot be written as text: those with commas, or the name void.
        if let read = try? ClassTable(path: path), read.classes == classes.classes { return }
        try? FileManager.default.removeItem(atPath: path)
        var table = classes
        table.ignoredIDs = [voidNumber]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try Self.write(try encoder.encode(table), to: folder.path("classes.json"))
    }
}

// MARK: Annotations

extension Dataset {
    /// Writes the data set as annotations, with its pictures, in the layout that the format's programs expect, and a table of classes
    /// where the format has no place for it.
    /// - Parameters:
    ///   - format: The format.
    ///   - output: The folder; made if it is missing.
    ///   - tolerance: How far, in pixels, borders may be simplified; 0: exact.
    ///   - names: The splits; nil: all.
    ///   - copiesPictures: Whether pictures are copied along.
    ///   - progress: Called before each sample with its split.
    /// - Returns: How many pictures were written, and what is wrong with the others.
    package func writeAnnotations(
        _ format: AnnotationFormat,
        to output: String,
        tolerance: Double,
        splits names: [String]? = nil,
        copiesPictures: Bool = true,
        progress: (_ split: String, Sample) -> Void = { _, _ in }
    ) throws -> (count: Int, problems: [String]) {
        var count = 0
        var problems: [String] = []
        for split in names ?? splitNames {
            let samples = try samples(of: split)
            try requireUniqueNames(split)
            let layout = ExportLayout(format, Folder(output), split)
            for folder in layout.folders(copiesPictures: copiesPictures) { try Self.make(folder) }
            var writer = AnnotationWriter(format, classes: classes, tolerance: tolerance)
            for sample in samples {
                progress(split, sample)
                do {
                    let map = try labels(of: sample)
                    let ending = Self.ending(of: sample)
                    if copiesPictures { _ = try copyPicture(of: sample, to: layout.pictures) }
                    let file = layout.pictureName("\(sample.name).\(ending)")
                    // A file for one picture contains no others.
                    if layout.file == nil { writer = AnnotationWriter(format, classes: classes, tolerance: tolerance) }
                    let place =
                        format == .geoJSON
                        ? try Self.picture(of: sample).flatMap { try Georeference(picture: $0) } : nil
                    writer.add(map, file: file, georeference: place)
                    if let path = layout.file(of: sample.name) { try Self.write(try writer.data(), to: path) }
                    if format == .cocoPanoptic {
                        let png = AnnotationWriter.panopticName(of: file)
                        try writer.panopticImage(map).write(path: "\(layout.segments)/\(png)")
                    }
                    count += 1
                } catch { problems.append("\(error)") }
            }
            if let path = layout.file { try Self.write(try writer.data(), to: path) }
        }
        if format == .yolo { try writeYOLODescription(Folder(output), names ?? splitNames) }
        // Reading these finds the table, and gives back unused classes, the order and the colours.
        if !format.holdsClasses { try writeClasses(Folder(output)) }
        return (count, problems)
    }

    private static func ending(of sample: Sample) -> String {
        picture(of: sample)?.split(separator: ".").last.map(String.init) ?? "png"
    }

    /// The path of a sample's picture; nil for one that is rendered.
    private static func picture(of sample: Sample) -> String? {
        switch sample.source {
        case .files(let images, _): images[0]
        case .annotated(let image, _, _): image
        case .street: nil
        }
    }

    private func writeYOLODescription(_ folder: Folder, _ names: [String]) throws(DatasetError) {
        var lines = names.map { "\($0): images/\($0)" }
        lines.append("names:")
        for (id, entry) in classes.classes.enumerated() {
            lines.append("  \(id): \"\(entry.name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"")
        }
        try Self.write(Data((lines + [""]).joined(separator: "\n").utf8), to: folder.path("data.yaml"))
    }
}

extension AnnotationFormat {
    /// Whether its files have all classes in their order, with colours; those of GeoJSON are not read.
    fileprivate var holdsClasses: Bool {
        switch self {
        case .coco, .cocoRLE, .cocoPanoptic, .cvat, .geoJSON: true
        case .labelme, .labelStudio, .yolo: false
        }
    }
}

/// Where the files of an exported split are.
private struct ExportLayout {
    let format: AnnotationFormat
    let folder: Folder
    let split: String

    init(_ format: AnnotationFormat, _ folder: Folder, _ split: String) {
        (self.format, self.folder, self.split) = (format, folder, split)
    }

    /// The folder of the pictures. labelme looks for them next to its files.
    var pictures: String { folder.path(format == .labelme ? split : "images/\(split)") }

    /// The folder of the PNGs of COCO's panoptic format.
    var segments: String { folder.path("annotations/panoptic_\(split)") }

    /// The file for all pictures; nil if each has its own.
    var file: String? {
        switch format {
        case .coco, .cocoRLE: folder.path("annotations/instances_\(split).json")
        case .cocoPanoptic: folder.path("annotations/panoptic_\(split).json")
        case .cvat: folder.path("\(split).xml")
        case .labelStudio: folder.path("\(split).json")
        case .geoJSON: folder.path("\(split).geojson")
        case .labelme, .yolo: nil
        }
    }

    /// The file for one picture; nil if there is one for all.
    func file(of name: String) -> String? {
        switch format {
        case .labelme: folder.path("\(split)/\(name).json")
        case .yolo: folder.path("labels/\(split)/\(name).txt")
        default: nil
        }
    }

    /// A picture's name in the annotations.
    func pictureName(_ name: String) -> String {
        format == .labelStudio || format == .geoJSON ? "images/\(split)/\(name)" : name
    }

    func folders(copiesPictures: Bool) -> [String] {
        var folders = [folder.directory]
        if copiesPictures { folders.append(pictures) }
        switch format {
        case .coco, .cocoRLE: folders.append(folder.path("annotations"))
        case .cocoPanoptic: folders.append(segments)
        case .labelme: folders.append(folder.path(split))
        case .yolo: folders.append(folder.path("labels/\(split)"))
        case .cvat, .labelStudio, .geoJSON: break
        }
        return folders
    }
}
