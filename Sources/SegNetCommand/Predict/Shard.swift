import ArgumentParser
import SegNetToolkit

/// One of several equal parts of a long list of pictures: `--shard 3/64`. Parts are counted from 1.
struct Shard: Sendable, Hashable, CustomStringConvertible {
    let number: Int
    let count: Int

    /// More than this is a typing error.
    private static let most = 1_000_000

    var description: String { "\(number)/\(count)" }

    /// Every `count`-th element of a list, so that shards are alike if neighbours in the list are.
    func part<Element>(of list: [Element]) -> [Element] {
        stride(from: number - 1, to: list.count, by: count).map { list[$0] }
    }

    /// - Parameters:
    ///   - text: `3/64`, `auto`, or `auto/64`.
    ///   - environment: A variable's text by its name.
    /// - Throws: `ValidationError`, which says what is wrong and how to write it.
    init(_ text: String, environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isAuto = parts[0].lowercased() == "auto"
        guard parts.count == 2 || (isAuto && parts.count == 1) else {
            throw ValidationError("A shard is written as 3/64: which part, and how many there are; found '\(text)'.")
        }
        var given: Int?
        if parts.count == 2 {
            guard let count = Int(parts[1]), (1...Self.most).contains(count) else {
                throw ValidationError(
                    "The number of parts has to be in 1...\(Self.most); found '\(parts[1])'."
                )
            }
            given = count
        }
        if isAuto {
            self = try Self.started(by: environment, count: given)
            return
        }
        guard let count = given, let number = Int(parts[0]), (1...count).contains(number) else {
            throw ValidationError("The part has to be in 1...\(given ?? 1); found '\(parts[0])'.")
        }
        (self.number, self.count) = (number, count)
    }

    /// The part that a batch system has given to this process.
    private static func started(by environment: (String) -> String?, count given: Int?) throws -> Shard {
        func number(_ name: String) -> Int? { environment(name).flatMap { Int($0) } }
        if let task = number("SLURM_ARRAY_TASK_ID") {
            guard task >= 1 else {
                throw ValidationError(
                    "Slurm's task \(task): '--shard auto' counts tasks from 1; submit with --array=1-\(given ?? 64)."
                )
            }
            // If part of an array is submitted again, its bounds differ from those of the whole.
            let isWhole =
                number("SLURM_ARRAY_TASK_MIN") == 1
                && number("SLURM_ARRAY_TASK_MAX") == number("SLURM_ARRAY_TASK_COUNT")
            guard let count = given ?? (isWhole ? number("SLURM_ARRAY_TASK_COUNT") : nil) else {
                throw ValidationError(
                    "Slurm's array does not say how many parts there are; give their number, as in '--shard auto/64', so that single tasks can "
                        + "also be submitted again."
                )
            }
            return try Shard("\(task)/\(count)", environment: environment)
        }
        if let index = number("JOB_COMPLETION_INDEX") {
            guard let given else {
                throw ValidationError(
                    "Kubernetes does not say how many parts there are; give the job's 'completions', as in '--shard auto/64'."
                )
            }
            // Kubernetes counts from 0.
            return try Shard("\(index + 1)/\(given)", environment: environment)
        }
        throw ValidationError(
            "'--shard auto' finds neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX; give the part, as in '--shard 3/64'."
        )
    }
}

/// How a long list is divided into parts, and how the parts are summarised at the end.
struct ShardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Segment one of several parts of the pictures: 3/64 is the third of 64; auto/64 takes the number from Slurm's array or "
                + "Kubernetes' index. Finished parts are skipped.",
            valueName: "part"
        ),
        transform: { try Shard($0) }
    )
    var shard: Shard?

    @Option(
        help: ArgumentHelp(
            "Instead of inputs: summarise the reports of the parts in this folder, and name missing parts.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var merge: String?

    /// Refuses inputs and all options about segmenting.
    func checkMerge(_ predict: Predict) throws {
        let (outputs, tiles) = (predict.outputs, predict.tiles)
        let options: [(String, Bool)] =
            [
                ("--shard", shard != nil), ("--model", predict.model.model != nil),
                ("--network", predict.model.network != nil), ("--mean", predict.model.mean != nil),
                ("--output", predict.output != Predict.usualOutput), ("--save", !predict.save.isEmpty),
                ("--polygons", outputs.polygons != nil), ("--polygons-per", outputs.polygonsPer != nil),
                ("--tolerance", outputs.tolerance != nil), ("--skip-existing", outputs.skipExisting),
                ("--exclude", !outputs.exclude.isEmpty), ("--dry-run", outputs.dryRun),
                ("--size", predict.runSize.size != nil),
                ("--tile", tiles.tile != nil), ("--overlap", tiles.overlap != nil),
                ("--max-pixels", tiles.mostPixels != nil), ("--mask-format", tiles.maskFormat != nil),
                ("--resume", tiles.resume), ("--edges", predict.edges.edges != .nearest),
                ("--samples", predict.sampling.samples != nil), ("--tta", predict.views.augmentation != .none),
                ("--refine", predict.refining.refinement != nil),
                ("--opacity", predict.opacity != Predict.usualOpacity),
                ("--precision", predict.engine.precision != .float32), ("--accuracy", predict.engine.accuracy != nil),
                ("--threads", predict.engine.threadOptions.threads != nil),
            ] + [predict.video.given].compactMap { $0 }.map { ($0, true) }
        guard let option = options.first(where: { $0.1 })?.0 else {
            guard predict.inputs.isEmpty else {
                throw ValidationError("Please give '--merge' alone: it reads the reports of shards that are done.")
            }
            return
        }
        throw ValidationError(
            "Please leave '\(option)' out with '--merge', which reads the reports of shards that are done."
        )
    }

    /// Refuses what parts cannot have: files that cover all pictures, which each part would overwrite, and results on standard output.
    func check(_ options: Predict) throws {
        guard shard != nil else { return }
        if options.json {
            throw ValidationError(
                "Please leave '--json' out with '--shard'; '--merge FOLDER --json' covers all parts."
            )
        }
        if options.kinds.contains(.shares) {
            throw ValidationError("Please leave 'shares' out with '--shard': all parts would write the same file.")
        }
        if options.kinds.contains(.polygons), options.outputs.hasOneFile {
            throw ValidationError(
                "Please give '--polygons-per picture' with '--shard': all parts would write the same file of polygons."
            )
        }
        if options.isPipe {
            throw ValidationError(
                "Please give '--output' a folder with '--shard', where the parts leave their reports."
            )
        }
    }
}
