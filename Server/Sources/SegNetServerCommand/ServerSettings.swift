import Logging
import SegNetServer
import SegNetToolkit

/// What the command line and the environment decide; their defaults.
struct ServerSettings: Sendable {
    var configuration = ServiceConfiguration()
    var models: [String] = []
    var bundled = true
    var samples: URL?
    var tokenFile: String?
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text
}

/// How the log is written.
enum LogFormat: String, CaseIterable {
    case text
    case json
}
