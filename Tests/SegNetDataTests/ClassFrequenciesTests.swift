import Foundation
import SegNetImages
import Testing

@testable import SegNetData

@Suite("Class frequencies and weights")
struct ClassFrequenciesTests {
    @Test("weights are the median frequency over the classes that occur, 0 for one that never does")
    func weights() {
        var counts = ClassFrequencies(classCount: 4)
        // Picture 1: 6 of class 0, 2 of class 1, 2 void. Picture 2: 5 of class 0, 5 of class 2.
        counts.add([0, 0, 0, 0, 0, 0, 1, 1, Example.ignored, Example.ignored])
        counts.add([0, 0, 0, 0, 0, 2, 2, 2, 2, 2])
        #expect(counts.pixels == [11, 2, 5, 0] && counts.ignoredPixels == 2)
        #expect(counts.pixelsOfPictures == [20, 10, 10, 0] && counts.pictures == [2, 1, 1, 0])
        // f = 0.55, 0.2, 0.5; median 0.5.
        let expected: [Float] = [0.5 / 0.55, 2.5, 1, 0]
        for (found, expected) in zip(counts.medianFrequencyWeights, expected) { #expect(abs(found - expected) < 1e-6) }
    }

    @Test("of no labelled pixel all weights are 0")
    func nothing() {
        #expect(ClassFrequencies(classCount: 2).medianFrequencyWeights == [0, 0])
    }

    @Test("a file of weights is read by name in any order; what is wrong is said with the line")
    func files() throws {
        let scratch = try ScratchFolder()
        try scratch.write("# weights\nbig thing 2.5\nground 0.5\n", "w.txt")
        #expect(try ClassWeights.read(scratch("w.txt"), classes: ["ground", "big thing"]) == [0.5, 2.5])
        // Some editors begin a file with a byte-order mark.
        try scratch.write("\u{FEFF}ground 0.5\n", "w.txt")
        #expect(try ClassWeights.read(scratch("w.txt"), classes: ["ground"]) == [0.5])
        try scratch.write("ground 0.5\n", "w.txt")
        #expect(
            message { _ = try ClassWeights.read(scratch("w.txt"), classes: ["ground", "sky"]) }
                == "\(scratch("w.txt")): gives no weight for sky."
        )
        try scratch.write("ground -1\n", "w.txt")
        #expect(message { _ = try ClassWeights.read(scratch("w.txt"), classes: ["ground"]) }.contains("line 1"))
        try scratch.write("moon 1\n", "w.txt")
        #expect(
            message { _ = try ClassWeights.read(scratch("w.txt"), classes: ["ground"]) }
                == "\(scratch("w.txt")), line 1: there is no class 'moon'; the classes are ground."
        )
    }

    @Test("a file of weights with a class twice, or nothing but 0, is refused")
    func uselessFiles() throws {
        let scratch = try ScratchFolder()
        try scratch.write("ground 1\nsky 2\nGround 3\n", "w.txt")
        #expect(
            message { _ = try ClassWeights.read(scratch("w.txt"), classes: ["ground", "sky"]) }
                == "\(scratch("w.txt")), line 3: gives class 'ground' a second weight; keep one."
        )
        try scratch.write("ground 0\nsky 0\n", "w.txt")
        #expect(
            message { _ = try ClassWeights.read(scratch("w.txt"), classes: ["ground", "sky"]) }
                == "\(scratch("w.txt")): gives every class the weight 0, so nothing would be learnt; give the classes to learn a "
                + "weight above 0."
        )
    }

    @Test("class tables are read from text and from JSON as written")
    func tables() throws {
        let scratch = try ScratchFolder()
        try scratch.write("Sky 128 128 128\n\nroad, 1, 2, 3\ntraffic light\n", "c.txt")
        let table = try ClassTable(path: scratch("c.txt"))
        #expect(table.classes.map(\.name) == ["Sky", "road", "traffic light"])
        #expect(table.classes[1].color == Color(1, 2, 3) && table.ignoredIDs == [255])
        // As errors call it.
        #expect(table.name == "c.txt")
        try scratch.write("sky 1 2 300\n", "c.txt")
        #expect(message { _ = try ClassTable(path: scratch("c.txt")) }.contains("line 1"))
        try scratch.write(
            #"{"name": "mine", "classes": [{"name": "a", "color": [1, 2, 3]}], "ignoredIDs": [9]}"#,
            "c.json"
        )
        #expect(try ClassTable(path: scratch("c.json")).ignoredIDs == [9])
        // By its contents, whatever its name.
        try FileManager.default.moveItem(atPath: scratch("c.json"), toPath: scratch("d.txt"))
        #expect(try ClassTable(path: scratch("d.txt")).classes.map(\.name) == ["a"])
    }

    @Test(
        "class tables that are none are refused with the reason",
        arguments: [
            ("", "names no classes; write one per line."),
            (#"{"name": "n", "classes": []}"#, "names no classes; write one per line."),
            (
                "lane 2\nplant 0 128\n",
                ", line 2: 'plant 0 128' does not end in three numbers of 0...255; write \"name red green blue\"."
            ),
            (
                "sky\nro\u{1B}[2Jad\n",
                ", line 2: a class has control characters in its name; write names that can be read."
            ),
            (
                #"{"name": "n", "classes": [{"name": "a"}]}"#,
                "cannot be read as a class table: 'classes[0].color' is missing. docs/data.md shows the form."
            ),
            (
                #"{"name": "n", "classes": [{"name": "a", "color": [1, 2, 999]}]}"#,
                "cannot be read as a class table: a number in it does not fit (colours are three numbers of 0...255). docs/data.md shows the "
                    + "form."
            ),
            (
                #"{"name": "n", "classes": [{"name": "a", "color": [1, 2, 3, 4]}]}"#,
                "cannot be read as a class table: 'classes[0].color"
            ),
            (
                #"{"name": "n", "classes": [{"name": "", "color": [1, 2, 3]}]}"#,
                "a class has no name; write names that can be read."
            ),
        ]
    )
    func noTables(text: String, problem: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write(text, "c.txt")
        let found = message { _ = try ClassTable(path: scratch("c.txt")) }
        #expect(found.hasPrefix(scratch("c.txt")) && found.contains(problem), "\(found)")
    }

    @Test("a picture is no class table, and no table has more classes than labels have numbers")
    func tooMany() throws {
        let scratch = try ScratchFolder()
        try Data([0xFF, 0xD8, 0xFF, 0xE0, 0x0A, 0x41]).write(to: scratch.url.appending(path: "photo.jpg"))
        #expect(
            message { _ = try ClassTable(path: scratch("photo.jpg")) }
                == "\(scratch("photo.jpg")): is not UTF-8 text; a table of classes has one class per line, or is JSON. Save it as UTF-8, or give "
                + "another file."
        )
        try scratch.write((0..<65_535).map { "c\($0)" }.joined(separator: "\n"), "c.txt")
        #expect(
            message { _ = try ClassTable(path: scratch("c.txt")) }
                == "\(scratch("c.txt")): names 65535 classes; labels can number at most 65,534."
        )
    }
}
