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
            atPath: scratch("out/classes.txt"),
            withDestinationPath: "../kept.txt"
        )
        let written = try Dataset.load(.folder, directory: scratch("data")).writeFolder(to: scratch("out"))
        #expect(written.count == 1 && written.problems.isEmpty, "\(written.problems)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch("out/classes.txt")) == "../kept.txt")
        #expect(try String(contentsOfFile: scratch("kept.txt"), encoding: .utf8).hasPrefix("one 1 2 3\ntwo 4 5 6\n"))
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
