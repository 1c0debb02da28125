import SegNetToolkit

// One shard of a run: which pictures belong to it, whether it is done already, and what it leaves for the summary.

extension PredictionRun {
    /// The report that the shard will leave; nil without shards.
    func shardReport(_ list: InputList, _ segmenter: Segmenter, _ settings: PredictionReport) -> ShardReport? {
        options.shards.shard.map { shard in
            var check = CRC32C()
            for picture in list.pictures {
                Array("\(picture.name)\n\(picture.stem)\n".utf8).withUnsafeBytes { check.add($0) }
            }
            let run = settings.run
            let words =
                [
                    settings.model, options.kinds.map(\.name).joined(separator: ","), run.accuracy, run.precision,
                    options.size.map { "size \($0)" }, options.edges.edges == .nearest ? nil : "\(options.edges.edges)",
                    run.samples.map { "\($0) samples" }, run.seed.map { "seed \($0)" }, run.views,
                    run.crf.map { "crf \($0)" },
                    options.kinds.contains(.overlay) ? "opacity \(options.opacity)" : nil,
                    options.tiles.tile.map { "tiles \($0)" }, options.tiles.overlap.map { "overlap \($0)" },
                    options.tiles.maskFormat.map { "masks \($0)" },
                    options.kinds.contains(.polygons)
                        ? "polygons \(options.outputs.format), tolerance \(options.outputs.tolerance ?? 1)" : nil,
                ] as [String?]
            return ShardReport(
                shard: shard.number,
                shards: shard.count,
                inputs: list.pictures.count + list.problems.count,
                checksum: check.checksum,
                settings: words.compactMap { $0 }.joined(separator: ", "),
                classNames: settings.classNames,
                instructionSet: run.instructionSet,
                threads: run.threads
            )
        }
    }

    /// Whether the shard is done already, with the same pictures and settings and without a failure.
    func isDone(_ report: ShardReport, on console: Console) throws -> Bool {
        guard let shard = options.shards.shard,
            let found = try ShardReport.read(ShardReport.path(shard, in: options.output)), found.matches(report)
        else { return false }
        guard found.failures.isEmpty else {
            let count = found.failures.count
            console.note(
                "shard \(shard): \(count) \(count == 1 ? "picture" : "pictures") failed in the last run; the shard is done again."
            )
            return false
        }
        console.note("shard \(shard): done already, \(found.pictures) pictures; nothing to do.")
        return true
    }
}
