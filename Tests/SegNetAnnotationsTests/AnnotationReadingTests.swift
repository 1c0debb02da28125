import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetAnnotations

/// `Files/make.py` made these files with pycocotools, labelme, datumaro and label-studio-sdk.
@Suite("Annotations that other programs wrote")
struct AnnotationReadingTests {
    private static func read(_ name: String) throws -> AnnotationSet {
        switch name {
        case "labelme.json": return AnnotationSet(labelme: [file(name)])
        case "cvat/train.xml": return try AnnotationSet(cvat: file(name))
        case "label-studio.json": return try AnnotationSet(labelStudio: file(name))
        case "yolo/labels/photo.txt":
            var set = AnnotationSet()
            set.addYOLO(file(name), picture: "photo.png", names: ["car", "tree"])
            return set
        default: return try AnnotationSet(coco: file(name))
        }
    }

    @Test(
        "say what the truth says, pixel by pixel",
        arguments: [
            "coco-compressed.json", "coco-counts.json", "panoptic/annotations/panoptic_train.json", "labelme.json",
            "cvat/train.xml", "label-studio.json", "yolo/labels/photo.txt",
        ]
    )
    func truth(name: String) throws {
        let set = try Self.read(name)
        #expect(set.problems.isEmpty)
        #expect(set.labels.map(\.name) == ["car", "tree"])
        let picture = try #require(set.pictures.first)
        #expect(set.pictures.count == 1)
        #expect(picture.file.hasSuffix("photo.png"))
        let map = try set.map(picture, width: 16, height: 12, numbers: ["car": 1, "tree": 2], unlabelled: 0)
        #expect(try map == LabelMap(path: file("truth.png")))
    }

    @Test("annotations without an outline are left out, with a note")
    func leftOut() throws {
        #expect(try Self.read("labelme.json").notes == ["labelme: 1 line or point encloses nothing; left out."])
        #expect(
            try Self.read("label-studio.json").notes
                == ["\(file("label-studio.json")): 1 result is not a polygon, brush or ellipse; left out."]
        )
    }

    @Test("a mask of CVAT lies in its rectangle, row after row")
    func cvatMask() throws {
        let scratch = try ScratchFolder()
        // The numbers that `make.py` prints.
        let path = try scratch.write(
            """
            <?xml version='1.0'?><!-- a comment --><annotations><version>1.1</version>
            <image id="0" name="a &amp; b.png" width="16" height="12">
            <mask label="tree" rle="3, 1, 4, 5, 2, 5, 1, 7, 1, 5, 2, 5, 4, 1, 3" left="8" top="1" width="7" height="7" z_order="1"/>
            <polygon label="car" points="1,2;11,2;11,10;1,10" z_order="0"/><box label="car" xtl="1" ytl="1" xbr="3" ybr="3"/>
            </image></annotations>
            """,
            "a.xml"
        )
        let set = try AnnotationSet(cvat: path)
        #expect(set.pictures[0].file == "a & b.png")
        #expect(set.notes == ["\(path): 1 box, line, point or tag has no outline; left out."])
        let map = try set.map(set.pictures[0], width: 16, height: 12, numbers: ["car": 1, "tree": 2], unlabelled: 0)
        #expect(try map == LabelMap(path: file("truth.png")))
    }

    @Test("labelme's rectangles, circles and __ignore__")
    func labelmeShapes() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            """
            {"imagePath": "..\\\\pictures\\\\a.png", "shapes": [
              {"label": "b", "points": [[4, 3], [0, 0]], "shape_type": "rectangle"},
              {"label": "a", "points": [[2, 2], [2, 3]], "shape_type": "circle"},
              {"label": "__ignore__", "points": [[3, 0], [4, 0], [4, 1], [3, 1]]}]}
            """,
            "a.json"
        )
        let set = AnnotationSet(labelme: [path])
        #expect(set.problems.isEmpty && set.labels.map(\.name) == ["a", "b"])
        #expect(set.pictures[0].file == "../pictures/a.png")
        let map = try set.pictures[0].labelMap(width: 5, height: 4, unlabelled: 7, void: 8)
        #expect(map.ids == [1, 1, 1, 8, 7, 1, 0, 0, 1, 7, 1, 0, 0, 1, 7, 7, 7, 7, 7, 7])
    }

    @Test("a picture of another size is refused, with both sizes")
    func otherSize() throws {
        let set = try Self.read("coco-counts.json")
        #expect(
            throws: AnnotationError(
                "\(file("coco-counts.json")): says that the picture photo.png is 16x12, but its file is 32x24. Annotate this file, or put "
                    + "the file that was annotated in its place."
            )
        ) { try set.pictures[0].labelMap(width: 32, height: 24, unlabelled: 0, void: 0) }
    }

    @Test("two sets are joined, with one list of labels")
    func append() throws {
        var set = AnnotationSet()
        set.append(try Self.read("yolo/labels/photo.txt"))
        var other = AnnotationSet(labelme: [file("labelme.json")])
        other.labels[0].color = Color(1, 2, 3)
        set.append(other)
        set.append(try Self.read("panoptic/annotations/panoptic_train.json"))
        #expect(set.labels == [AnnotationSet.Label("car", Color(1, 2, 3)), AnnotationSet.Label("tree")])
        for picture in set.pictures {
            let map = try set.map(picture, width: 16, height: 12, numbers: ["car": 1, "tree": 2], unlabelled: 0)
            #expect(try map == LabelMap(path: file("truth.png")))
        }
    }
}
