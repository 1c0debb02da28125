import ArgumentParser
import Foundation
import Logging
import SegNetServer
import SegNetToolkit
import Testing

@testable import SegNetServerCommand

@Suite("The segnet-server command")
struct CommandTests {
    private func settings(_ arguments: [String], _ environment: [String: String] = [:]) throws -> ServerSettings {
        try ServerOptions.parse(arguments).settings(environment: environment)
    }

    @Test("without options it listens on this machine only, and serves the bundled models")
    func defaults() throws {
        let settings = try settings([])
        #expect(settings.configuration.host == "127.0.0.1")
        #expect(settings.configuration.port == 8080)
        #expect(settings.configuration.limits.bytes == 33_554_432)
        #expect(settings.configuration.limits.pixels == 25_000_000)
        #expect(settings.configuration.limits.runPixels == 800_000)
        #expect(settings.configuration.limits.queue == 64)
        #expect(settings.configuration.videos.diskBytes == 2_147_483_648)
        #expect(settings.configuration.limits.connections == 1024)
        #expect(settings.configuration.limits.deadline == .seconds(30))
        #expect(settings.configuration.token == nil)
        #expect(settings.configuration.corsOrigins.isEmpty)
        #expect(settings.bundled && settings.models.isEmpty && settings.logFormat == .text)
    }

    @Test("the idle timeout also limits the time to take an answer")
    func idleTimeout() throws {
        let limits = try settings(["--idle-timeout", "7"]).configuration.limits
        #expect(limits.idleTime == .seconds(7) && limits.sendTime == .seconds(7))
    }

    @Test("every option has a variable; the command line wins")
    func environment() throws {
        let environment = [
            "SEGNET_SERVER_MODEL": "a.safetensors,b=c.safetensors", "SEGNET_SERVER_PORT": "9000",
            "SEGNET_SERVER_HOST": "0.0.0.0",
            "SEGNET_SERVER_MAX_QUEUE": "3", "SEGNET_SERVER_MAX_VIDEO_DISK_BYTES": "1000000",
            "SEGNET_SERVER_DEADLINE": "1.5", "SEGNET_SERVER_BUNDLED": "false",
            "SEGNET_SERVER_LOG_LEVEL": "debug", "SEGNET_SERVER_LOG_FORMAT": "json",
            "SEGNET_SERVER_CORS_ORIGIN": "https://a.example",
            "SEGNET_SERVER_PRECISION": "float16", "SEGNET_SERVER_THREADS": "3", "SEGNET_SERVER_WORKERS": "",
            "PATH": "/bin",
        ]
        let from = try settings([], environment)
        #expect(from.models == ["a.safetensors", "b=c.safetensors"])
        #expect((from.configuration.port, from.configuration.host) == (9000, "0.0.0.0"))
        #expect(from.configuration.limits.queue == 3)
        #expect(from.configuration.videos.diskBytes == 1_000_000)
        #expect(from.configuration.limits.deadline == .milliseconds(1500))
        #expect(!from.bundled && from.logFormat == .json && from.logLevel == .debug)
        #expect(from.configuration.corsOrigins == ["https://a.example"])
        #expect(from.configuration.segmenter.precision == .float16)
        #expect((from.configuration.segmenter.threads, from.configuration.workers) == (3, nil))
        let both = try settings(
            ["--port", "9001", "--bundled", "--model", "x.safetensors", "--log-level", "error"],
            environment
        )
        #expect(both.configuration.port == 9001)
        #expect(both.models == ["x.safetensors"])
        #expect(both.bundled && both.logLevel == .error)
    }

    @Test("every option of the help has a variable")
    func names() throws {
        let help = SegNetServerCommand.helpMessage(columns: 200)
        let options = help.matches(of: #/\n  --([a-z-]+)/#).map { String($0.1) }.filter {
            !["help", "version"].contains($0)
        }
        #expect(options.count == 28)
        for name in options {
            let variable = "SEGNET_SERVER_" + name.uppercased().replacing("-", with: "_")
            // Those that are known get as far as their value.
            let error = #expect(throws: (any Error).self) { try settings([], [variable + "X": "1"]) }
            #expect("\(error.map { "\($0)" } ?? "")".contains("Did you mean \(variable)?"), "\(name)")
        }
    }

