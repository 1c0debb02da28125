import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetPlatform

/// A training's log for TensorBoard: `tensorboard --logdir runs` shows it.
struct TensorBoardLog {
    private let log: EventLog

    /// - Parameters:
    ///   - folder: The run's.
    ///   - step: Where the training stands; what the folder's event files say of later steps is dropped. nil: everything.
    init(_ folder: URL, after step: Int?) throws(FormatError) { log = try EventLog(folder, after: step) }

    init(_ log: EventLog) { self.log = log }

    /// Drops the event files of earlier sessions, for a run that logs no more.
    static func cut(_ folder: URL, after step: Int?) throws(FormatError) { try EventLog.cut(in: folder, after: step) }

    func write(_ report: StepReport) throws(FormatError) {
        var values: [EventRecord.Value] = [
            .scalar("train/loss", Float(report.loss)),
            .scalar("train/learning_rate", Float(report.learningRate)),
            .scalar("train/gradient_norm", Float(report.gradientNorm)),
            .scalar("train/pictures_per_second", Float(report.picturesPerSecond)),
        ]
        if let score = report.runningMeanIoU { values.append(.scalar("train/mean_iou", Float(score))) }
        try log.write(values, step: report.step)
    }

    /// - Parameter classes: Their names, by id.
    func write(_ report: ValidationReport, classes: [String]) throws {
        let scores = report.scores
        var numbers: [(String, Double?)] = [
            ("validation/mean_iou", scores.meanIoU),
            ("validation/global_accuracy", scores.globalAccuracy),
            ("validation/class_average_accuracy", scores.classAverageAccuracy),
        ]
        for (name, score) in zip(classes, scores.classes) { numbers.append(("class_iou/\(name)", score.iou)) }
        try log.write(numbers.compactMap { tag, value in value.map { .scalar(tag, Float($0)) } }, step: report.step)
        for (index, picture) in report.pictures.enumerated() {
            try log.write(
                [
                    .picture(
                        "validation/photo, truth, prediction \(index + 1)",
                        png: try picture.encodedPNG(),
                        width: picture.width,
                        height: picture.height,
                        channels: picture.channels
                    )
                ],
                step: report.step
            )
        }
    }
}
