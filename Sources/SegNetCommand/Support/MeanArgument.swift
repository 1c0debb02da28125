import ArgumentParser
import SegNetToolkit

/// The value of `--mean`: numbers with commas.
struct MeanArgument: ExpressibleByArgument, Sendable {
    let values: [Float]

    init?(argument: String) {
        let words = commaSeparated(argument)
        let values = words.compactMap { Float($0) }
        guard values.count == words.count, values.allSatisfy(\.isFinite) else { return nil }
        self.values = values
    }
}
