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
            "segnet", "predict", "train", "evaluate", "compare", "tune", "tune crf", "dataset", "models", "info",
            "convert",
            "demo", "benchmark",
            "benchmark networks", "benchmark layers", "benchmark kernels", "benchmark training", "benchmark crf",
            "benchmark video",
            "serve",
            "dataset check", "dataset weights", "dataset preview", "dataset convert", "dataset synthesize",
            "dataset init", "dataset import", "dataset export",
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

    @Test("manual pages are the help of every command, in the language of man")
    func manual() throws {
        let scratch = try ScratchFolder()
        #expect(segnet("manual", "--output", scratch("man1")).exitCode == 0)
        let files = scratch.files("man1")
        #expect(
            files.contains("segnet.1") && files.contains("segnet-predict.1") && files.contains("segnet-dataset-check.1")
        )
        #expect(!files.contains("segnet-manual.1"))
        let page = try String(contentsOfFile: scratch("man1/segnet-predict.1"), encoding: .utf8)
        #expect(page.hasPrefix(".TH \"SEGNET\\-PREDICT\" 1 \"\" \"segnet "))
        for section in ["NAME", "DESCRIPTION", "EXAMPLES", "SYNOPSIS", "ARGUMENTS", "OPTIONS"] {
            #expect(page.contains(".SH \(section)\n"), "\(section)")
        }
        #expect(page.contains("segnet\\-predict \\- Segment pictures, whole folders, or videos."))
        // No line of text is taken for a request.
        let requests: Set = [".TH", ".SH", ".nf", ".fi"]
        for line in page.split(separator: "\n") where line.hasPrefix(".") {
            #expect(requests.contains(String(line.prefix(3))), "\(line)")
        }
    }
}
