internal import SegNetData
internal import SegNetFormats
internal import SegNetImages
public import SegNetPlatform
internal import SegNetTraining

extension SystemComparison {
    /// The pages that were written.
    public struct Pages: Sendable {
        public var html: URL
        public var markdown: URL
    }

    /// Writes `comparison.html`, and `comparison.md` with its curves (SVG) and pictures (JPEG) next to it, from what is there: systems
    /// without scores are listed as missing.
    /// - Parameters:
    ///   - threads: By which measurements are looked up; nil means all cores.
    ///   - command: The command that made them, for the page; empty: none.
    /// - Throws: Errors of reading the data set or writing a file.
    public func writePages(threads: Int? = nil, command: [String] = []) throws -> Pages {
        let dataset = try scoredDataset()
        let learners = Set(try learners().map(\.name))
        let choosers = Set(try choosers().map(\.name))
        let rows = try systems.map { system in
            ComparisonReport.Row(
                system: system,
                state: try state(of: system),
                scores: scores(of: system),
                measurement: measurement(of: system, threads: threads),
                history: RunHistory(folder: system.runFolder),
                learnsFromScored: learners.contains(system.name),
                isChosenByScored: choosers.contains(system.name)
            )
        }
        let report = ComparisonReport(
            plan: plan,
            rows: rows,
            classes: dataset.classes,
            facts: try facts(rows, dataset, command)
        )
        let pictures =
            report.scored.isEmpty
            ? ComparisonPictures() : try ComparisonPictures(self, report.scored, dataset: dataset)
        try Self.makeFolder(output)
        let pages = Pages(
            html: output.appending(path: "comparison.html"),
            markdown: output.appending(path: "comparison.md")
        )
        try write(try ComparisonPage(report: report, pictures: pictures).html(), to: pages.html)
        var curves: [String] = []
        for (index, chart) in report.curves.enumerated() {
            curves.append("comparison-curve\(index + 1).svg")
            try write(chart.standaloneSVG, to: output.appending(path: curves[index]))
        }
        var sheetName: String?
        if let sheet = try pictures.sheet(dataset.classes) {
            let name = "comparison-pictures.jpg"
            try sheet.write(path: output.appending(path: name).path(percentEncoded: false))
            sheetName = name
        }
        var worst: (file: String, rows: [String])?
        if let sheet = try pictures.worstSheet(dataset.classes, names: report.scored.map(\.name)) {
            let name = "comparison-worst.jpg"
            try sheet.image.write(path: output.appending(path: name).path(percentEncoded: false))
            worst = (name, sheet.rows)
        }
        try write(report.markdown(curves: curves, pictures: sheetName, worst: worst), to: pages.markdown)
        return pages
    }

    private func write(_ text: String, to url: URL) throws { try SmallFile.write(Array(text.utf8), to: url) }

    private func facts(
        _ rows: [ComparisonReport.Row],
        _ dataset: Dataset,
        _ command: [String]
    ) throws -> [(name: String, value: String)] {
        let machine = Machine.current
        let samples = try dataset.samples(of: plan.split)
        var facts = [
            (
                "data set",
                "\(dataset.name)\(scored.dataset == .synthetic ? "" : " in \(scored.data)"), split \(plan.split): "
                    + "\(counted(samples.count, "picture")), \(dataset.classes.classes.count) classes"
            ),
            (
                "machine",
                "\(machine.processor ?? "unknown processor"), \(counted(machine.cores, "core"))"
            ),
            ("date", Date().formatted(.iso8601)),
        ]
        if !command.isEmpty { facts.append(("command", ShellWords.joined(command))) }
        for row in rows where row.scores != nil {
            facts.append(("scores of \(row.name)", ShellWords.joined(evaluationCommand(of: row.system))))
        }
        return facts
    }
}
