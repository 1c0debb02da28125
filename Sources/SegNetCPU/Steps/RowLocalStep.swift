/// A step that can compute rows of its first output from a few rows of its first input. Its other inputs must be whole, or written
/// row by row together with the first one.
protocol RowLocalStep: Step {
    /// How the first output is cut; nil if this one wants its whole input after all.
    var rowGroups: RowGroups? { get }
    /// The rows of the first input that these rows of the output need, within the map. Both ends grow with the rows.
    func inputRows(for rows: Range<Int>) -> Range<Int>
    /// Makes ready on all threads what the groups share, and returns what computes them. A group gives the same numbers as a whole run.
    func begin(_ run: Run) -> RowGroupBody
}

/// How rows of a map flow from a step to the one that alone reads it: which groups must be there, and how many rows the map keeps.
struct RowFlow: Sendable {
    /// For each group of the reader: the writer's groups that it reads.
    let needs: [Range<Int>]
    /// How many of the reader's groups the writer works ahead.
    ///
    /// A thread that takes a group of the reader must not wait for one of the writer that was claimed just before: of the `threads`
    /// items under way none is one that it needs.
    let ahead: Int
    /// Rows that the map between them must keep: row y lies at y % rows.
    let rows: Int
    /// For each group of the writer: the reader's groups that must be done before their rows are overwritten.
    let frees: [Range<Int>]

    init(from writer: RowGroups, to reader: RowGroups, threads: Int, inputRows: (Range<Int>) -> Range<Int>) {
        let ahead = 1 + (max(1, threads) - 1) / reader.items
        let windows = (0..<reader.count).map { inputRows($0 * reader.rows..<($0 + 1) * reader.rows) }
        needs = windows.map {
            $0.isEmpty ? 0..<0 : $0.lowerBound / writer.rows..<min(writer.count, ($0.upperBound - 1) / writer.rows + 1)
        }
        // When the reader is about to start group g, the writer has done what group g + ahead needs, and the last `ahead` of
        // the groups before g may still be at work.
        var rows = 1
        for group in 0...windows.count {
            let oldest = windows.isEmpty ? 0 : windows[min(max(0, group - ahead), windows.count - 1)].lowerBound
            let newest =
                group + ahead < windows.count
                ? min(writer.height, needs[group + ahead].upperBound * writer.rows) : writer.height
            rows = max(rows, newest - oldest)
        }
        let kept = min(writer.height, rows)
        var first = 0
        frees = (0..<writer.count).map { group in
            let overwritten =
                max(0, group * writer.rows - kept)..<max(0, min(writer.height, (group + 1) * writer.rows) - kept)
            guard !overwritten.isEmpty else { return 0..<0 }
            while first < windows.count, windows[first].upperBound <= overwritten.lowerBound { first += 1 }
            var last = first
            while last < windows.count, windows[last].lowerBound < overwritten.upperBound { last += 1 }
            return first..<last
        }
        self.ahead = ahead
        self.rows = kept
    }
}
