internal import SegNetImages
internal import SegNetTraining

/// A comparison as one HTML file that needs nothing else: tables, curves and pictures are inside, nothing is fetched, nothing runs.
struct ComparisonPage {
    var report: ComparisonReport
    var pictures: ComparisonPictures

    private var plan: ComparisonPlan { report.plan }

    /// - Throws: `ImageError` if a picture cannot be encoded.
    func html() throws(ImageError) -> String {
        var body = HTML.element("h1", "", HTML.escaped(plan.title)) + "\n"
        if !plan.text.isEmpty { body += HTML.element("p", "class=\"lead\"", HTML.escaped(plan.text)) + "\n" }
        body += tiles
        body += gaps
        body += HTML.section("Scores", scores)
        let charts = report.curves
        if !charts.isEmpty {
            body += HTML.section("Learning", HTML.element("div", "class=\"charts\"", charts.map(\.svg).joined()))
        }
        if !report.scored.isEmpty { body += HTML.section("Classes", classes) }
        body += HTML.section("What they cost", costs)
        if !pictures.shown.isEmpty {
            body += HTML.section("The same pictures, segmented by each system", try sideBySide())
        }
        if pictures.worst.contains(where: { !$0.isEmpty }) {
            body += HTML.section("Each system's worst pictures", try worst())
        }
        body += HTML.section("How these figures came about", facts)
        return HTML.page(plan.title, style: EvaluationPage.style, body)
    }

    // MARK: At a glance

    private var tiles: String {
        typealias Row = ComparisonReport.Row
        func tile(_ title: String, _ value: (Row) -> Double?, least: Bool, _ text: (Double) -> (String, String))
            -> String
        {
            let found = report.rows.compactMap { row in value(row).map { (row: row, value: $0) } }
            guard found.count > 1,
                let best = least ? found.min(by: { $0.value < $1.value }) : found.max(by: { $0.value < $1.value })
            else { return "" }
            let (number, unit) = text(best.value)
            return
                "<div class=\"tile\"><span class=\"name\">\(title)</span><strong>\(number)<small> \(unit)</small></strong>"
                + "<span class=\"words\">\(HTML.escaped(best.row.name))</span></div>"
        }
        let all = [
            tile("Best mean IoU", { $0.scores?.meanIoU }, least: false) { (Numbers.fixed(100 * $0, 1), "%") },
            tile("Best outlines", { $0.scores?.boundaryF1 }, least: false) { (Numbers.fixed(100 * $0, 1), "% BF") },
            tile("Fastest", { $0.measurement?.forwardMilliseconds }, least: true) { (Numbers.fixed($0, 1), "ms") },
            tile("Smallest", { $0.measurement.map { Double($0.modelBytes) } }, least: true) {
                (Numbers.fixed($0 / 1e6, 1), "MB")
            },
        ].joined()
        return all.isEmpty ? "" : HTML.element("div", "class=\"tiles\"", all) + "\n"
    }

    /// The parts that are not there yet.
    private var gaps: String {
        let missing = report.rows.compactMap { row in row.gap.map { "\(row.name): \($0)" } }
        guard !missing.isEmpty else { return "" }
        return HTML.element(
            "p",
            "class=\"warning\"",
            HTML.escaped("Not complete. " + missing.joined(separator: "; ") + ".")
        ) + "\n"
    }

    // MARK: Tables

    /// The colour of each system's line before its name.
    private var marks: [String] {
        var line = -1
        return report.rows.map { row in
            // A system without a training of its own has no line.
            guard row.system.trains else { return "<i class=\"swatch\"></i>" }
            line += 1
            return "<i class=\"swatch key\(line % LineChart.colorCount)\"></i>"
        }
    }

    private func note(_ text: String) -> String { HTML.element("p", "class=\"note\"", HTML.escaped(text)) + "\n" }

    private var scores: String { note(report.scoreNote) + report.scoreTable.html(marks: marks) }

    private var classes: String {
        note("The best of each class is bold. “-”: the class occurs in neither truth nor prediction.")
            + report.classTable.html(marks: report.classes.classes.map { HTML.swatch($0.color) })
    }

