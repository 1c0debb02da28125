import ArgumentParser
import SegNetToolkit

/// A summary of all shards in a folder: `segnet predict --merge FOLDER`.
struct ShardSummary: Encodable {
    struct ClassShare: Encodable {
        var id: Int
        var name: String
        var pixels: Int
        /// Its share of all pixels, 0...1.
        var share: Double
    }

    var shards: Int
    /// Numbers of the shards that are not done.
    var missing: [Int] = []
    var pictures = 0
    /// Pictures whose results were there already (`--skip-existing`). They are not in `classes`.
    var skipped = 0
    var failures: [ShardReport.Failure] = []
    /// Each class's share of all pixels, the largest first.
    var classes: [ClassShare] = []
    /// The time of all shards together.
    var seconds = 0.0
    /// The time of the longest shard.
    var longestSeconds = 0.0
    /// Seconds times threads.
    var coreSeconds = 0.0
    var peakMemoryBytes = 0
    var instructionSets: [String] = []

    /// - Throws: `ShardError` if the folder holds no shards, or some that do not belong together.
    init(folder: String) throws {
        let path = "\(folder)/\(ShardReport.folderName)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        var reports: [ShardReport] = []
        for name in names.sorted() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            if let report = try ShardReport.read("\(path)/\(name)") { reports.append(report) }
        }
        reports.sort { $0.shard < $1.shard }
        guard let first = reports.first else {
            throw ShardError(
                "\(folder): holds no reports of shards; give the '--output' of 'segnet predict --shard'."
            )
        }
        if let other = reports.first(where: { !$0.matches(first) }) {
            throw ShardError(
                "\(folder): shard \(other.shard)/\(other.shards) does not have the same pictures and settings as shard \(first.shard)/\(first.shards): "
                    + "\(Self.difference(first, other)). Run one of them again, or remove its report in \(path)."
            )
        }
        shards = first.shards
        let done = Set(reports.map(\.shard))
        missing = (1...shards).filter { !done.contains($0) }
        var pixels = [Int](repeating: 0, count: first.classNames.count)
        for report in reports {
            pictures += report.pictures
            skipped += report.skipped
            failures += report.failures
            for (id, count) in report.classPixels.enumerated() where pixels.indices.contains(id) { pixels[id] += count }
            seconds += report.seconds
            longestSeconds = max(longestSeconds, report.seconds)
            coreSeconds += report.seconds * Double(report.threads)
            peakMemoryBytes = max(peakMemoryBytes, report.peakMemoryBytes)
        }
        instructionSets = Set(reports.map(\.instructionSet)).sorted()
        let total = Double(max(1, pixels.reduce(0, +)))
        classes = pixels.enumerated().filter { $0.element > 0 }
            .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
            .map { id, count in
                ClassShare(id: id, name: first.classNames[id], pixels: count, share: Double(count) / total)
            }
    }

    private static func difference(_ a: ShardReport, _ b: ShardReport) -> String {
        if a.shards != b.shards { return "\(counted(b.shards, "shard")), not \(a.shards)" }
        if a.inputs != b.inputs { return "\(counted(b.inputs, "picture")) in all, not \(a.inputs)" }
        if a.settings != b.settings { return "'\(b.settings)', not '\(a.settings)'" }
        if a.modelChecksum != b.modelChecksum { return "a model file with other contents" }
        return a.checksum != b.checksum ? "pictures with other names" : "other classes"
    }

    /// Prints the summary. The command fails if a shard is missing or a picture failed.
    func tell(_ folder: String, json: Bool, on console: Console) throws {
        if json { console.print(try JSON.text(self)) } else { console.print(words) }
        for failure in failures { console.error(failure.error) }
        if instructionSets.count > 1 {
            console.note(
                "note: the shards ran with \(instructionSets.joined(separator: " and ")): single pixels can differ from a run with only one of them."
            )
        }
        if missing.isEmpty { Self.removeLeftovers(in: folder) }
        if !missing.isEmpty {
            let shown = missing.prefix(20).map { "\($0)/\(shards)" }.joined(separator: ", ")
            let more = missing.count > 20 ? " and \(missing.count - 20) more" : ""
            console.error(
                "\(folder): \(missing.count == 1 ? "shard" : "shards") \(shown)\(more) "
                    + "\(missing.count == 1 ? "is" : "are") missing; run \(missing.count == 1 ? "it" : "them") again with --shard."
            )
        }
        if !missing.isEmpty || !failures.isEmpty { throw ExitCode.failure }
    }

    /// Removes temporary files that killed shards have left; nobody is writing any more.
    private static func removeLeftovers(in folder: String) {
        LeftoverFiles.remove(in: folder)
        for name in RawFileName.names(in: folder) ?? [] where !name.hasPrefix(".") {
            if FileAccess.kind(of: "\(folder)/\(name)") == .folder { removeLeftovers(in: "\(folder)/\(name)") }
        }
    }

    private var words: String {
        let done = shards - missing.count
        return
            "\(done) of \(shards) shards done: \(counted(pictures, "picture")), "
            + (skipped > 0 ? "\(skipped) left as they were, " : "") + "\(failures.count) failed; "
            + "\(Numbers.fixed(coreSeconds / 3600, 3)) core hours, the longest shard \(Numbers.clock(seconds: longestSeconds)); "
            + "peak memory \(Numbers.mebibytes(peakMemoryBytes))"
            + (classes.isEmpty
                ? "" : "\n" + classes.map { "\($0.name) \(Numbers.percent($0.share))" }.joined(separator: ", "))
    }
}
