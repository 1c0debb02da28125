import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("Evaluation report as a page")
struct EvaluationPageTests {
    static let table = ClassTable(
        name: "three",
        classes: [
            ClassTable.Entry("ground", Color(1, 2, 3)), ClassTable.Entry("<b>\"R&D\"</b>", Color(4, 5, 6)),
            ClassTable.Entry("moon", Color(7, 8, 9)),
        ],
        ignoredIDs: [255]
    )

    /// Two pictures of 4x2: the second is right but for one pixel; the moon never shows.
    static func page(
        _ history: RunHistory? = nil,
        rule: Scores.Rule = .present,
        namedClasses: [Int]? = nil
    ) throws -> EvaluationPage {
        var report = EvaluationReport(classNames: table.classes.map(\.name), rule: rule, namedClasses: namedClasses)
        var gallery = Gallery()
        let truth: [UInt16] = [0, 0, 1, 1, 0, 0, 1, Example.ignored]
        for (name, given) in [("bad'one", [1, 1, 0, 0, 0, 1, 0, 0]), ("good", [0, 0, 1, 1, 0, 1, 1, 1])]
            as [(String, [UInt16])]
        {
            let scores = report.add(name: name, truth: truth, prediction: given, width: 4, height: 2)
            try gallery.add(scores) {
                try Comparison(
                    photo: try noise(width: 4, height: 2),
                    truth: try LabelMap(width: 4, height: 2, ids: truth),
                    prediction: try LabelMap(width: 4, height: 2, ids: given)
                )
            }
        }
        return EvaluationPage(
            title: "a <script> & more",
            report: report,
            classes: table,
            facts: [("command", "segnet evaluate --data '<x>'")],
            gallery: gallery,
            history: history
        )
    }

    @Test("escapes every name")
    func escaping() throws {
        let html = try Self.page().html()
        #expect(!html.contains("<script") && !html.contains("<b>") && !html.contains("<x>"))
        #expect(html.contains("<title>a &lt;script&gt; &amp; more</title>"))
        #expect(html.contains("&lt;b&gt;&quot;R&amp;D&quot;&lt;/b&gt;"))
        #expect(html.contains("alt=\"bad&#39;one: photo\""))
        #expect(HTML.escaped("a\u{0}b\u{1B}c\nd") == "a\u{FFFD}b\u{FFFD}c\nd")
    }

