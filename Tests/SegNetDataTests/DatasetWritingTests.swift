import Foundation
import SegNetAnnotations
import SegNetImages
import Testing

@testable import SegNetData

@Suite("Writing a data set")
struct DatasetWritingTests {
    @Test("leaves a link among the files a link, and replaces its file")
    func links() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("data/images/a.png")
        try scratch.labels("data/labels/a.png", [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
        try scratch.write("one 1 2 3\ntwo 4 5 6\n", "data/classes.txt")
        try scratch.write("old", "kept.txt")
        try FileManager.default.createDirectory(atPath: scratch("out"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: scratch("out/data.yaml"),
            withDestinationPath: "../kept.txt"
        )
        let written = try Dataset.load(.folder, directory: scratch("data"))
            .writeAnnotations(.yolo, to: scratch("out"), tolerance: 0)
        #expect(written.count == 1 && written.problems.isEmpty, "\(written.problems)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch("out/data.yaml")) == "../kept.txt")
        #expect(
            try String(contentsOfFile: scratch("kept.txt"), encoding: .utf8)
                == "train: images/train\nnames:\n  0: \"one\"\n  1: \"two\"\n"
        )
    }

    @Test("keeps a table with the same classes that is there, and refuses to replace another one")
    func classes() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("data/images/a.png")
        try scratch.labels("data/labels/a.png", Array(repeating: 1, count: 12))
        try scratch.write("one 1 2 3\ntwo 4 5 6\n", "data/classes.txt")
        let dataset = try Dataset.load(.folder, directory: scratch("data"))
        let own = "# My notes.\none 1 2 3\ntwo 4 5 6\n"
        try scratch.write(own, "same/classes.txt")
        #expect(try dataset.writeFolder(to: scratch("same")).count == 1)
        #expect(try String(contentsOfFile: scratch("same/classes.txt"), encoding: .utf8) == own)
        try scratch.write("three 1 2 3\n", "other/classes.txt")
        #expect(
            message { _ = try dataset.writeFolder(to: scratch("other")) }
                == "\(scratch("other"))/classes.txt: already exists; choose another output folder, so that data sets are not mixed."
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch("other")) == ["classes.txt"])
    }

    @Test("of more than 255 classes has void at 65535, so that 255 is a class", arguments: [DatasetKind.folder, .list])
    func manyClasses(kind: DatasetKind) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("data/images/a.png")
        let numbers: [UInt16] = [0, 5, 254, 255, 256, 299, 65_535, 255, 255, 1, 1, 1]
        try scratch.labels("data/labels/a.png", numbers)
        try scratch.write("images/a.png labels/a.png\n", "data/train.txt")
        try scratch.write((0..<300).map { "c\($0)\n" }.joined(), "data/classes.txt")
        let dataset = try Dataset.load(kind, directory: scratch("data"))
        // In examples void is 65535, whatever the files have.
        #expect(try onlyExample(dataset).labels == numbers)
        let written = try dataset.writeFolder(to: scratch("out"))
        #expect(written.count == 1 && written.problems.isEmpty, "\(written.problems)")
        #expect(try LabelMap(path: scratch("out/labels/a.png")).ids == numbers)
        #expect(try onlyExample(Dataset.load(.folder, directory: scratch("out"))).labels == numbers)
    }

    @Test("of annotations with more than 255 labels can be read again, void included")
    func manyLabels() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("in/a.png")
        let categories = (0..<300).map { #"{"id": \#($0 + 1), "name": "c\#($0)"}"# }.joined(separator: ", ")
        let shapes = [(1, 0), (256, 1), (257, 2)].map { id, y in
            #"{"image_id": 1, "category_id": \#(id), "segmentation": [[0, \#(y), 2, \#(y), 2, \#(y + 1), 0, \#(y + 1)]]}"#
        }.joined(separator: ", ")
        try scratch.write(
            #"{"images": [{"id": 1, "file_name": "a.png", "width": 4, "height": 3}], "#
                + #""annotations": [\#(shapes)], "categories": [\#(categories)]}"#,
            "in/coco.json"
        )
        let dataset = try Dataset.load(.coco, directory: scratch("in/coco.json"))
        let labels = try onlyExample(dataset).labels
        #expect(Set(labels) == [0, 255, 256, Example.ignored])
        #expect(try dataset.writeFolder(to: scratch("out")).count == 1)
        #expect(try onlyExample(Dataset.load(.folder, directory: scratch("out"))).labels == labels)
    }

    @Test(
        "as annotations keeps classes that no line of classes.txt can hold",
        arguments: [(AnnotationFormat.labelme, DatasetKind.labelme), (.labelStudio, .labelStudio), (.yolo, .yolo)]
    )
    func classNames(format: AnnotationFormat, kind: DatasetKind) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("data/images/a.png")
        try scratch.labels("data/labels/a.png", Array(repeating: 1, count: 12))
        try scratch.write(
            #"{"name": "data", "classes": [{"name": "z", "color": [1, 2, 3]}, {"name": "a, b", "color": [4, 5, 6]}], "ignoredIDs": [255]}"#,
            "data/classes.json"
        )
        let dataset = try Dataset.load(.folder, directory: scratch("data"))
        let written = try dataset.writeAnnotations(format, to: scratch("out"), tolerance: 0)
        #expect(written.count == 1 && written.problems.isEmpty, "\(written.problems)")
        let back = try Dataset.load(kind, directory: scratch("out"))
        #expect(back.classes.classes == dataset.classes.classes)
        #expect(try onlyExample(back).labels == Array(repeating: 1, count: 12))
    }

    @Test("makes a file also of annotations that are empty")
    func empty() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("data/images/a.png")
        try scratch.labels("data/labels/a.png", Array(repeating: 255, count: 12))
        try scratch.write("one 1 2 3\ntwo 4 5 6\n", "data/classes.txt")
        let written = try Dataset.load(.folder, directory: scratch("data"))
            .writeAnnotations(.yolo, to: scratch("out"), tolerance: 0)
        #expect(written.count == 1 && written.problems.isEmpty, "\(written.problems)")
        let label = try Data(contentsOf: URL(filePath: scratch("out/labels/train/a.txt")))
        #expect(label.isEmpty)
    }
}
