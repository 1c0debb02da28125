import ArgumentParser
import Logging
import SegNetServer
import SegNetToolkit

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The settings that result from the command line, the environment and the defaults.
struct ServerSettings: Sendable {
    var configuration = ServiceConfiguration()
    var models: [String] = []
    var bundled = true
    var samples: [URL] = []
    var logLevel = Logger.Level.info
    var logsJSON = false
}

extension ServerOptions {
    /// - Throws: `ValidationError` naming the option or variable, what was found and what is needed; `ServiceError` for the token file.
    func settings(environment: [String: String]) throws -> ServerSettings {
        let variables = EnvironmentOptions(environment)
        try variables.checkNames()
        var settings = ServerSettings()
        settings.models = model.isEmpty ? variables.list("model") : model
        settings.bundled = try bundled ?? variables.value("bundled", "true or false") ?? true
        settings.samples = (samples ?? variables.text("samples")).map { [URL(filePath: $0)] } ?? []
        settings.logLevel = try logLevel ?? variables.value("log-level", "a level such as info") ?? .info
        settings.logsJSON = try (logFormat ?? variables.value("log-format", "text or json") ?? .text) == .json

        func count(
            _ name: String,
            _ given: Int?,
            _ range: ClosedRange<Int>,
            _ store: WritableKeyPath<ServerSettings, Int>
        ) throws {
            guard let value = try given ?? variables.value(name, "a whole number") else { return }
            guard range.contains(value) else {
                throw Self.outside(name, "\(value)", "\(range.lowerBound)...\(range.upperBound)")
            }
            settings[keyPath: store] = value
        }
        func seconds(
            _ name: String,
            _ given: Double?,
            _ range: ClosedRange<Double>,
            _ stores: WritableKeyPath<ServerSettings, Duration>...
        ) throws {
            guard let value = try given ?? variables.value(name, "a number of seconds") else { return }
            guard range.contains(value) else {
                throw Self.outside(name, "\(value)", "\(Int(range.lowerBound))...\(Int(range.upperBound)) seconds")
            }
            for store in stores { settings[keyPath: store] = .milliseconds(Int((value * 1000).rounded())) }
        }
        settings.configuration.host = host ?? variables.text("host") ?? settings.configuration.host
        try count("port", port, 0...65535, \.configuration.port)
        if let value = try threads ?? variables.value("threads", "a whole number") {
            guard (1...1024).contains(value) else { throw Self.outside("threads", "\(value)", "1...1024") }
            settings.configuration.threads = value
        }
        if let value = try workers ?? variables.value("workers", "a whole number") {
            guard (1...1024).contains(value) else { throw Self.outside("workers", "\(value)", "1...1024") }
            settings.configuration.workers = value
        }
        settings.configuration.precision =
            try precision ?? variables.value("precision", "float32 or float16") ?? .float32
        settings.configuration.accuracy =
            try accuracy ?? variables.value("accuracy", "fast, accurate or exact") ?? .fast
        try count("max-queue", maxQueue, 0...1_000_000, \.configuration.limits.queue)
        try count("max-bytes", maxBytes, 1...(1 << 31), \.configuration.limits.bytes)
        try count("max-pixels", maxPixels, 1...1_000_000_000, \.configuration.limits.pixels)
        try count("max-run-pixels", maxRunPixels, 1...1_000_000_000, \.configuration.limits.runPixels)
        try count("max-connections", maxConnections, 1...1_000_000, \.configuration.limits.connections)
        try seconds("deadline", deadline, 0.001...86400, \.configuration.limits.deadline)
        try seconds("receive-timeout", receiveTimeout, 0.001...86400, \.configuration.limits.receiveTime)
        try seconds(
            "idle-timeout",
            idleTimeout,
            0.001...86400,
            \.configuration.limits.idleTime,
            \.configuration.limits.sendTime
        )
        try seconds("shutdown-delay", shutdownDelay, 0...3600, \.configuration.shutdownDelay)
        // As many bodies as eight of the largest.
        settings.configuration.limits.heldBytes = 8 * settings.configuration.limits.bytes
        if let file = tokenFile ?? variables.text("token-file") {
            settings.configuration.token = try BearerToken(file: file)
        }
        settings.configuration.corsOrigins = corsOrigin.isEmpty ? variables.list("cors-origin") : corsOrigin
        settings.configuration.page = (page ?? variables.text("page")).map { URL(filePath: $0) }
        return settings
    }

    private static func outside(_ name: String, _ found: String, _ range: String) -> ValidationError {
        ValidationError(
            "Please give '--\(name)' (\(EnvironmentOptions.variable(name))) a number in \(range); found \(found)."
        )
    }
}
