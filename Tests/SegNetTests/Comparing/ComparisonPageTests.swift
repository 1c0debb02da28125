import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("The pages of a comparison")
struct ComparisonPageTests {
    /// Two systems on a picture of 4x2 and a third without anything, as their files tell.
    private static func report(third: String = "Third") throws -> (ComparisonReport, ComparisonPictures) {
        let plan = try ComparisonPlan(
            yaml: """
                title: a <script> & more
                dataset: camvid
                published: nobody
                systems:
                  - {name: "A & B", recipe: {width: 0.5}, published: {mean-iou: 12.5}}
                  - {name: Other, recipe: {width: 1}}
                  - {name: \(third), recipe: {seed: 3}}
                """,
            file: "p.yaml"
        )
        let systems = try SystemComparison(plan, output: URL(filePath: "/nowhere")).systems
        let truth: [UInt16] = [0, 0, 1, 1, 0, 0, 1, Example.ignored]
        var rows: [ComparisonReport.Row] = []
        var pictures = ComparisonPictures()
        var comparisons: [Comparison] = []
        for (system, given) in zip(systems, [[1, 1, 0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 0, 1, 1, 1]] as [[UInt16]]) {
            var evaluation = EvaluationReport(classNames: EvaluationPageTests.table.classes.map(\.name))
            evaluation.add(name: "p'1", truth: truth, prediction: given, width: 4, height: 2)
            let scores = try JSONDecoder().decode(
                SystemComparison.Evaluation.self,
                from: JSONEncoder().encode(evaluation)
            )
            rows.append(.init(system: system, state: .trained, scores: scores, history: RunHistory(log: log)))
            comparisons.append(
                try Comparison(
                    photo: try noise(width: 4, height: 2),
                    truth: try LabelMap(width: 4, height: 2, ids: truth),
                    prediction: try LabelMap(width: 4, height: 2, ids: given)
                )
            )
            pictures.worst.append([.init(name: "p'1", comparison: comparisons[comparisons.count - 1], score: 0.25)])
        }
        pictures.shown = [.init(name: "p'1", comparisons: comparisons, scores: [0.25, nil])]
        rows.append(.init(system: systems[2], state: .begun(step: 3, of: 10)))
        let report = ComparisonReport(
            plan: plan,
            rows: rows,
            classes: EvaluationPageTests.table,
            facts: [("command", "segnet compare '<x>'")]
        )
        return (report, pictures)
    }

    static let log = """
        {"kind":"start","step":0,"totalSteps":2,"batchSize":2,"accumulate":2,"picturesPerStep":4}
        {"epoch":1,"kind":"step","learningRate":0.1,"loss":2,"picturesPerSecond":2,"step":1}
        {"epoch":1,"kind":"validation","meanIoU":0.25,"step":1}
        {"kind":"end","peakBytes":3000000,"step":1}
        {"kind":"start","step":1,"totalSteps":2,"batchSize":2,"accumulate":2,"picturesPerStep":4}
        {"epoch":2,"kind":"step","learningRate":0.1,"loss":1,"picturesPerSecond":1,"step":2}
        {"epoch":2,"kind":"validation","meanIoU":0.5,"step":2}
        {"kind":"end","peakBytes":2000000,"step":2}
        """

    @Test("read from a log how long the steps took, what memory they took, and whether they are over")
    func history() {
        let history = RunHistory(log: Self.log)
        #expect(history.seconds == 6 && history.validations.map(\.seconds) == [2, 6])
        #expect(history.totalSteps == 2 && history.lastStep == 2 && history.isFinished)
        #expect(history.peakBytes == 3_000_000)
        let first = Self.log.split(separator: "\n").prefix(4).joined(separator: "\n")
        #expect(!RunHistory(log: first).isFinished)
        // Patience ends a training before its last step; one that goes on with more steps is not over.
        let patient = first.replacing("\"kind\":\"end\"", with: "\"isFinished\":true,\"kind\":\"end\"")
        #expect(RunHistory(log: patient).isFinished)
        #expect(!RunHistory(log: patient + "\n" + first).isFinished)
        let start = first.split(separator: "\n")[0]
        #expect(!RunHistory(log: Self.log + "\n" + start).isFinished)
    }

    @Test("in HTML need no other file, escape every name and close every element")
    func html() throws {
        let (report, pictures) = try Self.report()
        let html = try ComparisonPage(report: report, pictures: pictures).html()
        for word in ["<script", "<x>", "A & B", "http:", "https:", "url(", "<link", "href="] {
            #expect(!html.contains(word), "\(word)")
        }
        #expect(html.contains("<title>a &lt;script&gt; &amp; more</title>") && html.contains("A &amp; B, 25.0 %"))
        #expect(html.contains("Not complete. Third: trained for 3 of 10 steps."))
        #expect(html.contains("Published figures are shown next to the measured ones: nobody."))
        // Photo, truth and two answers; and of each system one worst picture in four views.
        let shown = html.components(separatedBy: "src=\"data:image/").count - 1
        #expect(shown == 4 + 2 * 4)
        var open: [String] = []
        for match in html.matches(of: /<(\/?)([a-z0-9]+)([^>]*)>/) where !["meta", "img"].contains(match.2) {
            if match.1 == "/" {
                #expect(open.popLast() == String(match.2))
            } else if !match.3.hasSuffix("/") {
                open.append(String(match.2))
            }
        }
        #expect(open.isEmpty)
    }

