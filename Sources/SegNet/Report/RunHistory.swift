import SegNetPlatform

/// What a training run's `log.jsonl` tells of its course.
package struct RunHistory: Sendable {
    package struct Step: Sendable {
        package var epoch: Double
        package var loss: Double
        package var learningRate: Double
    }

    package struct Validation: Sendable {
        package var epoch: Double
        package var globalAccuracy: Double?
        package var classAverageAccuracy: Double?
        package var meanIoU: Double?
        package var isBest: Bool
    }

    package var steps: [Step] = []
    package var validations: [Validation] = []

    package init(steps: [Step], validations: [Validation]) {
        self.steps = steps
        self.validations = validations
    }

    /// Reads a log, one JSON object a line. Lines of other kinds, and a last line that a kill has cut short, are passed over.
    package init(log: String) {
        struct Line: Decodable {
            var kind: String
            var epoch: Double
            var loss: Double?
            var learningRate: Double?
            var globalAccuracy: Double?
            var classAverageAccuracy: Double?
            var meanIoU: Double?
            var isBest: Bool?
        }
        let decoder = JSONDecoder()
        for text in log.split(whereSeparator: \.isNewline) {
            guard let line = try? decoder.decode(Line.self, from: Data(text.utf8)) else { continue }
            switch line.kind {
            case "step":
                guard let loss = line.loss, let rate = line.learningRate else { continue }
                steps.append(Step(epoch: line.epoch, loss: loss, learningRate: rate))
            case "validation":
                validations.append(
                    Validation(
                        epoch: line.epoch,
                        globalAccuracy: line.globalAccuracy,
                        classAverageAccuracy: line.classAverageAccuracy,
                        meanIoU: line.meanIoU,
                        isBest: line.isBest ?? false
                    )
                )
            default: continue
            }
        }
    }

    /// The charts of the run: loss, learning rate, validation.
    package var charts: [LineChart] {
        let last = (steps.map(\.epoch) + validations.map(\.epoch)).max() ?? 0
        return ownCharts.map { chart in
            var chart = chart
            chart.xRange = [0, last]
            return chart
        }
    }

    private var ownCharts: [LineChart] {
        var charts: [LineChart] = []
        if !steps.isEmpty {
            charts.append(
                LineChart(
                    "Training loss",
                    xTitle: "epoch",
                    series: [.init("loss", LineChart.thinned(steps.map { ($0.epoch, $0.loss) }))],
                    includesZero: true
                )
            )
            charts.append(
                LineChart(
                    "Learning rate",
                    xTitle: "epoch",
                    series: [.init("learning rate", LineChart.thinned(steps.map { ($0.epoch, $0.learningRate) }))],
                    includesZero: true
                )
            )
        }
        guard !validations.isEmpty else { return charts }
        func line(_ name: String, _ value: (Validation) -> Double?, markBest: Bool = false) -> LineChart.Series {
            let points = validations.compactMap { entry in value(entry).map { (x: entry.epoch, y: 100 * $0) } }
            let best = markBest ? validations.last { $0.isBest && value($0) != nil } : nil
            return .init(
                name,
                points,
                mark: best.map {
                    let percent = 100 * (value($0) ?? 0)
                    return ($0.epoch, percent, "best \(Numbers.fixed(percent, 1)) %")
                }
            )
        }
        charts.append(
            LineChart(
                "Validation",
                xTitle: "epoch",
                series: [
                    line("mean IoU", \.meanIoU, markBest: true), line("global accuracy", \.globalAccuracy),
                    line("class average", \.classAverageAccuracy),
                ].filter { !$0.points.isEmpty },
                unit: " %"
            )
        )
        return charts
    }
}