    @Test("needs no other file: pictures are inside, nothing is fetched, nothing runs")
    func selfContained() throws {
        let html = try Self.page(RunHistory(log: RunHistoryTests.log)).html()
        let sources = html.matches(of: /src="([^"]{0,20})/).map { String($0.1) }
        // Four pictures each of the best and the worst.
        #expect(sources.count == 8)
        #expect(sources.allSatisfy { $0.hasPrefix("data:image/") })
        for word in ["http:", "https:", "url(", "@import", "<script", "<link", "href=", "onload", "=\"//"] {
            #expect(!html.contains(word), "\(word)")
        }
        #expect(html.contains("default-src 'none'"))
    }

    @Test("is well formed: every element is closed")
    func wellFormed() throws {
        let html = try Self.page(RunHistory(log: RunHistoryTests.log)).html()
        let void: Set<String> = ["meta", "img"]
        var open: [String] = []
        for match in html.matches(of: /<(\/?)([a-z0-9]+)([^>]*)>/) {
            let name = String(match.2)
            if match.1 == "/" {
                #expect(open.popLast() == name)
            } else if !void.contains(name), !match.3.hasSuffix("/") {
                open.append(name)
            }
        }
        #expect(open.isEmpty)
    }

    @Test("shows absent classes as - and says how they count")
    func absent() throws {
        let html = try Self.page().html()
        #expect(html.contains("</i>moon</td><td>-</td><td>-</td><td>0</td><td>0.00</td>"))
        #expect(html.contains("is left out of means"))
        #expect(try Self.page(rule: .original).html().contains("Means are divided by all 3 classes"))
    }

    @Test("shows the classes that the labels can name alone, and says that means are over them")
    func namedClasses() throws {
        let html = try Self.page(rule: .original, namedClasses: [1, 2]).html()
        #expect(html.contains("</i>moon</td><td>-</td>") && !html.contains("</i>ground</td><td><span class=\"track\">"))
        #expect(html.contains("2 pictures, 2 of 3 classes, 14 labelled pixels."))
        #expect(html.contains("Means are divided by all 2 classes") && html.contains("name these 2 of 3 classes: "))
        #expect(html.contains("mean over 2 of 3 classes"))
        let all = try Self.page().html()
        #expect(!all.contains("of 3 classes"))
        // The share of a class is that of all labelled pixels: 6 of 14.
        #expect(html.contains("<td>6</td><td>42.86</td>"))
    }

    @Test("gives the figures that the scores are")
    func figures() throws {
        let page = try Self.page()
        let html = try page.html()
        // 1 + 6 of the 14 labelled pixels are right.
        #expect(html.contains("<strong>50.00<small> %</small></strong>"))
        // Class 0, 8 pixels: 1 + 3 right; class 1, 6 pixels: 0 + 3; shares of the rows stand in the matrix.
        #expect(page.report.matrix[0, 0] == 4 && page.report.matrix[1, 1] == 3)
        #expect(html.contains("ground predicted as ground: 50.00 % of ground, 4 pixels"))
        // 4 of the 7 wrong pixels are ground given as the other class, 3 the reverse.
        #expect(html.contains("R&amp;D&quot;&lt;/b&gt;</td><td>57.1</td>") && html.contains("ground</td><td>42.9</td>"))
        #expect(html.contains("moon: no such pixels in the truth"))
        #expect(html.contains("rule “one-to-one”"))
    }

    @Test("shows the best and the worst pictures under their headings")
    func pictures() throws {
        let html = try Self.page().html()
        let (best, worst) = (
            try #require(html.range(of: "<h3>Best</h3>")), try #require(html.range(of: "<h3>Worst</h3>"))
        )
        let good = try #require(html.range(of: "<h4>good"))
        let bad = try #require(html.range(of: "<h4>bad"))
        #expect(best.lowerBound < good.lowerBound && good.lowerBound < worst.lowerBound)
        #expect(worst.lowerBound < bad.lowerBound)
    }

    @Test("has no curves without a log, and no picture where nothing is labelled")
    func without() throws {
        #expect(!(try Self.page().html()).contains("Training loss"))
        var report = EvaluationReport(classNames: ["a", "b"], boundaryRule: nil)
        report.add(name: "x", truth: [9, 9], prediction: [0, 1], width: 2, height: 1)
        let page = EvaluationPage(title: "t", report: report, classes: .generic(classCount: 2), facts: [])
        let html = try page.html()
        #expect(html.contains("No picture has a labelled pixel.") && html.contains("<strong>-</strong>"))
        #expect(!html.contains("Boundary F1"))
    }
}

@Suite("Pictures of a report")
struct ComparisonTests {
    @Test("are not wider than a page shows them, and keep their shape")
    func scaled() throws {
        let ids = [UInt16](repeating: 0, count: 1200 * 500)
        let comparison = try Comparison(
            photo: try Image(width: 1200, height: 500, channels: 3),
            truth: try LabelMap(width: 1200, height: 500, ids: ids),
            prediction: try LabelMap(width: 1200, height: 500, ids: ids)
        )
        #expect((comparison.photo.width, comparison.photo.height) == (480, 200))
        #expect((comparison.truth.width, comparison.prediction.height) == (480, 200))
    }