    @Test(
        "what is out of range is named with the range",
        arguments: [
            (
                ["--port", "65536"], [:],
                "The value '65536' is invalid for '--port <number>': it has to be a whole number in 0...65535."
            ),
            (
                ["--threads", "0"], [:],
                "The value '0' is invalid for '--threads <count>': it has to be a whole number in 1...1024."
            ),
            (
                ["--deadline=-1"], [:],
                "The value '-1' is invalid for '--deadline <seconds>': it has to be a number of seconds in 0.001...86400."
            ),
            (
                ["--log-format", "xml"], [:],
                "The value 'xml' is invalid for '--log-format <form>': it has to be one of text, json."
            ),
            (
                [], ["SEGNET_SERVER_MAX_QUEUE": "many"],
                "SEGNET_SERVER_MAX_QUEUE: The value 'many' is invalid for '--max-queue <count>': it has to be a whole number in 0...1000000."
            ),
            (
                [], ["SEGNET_SERVER_BUNDLED": "perhaps"],
                "SEGNET_SERVER_BUNDLED: Please give true or false; found 'perhaps'."
            ),
            (
                [], ["SEGNET_SERVER_MAX_QUEU": "3"],
                "The environment has SEGNET_SERVER_MAX_QUEU, which is not an option. Did you mean SEGNET_SERVER_MAX_QUEUE? 'segnet-server --help' lists them."
            ),
        ] as [([String], [String: String], String)]
    )
    func errors(arguments: [String], environment: [String: String], message: String) throws {
        let error = try #require(throws: (any Error).self) { try settings(arguments, environment) }
        #expect(ServerOptions.message(for: error) == message)
    }

    @Test(
        "the address that is printed opens in a browser",
        arguments: [
            ("0.0.0.0", "http://127.0.0.1:80/"), ("::", "http://127.0.0.1:80/"), ("::1", "http://[::1]:80/"),
            ("localhost", "http://localhost:80/"),
        ]
    )
    func address(host: String, url: String) {
        #expect(Console.address(host: host, port: 80) == url)
    }

    @Test("the help is what the golden file says")
    func help() throws {
        let text = SegNetServerCommand.helpMessage(columns: 100) + "\n"
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/segnet-server.txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try Data(text.utf8).write(to: file) }
        #expect(text == String(decoding: try Data(contentsOf: file), as: UTF8.self))
    }

    @Test("docs/server.md has the table that the options give; UPDATE_GOLDEN=1 rewrites it")
    func guide() throws {
        let file = TestFiles.repository.appending(path: "docs/server.md")
        var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("| option |") })
        let end = lines[start...].firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
        let table = Self.table(help: SegNetServerCommand.helpMessage(columns: 100))
        #expect(table.count > 28)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            lines.replaceSubrange(start..<end, with: table)
            try Data(lines.joined(separator: "\n").utf8).write(to: file)
        } else {
            #expect(Array(lines[start..<end]) == table)
        }
    }

    /// The options of a help text as a table in Markdown.
    private static func table(help: String) -> [String] {
        var options: [(label: String, text: String)] = []
        for line in help.split(separator: "\n").drop(while: { $0 != "OPTIONS:" }).dropFirst() {
            let words = line.drop { $0 == " " }
            if line.hasPrefix("  -") {
                let label = words.firstRange(of: "  ").map { words[..<$0.lowerBound] } ?? words
                options.append((String(label), String(words[label.endIndex...].drop { $0 == " " })))
            } else if !options.isEmpty {
                options[options.count - 1].text += (options[options.count - 1].text.isEmpty ? "" : " ") + words
            }
        }
        let rows = options.filter { !["--version", "-h, --help"].contains($0.label) }.map { option in
            let found = option.text.firstMatch(of: #/^(.*) \(default: (.*)\)$/#)
            let standard = found.map { readable(String($0.2), areBytes: option.label.contains("bytes")) }
            return "| `\(option.label)` | \(standard ?? "none") | \(found.map { String($0.1) } ?? option.text) |"
        }
        return ["| option | default | what it does |", "| --- | --- | --- |"] + rows
    }

    /// 32 MiB in place of 33554432, 25,000,000 in place of 25000000.
    private static func readable(_ text: String, areBytes: Bool) -> String {
        guard let number = Int(text), number >= 10_000 else { return text }
        if areBytes, number % (1 << 30) == 0 { return "\(number >> 30) GiB" }
        if areBytes, number % (1 << 20) == 0 { return "\(number >> 20) MiB" }
        return number.formatted(.number.locale(Locale(identifier: "en_US")))
    }
}
