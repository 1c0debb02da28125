import SegNetImages
import Testing

@testable import SegNetData

@Suite("Labels that mean another class")
struct LabelMeaningTests {
    private static func load(
        _ scratch: ScratchFolder,
        _ renaming: [String: String],
        _ kind: DatasetKind = .list
    ) throws -> [UInt16] {
        var options = DatasetOptions()
        options.validationShare = 0
        options.changes = try renaming.sorted { $0.key < $1.key }.map { try LabelChange("\($0)=\($1)") }
        return try onlyExample(Dataset.load(kind, directory: scratch.path, options: options)).labels
    }

    private static func scratch(_ ids: [UInt16]) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.labels("l.png", ids + Array(repeating: 0, count: 12 - ids.count))
        try scratch.write("a.png l.png\n", "train.txt")
        try scratch.write("ground\nplant\nstone\n", "classes.txt")
        return scratch
    }

    @Test("many to one, by number and by name, and to void")
    func words() throws {
        let scratch = try Self.scratch([0, 1, 2, 7, 8, 255])
        let labels = try Self.load(scratch, ["7": "plant", "8": "1", "stone": "Ground", "plant": "void"])
        #expect(Array(labels[0..<6]) == [0, Example.ignored, 0, 1, 1, Example.ignored])
    }

    @Test("a name means the numbers that the data set has for it")
    func sunRGBD() throws {
        let scratch = try Self.scratch([1, 2, 3, 0])
        // 1 is wall, 2 is floor in the files; classes begin at 0.
        let labels = try Self.load(scratch, ["floor": "wall", "3": "void"], .sunRGBD)
        #expect(Array(labels[0..<4]) == [0, 0, Example.ignored, Example.ignored])
    }

    @Test("of painted labels with colours of their own, the colours have names")
    func camVidColors() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.painted(
            "a_L.png",
            Array(repeating: Color(64, 128, 64), count: 6) + Array(repeating: Color(128, 64, 128), count: 6)
        )
        try scratch.write("a.png a_L.png\n", "train.txt")
        #expect(try Self.load(scratch, [:], .camVid)[0] == 9)
        #expect(try Self.load(scratch, ["Animal": "void"], .camVid)[0] == Example.ignored)
        #expect(
            message { _ = try Self.load(scratch, ["Cow": "Car"], .camVid) }.contains(
                "Pedestrian, Bicyclist, the labels' colours Animal, Archway, "
            )
        )
    }
}
