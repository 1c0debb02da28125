import SegNetImages
import SegNetPlatform

/// The first part of COCO's files.
private struct COCOInfo: Encodable {
    var description = "Made by SegNet for Swift"
    var version = "1.0"
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct COCOPicture: Encodable {
    var id: Int
    var file_name: String
    var width: Int
    var height: Int
}

private struct COCOCategory: Encodable {
    var id: Int
    var name: String
    var supercategory = ""
    /// Only in panoptic files.
    var isthing: Int?
    var color: [Int]
}

private enum COCOOutline: Encodable {
    case polygon([Double])
    case runs(RunLengths)

    private enum CodingKeys: String, CodingKey { case counts, size }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .polygon(let numbers):
            var list = encoder.unkeyedContainer()
            try list.encode(numbers)
        case .runs(let runs):
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(runs.compressed, forKey: .counts)
            try object.encode([runs.height, runs.width], forKey: .size)
        }
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct COCOInstance: Encodable {
    var id: Int
    var image_id: Int
    var category_id: Int
    var iscrowd = 0
    var area: Double
    /// Left, top, width, height.
    var bbox: [Double]
    var segmentation: COCOOutline
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct COCOSegments: Encodable {
    struct Segment: Encodable {
        var id: Int
        var category_id: Int
        var iscrowd = 0
        var area: Int
        var bbox: [Int]
    }

    var image_id: Int
    var file_name: String
    var segments_info: [Segment]
}

private struct COCODocument<Entry: Encodable>: Encodable {
    var info = COCOInfo()
    var licenses: [String] = []
    var images: [COCOPicture]
    var categories: [COCOCategory]
    /// Nil where they are written apart.
    var annotations: [Entry]?
}

extension AnnotationWriter {
    private func categories(isPanoptic: Bool) -> [COCOCategory] {
        classes.classes.enumerated().filter { !classes.isIgnored($0.offset) }.map { id, entry in
            COCOCategory(
                id: id + 1,
                name: entry.name,
                isthing: isPanoptic ? 0 : nil,
                color: [Int(entry.color.red), Int(entry.color.green), Int(entry.color.blue)]
            )
        }
    }

    private var cocoPictures: [COCOPicture] {
        pictures.enumerated().map { number, picture in
            COCOPicture(id: number + 1, file_name: picture.file, width: picture.width, height: picture.height)
        }
    }

    /// COCO's instances, picture by picture: an encoder takes ten times the memory of what it writes.
    func coco() throws -> Data {
        // Keys are sorted, and this is the first.
        var data = Data("{\"annotations\":[".utf8)
        var count = 0
        for (number, picture) in pictures.enumerated() where !picture.regions.isEmpty {
            if count > 0 { data.append(contentsOf: ",".utf8) }
            // Without the list's brackets, and the line's end behind them.
            data += try Self.json(instances(of: picture, number, after: count)).dropFirst().dropLast(2)
            count += picture.regions.count
        }
        data.append(contentsOf: "],".utf8)
        let rest = COCODocument<COCOInstance>(images: cocoPictures, categories: categories(isPanoptic: false))
        data += try Self.json(rest).dropFirst()
        return data
    }

    private func instances(of picture: Picture, _ number: Int, after count: Int) -> [COCOInstance] {
        picture.regions.enumerated().map { index, region in
            let bounds = region.polygon.bounds
            let outline =
                picture.runs.isEmpty
                ? COCOOutline.polygon(region.polygon.singleRing.flatMap { [$0.x, $0.y] })
                : .runs(picture.runs[index])
            return COCOInstance(
                id: count + index + 1,
                image_id: number + 1,
                category_id: Int(region.classID) + 1,
                area: region.polygon.area,
                bbox: [bounds.x, bounds.y, bounds.width, bounds.height],
                segmentation: outline
            )
        }
    }

    /// The name of a picture's PNG.
    public static func panopticName(of file: String) -> String {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        return (name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name) + ".png"
    }

    var panoptic: some Encodable {
        let lists = pictures.enumerated().map { number, picture in
            COCOSegments(
                image_id: number + 1,
                file_name: Self.panopticName(of: picture.file),
                segments_info: picture.segments.sorted { $0.key < $1.key }.map { id, segment in
                    let bounds = segment.bounds
                    return COCOSegments.Segment(
                        id: id + 1,
                        category_id: id + 1,
                        area: segment.pixels,
                        bbox: [bounds.x, bounds.y, bounds.width, bounds.height]
                    )
                }
            )
        }
        return COCODocument(images: cocoPictures, categories: categories(isPanoptic: true), annotations: lists)
    }
}
