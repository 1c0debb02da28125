import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetAnnotations

@Suite("Annotations that we write")
struct AnnotationWritingTests {
    private static let table = ClassTable(
        name: "t",
        classes: [
            ClassTable.Entry("Road & \"Rail\"", Color(128, 64, 128)), ClassTable.Entry("<Sky>", Color(1, 2, 250)),
            ClassTable.Entry("Übergang, eins", Color(0, 9, 0)),
        ],
        ignoredIDs: [255]
    )
    private static let numbers: [String: UInt16] = ["Road & \"Rail\"": 0, "<Sky>": 1, "Übergang, eins": 2]

    /// A map with holes, regions that touch at corners, and void.
    private static func picture(_ seed: UInt64) throws -> LabelMap {
        let map = try ellipses(width: 61, height: 47, classes: 4, count: 25, seed: seed)
        return try LabelMap(width: 61, height: 47, ids: map.ids.map { $0 == 3 ? 255 : $0 })
    }

    private static func read(_ format: AnnotationFormat, _ path: String) throws -> AnnotationSet {
        switch format {
        case .coco, .cocoRLE, .cocoPanoptic: return try AnnotationSet(coco: path)
        case .labelme: return AnnotationSet(labelme: [path])
        case .cvat: return try AnnotationSet(cvat: path)
        case .labelStudio: return try AnnotationSet(labelStudio: path)
        case .geoJSON, .yolo:
            var set = AnnotationSet()
            set.addYOLO(path, picture: "a.jpg", names: table.classes.map(\.name))
            return set
        }
    }

    @Test(
        "give the same map when they are read",
        arguments: AnnotationFormat.allCases.filter { $0 != .geoJSON },
        0..<6 as Range<UInt64>
    )
    func roundTrip(format: AnnotationFormat, seed: UInt64) throws {
        let scratch = try ScratchFolder()
        var writer = AnnotationWriter(format, classes: Self.table, isPrediction: seed % 2 == 0)
        // A file for several pictures also has the others.
        if format.holdsSeveral { writer.add(try Self.picture(seed + 100), file: "other.jpg") }
        let map = try Self.picture(seed)
        writer.add(map, file: "a.jpg")
        let path = try scratch.write(try writer.data(), "panoptic_a.json")
        if format == .cocoPanoptic {
            try FileManager.default.createDirectory(atPath: scratch("panoptic_a"), withIntermediateDirectories: true)
            try writer.panopticImage(map).write(path: scratch("panoptic_a/a.png"))
            try writer.panopticImage(try Self.picture(seed + 100)).write(path: scratch("panoptic_a/other.png"))
        }
        let set = try Self.read(format, path)
        #expect(set.problems.isEmpty && set.notes.isEmpty)
        let picture = try #require(set.pictures.last)
        #expect(picture.file == "a.jpg")
        let found = try set.map(picture, width: 61, height: 47, numbers: Self.numbers, unlabelled: 255)
        #expect(found == map)
    }

    @Test("a noisy map survives as well", arguments: [AnnotationFormat.coco, .labelme, .cvat, .labelStudio, .yolo])
    func noisy(format: AnnotationFormat) throws {
        let scratch = try ScratchFolder()
        let map = try noise(width: 23, height: 19, classes: 3, seed: 4)
        var writer = AnnotationWriter(format, classes: Self.table)
        writer.add(map, file: "a.jpg")
        let set = try Self.read(format, try scratch.write(try writer.data(), "a.json"))
        #expect(set.problems.isEmpty)
        #expect(try set.map(set.pictures[0], width: 23, height: 19, numbers: Self.numbers, unlabelled: 255) == map)
    }

    @Test("COCO and CVAT keep the colours of classes")
    func colors() throws {
        let scratch = try ScratchFolder()
        for format in [AnnotationFormat.coco, .cvat, .cocoPanoptic] {
            let writer = AnnotationWriter(format, classes: Self.table)
            let set = try Self.read(format, try scratch.write(try writer.data(), "a"))
            #expect(set.labels.map(\.color) == Self.table.classes.map(\.color))
            #expect(set.labels.map(\.name) == Self.table.classes.map(\.name))
        }
    }

