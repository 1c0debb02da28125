import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetAnnotations

@Suite("Bad annotations")
struct BadAnnotationTests {
    private static let head =
        #"{"images": [{"id": 1, "file_name": "a.png", "width": 4, "height": 3}], "categories": [{"id": 1, "name": "car"}], "annotations": ["#

    /// The one problem of a COCO file with one annotation, without the file's name.
    private static func problem(_ annotation: String) throws -> String {
        let scratch = try ScratchFolder()
        let path = try scratch.write(head + annotation + "]}", "a.json")
        let set = try AnnotationSet(coco: path)
        #expect(set.problems.count == 1 && set.pictures[0].annotations.isEmpty)
        return String((set.problems.first ?? "").dropFirst(path.count))
    }

    @Test(
        "of COCO are named, and left out",
        arguments: [
            (
                #"{"id": 5, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 1]]}"#,
                ": annotation 5 of a.png has a polygon of 2 points, which encloses nothing; at least 3 are needed. Redraw it, or delete it."
            ),
            (
                #"{"id": 5, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 1, 2]]}"#,
                ": annotation 5 of a.png has a polygon of 5 numbers; they have to be pairs of x and y, an even number. Export it again."
            ),
            (
                #"{"id": 5, "image_id": 2, "category_id": 1, "segmentation": [[0, 0, 1, 1, 2, 0]]}"#,
                ": annotation 5 is for a picture with the id 2, which the file does not list. Export it again."
            ),
            (
                #"{"id": 5, "image_id": 1, "category_id": 9, "segmentation": [[0, 0, 1, 1, 2, 0]]}"#,
                ": annotation 5 of a.png has the category 9, which the file does not list. Export it again."
            ),
            (
                #"{"id": 5, "image_id": 1, "category_id": 1, "segmentation": {"size": [3, 4], "counts": [5, 8]}}"#,
                ": annotation 5 of a.png has run lengths of more than the 12 pixels of 4x3; they reach beyond the picture. Export it "
                    + "again."
            ),
            (
                #"{"id": 5, "image_id": 1, "category_id": 1, "segmentation": {"size": [3, 4], "counts": [5, 6]}}"#,
                ": annotation 5 of a.png has run lengths of 11 pixels, but 4x3 has 12; the two have to be equal. Export it again."
            ),
            (
                #"{"id": 5, "image_id": 1, "category_id": 1, "segmentation": {"size": [3, 5], "counts": [15]}}"#,
                ": annotation 5 of a.png has run lengths for 5x3, but its picture is 4x3; the sizes have to be equal. Export it again."
            ),
            (
                #"{"id": 5, "image_id": 1, "category_id": 1, "segmentation": {"size": [3, 4], "counts": "o"}}"#,
                ": annotation 5 of a.png has compressed run lengths that end within a number. Export it again."
            ),
        ]
    )
    func coco(annotation: String, message: String) throws {
        #expect(try Self.problem(annotation) == message)
    }

