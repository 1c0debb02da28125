import CSegNetKernels
public import SegNetCPU
import SegNetFormats
import SegNetNetworks
public import SegNetPlatform

/// Where a training stands: what a checkpoint holds beside the numbers.
public struct TrainingProgress: Sendable, Hashable, Codable {
    /// Steps taken.
    public var step = 0
    /// Examples used: with the seed, the position in the data and in every random stream.
    public var place = 0
    /// The best validation score so far and its step.
    public var bestScore: Double?
    public var bestStep = 0
    /// Validations done.
    public var validations = 0
    /// Seconds trained.
    public var seconds = 0.0
    /// Steps of the optimiser and the average, which count for their corrections.
    public var optimizerSteps = 0
    public var averageSteps = 0
    /// Running statistics, exactly.
    public var statistics: [NormalizationStatistics] = []
    public var statisticsBatches = 0
    /// What was trained: a resumed run must be of the same recipe.
    public var fingerprint = ""

    public init() {}
}

/// A whole training in one file: weights, optimiser, average, statistics, position. Written beside and renamed into place, so a kill at any
/// instant leaves the old file or the new one.
///
/// It is a safetensors file whose tensors have the names of the parameters with a prefix (`parameter/`, `velocity/`, ...): every number
/// stands there exactly, in the layout of model files, so that it can be read on another machine.
public enum Checkpoint {
    private static let version = "1"

    /// Writes a checkpoint.
    /// - Throws: `FormatError` if the file cannot be written.
    static func write(
        _ progress: TrainingProgress,
        parameters: Parameters,
        optimizer: Optimizer,
        average: WeightAverage?,
        to url: URL
    ) throws {
        var progress = progress
        progress.optimizerSteps = optimizer.steps
        progress.averageSteps = average?.steps ?? 0
        progress.statistics = parameters.statistics
        progress.statisticsBatches = parameters.statisticsBatches
        var all = Weights()
        func add(_ prefix: String, _ memory: UnsafePointer<Float>) throws {
            for (name, tensor) in try parameters.tensors(of: memory).tensors
            where parameters.layout.ranges.contains(where: { $0.name == name }) {
                all["\(prefix)/\(name)"] = tensor
            }
        }
        try add("parameter", parameters.values.floats())
        for (name, memory) in zip(optimizer.memoryNames, optimizer.memories) { try add(name, memory.floats()) }
        if let average { try add("average", average.memory.floats()) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(progress), as: UTF8.self)
        try SafetensorsFile.write(
            all,
            metadata: ["format": "segnet-checkpoint", "format_version": version, "progress": text],
            to: url
        )
    }

    /// Reads where a training stands, without its numbers.
    /// - Throws: `FormatError` if the file is no checkpoint.
    public static func progress(_ url: URL) throws -> TrainingProgress { try progress(SafetensorsFile(url)) }

    private static func progress(_ file: SafetensorsFile) throws -> TrainingProgress {
        guard file.metadata["format"] == "segnet-checkpoint", let text = file.metadata["progress"] else {
            throw CheckpointError(
                file: file.name,
                "is not a checkpoint of a training; give the \(UserChoice.output) of a run, or its last.checkpoint."
            )
        }
        guard file.metadata["format_version"] == version else {
            throw CheckpointError(
                file: file.name,
                "has format version '\(file.metadata["format_version"] ?? "")', this program reads \(version); use a newer version."
            )
        }
        do { return try JSONDecoder().decode(TrainingProgress.self, from: Data(text.utf8)) } catch {
            throw CheckpointError(file: file.name, "is damaged (\(error)).")
        }
    }

    /// Restores a training.
    /// - Throws: `FormatError` or `CheckpointError` if the file is damaged or of another network.
    static func read(
        _ url: URL,
        parameters: Parameters,
        optimizer: Optimizer,
        average: WeightAverage?
    ) throws -> TrainingProgress {
        let file = try SafetensorsFile(url)
        let progress = try progress(file)
        func restore(_ prefix: String, _ memory: UnsafeMutablePointer<Float>) throws {
            for range in parameters.layout.ranges {
                let name = "\(prefix)/\(range.name)"
                guard let tensor = file.weights[name], tensor.shape.count == parameters.layout.tensorCount(range) else {
                    throw CheckpointError(
                        file: file.name,
                        "does not fit: '\(name)' is missing or has another shape. It belongs to another network; resume with the run's own "
                            + "recipe, or begin a new run in another \(UserChoice.output)."
                    )
                }
                parameters.layout.pack(tensor.floats(), range, into: memory)
                tensor.release()
            }
        }
        try restore("parameter", parameters.values.floats())
        for (name, memory) in zip(optimizer.memoryNames, optimizer.memories) { try restore(name, memory.floats()) }
        if let average { try restore("average", average.memory.floats()) }
        guard progress.statistics.map(\.layer) == parameters.statistics.map(\.layer) else {
            throw CheckpointError(file: file.name, "has statistics of other layers than the network.")
        }
        optimizer.steps = progress.optimizerSteps
        average?.steps = progress.averageSteps
        parameters.statistics = progress.statistics
        parameters.statisticsBatches = progress.statisticsBatches
        return progress
    }
}

/// A checkpoint that cannot be used.
public struct CheckpointError: Error, Hashable, CustomStringConvertible {
    public let file: String
    public let reason: String

    init(file: String, _ reason: String) {
        self.file = file
        self.reason = reason
    }

    public var description: String { "\(file): \(reason)" }
}