    @Test("COCO's format, by example")
    func coco() throws {
        var writer = AnnotationWriter(.coco, classes: Self.table)
        writer.add(try map("aab", "aab"), file: "x/a.jpg")
        let text = String(decoding: try writer.data(), as: UTF8.self)
        #expect(
            text.contains(
                #"{"area":2,"bbox":[2,0,1,2],"category_id":2,"id":2,"image_id":1,"iscrowd":0,"segmentation":[[2,0,3,0,3,2,2,2]]}"#
            )
        )
        #expect(text.contains(#"{"file_name":"x/a.jpg","height":2,"id":1,"width":3}"#))
    }

    @Test("COCO's list has the pictures one behind the other, those without a region too")
    func cocoPictures() throws {
        struct Document: Decodable {
            struct Region: Decodable {
                var id: Int
                var imageId: Int
            }
            var annotations: [Region]
        }
        let scratch = try ScratchFolder()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let void = try LabelMap(width: 3, height: 1, ids: [99, 99, 99])
        for maps in [[], [void], [void, try map("aab"), void, try map("bba"), try map("a"), void]] {
            var writer = AnnotationWriter(.coco, classes: Self.table)
            for (number, map) in maps.enumerated() { writer.add(map, file: "\(number).jpg") }
            let list = try decoder.decode(Document.self, from: writer.data()).annotations
            #expect(list.map(\.id) == Array(1..<list.count + 1))
            #expect(list.map(\.imageId) == (maps.count < 2 ? [] : [2, 2, 4, 4, 5]))
            let set = try AnnotationSet(coco: try scratch.write(try writer.data(), "a.json"))
            #expect(set.problems.isEmpty && set.pictures.count == maps.count)
        }
    }

    @Test(
        "a world file that gives pixels no place is refused by name",
        arguments: ["0 0 0 0 0 0", "1e308 0 0 -1 0 0", "1 2 2 4 0 0", "1 0 0 -1 1e300 0"]
    )
    func noPlace(text: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write(text, "a.wld")
        let numbers = text.split(separator: " ").compactMap { Double($0) }.map { "\($0)" }.joined(separator: ", ")
        #expect(
            throws: AnnotationError(
                "\(scratch("a.wld")): its numbers (\(numbers)) give the pixels no place on a map; correct it, or remove it."
            )
        ) { try Georeference(besides: scratch("a.jpg")) }
    }

    @Test("GeoJSON in pixels, and by a world file")
    func geoJSON() throws {
        let scratch = try ScratchFolder()
        var writer = AnnotationWriter(.geoJSON, classes: Self.table)
        let map = try map("aab", "aab")
        writer.add(map, file: "a.jpg")
        #expect(
            String(decoding: try writer.data(), as: UTF8.self).contains(
                #""coordinates":[[[2,0],[3,0],[3,2],[2,2],[2,0]]],"type":"Polygon""#
            )
        )
        // Half a metre to a pixel, north up; the middle of the first pixel lies at 1000.25, 2000.75.
        try scratch.write("0.5\r\n0\r\n0\r\n-0.5\r\n1000.25\r\n2000.75\r\n", "a.jgw")
        let place = try #require(try Georeference(besides: scratch("a.jpg")))
        #expect(place == Georeference(a: 0.5, b: 0, c: 1000, d: 0, e: -0.5, f: 2001))
        var other = AnnotationWriter(.geoJSON, classes: Self.table)
        other.add(map, file: "a.jpg", georeference: place)
        // Turned round, so that it goes anticlockwise with north up.
        #expect(
            String(decoding: try other.data(), as: UTF8.self).contains(
                "[[[1001,2000],[1001.5,2000],[1001.5,2001],[1001,2001],[1001,2000]]]"
            )
        )
        #expect(try Georeference(besides: scratch("b.jpg")) == nil)
        try scratch.write("0.5 0 0 -0.5 1000", "b.wld")
        #expect(
            throws: AnnotationError(
                "\(scratch("b.wld")): is not a world file, which has six lines with one number each; correct it, or remove it."
            )
        ) { try Georeference(besides: scratch("b.jpg")) }
    }

    @Test("CVAT's file is XML, whatever a picture is called")
    func names() throws {
        let scratch = try ScratchFolder()
        var writer = AnnotationWriter(.cvat, classes: Self.table)
        writer.add(try map("aab", "aab"), file: "a&\u{301} <\u{1}\n\"b\u{FFFF}é.jpg")
        let set = try AnnotationSet(cvat: try scratch.write(try writer.data(), "a.xml"))
        #expect(set.problems.isEmpty && set.pictures.map(\.file) == ["a&\u{301} <??\"b?é.jpg"])
    }

    @Test("a map of void alone has no annotation")
    func void() throws {
        let map = try LabelMap(width: 2, height: 2, ids: [255, 255, 255, 255])
        for format in AnnotationFormat.allCases {
            var writer = AnnotationWriter(format, classes: Self.table)
            writer.add(map, file: "a.jpg")
            let text = String(decoding: try writer.data(), as: UTF8.self)
            #expect(!text.contains("points") && !text.contains("\"area\"") && !text.contains("coordinates"))
        }
    }
}
