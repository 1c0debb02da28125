/// Keeps the pictures with the best and the worst scores of a set while it goes by: never more than twice `count`.
package struct Gallery: Sendable {
    package struct Entry: Sendable {
        package var scores: EvaluationReport.Picture
        package var comparison: Comparison

        fileprivate var score: Double { scores.meanIoU ?? 0 }
    }

    private let count: Int
    private var highest: [Entry] = []
    private var lowest: [Entry] = []
    private var total = 0

    /// - Parameter count: How many of each end.
    package init(count: Int = 4) { self.count = count }

    /// Looks at a picture. One without any labelled pixel has no score and is passed over.
    /// - Parameter comparison: Made only where the picture is among the best or the worst so far.
    package mutating func add(_ scores: EvaluationReport.Picture, _ comparison: () throws -> Comparison) rethrows {
        guard let score = scores.meanIoU, count > 0 else { return }
        total += 1
        let isHigh = highest.count < count || highest.last.map { score > $0.score } ?? true
        let isLow = lowest.count < count || lowest.last.map { score <= $0.score } ?? true
        guard isHigh || isLow else { return }
        let entry = Entry(scores: scores, comparison: try comparison())
        // Behind its equals there, before them here: the one order is the reverse of the other, and no picture is in both halves.
        if isHigh { Self.insert(entry, into: &highest, limit: count) { $0.score > $1.score } }
        if isLow { Self.insert(entry, into: &lowest, limit: count) { $0.score <= $1.score } }
    }

    private static func insert(
        _ entry: Entry,
        into list: inout [Entry],
        limit: Int,
        _ isBefore: (Entry, Entry) -> Bool
    ) {
        list.insert(entry, at: list.firstIndex { isBefore(entry, $0) } ?? list.count)
        if list.count > limit { list.removeLast() }
    }

    /// The best, the best first. If the set is too small for two full lists, the better half.
    package var best: [Entry] { Array(highest.prefix((total + 1) / 2)) }

    /// The worst, the worst first; none that `best` has.
    package var worst: [Entry] { Array(lowest.prefix(total / 2)) }
}
