/// How an output is cut for work in bands: groups of whole rows, each computed by a few items that any threads may take.
package struct RowGroups: Sendable, Hashable {
    /// Rows in a group; the last may have fewer.
    package var rows: Int
    /// Rows of the whole output.
    package var height: Int
    /// Items that compute a group together.
    package var items: Int

    package init(rows: Int, height: Int, items: Int) {
        self.rows = rows
        self.height = height
        self.items = items
    }

    package var count: Int { (height + rows - 1) / rows }
}

/// Computes one item of a group of rows, by the worker's own scratch.
package typealias RowGroupBody = (_ worker: Int, _ group: Int, _ item: Int) -> Void
