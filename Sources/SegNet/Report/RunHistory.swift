import SegNetPlatform

/// The course of a training run, from its `log.jsonl`.
package struct RunHistory: Sendable {
    package struct Step: Sendable {
        package var epoch: Double
        package var loss: Double
        package var learningRate: Double
        /// The time of all steps so far, validations not counted; nil where the log does not tell.
        package var seconds: Double?
    }

    package struct Validation: Sendable {
        package var epoch: Double
        /// The time of the steps before it.
        package var seconds: Double?
        package var globalAccuracy: Double?
        package var classAverageAccuracy: Double?
        package var meanIoU: Double?
        package var isBest: Bool
    }

    package var steps: [Step] = []
    package var validations: [Validation] = []
    /// The last step taken, and how many the training has.
    package var lastStep = 0
    package var totalSteps: Int?
    /// Whether the log ends with the end of the training.
    package var isFinished = false
    /// The most memory that any of the run's processes held.
    package var peakBytes: Int?

    /// The time of all steps, in seconds.
    package var seconds: Double? { steps.last?.seconds }

    /// Reads the log of a run's folder; nil if there is none.
    package init?(folder: URL) {
        let file = folder.appending(path: "log.jsonl").path(percentEncoded: false)
        guard let data = FileManager.default.contents(atPath: file) else { return nil }
        self.init(log: String(decoding: data, as: UTF8.self))
    }

    /// Reads a log, one JSON object per line. Lines of other kinds, and a last line that a kill has cut short, are passed over.
    package init(log: String) {
        struct Line: Decodable {
            var kind: String
            var step: Int?
            var totalSteps: Int?
            var picturesPerStep: Int?
            var picturesPerSecond: Double?
            var peakBytes: Int?
            var epoch: Double?
            var loss: Double?
            var learningRate: Double?
            var globalAccuracy: Double?
            var classAverageAccuracy: Double?
            var meanIoU: Double?
            var isBest: Bool?
            var isFinished: Bool?
        }
        let decoder = JSONDecoder()
        var picturesPerStep: Int?
        for text in log.split(whereSeparator: \.isNewline) {
            guard let line = try? decoder.decode(Line.self, from: Data(text.utf8)) else { continue }
            switch line.kind {
            case "start":
                picturesPerStep = line.picturesPerStep
                totalSteps = line.totalSteps
                isFinished = false
            case "step":
                guard let loss = line.loss, let rate = line.learningRate, let epoch = line.epoch else { continue }
                var time: Double?
                if let pictures = picturesPerStep, let speed = line.picturesPerSecond, speed > 0 {
                    time = (steps.last?.seconds ?? 0) + Double(pictures) / speed
                }
                steps.append(Step(epoch: epoch, loss: loss, learningRate: rate, seconds: time))
                lastStep = line.step ?? lastStep
            case "validation":
                guard let epoch = line.epoch else { continue }
                validations.append(
                    Validation(
                        epoch: epoch,
                        seconds: seconds,
                        globalAccuracy: line.globalAccuracy,
                        classAverageAccuracy: line.classAverageAccuracy,
                        meanIoU: line.meanIoU,
                        isBest: line.isBest ?? false
                    )
                )
            case "end":
                peakBytes = [peakBytes, line.peakBytes].compactMap { $0 }.max()
                // Logs of earlier versions do not say it.
                isFinished = line.isFinished ?? (line.step != nil && line.step == totalSteps)
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
