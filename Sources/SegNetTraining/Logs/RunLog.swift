import SegNetEvaluation
import SegNetFormats
internal import SegNetPlatform

/// The run's log: one JSON object per line, written through at once. A resumed run goes on where its checkpoint stands: later lines are
/// taken away first, so that no step is told twice.
final class RunLog {
    private let path: String
    private var handle: UnsafeMutablePointer<FILE>?

    init(_ url: URL) throws(ConfigurationError) {
        path = url.path(percentEncoded: false)
        guard let file = fopen(path, "a") else {
            throw ConfigurationError("\(path): cannot be written; check the \(UserChoice.output).")
        }
        handle = file
    }

    deinit { if let handle { fclose(handle) } }

    /// Drops the lines of later steps.
    func truncate(after step: Int) throws {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return }
        var kept: [UInt8] = []
        for line in data.split(separator: UInt8(ascii: "\n")) {
            // A line that was cut short by a kill is no JSON.
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), entry.step <= step else {
                continue
            }
            kept += line + [UInt8(ascii: "\n")]
        }
        if let handle { fclose(handle) }
        try SmallFile.write(kept, to: URL(filePath: path))
        handle = fopen(path, "a")
    }

    private struct Line: Decodable { var step: Int }

    /// A session of the run begins: how many pictures run together, and how many make a step.
    struct Start: Encodable {
        var kind = "start"
        /// Steps that were there already.
        var step: Int
        var totalSteps: Int
        var batchSize: Int
        var accumulate: Int
        var picturesPerStep: Int

        init(step: Int, totalSteps: Int, batchSize: Int, accumulate: Int) {
            self.step = step
            self.totalSteps = totalSteps
            self.batchSize = batchSize
            self.accumulate = accumulate
            picturesPerStep = batchSize * accumulate
        }
    }

    func write(_ start: Start) throws { try append(start) }

    /// A session of the run ends, by its last step or by a wish to stop.
    struct End: Encodable {
        var kind = "end"
        var step: Int
        /// Whether the training is done: its last step, or its patience is over.
        var isFinished: Bool
        /// The most memory that the process has held: `MachineMemory.peak`.
        var peakBytes: Int
    }

    func write(_ end: End) throws { try append(end) }

    func write(_ report: StepReport) throws {
        struct Entry: Encodable {
            var kind = "step"
            var step: Int
            var epoch: Double
            var loss: Double
            var runningMeanIoU: Double?
            var learningRate: Double
            var gradientNorm: Double
            var picturesPerSecond: Double
            var waitingShare: Double?
        }
        try append(
            Entry(
                step: report.step,
                epoch: report.epoch,
                loss: report.loss,
                runningMeanIoU: report.runningMeanIoU,
                learningRate: report.learningRate,
                gradientNorm: report.gradientNorm,
                picturesPerSecond: report.picturesPerSecond,
                waitingShare: report.waitingShare
            )
        )
    }

    func write(_ report: ValidationReport, classes: [String]) throws {
        struct Entry: Encodable {
            var kind = "validation"
            var step: Int
            var epoch: Double
            var globalAccuracy: Double?
            var classAverageAccuracy: Double?
            var meanIoU: Double?
            var classIoU: [String: Double?]
            var neverPredicted: [String]
            var isBest: Bool
        }
        try append(
            Entry(
                step: report.step,
                epoch: report.epoch,
                globalAccuracy: report.scores.globalAccuracy,
                classAverageAccuracy: report.scores.classAverageAccuracy,
                meanIoU: report.scores.meanIoU,
                classIoU: Dictionary(zip(classes, report.scores.classes.map(\.iou)), uniquingKeysWith: { a, _ in a }),
                neverPredicted: report.neverPredicted,
                isBest: report.isBest
            )
        )
    }

    private func append(_ entry: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let handle else { return }
        let bytes = Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")]
        fwrite(bytes, 1, bytes.count, handle)
        fflush(handle)
    }
}
