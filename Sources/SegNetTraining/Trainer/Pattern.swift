import SegNetNetworks
import SegNetPlatform

/// Names of layers with `*` for any letters.
enum Pattern {
    /// The names that a pattern means.
    /// - Throws: `ConfigurationError` if there are none.
    static func match(_ pattern: String, _ names: [String], setting: String) throws(ConfigurationError) -> [String] {
        let found = names.filter { fits(Substring(pattern), Substring($0)) }
        guard !found.isEmpty else {
            let hint = closestName(to: pattern, among: names).map { " Did you mean '\($0)'?" } ?? ""
            throw ConfigurationError(
                "\(setting): no layer is called '\(pattern)'.\(hint) See \(UserChoice.layers)."
            )
        }
        return found
    }

    /// Patterns from the loosest to the closest: by the number of characters that they fix, whole names last. A dictionary of a recipe has
    /// another order in each process.
    static func byCloseness(_ patterns: some Sequence<String>) -> [String] {
        func key(_ pattern: String) -> (Int, Int, String) {
            (pattern.count { $0 != "*" }, pattern.contains("*") ? 0 : 1, pattern)
        }
        return patterns.sorted { key($0) < key($1) }
    }

    private static func fits(_ pattern: Substring, _ name: Substring) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return fits(pattern.dropFirst(), name) || (!name.isEmpty && fits(pattern, name.dropFirst()))
        }
        return name.first == first && fits(pattern.dropFirst(), name.dropFirst())
    }
}
