/// Several processes that train one network together, each on its share of every batch. MPI calls this a communicator.
///
/// A training calls each function on all ranks in the same order and with the same number of numbers. Two threads call: one exchanges
/// gradients, the other everything else. Calls of the two may run at the same time and must not mix. A call returns when its result is
/// there.
public protocol RankGroup: AnyObject, Sendable {
    /// This process's number, 0..<count. Rank 0 writes the files.
    var rank: Int { get }
    /// How many processes there are.
    var count: Int { get }

    /// Replaces each gradient by its sum over all ranks, with the same bits on each.
    /// - Throws: `RankGroupError` if a rank has gone or the network fails.
    func sum(_ gradients: inout MutableSpan<Float>) throws(RankGroupError)

    /// The same for statistics and counts.
    func sum(_ numbers: inout [Double]) throws(RankGroupError)

    /// Gives rank 0's bytes, of any length, to the other ranks.
    func broadcast(_ bytes: inout [UInt8]) throws(RankGroupError)
}

/// The ranks of a training cannot go on together.
public struct RankGroupError: Error, Hashable, CustomStringConvertible {
    public let description: String

    /// - Parameter description: A sentence that says what happened and what to do.
    public init(_ description: String) { self.description = description }
}
