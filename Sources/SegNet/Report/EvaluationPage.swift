internal import SegNetEvaluation
package import SegNetImages

/// An evaluation as one HTML file that needs nothing else: tables, charts and pictures are inside, nothing is fetched, nothing runs.
package struct EvaluationPage {
    package var title: String
    package var report: EvaluationReport
    /// Names and colours of the classes.
    package var classes: ClassTable
    /// How the figures came about, in order: ("model", "best.safetensors").
    package var facts: [(name: String, value: String)]
    package var gallery: Gallery
    /// The training run of the model, if there is a log of it.
    package var history: RunHistory?

    package init(
        title: String,
        report: EvaluationReport,
        classes: ClassTable,
        facts: [(name: String, value: String)],
        gallery: Gallery = Gallery(),
        history: RunHistory? = nil
    ) {
        self.title = title
        self.report = report
        self.classes = classes
        self.facts = facts
        self.gallery = gallery
        self.history = history
    }

    /// - Throws: `ImageError` if a picture cannot be encoded.
    package func html() throws(ImageError) -> String {
        var body = HTML.element("h1", "", HTML.escaped(title)) + "\n"
        body += HTML.element("p", "class=\"lead\"", HTML.escaped(lead)) + "\n"
        body += tiles
        body += HTML.section("Classes", classTable)
        if !report.surestAccuracies.isEmpty { body += HTML.section("Certainty and accuracy", certainty) }
        body += HTML.section("Confusion", confusion)
        body += HTML.section("Pictures", try pictures())
        if let charts = history?.charts, !charts.isEmpty {
            body += HTML.section("Training", HTML.element("div", "class=\"charts\"", charts.map(\.svg).joined()))
        }
        body += HTML.section("How these figures came about", factTable)
        return HTML.page(title, style: Self.style, body)
    }

    // MARK: Scores

    private var lead: String {
        let count = report.perImage.count
        return "\(Numbers.grouped(count)) \(count == 1 ? "picture" : "pictures"), \(report.classesInWords), "
            + "\(Numbers.grouped(report.labelledPixels)) labelled pixels. Pixels without ground truth are not counted."
    }

    private var tiles: String {
        let scores = report.scores
        let classes = report.namedClasses == nil ? "classes" : report.classesInWords
        var tiles = [
            ("Mean IoU", scores.meanIoU, "overlap of prediction and truth, mean over \(classes)"),
            ("Global accuracy", scores.globalAccuracy, "pixels that are correct"),
            (
                "Class average", scores.classAverageAccuracy,
                "correct share of each class's pixels, mean over \(classes)"
            ),
        ]
        if let boundary = report.boundary {
            tiles.append(("Boundary F1", boundary.value, "outlines that match, rule “\(boundary.rule.rawValue)”"))
        }
        let html = tiles.map { name, value, words in
            "<div class=\"tile\"><span class=\"name\">\(name)</span><strong>\(Self.percent(value))"
                + (value == nil ? "" : "<small> %</small>")
                + "</strong><span class=\"words\">\(HTML.escaped(words))</span></div>"
        }
        return HTML.element("div", "class=\"tiles\"", html.joined()) + "\n"
    }

    private var classTable: String {
        let all = Double(max(1, report.labelledPixels))
        var rows =
            "<thead>" + HTML.row(["Class", "IoU %", "Accuracy %", "Pixels", "Share %"], tag: "th") + "</thead>\n<tbody>"
        for (id, entry) in zip(report.scoredIDs, report.perClass) {
            rows += HTML.row([
                HTML.swatch(classes.color(of: id)) + HTML.escaped(entry.name), Self.bar(entry.iou),
                Self.bar(entry.accuracy),
                Numbers.grouped(entry.pixels), Numbers.fixed(100 * Double(entry.pixels) / all, 2),
            ])
        }
        var notes =
            report.rule == .original
            ? "Means are divided by all \(report.scoredIDs.count) classes: one that is absent counts as 0."
            : "A class in neither truth nor prediction shows “-” and is left out of means."
        if report.namedClasses != nil {
            notes +=
                " The labels can name these \(report.classesInWords): means and boundary F1 are over them. A pixel that is given another class "
                + "counts as an error of its true one."
        }
        return "<div class=\"scroll\">" + HTML.element("table", "class=\"classes\"", rows + "</tbody>") + "</div>\n"
            + HTML.element("p", "class=\"note\"", HTML.escaped(notes)) + "\n"
    }

    private static func percent(_ value: Double?) -> String { value.map { Numbers.fixed(100 * $0, 2) } ?? "-" }

    private static func bar(_ value: Double?) -> String {
        guard let value else { return "-" }
        return
            "<span class=\"track\"><span style=\"width:\(Numbers.fixed(100 * value, 1))%\"></span></span><span class=\"value\">\(percent(value))</span>"
    }

    private var confusion: String {
        let matrix = report.matrix
        var notes = [
            "Each row is a true class, each column a predicted one; numbers are per cent of the row. Point at a cell to see its number of pixels; the table below has all of them."
        ]
        let strays = matrix.strays.reduce(0, +)
        if strays > 0 {
            notes.append(
                "\(Numbers.grouped(strays)) labelled pixels were given no class; they count as wrong and are in no column."
            )
        }
        let names = report.classNames
        var rows =
            "<thead>" + HTML.row(["true \\ predicted"] + names.map(HTML.escaped), tag: "th") + "</thead>\n<tbody>"
        for (id, name) in names.enumerated() {
            rows += HTML.row([HTML.escaped(name)] + names.indices.map { Numbers.grouped(matrix[id, $0]) })
        }
        return HTML.element("p", "class=\"note\"", HTML.escaped(notes.joined(separator: " "))) + "\n"
            + "<div class=\"beside\">" + ConfusionChart(matrix, names: names).svg + mistakes + "</div>\n"
            + "<details><summary>Pixels as a table</summary><div class=\"scroll\">"
            + HTML.element("table", "class=\"counts\"", rows + "</tbody>") + "</div></details>\n"
    }

    /// The confusions that take the most pixels.
    private var mistakes: String {
        let matrix = report.matrix
        let ids = report.classNames.indices
        let pairs = ids.flatMap { truth in ids.filter { $0 != truth }.map { (truth, $0, matrix[truth, $0]) } }
            .filter { $0.2 > 0 }.sorted { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) }.prefix(10)
        guard !pairs.isEmpty else { return "" }
        let wrong = Double(ids.reduce(0) { $0 + matrix.truePixels($1) - matrix[$1, $1] })
        let rows = pairs.map { truth, given, pixels in
            HTML.row([
                HTML.swatch(classes.color(of: truth)) + HTML.escaped(report.classNames[truth]),
                HTML.swatch(classes.color(of: given)) + HTML.escaped(report.classNames[given]),
                Numbers.fixed(100 * Double(pixels) / wrong, 1),
            ])
        }
        return "<div><table class=\"mistakes\"><caption>Where most wrong pixels are</caption><thead>"
            + HTML.row(["True", "Predicted as", "% of all wrong pixels"], tag: "th") + "</thead>\n<tbody>"
            + rows.joined()
            + "</tbody></table></div>"
    }

    // MARK: Pictures

    private func pictures() throws(ImageError) -> String {
        let shares = report.perImage.compactMap(\.meanIoU)
        guard !shares.isEmpty else {
            return HTML.element("p", "class=\"note\"", "No picture has a labelled pixel.") + "\n"
        }
        var html = HTML.element(
            "p",
            "class=\"note\"",
            "Each picture is scored by its own mean IoU: the mean over the classes \(report.namedClasses == nil ? "" : "above ")that occur in its truth or its prediction."
        )
        html +=
            "\n<div class=\"charts\">"
            + BarChart("Pictures by mean IoU", xTitle: "mean IoU of a picture, %", shares: shares).svg + legend
            + "</div>\n"
        for (title, entries) in [("Best", gallery.best), ("Worst", gallery.worst)] where !entries.isEmpty {
            html += HTML.element("h3", "", title) + "\n"
            for entry in entries { html += try comparison(entry) }
        }
        return html
    }

    private var legend: String {
        let entries = classes.classes.map { "<span>\(HTML.swatch($0.color))\(HTML.escaped($0.name))</span>" }
        return "<div class=\"key\"><p>Truth and prediction</p><div>" + entries.joined()
            + "<span>\(HTML.swatch(classes.ignoredColor))no ground truth</span></div>"
            + "<p>Errors</p><div><span>\(HTML.swatch(Comparison.wrong))wrong</span>"
            + "<span>\(HTML.swatch(Comparison.void))no ground truth</span></div></div>"
    }

    private func comparison(_ entry: Gallery.Entry) throws(ImageError) -> String {
        let scores = entry.scores
        var words =
            "mean IoU \(Self.percent(scores.meanIoU)) %, global accuracy \(Self.percent(scores.globalAccuracy)) %"
        if let boundary = scores.boundaryF1 { words += ", boundary F1 \(Self.percent(boundary)) %" }
        let names = ["photo", "truth", "prediction", "errors"]
        let uris = try entry.comparison.dataURIs(classes: classes)
        let figures = zip(names, uris).map { name, uri in
            "<figure><img alt=\"\(HTML.escaped(scores.name)): \(name)\" width=\"\(entry.comparison.photo.width)\" "
                + "height=\"\(entry.comparison.photo.height)\" src=\"\(uri)\"><figcaption>\(name)</figcaption></figure>"
        }
        return "<article><h4>\(HTML.escaped(scores.name))<span>\(words)</span></h4><div class=\"four\">"
            + figures.joined() + "</div></article>\n"
    }

    /// How useful the model's uncertainty is.
    private var certainty: String {
        let rows = report.surestAccuracies.map {
            HTML.row(["the most certain \(Numbers.fixed(100 * $0.share, 0)) %", Self.percent($0.accuracy)], tag: "td")
        }
        let table = HTML.element(
            "table",
            "",
            "<thead>" + HTML.row(["Pixels", "Correct %"], tag: "th") + "</thead>\n<tbody>" + rows.joined() + "</tbody>"
        )
        return "<p>Pixels of all pictures, ranked by how little the samples differ in them.</p>\n" + table + "\n"
    }

    private var factTable: String {
        let rows = facts.map { "<tr><th>\(HTML.escaped($0.name))</th><td>\(HTML.escaped($0.value))</td></tr>\n" }
        return HTML.element("table", "class=\"facts\"", rows.joined()) + "\n"
    }
}
