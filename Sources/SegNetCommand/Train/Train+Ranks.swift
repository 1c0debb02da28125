import ArgumentParser
import SegNetToolkit

// `segnet train` as one of several ranks, started by `segnet-mpi`. Rank 0 reads the recipe and prints everything; the others print only
// their errors.

extension Train {
    /// Makes the trainers of all ranks, rank 0's first, since the others use its recipe and folder.
    /// - Throws: `ExitCode` if another rank has failed and reported why.
    func makeTrainer(_ group: any RankGroup, on console: Console) throws -> Trainer {
        let ranks = TrainingRanks(group, sharesStatistics: syncStatistics)
        let instructions = try TrainingRanks.commonInstructionSet(group, own: try InstructionSet.chosen())
        func trainer(_ configuration: TrainingConfiguration) throws -> Trainer {
            try Trainer(
                configuration,
                output: folder,
                resume: resume != nil,
                threads: threadOptions.threads,
                instructionSet: instructions,
                ranks: ranks
            )
        }
        var own: Result<Trainer, any Error>?
        if group.rank == 0 { own = Result { try trainer(try resolved()) } }
        // The others need the whole recipe, with everything decided; it is empty if rank 0 has failed.
        var recipe = Array(try (try? own?.get()).map { try $0.configurationForRanks.yaml() }?.utf8 ?? "".utf8)
        try group.broadcast(&recipe)
        if group.rank > 0 {
            guard !recipe.isEmpty else { throw ExitCode.failure }
            own = Result {
                try trainer(
                    try TrainingConfiguration(yaml: String(decoding: recipe, as: UTF8.self), file: "rank 0's recipe")
                )
            }
        }
        guard let own else { throw ExitCode.failure }
        if recipe.isEmpty { return try own.get() }
        var failures = [(try? own.get()) == nil ? 1.0 : 0]
        try group.sum(&failures)
        let trainer = try own.get()
        if failures[0] > 0 { throw ExitCode.failure }
        console.note(
            "rank 0 of \(group.count), \(instructions.name)" + ((group as? MessagePassing).map { ", \($0.name)" } ?? "")
        )
        return trainer
    }

    /// Ends a rank: in good order if all ranks know of the end, otherwise at once, so that the launcher ends the others.
    static func end(_ group: MessagePassing?, _ error: (any Error)?) {
        guard let group else { return }
        let cause = (error as? TrainingInterruptedError)?.cause ?? error
        if cause is RankGroupError { return }
        try? group.finish()
    }

    /// Reports what ended a rank, unless another rank does.
    /// - Returns: The exit code of the process.
    static func tell(_ error: any Error, of group: any RankGroup, on console: Console) -> ExitCode {
        if let code = error as? ExitCode { return code }
        if group.rank == 0 {
            console.error("\(error)")
        } else if !(error is OtherRankError) {
            console.error("rank \(group.rank): \(error)")
        }
        return .failure
    }

    /// A summary of what the ranks have exchanged.
    static func line(_ report: ExchangeReport) -> String {
        let seconds = max(report.seconds, 1e-9)
        return "ranks: \(Numbers.mebibytes(report.gradientBytes)) of gradients per step; their transfer took "
            + "\(Numbers.percent(report.travelSeconds / seconds)) of the steps' time, and waiting for it "
            + "\(Numbers.percent(report.waitedSeconds / seconds))"
    }
}
