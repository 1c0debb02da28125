/// A variable of the process's environment.
package enum EnvironmentVariable {
    /// Its text; nil if it is not set or empty.
    package static func text(_ name: String) -> String? {
        guard let text = getenv(name).map({ String(cString: $0) }), !text.isEmpty else { return nil }
        return text
    }
}
