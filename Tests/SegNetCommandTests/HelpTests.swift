import ArgumentParser
import Foundation
import Testing

@testable import SegNetCommand

/// The help texts stand in `Goldens/`; `UPDATE_GOLDEN=1 make test` rewrites them.
@Suite("Help")
struct HelpTests {
    static let goldens = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

    @Test(
        "is what the golden file says",
        arguments: [
            "segnet", "predict", "train", "evaluate", "compare", "dataset", "models", "info", "convert", "demo",
            "benchmark",
            "benchmark networks", "benchmark layers", "benchmark kernels", "benchmark training", "serve",
            "dataset check", "dataset weights", "dataset preview", "dataset convert", "dataset synthesize",
        ]
    )
    func help(name: String) throws {
        var command: any ParsableCommand.Type = SegNetCommand.self
        for word in name.split(separator: " ") where word != "segnet" {
            command = try #require(command.configuration.subcommands.first { $0._commandName == word })
        }
        let text = SegNetCommand.helpMessage(for: command, columns: 100) + "\n"
        let file = Self.goldens.appending(path: "\(name.replacing(" ", with: "-")).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        let (found, expected) = (text.split(separator: "\n"), golden.split(separator: "\n"))
        for (line, (a, b)) in zip(found, expected).enumerated() { #expect(a == b, "line \(line + 1) of \(name).txt") }
        #expect(text == golden)
    }

    @Test(
        "every subcommand shows how it is used",
        arguments: SegNetCommand.configuration.subcommands.map { $0._commandName }
    )
    func examples(name: String) throws {
        let command = try #require(SegNetCommand.configuration.subcommands.first { $0._commandName == name })
        #expect(command.configuration.discussion.contains("EXAMPLES:\n  segnet \(name)"))
    }
}
