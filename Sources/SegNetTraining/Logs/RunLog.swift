import SegNetEvaluation
import SegNetFormats
import SegNetImages
internal import SegNetPlatform

/// The run's log: one JSON object per line, written through at once. A resumed run goes on where its checkpoint stands: later lines are
/// taken away first, so that no step is told twice.
///
/// What the disk does not take is kept, and written before the next line: the file is at any time a beginning of what was told. It has to
/// be complete where a run begins, at each checkpoint and at the end (`requireWritten`).
final class RunLog {
    private let url: URL
    private var descriptor: Int32
    /// What the disk has not taken yet.
    private var waiting: [UInt8] = []
    /// Why not, in the system's words.
    private var problem = ""
    private var isTold = false

    private var path: String { url.path(percentEncoded: false) }

    init(_ url: URL) throws(ConfigurationError) {
        self.url = url
        descriptor = Self.opened(url)
        guard descriptor >= 0 else { throw Self.unopened(url, errno) }
    }

    /// Writes to an open file, which is closed at the end.
    init(_ url: URL, descriptor: Int32) {
        self.url = url
        self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func opened(_ url: URL) -> Int32 {
        open(url.path(percentEncoded: false), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    }

    private static func unopened(_ url: URL, _ number: Int32) -> ConfigurationError {
        ConfigurationError(
            "\(url.path(percentEncoded: false)): cannot be written (\(systemMessage(number))); check the \(UserChoice.output)."
        )
    }

    /// Drops the lines of later steps.
    func truncate(after step: Int) throws {
        guard let data = FileAccess.contents(of: url), !data.isEmpty else { return }
        var kept: [UInt8] = []
        for line in data.split(separator: UInt8(ascii: "\n")) {
            // A line that was cut short by a kill is not JSON.
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)), entry.step <= step else {
                continue
            }
            kept += line + [UInt8(ascii: "\n")]
        }
        try SmallFile.write(kept, to: url)
        // Another file has the name now. The one before is closed only where there is another, so that none is ever closed twice.
        let new = Self.opened(url)
        guard new >= 0 else { throw Self.unopened(url, errno) }
        close(descriptor)
        descriptor = new
    }

    private struct Line: Decodable {
        var kind: String?
        var step: Int
    }

    /// What a log shows of a training whose checkpoint is not there.
    struct Traces {
        /// There is a line of it.
        var hasBegun = false
        /// Steps were taken.
        var hasSteps = false
        /// A checkpoint was written at some time: a session had ended, or one went on after a validation, at which it saves.
        var hasSaved = false
    }

    static func traces(in url: URL) -> Traces {
        var traces = Traces()
        var hasValidated = false
        let data = FileAccess.contents(of: url) ?? Data()
        for line in data.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)) else { continue }
            traces.hasBegun = true
            switch entry.kind {
            case "step":
                traces.hasSteps = true
                if hasValidated { traces.hasSaved = true }
            case "validation": hasValidated = true
            case "start" where entry.step > 0, "end": traces.hasSaved = true
            default: break
            }
        }
        return traces
    }

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

    /// - Throws: `ConfigurationError` if the file does not take it.
    func write(_ start: Start) throws {
        try append(start)
        try requireWritten()
    }

    /// A session of the run ends, by its last step or by a wish to stop.
    struct End: Encodable {
        var kind = "end"
        var step: Int
        /// Whether the training is done: its last step, or its patience is over.
        var isFinished: Bool
        /// The most memory that the process has held: `MachineMemory.peak`.
        var peakBytes: Int
    }

    /// - Throws: `ConfigurationError` if the file does not take it.
    func write(_ end: End) throws {
        try append(end)
        try requireWritten()
    }

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

    // MARK: Bytes

    private func append(_ entry: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        waiting += Array(try encoder.encode(entry)) + [UInt8(ascii: "\n")]
        writeWaiting()
    }

    /// Writes what the disk takes, from the first byte that it did not take before.
    private func writeWaiting() {
        while !waiting.isEmpty {
            let written = put(waiting, descriptor)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                problem = systemMessage(errno)
                return
            }
            waiting.removeFirst(written)
        }
    }

    /// A sentence the first time that the disk does not take a line; the training need not end for it.
    func takeNote() -> String? {
        guard !waiting.isEmpty, !isTold else { return nil }
        isTold = true
        return "\(path): cannot be written (\(problem)); its lines are kept, and written as soon as there is room."
    }

    /// Writes what the disk has not taken so far.
    /// - Throws: `ConfigurationError` if it still does not: what is kept in memory would be lost with the process.
    func requireWritten() throws(ConfigurationError) {
        writeWaiting()
        guard !waiting.isEmpty else { return }
        throw ConfigurationError(
            "\(path): cannot be written (\(problem)), so that it lacks the last steps; check the file and the space left on the disk."
        )
    }
}

private func put(_ bytes: [UInt8], _ descriptor: Int32) -> Int { write(descriptor, bytes, bytes.count) }

/// An error of the system in its words.
func systemMessage(_ number: Int32) -> String { strerror(number).map { String(cString: $0) } ?? "error \(number)" }
