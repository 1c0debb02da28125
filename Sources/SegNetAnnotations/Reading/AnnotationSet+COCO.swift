import SegNetImages
import SegNetPlatform

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The parts of COCO's annotation file that are about pixels.
private struct COCOFile: Decodable {
    struct Picture: Decodable {
        var id: Int
        var file_name: String
        var width: Int?
        var height: Int?
    }

    struct Category: Decodable {
        var id: Int
        var name: String
        var color: [Int]?
    }

    struct Segment: Decodable {
        var id: UInt32
        var category_id: Int
    }

    struct Entry: Decodable {
        var id: Int?
        var image_id: Int
        var category_id: Int?
        var segmentation: COCOSegmentation?
        /// Panoptic files have these two instead.
        var file_name: String?
        var segments_info: [Segment]?
    }

    var images: [Picture]
    var annotations: [Entry]
    var categories: [Category]
}

/// Polygons or run lengths.
private enum COCOSegmentation: Decodable {
    case polygons([[Double]])
    case counts([Int], size: [Int])
    case text(String, size: [Int])

    private enum CodingKeys: String, CodingKey { case counts, size }

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: CodingKeys.self) {
            let size = try object.decode([Int].self, forKey: .size)
            if let text = try? object.decode(String.self, forKey: .counts) {
                self = .text(text, size: size)
            } else {
                self = .counts(try object.decode([Int].self, forKey: .counts), size: size)
            }
        } else {
            self = .polygons(try decoder.singleValueContainer().decode([[Double]].self))
        }
    }
}

extension COCOSegmentation {
    /// Height and width, of run lengths.
    fileprivate var size: [Int]? {
        switch self {
        case .polygons: nil
        case .counts(_, let size), .text(_, let size): size
        }
    }
}

extension AnnotationSet {
    /// Reads COCO's JSON: instances (polygons, run lengths in either form), or panoptic with its PNGs.
    ///
    /// Panoptic PNGs are looked for in the folder that has the file's name without `.json`, then without `annotations.`, and then next to
    /// the file.
    /// - Throws: `AnnotationError` if the file as a whole cannot be read; what is wrong with single annotations is in `problems`.
    public init(coco path: String) throws(AnnotationError) {
        let file = try AnnotationText.decode(
            COCOFile.self,
            try AnnotationText.read(path),
            path: path,
            format: "COCO's JSON"
        )
        self.init()
        var labels: [Int: Int] = [:]
        for category in file.categories {
            let color = category.color.flatMap { color in
                color.count == 3 && color.allSatisfy { 0...255 ~= $0 }
                    ? Color(UInt8(color[0]), UInt8(color[1]), UInt8(color[2])) : nil
            }
            let number = label(category.name, color)
            // In files that were joined by hand: which of the two an annotation means cannot be told.
            if let other = labels[category.id], other != number {
                let names = [self.labels[other].name, category.name].map { "'\(RawFileName.display($0))'" }
                throw AnnotationError(
                    "\(path): gives the id \(category.id) to two categories, \(names[0]) and \(names[1]); give each its own, in its annotations too."
                )
            }
            labels[category.id] = number
        }
        var indices: [Int: Int] = [:]
        for picture in file.images {
            guard indices[picture.id] == nil else {
                problems.append("\(path): has two pictures with the id \(picture.id); give each its own.")
                continue
            }
            indices[picture.id] = pictures.count
            pictures.append(
                AnnotatedPicture(
                    file: picture.file_name,
                    width: picture.width,
                    height: picture.height,
                    source: path
                )
            )
        }
        var boxes = 0
        for (number, entry) in file.annotations.enumerated() {
            let name = "annotation \(entry.id ?? number)"
            guard let index = indices[entry.image_id] else {
                problems.append(
                    "\(path): \(name) is for a picture with the id \(entry.image_id), which the file does not list. Export it again."
                )
                continue
            }
            // A picture without a size has that of its masks, so that a mask of another size is found.
            if pictures[index].width == nil, let size = entry.segmentation?.size, size.count == 2 {
                (pictures[index].height, pictures[index].width) = (size[0], size[1])
            }
            do throws(AnnotationError) {
                if let info = entry.segments_info, let png = entry.file_name {
                    pictures[index].segments = try Self.segments(info, png, path, labels)
                } else if let shape = try Self.shape(entry, of: pictures[index]) {
                    guard let category = entry.category_id, let label = labels[category] else {
                        throw AnnotationError(
                            "has the category \(entry.category_id.map(String.init) ?? "none"), which the file does not list. Export it again."
                        )
                    }
                    pictures[index].annotations.append(Annotation(label: label, shape: shape))
                } else {
                    boxes += 1
                }
            } catch {
                problems.append("\(path): \(name) of \(pictures[index].file) \(error)")
            }
        }
        if boxes > 0 {
            notes.append(
                "\(path): \(boxes) \(boxes == 1 ? "annotation has a box" : "annotations have boxes") but no outline; left out."
            )
        }
    }

    private static func shape(
        _ entry: COCOFile.Entry,
        of picture: AnnotatedPicture
    ) throws(AnnotationError) -> Annotation.Shape? {
        switch entry.segmentation {
        case nil: return nil
        case .polygons(let polygons):
            var rings: [[PixelPoint]] = []
            for polygon in polygons { rings.append(try RingNumbers.ring(polygon)) }
            return rings.isEmpty ? nil : .polygons(rings)
        case .counts(let counts, let size):
            let (width, height) = try Self.size(size, picture)
            return .runs(try RunLengths(width: width, height: height, counts: counts), left: 0, top: 0)
        case .text(let text, let size):
            let (width, height) = try Self.size(size, picture)
            return .runs(try RunLengths(width: width, height: height, compressed: text), left: 0, top: 0)
        }
    }

    /// - Parameter size: Height and width.
    private static func size(_ size: [Int], _ picture: AnnotatedPicture) throws(AnnotationError) -> (Int, Int) {
        guard size.count == 2, size[0] > 0, size[1] > 0 else {
            throw AnnotationError("has run lengths without a size; it is [height, width]. Export it again.")
        }
        if let width = picture.width, let height = picture.height, [height, width] != size {
            throw AnnotationError(
                "has run lengths for \(size[1])x\(size[0]), but its picture is \(width)x\(height); the sizes have to be equal. Export it again."
            )
        }
        return (size[1], size[0])
    }

    private static func segments(
        _ info: [COCOFile.Segment],
        _ png: String,
        _ path: String,
        _ labels: [Int: Int]
    ) throws(AnnotationError) -> AnnotatedPicture.Segments {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let stem = path.lowercased().hasSuffix(".json") ? String(path.dropLast(5)) : path
        let places = ["\(stem)/\(png)", "\(stem.replacing("annotations.", with: ""))/\(png)", "\(folder)\(png)"]
        guard let file = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw AnnotationError(
                "has the segments \(png), which are neither in \(stem)/ nor next to the file; put them in one of these places."
            )
        }
        var numbers: [UInt32: Int] = [:]
        for segment in info {
            guard let label = labels[segment.category_id] else {
                throw AnnotationError(
                    "has a segment of the category \(segment.category_id), which the file does not list. Export it again."
                )
            }
            numbers[segment.id] = label
        }
        return AnnotatedPicture.Segments(file: file, labels: numbers)
    }
}