    @Test("mark what is wrong, what has no ground truth, and leave the rest pale")
    func errors() throws {
        let comparison = try Comparison(
            photo: try Image(width: 4, height: 1, channels: 3, filledWith: 255),
            truth: try LabelMap(width: 4, height: 1, ids: [0, 1, Example.ignored, 1]),
            prediction: try LabelMap(width: 4, height: 1, ids: [0, 0, 0, PredictedMasks.none])
        )
        let map = try comparison.errorMap(classCount: 2)
        let (wrong, void) = (Comparison.wrong, Comparison.void)
        #expect(
            map.pixels == [
                250, 250, 250, wrong.red, wrong.green, wrong.blue, void.red, void.green, void.blue, wrong.red,
                wrong.green,
                wrong.blue,
            ]
        )
    }

    @Test("are files that decode to what they were", arguments: [2, 300])
    func uris(classes: Int) throws {
        let ids = try LabelMap(width: 3, height: 1, ids: [0, 1, Example.ignored])
        let comparison = try Comparison(photo: try noise(width: 3, height: 1), truth: ids, prediction: ids)
        let table = ClassTable.generic(classCount: classes)
        let uris = try comparison.dataURIs(classes: table)
        #expect(uris.count == 4)
        #expect(uris[0].hasPrefix("data:image/jpeg;base64,") && uris[1].hasPrefix("data:image/png;base64,"))
        let bytes = try #require(Data(base64Encoded: String(uris[1].dropFirst("data:image/png;base64,".count))))
        let image = try Image(decoding: [UInt8](bytes), name: "truth")
        let colors = [table.color(of: 0), table.color(of: 1), table.ignoredColor]
        #expect(image.pixels == colors.flatMap { [$0.red, $0.green, $0.blue] })
    }
}

@Suite("Best and worst pictures")
struct GalleryTests {
    static func gallery(_ scores: [Double?], count: Int = 2) throws -> Gallery {
        var gallery = Gallery(count: count)
        for (index, score) in scores.enumerated() {
            let picture = EvaluationReport.Picture(
                name: "\(index)",
                globalAccuracy: nil,
                meanIoU: score,
                boundaryF1: nil
            )
            let ids = try LabelMap(width: 1, height: 1, ids: [0])
            try gallery.add(picture) {
                try Comparison(photo: try Image(width: 1, height: 1, channels: 3), truth: ids, prediction: ids)
            }
        }
        return gallery
    }

    @Test(
        "are the right ones, no picture twice",
        arguments: [
            ([0.5, 0.1, 0.9, 0.3, 0.7, 0.2], ["2", "4"], ["1", "5"]),
            ([0.9, 0.1, 0.5], ["0", "2"], ["1"]),
            ([0.4], ["0"], []),
            ([], [], []),
            ([0.5, 0.5, 0.5], ["0", "1"], ["2"]),
            ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], ["0", "1"], ["5", "4"]),
            ([nil, 0.2, nil, 0.8], ["3"], ["1"]),
        ] as [([Double?], [String], [String])]
    )
    func choice(scores: [Double?], best: [String], worst: [String]) throws {
        let gallery = try Self.gallery(scores)
        #expect(gallery.best.map(\.scores.name) == best)
        #expect(gallery.worst.map(\.scores.name) == worst)
    }

    @Test("are those that sorting finds", arguments: 1...12)
    func sorted(seed: UInt64) throws {
        var random = RandomNumbers(seed: seed)
        let scores: [Double?] = (0..<Int(seed) * 3).map { _ in (random.uniform() * 8).rounded() / 8 }
        let gallery = try Self.gallery(scores, count: 3)
        let order = scores.indices.sorted { (scores[$1] ?? 0, $0) < (scores[$0] ?? 0, $1) }
        let best = Array(order.prefix(min(3, (scores.count + 1) / 2)))
        let worst = Array(order.reversed().prefix(min(3, scores.count / 2)))
        #expect(gallery.best.map(\.scores.name) == best.map { "\($0)" })
        #expect(gallery.worst.map(\.scores.name) == worst.map { "\($0)" })
    }
}
