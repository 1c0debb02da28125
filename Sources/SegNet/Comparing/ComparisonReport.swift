internal import SegNetImages
internal import SegNetPlatform
internal import SegNetTraining

/// Everything that the pages of a comparison show, read from its folder.
struct ComparisonReport {
    /// A system and what is known of it so far.
    struct Row {
        var system: SystemComparison.System
        var state: SystemComparison.TrainingState
        var scores: SystemComparison.Evaluation?
        var measurement: SystemComparison.Measurement?
        var history: RunHistory?
        /// Whether it learns from pictures that are scored.
        var learnsFromScored = false
        /// Whether its best model was chosen by pictures that are scored.
        var isChosenByScored = false

        var name: String { system.name }
        var published: PublishedFigures { system.entry.published ?? PublishedFigures() }
    }

    var plan: ComparisonPlan
    var rows: [Row]
    var classes: ClassTable
    var classNames: [String] { classes.classes.map(\.name) }
    /// How the figures came about.
    var facts: [(name: String, value: String)]

    /// Those that were scored.
    var scored: [Row] { rows.filter { $0.scores != nil } }

    // MARK: Tables

    private static func percent(_ value: Double?) -> Double? { value.map { 100 * $0 } }

    var scoreTable: ComparisonTable {
        func column(
            _ title: String,
            _ value: (SystemComparison.Evaluation) -> Double?,
            _ published: (PublishedFigures) -> Double?
        ) -> ComparisonTable.Column {
            .init(
                title,
                rows.map {
                    .init(value: Self.percent($0.scores.flatMap(value)), published: published($0.published))
                }
            )
        }
        return ComparisonTable(
            title: "System",
            names: rows.map(\.name),
            columns: [
                column("Mean IoU %", \.meanIoU, \.meanIoU),
                column("Global accuracy %", \.globalAccuracy, \.globalAccuracy),
                column("Class average %", \.classAverageAccuracy, \.classAverageAccuracy),
                column("Boundary F1 %", \.boundaryF1, \.boundaryF1),
            ]
        )
    }

    /// One row per class, one column per system.
    var classTable: ComparisonTable {
        ComparisonTable(
            title: "IoU % of",
            names: classNames,
            columns: scored.map { row in
                .init(
                    row.name,
                    classNames.indices.map { id in
                        let perClass = row.scores?.perClass ?? []
                        return .init(value: Self.percent(perClass.indices.contains(id) ? perClass[id].iou : nil))
                    }
                )
            },
            comparesRows: true
        )
    }

    var costTable: ComparisonTable {
        func megabytes(_ bytes: Int?) -> Double? { bytes.map { Double($0) / 1e6 } }
        func column(
            _ title: String,
            digits: Int = 1,
            _ value: (Row) -> Double?,
            _ published: (PublishedFigures) -> Double?
        ) -> ComparisonTable.Column {
            .init(
                title,
                best: .least,
                digits: digits,
                rows.map { .init(value: value($0), published: published($0.published)) }
            )
        }
        return ComparisonTable(
            title: "System",
            names: rows.map(\.name),
            columns: [
                column(
                    "Parameters, millions",
                    digits: 3,
                    { $0.measurement.map { Double($0.parameters) / 1e6 } },
                    \.millionParameters
                ),
                column("Model MB", { megabytes($0.measurement?.modelBytes) }, \.modelMegabytes),
                column("Forward ms", { $0.measurement?.forwardMilliseconds }, \.forwardMilliseconds),
                column("Backward ms", { $0.measurement?.backwardMilliseconds }, \.backwardMilliseconds),
                column(
                    "Inference MB",
                    digits: 0,
                    { megabytes($0.measurement?.inferencePeakBytes) },
                    \.inferenceMegabytes
                ),
                column("Training MB", digits: 0, { megabytes($0.history?.peakBytes) }, \.trainingMegabytes),
            ]
        )
    }

    var trainingTable: ComparisonTable {
        func column(_ title: String, digits: Int = 0, _ value: (Row) -> Double?) -> ComparisonTable.Column {
            .init(title, best: nil, digits: digits, rows.map { .init(value: value($0)) })
        }
        return ComparisonTable(
            title: "System",
            names: rows.map(\.name),
            columns: [
                column("Steps taken", { $0.history.map { Double($0.lastStep) } }),
                column("of", { $0.history?.totalSteps.map(Double.init) }),
                column("Pictures per step", { Double($0.picturesPerStep) }),
                column(
                    "Seconds per step",
                    digits: 2,
                    { row in
                        guard let history = row.history, let seconds = history.seconds, history.lastStep > 0 else {
                            return nil
                        }
                        return seconds / Double(history.lastStep)
                    }
                ),
                column("Hours", digits: 2, { $0.history?.seconds.map { $0 / 3600 } }),
                column(
                    "Best validation mIoU %",
                    digits: 1,
                    { Self.percent($0.history?.validations.compactMap(\.meanIoU).max()) }
                ),
            ]
        )
    }

    // MARK: Curves

    /// Validation over time, over passes, and the loss; those that have points. Systems that share a training have one line.
    var curves: [LineChart] {
        let trained = rows.filter(\.system.trains)
        let longest = trained.compactMap { $0.history?.seconds }.max() ?? 0
        let (unit, divisor) = longest >= 5400 ? ("hours", 3600.0) : longest >= 90 ? ("minutes", 60) : ("seconds", 1)
        func chart(
            _ title: String,
            xTitle: String,
            unit: String = "",
            _ points: (RunHistory) -> [(x: Double, y: Double)]
        ) -> LineChart {
            LineChart(
                title,
                xTitle: xTitle,
                series: trained.map { .init($0.name, $0.history.map(points) ?? []) },
                unit: unit
            )
        }
        var charts = [
            chart("Mean IoU of validation against training time", xTitle: "\(unit) of training", unit: " %") {
                $0.validations.compactMap { entry in
                    guard let seconds = entry.seconds, let score = entry.meanIoU else { return nil }
                    return (seconds / divisor, 100 * score)
                }
            },
            chart("Mean IoU of validation against passes over the pictures", xTitle: "epoch", unit: " %") {
                $0.validations.compactMap { entry in entry.meanIoU.map { (entry.epoch, 100 * $0) } }
            },
            chart("Training loss", xTitle: "\(unit) of training") {
                LineChart.thinned(
                    $0.steps.compactMap { step in step.seconds.map { ($0 / divisor, step.loss) } },
                    to: 100
                )
            },
        ]
        // From the beginning: a line that starts late belongs to a system whose first validation came late.
        for index in charts.indices {
            charts[index].xRange = [0, charts[index].series.flatMap { $0.points.map(\.x) }.max() ?? 0]
        }
        return charts.filter { $0.series.contains { !$0.points.isEmpty } }
    }
}

extension ComparisonReport.Row {
    var picturesPerStep: Int { system.configuration.batchSize * system.configuration.accumulate }

    /// What is missing, in words; nil: nothing.
    var gap: String? {
        switch state {
        case .missing: "not trained yet"
        case .begun(let step, let total):
            "trained for " + (total.map { "\(step) of \(counted($0, "step"))" } ?? counted(step, "step"))
        case .trained: scores == nil ? "not scored yet" : nil
        case .cutOff: "its training cannot go on: last.checkpoint is missing"
        case .changed(let changes): "\(changes.sentence) since it was trained"
        }
    }
}