    private var costs: String {
        note(report.costNote) + report.costTable.html(marks: marks) + "<h3>Training</h3>\n"
            + report.trainingTable.html(marks: marks)
    }

    // MARK: Pictures

    private func figure(_ alt: String, _ uri: String, _ comparison: Comparison, _ caption: String) -> String {
        "<figure><img alt=\"\(HTML.escaped(alt))\" width=\"\(comparison.photo.width)\" height=\"\(comparison.photo.height)\" "
            + "src=\"\(uri)\"><figcaption>\(HTML.escaped(caption))</figcaption></figure>"
    }

    private func sideBySide() throws(ImageError) -> String {
        var html = note("Beside each system's name: the picture's own mean IoU.") + legend
        for shown in pictures.shown {
            guard let first = shown.comparisons.first else { continue }
            let uris = try first.dataURIs(classes: report.classes)
            var figures = figure("\(shown.name): photo", uris[0], first, "photo")
            figures += figure("\(shown.name): truth", uris[1], first, "truth")
            for (index, comparison) in shown.comparisons.enumerated() {
                let name = report.scored[index].name
                let score = shown.scores[index].map { "\(Numbers.fixed(100 * $0, 1)) %" } ?? "-"
                let uri = Comparison.uri("png", try Comparison.encoded(comparison.prediction, report.classes))
                figures += figure("\(shown.name): \(name)", uri, comparison, "\(name), \(score)")
            }
            html += "<article><h4>\(HTML.escaped(shown.name))</h4><div class=\"many\">\(figures)</div></article>\n"
        }
        return html
    }

    private func worst() throws(ImageError) -> String {
        var html = note("By the picture's own mean IoU: photo, truth, prediction, and in red what is wrong.")
        for (row, entries) in zip(report.scored, pictures.worst) where !entries.isEmpty {
            html += HTML.element("h3", "", HTML.escaped(row.name)) + "\n"
            for entry in entries {
                let uris = try entry.comparison.dataURIs(classes: report.classes)
                let figures = zip(["photo", "truth", "prediction", "errors"], uris).map { name, uri in
                    figure("\(entry.name): \(name)", uri, entry.comparison, name)
                }
                let score = entry.score.map { "mean IoU \(Numbers.fixed(100 * $0, 1)) %" } ?? ""
                html +=
                    "<article><h4>\(HTML.escaped(entry.name))<span>\(score)</span></h4><div class=\"four\">"
                    + figures.joined() + "</div></article>\n"
            }
        }
        return html
    }

    private var legend: String {
        let entries = report.classes.classes.map { "<span>\(HTML.swatch($0.color))\(HTML.escaped($0.name))</span>" }
        return "<div class=\"key\"><div>" + entries.joined()
            + "<span>\(HTML.swatch(report.classes.ignoredColor))no ground truth</span></div></div>\n"
    }

    // MARK: Facts

    private var facts: String {
        let rows = report.facts.map { "<tr><th>\(HTML.escaped($0.name))</th><td>\(HTML.escaped($0.value))</td></tr>\n" }
        var html = HTML.element("table", "class=\"facts\"", rows.joined()) + "\n"
        let differences = report.recipeDifferences
        if !differences.isEmpty {
            let trained = report.rows.filter(\.system.trains)
            let head = HTML.row(["setting"] + trained.map { HTML.escaped($0.name) }, tag: "th")
            let body = differences.map { HTML.row([HTML.escaped($0.key)] + $0.values.map(HTML.escaped)) }
            html +=
                "<details><summary>Settings in which the recipes differ</summary><div class=\"scroll\">"
                + HTML.element("table", "class=\"counts\"", "<thead>\(head)</thead>\n<tbody>\(body.joined())</tbody>")
                + "</div></details>\n"
        }
        if let source = plan.source {
            html +=
                "<details><summary>The plan</summary>" + HTML.element("pre", "", HTML.escaped(source)) + "</details>\n"
        }
        return html
    }
}
