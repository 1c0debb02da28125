import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet evaluate --labelled")
struct EvaluateLabelledTests {
    /// The pictures of `EvaluateTests`, whose labels never name the moon, with masks in which one pixel of a thing is moon.
    private static func data(_ scratch: ScratchFolder) throws {
        try EvaluateTests.data(scratch)
        try EvaluateTests.labels([0, 0, 1, 2, 0, 0, 0, 0], scratch("masks/a.png"))
    }

    @Test("means are over the classes that the labels can name; what is given another class counts as wrong")
    func scores() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let result = EvaluateTests.evaluate(
            scratch,
            "--labelled",
            "thing, ground",
            "--json",
            scratch("s.json"),
            "--csv",
            scratch("s.csv"),
            "--report",
            scratch("s.html")
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let scores = try EvaluateTests.json(scratch("s.json"))
        // Ground: 10 true, 9 right, 1 too many. Thing: 5 true, 2 right, 1 too many, 1 given to the moon, 1 to no class.
        #expect(abs((scores["meanIoU"] as? Double ?? 0) - (9.0 / 11 + 2.0 / 6) / 2) < 1e-12)
        #expect(abs((scores["classAverageAccuracy"] as? Double ?? 0) - (0.9 + 0.4) / 2) < 1e-12)
        #expect(abs((scores["globalAccuracy"] as? Double ?? 0) - 11.0 / 15) < 1e-12)
        #expect(scores["labelled"] as? [String] == ["ground", "thing"])
        #expect(scores["classes"] as? [String] == ["ground", "thing", "moon"])
        #expect(scores["confusionMatrix"] as? [[Int]] == [[9, 1, 0], [1, 2, 1], [0, 0, 0]])
        let classes = try #require(scores["perClass"] as? [[String: Any]])
        #expect(classes.map { $0["name"] as? String } == ["ground", "thing"])
        let pictures = try #require(scores["perImage"] as? [[String: Any]])
        #expect(abs((pictures[0]["meanIoU"] as? Double ?? 0) - (4.0 / 5 + 1.0 / 3) / 2) < 1e-12)
        #expect(result.output.contains("mean IoU         57.58 %"), "\(result.output)")
        #expect(result.output.contains("means are over 2 of 3 classes (--labelled)\n"))
        #expect(!result.output.contains("moon"))
        let csv = try String(contentsOfFile: scratch("s.csv"), encoding: .utf8).split(separator: "\r\n")
        #expect(csv.count == 4 && csv[2].hasPrefix("thing,"))
        #expect(csv[3].hasPrefix("(labelled),0.57") && csv[3].hasSuffix(",15"))
        let page = try String(contentsOfFile: scratch("s.html"), encoding: .utf8)
        #expect(page.contains("2 pictures, 2 of 3 classes, 15 labelled pixels."))
        #expect(page.contains("<th>labelled classes</th><td>thing, ground</td>"))
    }

    @Test("without it, or with all classes, one that is only given counts as 0")
    func all() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let plain = EvaluateTests.evaluate(scratch, "--json", scratch("1.json"))
        let named = EvaluateTests.evaluate(scratch, "--labelled", "ground,thing,moon", "--json", scratch("2.json"))
        #expect(plain.exitCode == 0 && named.exitCode == 0 && plain.output == named.output, "\(named.errors)")
        let scores = try EvaluateTests.json(scratch("1.json"))
        #expect(abs((scores["meanIoU"] as? Double ?? 0) - (9.0 / 11 + 2.0 / 6) / 3) < 1e-12)
        #expect(scores["labelled"] == nil && scores["classes"] == nil)
        #expect(
            try Data(contentsOf: URL(filePath: scratch("1.json"))) == Data(contentsOf: URL(filePath: scratch("2.json")))
        )
    }

    @Test("the original's rule divides by the classes that the labels can name")
    func original() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let options = ["--labelled", "thing", "--metrics", "original", "--bf", "none", "--json", scratch("s.json")]
        let base = ["evaluate", "--dataset", "folder", "--data", scratch("d"), "--predictions", scratch("masks")]
        #expect(segnet(base + options).exitCode == 0)
        let scores = try EvaluateTests.json(scratch("s.json"))
        #expect(abs((scores["meanIoU"] as? Double ?? 0) - 2.0 / 6) < 1e-12)
    }

    @Test("fails where no pixel shows a class that is to be scored; the results are written all the same")
    func nothing() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let moon = EvaluateTests.evaluate(scratch, "--labelled", "moon", "--json", scratch("s.json"))
        let words =
            "so there is nothing to score. A check of the data set ('segnet dataset check') shows what the labels contain."
        #expect(moon.exitCode == 1 && moon.output.contains("mean IoU "))
        #expect(
            moon.errors.contains(
                "data set 'd': no pixel of 'test' (2 pictures) shows a class of '--labelled' (moon), \(words)"
            ),
            "\(moon.errors)"
        )
        #expect((try EvaluateTests.json(scratch("s.json"))["perImage"] as? [Any])?.count == 2)
        for name in ["a", "b"] {
            try EvaluateTests.labels(Array(repeating: 255, count: 8), scratch("d/labels/test/\(name).png"))
        }
        let void = EvaluateTests.evaluate(scratch)
        #expect(void.exitCode == 1)
        #expect(void.errors.contains("no pixel of 'test' (2 pictures) has a label, \(words)"), "\(void.errors)")
    }

    @Test(
        "names that are not classes are told before the work",
        arguments: [
            (
                "ground,thin", 1,
                "--labelled: there is no class 'thin'. Did you mean 'thing'? The classes are ground, thing, moon."
            ),
            ("ground,", 64, "Please correct '--labelled ground,'. A name is missing before or after a comma"),
        ] as [(String, Int32, String)]
    )
    func unknown(list: String, code: Int32, message: String) throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let result = EvaluateTests.evaluate(scratch, "--labelled", list, "--save-masks", scratch("new"))
        #expect(result.exitCode == code && result.output.isEmpty)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch("new")))
    }
}
