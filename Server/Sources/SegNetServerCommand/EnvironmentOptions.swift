import ArgumentParser
import SegNetToolkit

/// Options from the environment: `SEGNET_SERVER_MAX_QUEUE` for `--max-queue`.
struct EnvironmentOptions {
    private static let prefix = "SEGNET_SERVER_"

    /// All options that can be given this way.
    static let names = [
        "model", "bundled", "host", "port", "threads", "workers", "precision", "accuracy", "max-queue", "max-bytes",
        "max-pixels",
        "max-run-pixels", "max-connections", "deadline", "receive-timeout", "idle-timeout", "shutdown-delay",
        "token-file",
        "cors-origin", "samples", "page", "log-level", "log-format",
    ]

    private let variables: [String: String]

    init(_ environment: [String: String]) {
        variables = environment.filter { $0.key.hasPrefix(Self.prefix) }
    }

    /// The variable of an option.
    static func variable(_ option: String) -> String {
        prefix + option.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    /// - Throws: `ValidationError` for an unknown variable, so that a misspelt limit is noticed.
    func checkNames() throws {
        let known = Self.names.map(Self.variable)
        for name in variables.keys.sorted() where !known.contains(name) {
            let hint = closestName(to: name, among: known).map { " Did you mean \($0)?" } ?? ""
            throw ValidationError(
                "The environment has \(name), which is not an option.\(hint) 'segnet-server --help' lists them."
            )
        }
    }

    /// Nil where it is not set, or empty.
    func text(_ option: String) -> String? { variables[Self.variable(option)].flatMap { $0.isEmpty ? nil : $0 } }

    /// The words between commas.
    func list(_ option: String) -> [String] { text(option)?.split(separator: ",").map(String.init) ?? [] }

    /// - Throws: `ValidationError` if the text is not one.
    func value<Value: ExpressibleByArgument>(_ option: String, _ needed: String) throws -> Value? {
        guard let text = text(option) else { return nil }
        guard let value = Value(argument: text) else {
            throw ValidationError("\(Self.variable(option)) is '\(text)'; it has to be \(needed).")
        }
        return value
    }
}