    @Test("of COCO: masks of two sizes for a picture without one")
    func cocoSizes() throws {
        let masks = [[3, 4], [2, 4]].map {
            #"{"image_id": 1, "category_id": 1, "segmentation": {"size": \#($0), "counts": [\#($0[0] * $0[1])]}}"#
        }
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            #"{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "car"}], "annotations": ["#
                + masks.joined(separator: ", ") + "]}",
            "a.json"
        )
        let set = try AnnotationSet(coco: path)
        #expect(set.pictures[0].annotations.count == 1)
        #expect(set.problems.count == 1 && set.problems[0].contains("has run lengths for 4x2, but its picture is 4x3"))
    }

    @Test("of COCO: a picture that is listed twice, also at the end, keeps its place")
    func cocoTwice() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            #"""
            {"images": [{"id": 1, "file_name": "a.png", "width": 4, "height": 3}, {"id": 2, "file_name": "b.png", "width": 4, "height": 3},
                {"id": 1, "file_name": "a.png", "width": 4, "height": 3}],
             "categories": [{"id": 1, "name": "car"}],
             "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 3]]}]}
            """#,
            "a.json"
        )
        let set = try AnnotationSet(coco: path)
        #expect(set.problems == ["\(path): has two pictures with the id 1; give each its own."])
        #expect(set.pictures.map(\.annotations.count) == [1, 0])
    }

    @Test("ten thousand equal errors are ten thousand problems, and the file is still read")
    func many() throws {
        let scratch = try ScratchFolder()
        let bad = #"{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 1]]}"#
        let good = #"{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 3]]}"#
        let text = Self.head + Array(repeating: bad, count: 10_000).joined(separator: ",") + "," + good + "]}"
        let set = try AnnotationSet(coco: try scratch.write(text, "a.json"))
        #expect(set.problems.count == 10_000 && set.pictures[0].annotations.count == 1)
    }

    @Test(
        "files that are none are refused as a whole",
        arguments: [
            ("", "is empty; export it again."),
            ("  \n", "is empty; export it again."),
            (
                "{\"images\": [",
                "cannot be read as COCO's JSON: it is not JSON, or ends too early. Check that it is the right file, or export it again."
            ),
            (
                "{\"images\": [{\"id\": 1, \"file_name\": \"a.png\", \"width\": 96.5, \"height\": 3}], \"annotations\": [], \"categories\": []}",
                "cannot be read as COCO's JSON: a number in it does not fit (sizes and ids are whole numbers of at least 0). Check that it is the "
                    + "right file, or export it again."
            ),
            (
                "{\"images\": [], \"annotations\": [], \"categories\": [{\"id\": 7, \"name\": \"cat\"}, {\"id\": 7, \"name\": \"dog\"}]}",
                "gives the id 7 to two categories, 'cat' and 'dog'; give each its own, in its annotations too."
            ),
            (
                "{\"images\": []}",
                "cannot be read as COCO's JSON: 'annotations' is missing. Check that it is the right file, or export it again."
            ),
            (
                "{\"images\": [{\"id\": 1, \"file_name\": 7}], \"annotations\": [], \"categories\": []}",
                "cannot be read as COCO's JSON: 'images[0].file_name' has the wrong type. Check that it is the right file, or "
                    + "export it again."
            ),
        ]
    )
    func whole(text: String, message: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(text, "a.json")
        #expect(throws: AnnotationError("\(path): \(message)")) { try AnnotationSet(coco: path) }
    }

    @Test("a file that is not there")
    func missing() {
        #expect(throws: AnnotationError("/no/file: cannot be read; check the path and its permissions.")) {
            try AnnotationSet(cvat: "/no/file")
        }
    }

    @Test(
        "XML is refused with its line",
        arguments: [
            ("<annotations>\n<image", "line 2: has an element or attribute without a name."),
            ("<annotations>\n", "line 2: ends within the element 'annotations'."),
            ("<annotations></image>", "line 1: ends an element 'image' that is not open."),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>", "line 1: has a document type, which annotations do not need."),
            ("<annotations a=1/>", "line 1: has the attribute 'a' without quotes."),
            ("<annotations a='1' a='2'/>", "line 1: has the attribute 'a' twice in one element."),
            ("<annotations>&bomb;</annotations>", "line 1: has the unknown entity '&bomb;'."),
            ("<annotations/><annotations/>", "line 1: has a second outermost element."),
            ("text", "line 1: has text outside of its elements."),
            ("<!-- a", "line 1: ends before a '-->'."),
        ]
    )
    func xml(text: String, message: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(text, "a.xml")
        #expect(
            throws: AnnotationError("\(path): \(message) Check that it is the right file, or export it again.")
        ) { try AnnotationSet(cvat: path) }
    }

    @Test("a video of CVAT, and XML of another program")
    func cvat() throws {
        let scratch = try ScratchFolder()
        let video = try scratch.write("<annotations><track id='0' label='car'/></annotations>", "a.xml")
        #expect(
            throws: AnnotationError(
                "\(video): has tracks of a video, which are not read; export \"CVAT for images 1.1\" instead of \"CVAT for video\"."
            )
        ) { try AnnotationSet(cvat: video) }
        let other = try scratch.write("<annotation><filename>a.jpg</filename></annotation>", "b.xml")
        #expect(
            throws: AnnotationError(
                "\(other): its outermost element is 'annotation'; CVAT's is 'annotations'. Export \"CVAT for images 1.1\"."
            )
        ) { try AnnotationSet(cvat: other) }
    }

    @Test(
        "CVAT's bad shapes are named",
        arguments: [
            (
                "<polygon label='a' points='1,2;3'/>",
                "a polygon of a.png has a polygon of 2 points, which encloses nothing; at least 3 are needed. Redraw it, or delete it."
            ),
            (
                "<polygon label='a' points='1,2;3,x;4,5'/>",
                "a polygon of a.png has a point that is not two numbers. Export it again."
            ),
            ("<polygon points='1,2;3,3;4,5'/>", "a polygon of a.png has no label. Export it again."),
            (
                "<mask label='a' rle='1,9' left='0' top='0' width='2' height='2'/>",
                "a mask of a.png has run lengths of more than the 4 pixels of 2x2; they reach beyond the picture. Export it again."
            ),
            (
                "<mask label='a' rle='0,4' left='3' top='0' width='2' height='2'/>",
                "a mask of a.png of 2x2 pixels at 3, 0 reaches beyond the picture's 4x3. Export it again."
            ),
            (
                "<mask label='a' rle='0' left='0' top='0' width='99999999999' height='99999999999'/>",
                "a mask of a.png is a mask of 99999999999x99999999999, which fits in no picture. Export it again."
            ),
        ]
    )
    func cvatShapes(shape: String, message: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            "<annotations><image name='a.png' width='4' height='3'>\(shape)</image></annotations>",
            "a.xml"
        )
        #expect(try AnnotationSet(cvat: path).problems == ["\(path): \(message)"])
    }

    @Test("the depth of masks does not overflow", arguments: ["9223372036854775807", "-9223372036854775808"])
    func extremes(number: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            "<annotations><image name='a.png'><mask label='a' rle='0,4' left='\(number)' top='\(number)' width='2' height='2' z_order='\(number)'/></image></annotations>",
            "a.xml"
        )
        let set = try AnnotationSet(cvat: path)
        #expect(throws: AnnotationError.self) {
            try set.pictures[0].labelMap(width: 4, height: 3, unlabelled: 0, void: 0)
        }
    }

    @Test(
        "sizes that no picture of CVAT has do not overflow",
        arguments: ["0", "-9223372036854775808", "9223372036854775807"]
    )
    func extremePictures(number: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            "<annotations><image name='a.png' width='\(number)' height='\(number)'><mask label='a' rle='0,4' left='1' top='1' width='2' height='2'/></image></annotations>",
            "a.xml"
        )
        let problems = try AnnotationSet(cvat: path).problems
        let beyond =
            "\(path): a mask of a.png of 2x2 pixels at 1, 1 reaches beyond the picture's \(number)x\(number). Export it again."
        #expect(problems == (number.hasPrefix("9") ? [] : [beyond]))
    }

    @Test("a data.yaml of YOLO with more aliases than anybody writes")
    func aliases() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            "a: &a x\nnames: [\(Array(repeating: "*a", count: 17).joined(separator: ", "))]",
            "data.yaml"
        )
        #expect(
            throws: AnnotationError("\(path): has 17 aliases (*name), and at most 16 are read; write their values out.")
        ) { try YOLODescription(path: path) }
    }

    @Test(
        "Label Studio's bad brushes are named",
        arguments: [
            ([0, 0, 0], "ends too early"), ([0, 0, 0, 48, 57, 0, 0], "ends too early"),
            ([0, 0, 0, 49, 0], "has a brush of 49 bytes, but 4x3 needs 48"),
            ([0, 0, 0, 48, 256], "that are not bytes"), ([255, 255, 255, 255], "has a brush of 4294967295 bytes"),
        ]
    )
    func brushes(bytes: [Int], words: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            """
            [{"id": 3, "data": {"image": "a.png"}, "annotations": [{"result": [{"type": "brushlabels", "original_width": 4,
            "original_height": 3, "value": {"format": "rle", "rle": \(bytes), "brushlabels": ["a"]}}]}]}]
            """,
            "a.json"
        )
        let set = try AnnotationSet(labelStudio: path)
        #expect(set.problems.count == 1)
        #expect(set.problems[0].hasPrefix("\(path): task 3, a.png: a result "))
        #expect(set.problems[0].contains(words))
    }

    /// As large as a brush may say it is. Every second row is inside.
    private static let greatSide = 1 << 14

    @Test("a brush takes memory by what is in the file, until the picture's own size is known")
    func greatBrush() throws {
        let scratch = try ScratchFolder()
        var bits: [Bool] = []
        func add(_ number: Int, _ count: Int) {
            for bit in (0..<count).reversed() { bits.append(number >> bit & 1 == 1) }
        }
        add(4 * Self.greatSide * Self.greatSide, 32)
        add(7, 5)
        for _ in 0..<4 { add(15, 4) }
        for row in 0..<Self.greatSide {
            // A run with a length of 16 bits, of words of 8.
            add(0b100, 3)
            add(4 * Self.greatSide - 1, 16)
            add(row % 2 * 255, 8)
        }
        while bits.count % 8 > 0 { bits.append(false) }
        let bytes = stride(from: 0, to: bits.count, by: 8).map { at in
            bits[at..<at + 8].reduce(0) { 2 * $0 + ($1 ? 1 : 0) }
        }
        let path = try scratch.write(
            """
            [{"data": {"image": "a.png"}, "annotations": [{"result": [{"type": "brushlabels", "original_width": \(Self.greatSide),
            "original_height": \(Self.greatSide), "value": {"format": "rle", "rle": \(bytes), "brushlabels": ["a"]}}]}]}]
            """,
            "a.json"
        )
        try refuse(try AnnotationSet(labelStudio: path), path)
    }

    @Test("and so does a mask of CVAT")
    func greatMask() throws {
        let scratch = try ScratchFolder()
        let (side, rows) = (Self.greatSide, [String](repeating: "\(Self.greatSide)", count: Self.greatSide))
        let path = try scratch.write(
            """
            <annotations><image name="a.png" width="\(side)" height="\(side)">
            <mask label="a" rle="\(rows.joined(separator: ", "))" left="0" top="0" width="\(side)" height="\(side)"/></image></annotations>
            """,
            "a.xml"
        )
        try refuse(try AnnotationSet(cvat: path), path)
    }

    private func refuse(_ set: AnnotationSet, _ path: String) throws {
        let side = Self.greatSide
        #expect(set.problems.isEmpty)
        var picture = try #require(set.pictures.first)
        // Along columns there would be as many runs as pixels.
        guard case .rows(let runs, 0, 0) = picture.annotations.first?.shape else {
            Issue.record("\(picture.annotations.count) annotations")
            return
        }
        #expect(runs.counts.count == side && runs.area == side * side / 2)
        #expect(
            throws: AnnotationError(
                "\(path): says that the picture a.png is \(side)x\(side), but its file is 16x12. Annotate this file, or put the file that "
                    + "was annotated in its place."
            )
        ) { try picture.labelMap(width: 16, height: 12, unlabelled: 0, void: 1) }
        // Another result may state another size.
        (picture.width, picture.height) = (16, 12)
        #expect(
            throws: AnnotationError(
                "\(path): has a mask of \(side)x\(side) at 0, 0 in a.png, which reaches beyond the picture's 16x12. Export it again."
            )
        ) { try picture.labelMap(width: 16, height: 12, unlabelled: 0, void: 1) }
    }

    @Test(
        "lines of YOLO are named",
        arguments: [
            (
                "9 0 0 1 0 1 1",
                "line 1 has the class '9', which is not one of the 1 that the data set names. Correct one of them."
            ),
            (
                "0 0.5 0.5 1 1",
                "line 1 has a box (4 numbers) instead of a polygon (6 or more). Export segments, not boxes."
            ),
            (
                "0 0 0 1 0 1",
                "line 1 has a polygon of 5 numbers; they have to be pairs of x and y, an even number. Export it again."
            ),
            ("0 0 0 1 0 1 x", "line 1 has something that is not a number. Export it again."),
            (
                "0 0 0 640 0 640 480",
                "line 1 has a number beyond 0...1; points are fractions of the picture's sides. Export it again."
            ),
        ]
    )
    func yolo(line: String, message: String) throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(line + "\n", "a.txt")
        var set = AnnotationSet()
        set.addYOLO(path, picture: "a.jpg", names: ["car"])
        #expect(set.problems == ["\(path): \(message)"])
    }

    @Test("a polygon that crosses itself is found; one that touches itself is not")
    func crossing() throws {
        let tie = [PixelPoint(0, 0), PixelPoint(4, 4), PixelPoint(4, 0), PixelPoint(0, 4)]
        #expect(try #require(PixelPolygon.crossing(tie)) == (0, 2))
        for seed in 0..<10 as Range<UInt64> {
            for region in try ellipses(width: 60, height: 40, classes: 3, count: 30, seed: seed).regions(tolerance: 1) {
                #expect(PixelPolygon.crossing(region.polygon.singleRing) == nil)
            }
        }
        #expect(PixelPolygon.crossing([]) == nil)
    }
}
