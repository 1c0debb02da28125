/// Measured times of one thing, in the unit that its name says.
package struct Times: Sendable, Hashable, Codable {
    package var median: Double
    package var least: Double
    package var greatest: Double

    /// - Parameter values: At least one.
    package init(_ values: [Double]) {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        guard let first = sorted.first, let last = sorted.last else {
            (median, least, greatest) = (0, 0, 0)
            return
        }
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        (least, greatest) = (first, last)
    }
}
