/// How an output is cut for work in bands: groups of whole rows, each computed by a few items that any threads may take.
struct RowGroups: Sendable, Hashable {
    /// Rows in a group; the last may have fewer.
    var rows: Int
    /// Rows of the whole output.
    var height: Int
    /// Items that compute a group together.
    var items: Int

    var count: Int { (height + rows - 1) / rows }
}

/// Computes one item of a group of rows, by the worker's own scratch.
typealias RowGroupBody = (_ worker: Int, _ group: Int, _ item: Int) -> Void
