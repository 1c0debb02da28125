import SegNetToolkit

// One shard of a run: which pictures belong to it, whether it is done already, and what it leaves for the summary.

extension PredictionRun {
    /// The report that the shard will leave; nil without shards.
    /// - Throws: `FormatError` if a file of the model cannot be read again.
    func shardReport(_ list: InputList, _ settings: PredictionReport) throws -> ShardReport? {
        try options.shards.shard.map { shard in
            var check = CRC32C()
            for picture in list.pictures {
                Array("\(picture.name)\n\(picture.stem)\n".utf8).withUnsafeBytes { check.add($0) }
            }
            let model = options.model
            let run = settings.run
            let words =
                [
                    settings.model, model.network, model.mean.map { "mean \($0.values)" },
                    options.kinds.map(\.name).joined(separator: ","), run.accuracy, run.precision,
                    options.runSize.size.map { "size \($0)" },
                    options.edges.edges == .nearest ? nil : "\(options.edges.edges)",
                    run.samples.map { "\($0) samples" }, run.seed.map { "seed \($0)" }, run.views,
                    run.crf.map { "crf \($0)" },
                    options.kinds.contains(.overlay) ? "opacity \(options.opacity)" : nil,
                    options.tiles.tile.map { "tiles \($0)" }, options.tiles.overlap.map { "overlap \($0)" },
                    options.tiles.maskFormat.map { "masks \($0)" },
                    options.kinds.contains(.polygons)
                        ? "polygons \(options.outputs.format), tolerance \(options.outputs.tolerance ?? 1), "
                            + (options.outputs.hasOneFile ? "one file" : "a file each") : nil,
                ] as [String?]
            return ShardReport(
                shard: shard.number,
                shards: shard.count,
                inputs: list.pictures.count + list.problems.count,
                checksum: check.checksum,
                settings: words.compactMap { $0 }.joined(separator: ", "),
                modelChecksum: try model.checksum(),
                classNames: settings.classNames,
                instructionSet: run.instructionSet,
                threads: run.threads
            )
        }
    }

    /// Whether the shard is done already, with the same pictures, model and settings, without a failure, and its results are there.
    /// - Parameter pictures: All of the shard.
    func isDone(
        _ report: ShardReport,
        _ pictures: [InputList.Picture],
        _ outputs: RunOutputs,
        on console: Console
    ) throws -> Bool {
        guard let shard = options.shards.shard,
            let found = try ShardReport.read(ShardReport.path(shard, in: options.output))
        else { return false }
        if let changed = found.modelChecksum, changed != report.modelChecksum, found.settings == report.settings {
            console.note("shard \(shard): the model file has changed; the shard is done again.")
            return false
        }
        guard found.matches(report) else { return false }
        guard found.failures.isEmpty else {
            console.note(
                "shard \(shard): \(counted(found.failures.count, "picture")) failed in the last run; the shard is done again."
            )
            return false
        }
        let missing = pictures.flatMap { Self.missingResults(of: $0, options, outputs) }
        if let first = missing.first {
            console.note(
                "shard \(shard): \(counted(missing.count, "result")) \(missing.count == 1 ? "is" : "are") missing, such as \(first); "
                    + "the shard is done again."
            )
            return false
        }
        console.note("shard \(shard): done already, \(counted(found.pictures, "picture")); nothing to do.")
        return true
    }
}
