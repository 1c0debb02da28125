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
