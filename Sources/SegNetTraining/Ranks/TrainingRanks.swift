public import SegNetCPU
public import SegNetPlatform

/// The processes that share a training: each computes its part of every batch, and rank 0 writes the files.
///
/// The recipe's batch size is that of all ranks together, so that a run can continue with a different number of ranks.
public struct TrainingRanks: Sendable {
    public let group: any RankGroup
    /// Whether batch normalisation computes its statistics over the whole batch, not over each rank's part of it.
    public let sharesStatistics: Bool

    public init(_ group: any RankGroup, sharesStatistics: Bool = false) {
        self.group = group
        self.sharesStatistics = sharesStatistics
    }

    var isWriter: Bool { group.rank == 0 }

    /// The places of this rank's pictures in each batch.
    /// - Throws: `ConfigurationError` if there are more ranks than pictures.
    func share(of batchSize: Int) throws(ConfigurationError) -> Range<Int> {
        guard batchSize >= group.count else {
            throw ConfigurationError(
                "batch-size: \(group.count) ranks cannot share \(counted(batchSize, "picture")); start at most "
                    + "\(batchSize), or give a larger \(UserChoice.batchSize)."
            )
        }
        return batchSize * group.rank / group.count..<batchSize * (group.rank + 1) / group.count
    }

    func exchange(_ learner: Learner, batchSize: Int, share: Range<Int>) -> RankExchange {
        RankExchange(
            group,
            learner.parameters,
            backwardNodes: learner.plan.backwardNodes,
            batchSize: batchSize,
            share: share,
            sharesStatistics: sharesStatistics
        )
    }

    /// A note for the user on how the batches are shared.
    func note(batchSize: Int) -> String {
        let (least, rest) = batchSize.quotientAndRemainder(dividingBy: group.count)
        let parts = rest == 0 ? "\(least)" : "\(least) or \(least + 1)"
        let statistics =
            sharesStatistics
            ? "statistics of batch normalisation over all of them" : "statistics of batch normalisation on each rank"
        return
            "\(counted(group.count, "rank")): each takes \(parts) of the \(batchSize) pictures of a batch; \(statistics)."
            + (rest == 0
                ? ""
                : " Ranks with fewer pictures wait; a \(UserChoice.batchSize) that is a multiple of \(group.count) is faster.")
    }

    /// The fastest kernels that all ranks have.
    /// - Parameter own: The fastest that this rank may use.
    /// - Throws: `RankGroupError`.
    public static func commonInstructionSet(_ group: any RankGroup, own: InstructionSet) throws -> InstructionSet {
        // Slowest first, so that the sets of a rank are the first ones in the list for its kind of processor.
        let names = ["portable", "neon", "avx2", "avx512"]
        let available = InstructionSet.available.map(\.name)
        let most = names.firstIndex(of: own.name) ?? 0
        var counts = names.enumerated().map { $0.offset <= most && available.contains($0.element) ? 1.0 : 0 }
        try group.sum(&counts)
        let common = Array(zip(names, counts)).last { $0.1 == Double(group.count) }?.0 ?? names[0]
        return try InstructionSet(named: common)
    }
}

/// The training cannot go on because another rank has failed, which reports why.
public struct OtherRankError: Error, Hashable, CustomStringConvertible {
    public var description: String { "another rank has failed; its message says why." }
}

/// The ranks differ in something that must be the same.
public struct RanksDifferError: Error, Hashable, CustomStringConvertible {
    public let description: String
}

/// A summary of what the ranks have exchanged in a run so far.
public struct ExchangeReport: Sendable, Hashable {
    /// Bytes of gradients per step.
    public var gradientBytes: Int
    /// Seconds that all steps took.
    public var seconds: Double
    /// Seconds of those in which rank 0 waited for others and for the network.
    public var waitedSeconds: Double
    /// Seconds that the transfer of gradients took, mostly during the backward pass.
    public var travelSeconds: Double
}