    @Test("in Markdown have the same tables, curves as files, and the plan")
    func markdown() throws {
        let (report, _) = try Self.report()
        let text = report.markdown(curves: ["c1.svg", "c2.svg", "c3.svg"], pictures: "p.jpg")
        #expect(text.hasPrefix("# a &lt;script> & more\n\n**Not complete.** Third: trained for 3 of 10 steps.\n"))
        #expect(text.contains("| A & B |") && text.contains("published") && text.contains("| 12.5 |"))
        #expect(text.contains("![Mean IoU of validation against training time](c1.svg)"))
        #expect(text.contains("From left to right: the photo, the truth, A & B, Other.\n\n![](p.jpg)"))
        #expect(text.contains("```yaml\ntitle: a <script> & more\n"))
    }

    @Test("in Markdown show each system's worst pictures in one file, and say which they are")
    func worst() throws {
        let (report, pictures) = try Self.report()
        let sheet = try #require(try pictures.worstSheet(report.classes, names: report.scored.map(\.name)))
        #expect(sheet.rows == ["A & B, p'1 (25.0 %)", "Other, p'1 (25.0 %)"])
        // Four tiles of 240 and three gaps of 4 wide; two rows of 120 and one gap high.
        #expect(sheet.image.width == 4 * 240 + 3 * 4 && sheet.image.height == 2 * 120 + 4)
        let pixels = sheet.image.pixels
        func color(_ x: Int, _ y: Int) -> [UInt8] {
            Array(pixels.dropFirst((y * sheet.image.width + x) * 3).prefix(3))
        }
        let red: [UInt8] = [Comparison.wrong.red, Comparison.wrong.green, Comparison.wrong.blue]
        // The first pixel: wrong by the first system, right by the second.
        #expect(color(3 * 244 + 10, 10) == red && color(3 * 244 + 10, 134) != red)
        #expect(color(242, 10) == [255, 255, 255] && color(10, 122) == [255, 255, 255])
        let text = report.markdown(curves: [], pictures: "p.jpg", worst: ("w.jpg", sheet.rows))
        #expect(
            text.contains(
                "## Each system's worst pictures\n\nFrom left to right: the photo, the truth, the prediction,"
            )
        )
        #expect(text.contains("\n\n1. A & B, p'1 (25.0 %)\n1. Other, p'1 (25.0 %)\n\n![](w.jpg)\n\n"))
        #expect(!report.markdown(curves: [], pictures: "p.jpg").contains("worst"))
        #expect(try ComparisonPictures().worstSheet(report.classes, names: []) == nil)
    }

    private static func measurement(width: Int) throws -> SystemComparison.Measurement {
        let subject = #"{"model": "m", "modelBytes": 1, "modelWritten": 0, "conditions": ""}"#
        return SystemComparison.Measurement(
            subject: try JSONDecoder().decode(ScoredSubject.self, from: Data(subject.utf8)),
            parameters: 1,
            modelBytes: 1,
            width: width,
            height: 24,
            forwardMilliseconds: 1,
            learningForwardMilliseconds: 1,
            backwardMilliseconds: 1,
            threads: 1,
            instructionSet: "portable"
        )
    }

    @Test("in Markdown show a name with HTML in it as it is, wherever it stands")
    func markdownNames() throws {
        var (report, _) = try Self.report(third: "<i>3rd</i>")
        report.facts.append(("scores of <i>3rd</i>", "segnet evaluate"))
        report.rows[2].scores = report.rows[1].scores
        report.rows[2].measurement = try Self.measurement(width: 48)
        report.rows[1].measurement = try Self.measurement(width: 32)
        let text = report.markdown(curves: [], pictures: "p.jpg").components(separatedBy: "The plan:")[0]
        #expect(!text.contains("<i>") && !text.contains("'<x>'"), "\(text)")
        for words in [
            "**Not complete.** &lt;i>3rd&lt;/i>: trained", "(&lt;i>3rd&lt;/i>: 48x24)",
            "A & B, Other, &lt;i>3rd&lt;/i>.",
            "- scores of &lt;i>3rd&lt;/i>: segnet evaluate",
        ] { #expect(text.contains(words), "\(words)") }
    }

    @Test("draw one line for each training, over seconds, minutes or hours")
    func curves() throws {
        let (report, _) = try Self.report()
        let charts = report.curves
        #expect(charts.map(\.xTitle) == ["seconds of training", "epoch", "seconds of training"])
        #expect(charts[0].series.map(\.name) == ["A & B", "Other", "Third"])
        #expect(charts[0].series[0].points.map(\.x) == [2, 6] && charts[0].series[0].points.map(\.y) == [25, 50])
        #expect(charts.map(\.xRange) == [[0, 6], [0, 2], [0, 6]])
        let file = charts[0].standaloneSVG
        #expect(file.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\"") && file.contains("A &amp; B</text>"))
    }

    @Test("list the settings in which the recipes differ")
    func recipes() throws {
        let differences = try Self.report().0.recipeDifferences
        #expect(differences.map(\.key) == ["width", "seed"])
        #expect(differences.map(\.values) == [["0.5", "1.0", "1.0"], ["1", "1", "3"]])
    }
}
