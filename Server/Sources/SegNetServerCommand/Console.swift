import SegNetServer
import SegNetToolkit

/// What the command itself prints, in addition to the log.
enum Console {
    static func print(_ line: String) { StandardStream.write(line + "\n", to: 1) }
    static func note(_ line: String) { StandardStream.write(line + "\n", to: 2) }

    /// The address for a browser.
    static func address(host: String, port: Int) -> String {
        let shown = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
        return "http://\(shown.contains(":") ? "[\(shown)]" : shown):\(port)/"
    }

    static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

/// The variables of this process.
enum ProcessEnvironment {
    static var variables: [String: String] { ProcessInfo.processInfo.environment }
}
