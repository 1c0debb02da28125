public import SegNetImages
public import SegNetPlatform

/// Writes label maps as annotations.
///
///     var writer = AnnotationWriter(.coco, classes: table, tolerance: 1)
///     writer.add(result.classes, file: "photo.jpg")
///     try writer.data().write(to: url)
///
/// Void pixels, and those with ids that are not in the table, belong to no annotation. In formats without holes a region with holes becomes
/// a single ring (`PixelPolygon.singleRing`). With a tolerance of 0, reading the files gives the same map again.
public struct AnnotationWriter: Sendable {
    /// What is written about one picture. It can be made on any thread.
    public struct Picture: Sendable {
        var file: String
        var width: Int
        var height: Int
        var regions: [LabelRegion]
        /// Pixels and bounds of each class, by id (COCO panoptic).
        var segments: [Int: (pixels: Int, bounds: (x: Int, y: Int, width: Int, height: Int))] = [:]
        /// Masks of the regions (COCO's run lengths).
        var runs: [RunLengths] = []
        var georeference: Georeference?
    }

    public let format: AnnotationFormat
    public let classes: ClassTable
    /// How far, in pixels, a corner that is left out may lie from the border that is written.
    public let tolerance: Double
    /// Whether the annotations come from a model and need review. Label Studio keeps these apart from people's.
    public let isPrediction: Bool
    private(set) var pictures: [Picture] = []

    public init(_ format: AnnotationFormat, classes: ClassTable, tolerance: Double = 0, isPrediction: Bool = false) {
        self.format = format
        self.classes = classes
        self.tolerance = tolerance
        self.isPrediction = isPrediction
    }

    /// Whether an id is written.
    private func isWritten(_ id: UInt16) -> Bool {
        classes.classes.indices.contains(Int(id)) && !classes.isIgnored(Int(id))
    }

    /// Traces a picture's regions.
    /// - Parameters:
    ///   - file: The picture's path or name, as it should be in the annotations.
    ///   - georeference: Where on Earth the pixels lie (GeoJSON).
    public func picture(_ map: LabelMap, file: String, georeference: Georeference? = nil) -> Picture {
        var picture = Picture(file: file, width: map.width, height: map.height, regions: [], georeference: georeference)
        switch format {
        case .cocoPanoptic: picture.segments = Self.segments(map).filter { isWritten(UInt16($0.key)) }
        case .cocoRLE:
            picture.regions = map.regions().filter { isWritten($0.classID) }
            picture.runs = picture.regions.map { Self.runs(of: $0, width: map.width, height: map.height) }
        default: picture.regions = map.regions(tolerance: tolerance).filter { isWritten($0.classID) }
        }
        return picture
    }

    /// A region as run lengths. Only the rectangle around it is painted: a picture has thousands of regions, most of them small.
    private static func runs(of region: LabelRegion, width: Int, height: Int) -> RunLengths {
        let bounds = region.polygon.bounds
        let (left, top) = (Int(bounds.x), Int(bounds.y))
        let count = Int(bounds.width) * Int(bounds.height)
        var mask = BinaryMask(
            width: Int(bounds.width),
            height: Int(bounds.height),
            checked: Array(repeating: false, count: count)
        )
        mask.fill(region.polygon.moved(x: -bounds.x, y: -bounds.y))
        return RunLengths(mask, left: left, top: top, width: width, height: height)
    }

    /// Adds a picture to the file.
    public mutating func add(_ picture: Picture) { pictures.append(picture) }

    /// Traces a picture's regions and adds them to the file.
    public mutating func add(_ map: LabelMap, file: String, georeference: Georeference? = nil) {
        add(picture(map, file: file, georeference: georeference))
    }

    /// The file with all pictures added so far.
    ///
    /// labelme's and YOLO's files describe one picture: the last that was added.
    public func data() throws -> Data {
        switch format {
        case .coco, .cocoRLE: try coco()
        case .cocoPanoptic: try Self.json(panoptic)
        case .labelme: try Self.json(labelme)
        case .cvat: Data(cvat.utf8)
        case .labelStudio: try Self.json(labelStudio)
        case .geoJSON: try Self.json(geoJSON)
        case .yolo: Data(yolo.utf8)
        }
    }

    /// A picture of the segment numbers in COCO's panoptic file: the class id plus 1, or 0 where there is no segment.
    public func panopticImage(_ map: LabelMap) throws(ImageError) -> Image {
        var pixels = [UInt8](repeating: 0, count: 3 * map.ids.count)
        for (index, id) in map.ids.enumerated() where isWritten(id) {
            let number = Int(id) + 1
            pixels[3 * index] = UInt8(number & 255)
            pixels[3 * index + 1] = UInt8(number >> 8 & 255)
            pixels[3 * index + 2] = UInt8(number >> 16)
        }
        return try Image(width: map.width, height: map.height, channels: 3, pixels: pixels)
    }

    static func json(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(0x0A)
        return data
    }

    private static func segments(
        _ map: LabelMap
    ) -> [Int: (pixels: Int, bounds: (x: Int, y: Int, width: Int, height: Int))] {
        var found: [Int: (pixels: Int, left: Int, top: Int, right: Int, bottom: Int)] = [:]
        for y in 0..<map.height {
            var x = 0
            while x < map.width {
                let start = x
                let id = map.ids[y * map.width + x]
                while x < map.width, map.ids[y * map.width + x] == id { x += 1 }
                let old = found[Int(id)] ?? (0, start, y, x, y)
                found[Int(id)] = (
                    old.pixels + x - start, min(old.left, start), old.top, max(old.right, x), max(old.bottom, y)
                )
            }
        }
        return found.mapValues { ($0.pixels, ($0.left, $0.top, $0.right - $0.left, $0.bottom - $0.top + 1)) }
    }
}
