import SegNetCPU
import SegNetFormats
import SegNetNetworks
public import SegNetPlatform

/// A whole training in one file: weights, optimiser, average, statistics, position. Written under a temporary name and renamed into place,
/// so a kill at any instant leaves the old file or the new one.
///
/// It is a safetensors file whose tensors have the names of the parameters with a prefix (`parameter/`, `velocity/`, ...): every number
/// stands there exactly, in the layout of model files, so that it can be read on another machine. A checksum covers every number and the
/// position; files of earlier versions have none.
public enum Checkpoint {
    private static let version = "1"

    /// The file's texts.
    private enum Key {
        static let format = "format"
        static let version = "format_version"
        static let progress = "progress"
        static let checksum = "checksum"
        static let all: Set = [format, version, progress, checksum]
    }

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
            metadata: [
                Key.format: "segnet-checkpoint", Key.version: version, Key.progress: text,
                Key.checksum: checksum(text, all),
            ],
            to: url
        )
    }

    /// The checksum of the position, and of every tensor's name and bytes in the order of the names: CRC-32C, eight hexadecimal digits.
    private static func checksum(_ progress: String, _ weights: Weights) -> String {
        var check = CRC32C()
        func add(_ text: String) { Array(text.utf8).withUnsafeBytes { check.add($0) } }
        add(progress)
        for (name, tensor) in weights.tensors.sorted(by: { $0.key < $1.key }) {
            add(name)
            tensor.withBytes { check.add($0) }
            tensor.release()
        }
        let digits = String(check.checksum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Reads where a training stands, without its numbers and without looking at the checksum.
    /// - Throws: `FormatError` if the file is not a checkpoint.
    public static func progress(_ url: URL) throws -> TrainingProgress { try progress(SafetensorsFile(url), url) }

    /// Reads where a training stands, if the checksum vouches for it.
    /// - Throws: `CheckpointError` if the file is damaged, or no checkpoint.
    static func verifiedProgress(_ url: URL) throws -> TrainingProgress {
        let file = try open(url)
        let progress = try progress(file, url)
        try verify(file, url)
        return progress
    }

    private static func open(_ url: URL) throws(CheckpointError) -> SafetensorsFile {
        do { return try SafetensorsFile(url) } catch {
            guard access(url.path(percentEncoded: false), R_OK) == 0 else {
                throw CheckpointError(file: url.relativePath, "cannot be opened; check its permissions.")
            }
            throw damaged(url, error.problem)
        }
    }

    private static func progress(_ file: SafetensorsFile, _ url: URL) throws -> TrainingProgress {
        guard file.metadata[Key.format] == "segnet-checkpoint", let text = file.metadata[Key.progress] else {
            throw CheckpointError(
                file: file.name,
                "is not a checkpoint of a training; give the \(UserChoice.output) of a run, or its last.checkpoint."
            )
        }
        guard file.metadata[Key.version] == version else {
            throw CheckpointError(
                file: file.name,
                "has format version '\(file.metadata[Key.version] ?? "")', this program reads \(version); use a newer version."
            )
        }
        guard let progress = try? JSONDecoder().decode(TrainingProgress.self, from: Data(text.utf8)) else {
            throw damaged(url, "where the training stands cannot be read")
        }
        if let problem = progress.problem { throw damaged(url, problem) }
        return progress
    }

    /// Restores a training.
    /// - Throws: `CheckpointError` if the file is damaged, holds a number that no training makes, or is of another network.
    static func read(
        _ url: URL,
        parameters: Parameters,
        optimizer: Optimizer,
        average: WeightAverage?
    ) throws -> TrainingProgress {
        let file = try open(url)
        let progress = try progress(file, url)
        try verify(file, url)
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
                let numbers = tensor.floats()
                // Second moments are means of squares, whose root is taken.
                let least: Float = prefix == "moment2" ? 0 : -.greatestFiniteMagnitude
                if let index = numbers.firstIndex(where: { !($0.isFinite && $0 >= least) }) {
                    throw damaged(url, "number \(index) of '\(name)' is \(numbers[index])")
                }
                parameters.layout.pack(numbers, range, into: memory)
                tensor.release()
            }
        }
        try restore("parameter", parameters.values.floats())
        for (name, memory) in zip(optimizer.memoryNames, optimizer.memories) { try restore(name, memory.floats()) }
        if let average { try restore("average", average.memory.floats()) }
        let fits = zip(progress.statistics, parameters.statistics).allSatisfy {
            $0.layer == $1.layer && $0.mean.count == $1.mean.count && $0.variance.count == $1.variance.count
        }
        guard fits, progress.statistics.count == parameters.statistics.count else {
            throw CheckpointError(file: file.name, "has statistics of other layers than the network.")
        }
        optimizer.steps = progress.optimizerSteps
        average?.steps = progress.averageSteps
        parameters.statistics = progress.statistics
        parameters.statisticsBatches = progress.statisticsBatches
        return progress
    }

    private static func verify(_ file: SafetensorsFile, _ url: URL) throws(CheckpointError) {
        // A damaged key must not turn a file with a checksum into one of an earlier version, which has none.
        if let key = file.metadata.keys.sorted().first(where: { !Key.all.contains($0) }) {
            throw damaged(url, "its text '\(key)' is not known")
        }
        guard let expected = file.metadata[Key.checksum] else { return }
        let found = checksum(file.metadata[Key.progress] ?? "", file.weights)
        guard found == expected else {
            throw damaged(url, "it records the checksum \(expected), but its contents have \(found)")
        }
    }

    /// An error of a damaged file, with what can be done without it.
    private static func damaged(_ url: URL, _ problem: String) -> CheckpointError {
        CheckpointError(
            file: url.relativePath,
            "is damaged: \(problem). Put a copy of the file in its place, or \(newRun(after: url.deletingLastPathComponent()))."
        )
    }

    /// What to do instead of going on in a run's folder, without the full stop: from its best model, where there is one.
    static func newRun(after output: URL) -> String {
        let best = output.appending(path: "best.safetensors")
        guard FileManager.default.fileExists(atPath: best.path(percentEncoded: false)) else {
            return "begin a new run in another \(UserChoice.output)"
        }
        return
            "begin a new run in another \(UserChoice.output) from \(best.relativePath), the best model so far, as the "
            + "\(UserChoice.model)"
    }
}
