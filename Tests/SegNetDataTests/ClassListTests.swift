import Foundation
import SegNetData
import SegNetImages
import SegNetPlatform
import Testing

@Suite("Lists of classes")
struct ClassListTests {
    @Test("one name twice in a list of classes is refused, a byte-order mark is not a part of a name")
    func classNames() throws {
        let scratch = try ScratchFolder()
        try scratch.write("\u{FEFF}road\ncar\n# nothing\nRoad\n", "classes.txt")
        #expect(
            message { _ = try ClassTable(path: scratch("classes.txt")) }
                == "\(scratch("classes.txt")), line 4: the class 'Road' is listed twice (line 1); give each class a different name."
        )
        try scratch.write("\u{FEFF}road\ncar\n", "classes.txt")
        #expect(try ClassTable(path: scratch("classes.txt")).classes.map(\.name) == ["road", "car"])
    }

    @Test("a heading is not a class", arguments: ["name,r,g,b", "Class Red Green Blue", "class id r g b"])
    func heading(line: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write("# CamVid\n\(line)\nSky,128,128,128\nRoad,128,64,128\n", "classes.txt")
        #expect(
            message { _ = try ClassTable(path: scratch("classes.txt")) }
                == "\(scratch("classes.txt")), line 2: '\(line)' looks like a heading, not a class; remove it, or begin it with '#'. As a class "
                + "it would be 0, and all others would move up by one."
        )
        // Further down it can only be a name.
        try scratch.write("Sky,128,128,128\n\(line)\n", "classes.txt")
        #expect(try ClassTable(path: scratch("classes.txt")).classes.count == 2)
    }

    @Test(
        "numbers in front of all names are refused: they may contradict those that the lines have",
        arguments: [
            ("0 Sky\n1 Road", 0), ("1: Sky 1 2 3\n2: Road 3 4 5", 1), ("#0. Sky\n1. Road", nil),
            ("7) a\n8) b\n9) c", 7),
        ]
    )
    func numbers(text: String, first: Int?) throws {
        let scratch = try ScratchFolder()
        try scratch.write(text, "classes.txt")
        let found = message { _ = try ClassTable(path: scratch("classes.txt")) }
        guard let first else {
            // Behind a '#' stands a comment.
            #expect(found == "nothing was thrown")
            return
        }
        #expect(
            found.contains(
                "line 1: '\(text.split { $0 == "\n" }[0].split(separator: " ").prefix(2).joined(separator: " "))' begins with a number, as all "
                    + "classes here do."
            ),
            "\(found)"
        )
        #expect(
            found.hasSuffix(
                first == 0 ? "remove the numbers." : "For labels that count from 1, give the label offset -1."
            ),
            "\(found)"
        )
    }

    @Test("names may begin with numbers", arguments: ["2 wheels\n4 wheels", "0 Sky", "1 a\nb", "12\n13"])
    func numberedNames(text: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write(text, "classes.txt")
        #expect(try ClassTable(path: scratch("classes.txt")).classes.count == text.split(separator: "\n").count)
    }
}
