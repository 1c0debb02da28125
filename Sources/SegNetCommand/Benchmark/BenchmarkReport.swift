import SegNetToolkit

/// What a benchmark has found.
protocol BenchmarkReport: Encodable {
    /// For people.
    var lines: [String] { get }
}

extension BenchmarkReport {
    func print(on console: Console, asJSON: Bool) throws {
        for line in asJSON ? [try JSON.text(self)] : lines { console.print(line) }
    }
}
