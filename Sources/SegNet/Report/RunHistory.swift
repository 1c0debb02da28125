import SegNetImages
import SegNetPlatform

/// The course of a training run, from its `log.jsonl`.
package struct RunHistory: Sendable {
    package struct Step: Sendable {
        package var epoch: Double
        package var loss: Double
        package var learningRate: Double
        /// The time of all steps so far, validations and pauses not counted; nil where the log does not tell.
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
        guard let data = FileAccess.contents(of: folder.appending(path: "log.jsonl")) else { return nil }
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
        var times: [Double?] = []
        var stepsBefore: [Int] = []
        for text in log.split(whereSeparator: \.isNewline) {
            guard let line = try? decoder.decode(Line.self, from: Data(text.utf8)) else { continue }
            switch line.kind {
            case "start":
                picturesPerStep = line.picturesPerStep
                totalSteps = line.totalSteps
                isFinished = false
            case "step":
                guard let loss = line.loss, let rate = line.learningRate, let epoch = line.epoch else { continue }
                let speed = line.picturesPerSecond.flatMap { $0 > 0 ? $0 : nil }
                times.append(picturesPerStep.flatMap { pictures in speed.map { Double(pictures) / $0 } })
                steps.append(Step(epoch: epoch, loss: loss, learningRate: rate))
                lastStep = line.step ?? lastStep
            case "validation":
                guard let epoch = line.epoch else { continue }
                stepsBefore.append(steps.count)
                validations.append(
                    Validation(
                        epoch: epoch,
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
        time(times)
        for (number, steps) in stepsBefore.enumerated() where steps > 0 {
            validations[number].seconds = self.steps[steps - 1].seconds
        }
    }

    /// Sets the time of each step from how long the steps took; nil where the log does not tell. A step in which the process was stopped or
    /// the machine slept counts as the median one.
    private mutating func time(_ times: [Double?]) {
        let median = Times(times.compactMap { $0 }).median
        // A busy machine makes a step some times as long, and a first step reads its pictures.
        let pause = max(60, 20 * median)
        var sum = 0.0
        for (number, seconds) in times.enumerated() {
            guard let seconds else {
                sum = 0
                continue
            }
            sum += seconds > pause ? median : seconds
            steps[number].seconds = sum
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
