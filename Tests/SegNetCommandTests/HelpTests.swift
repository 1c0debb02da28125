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

    /// The examples of a command's help and of those below it.
    private static func lines(of command: any ParsableCommand.Type) -> [String] {
        let text = command.configuration.discussion.split(separator: "\n", omittingEmptySubsequences: false)
        let own = text.drop { $0 != "EXAMPLES:" }.dropFirst().prefix { $0.hasPrefix("  ") }
        return own.map { String($0.drop { $0 == " " }) }
            + command.configuration.subcommands.flatMap { lines(of: $0) }
    }

    static let allExamples = lines(of: SegNetCommand.self)

    /// The arguments of `segnet` in a line for a shell: without pipes, redirections and variables.
    private static func arguments(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for letter in line {
            if letter == quote {
                quote = nil
            } else if quote == nil, letter == "'" || letter == "\"" {
                quote = letter
                word = word ?? ""
            } else if quote == nil, letter == " " {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(letter)
            }
        }
        if let word { words.append(word) }
        let own = words.drop { $0 != "segnet" }.dropFirst()
        return Array(own.prefix { ![">", "|", "2>"].contains($0) })
    }

    @Test("every example is understood", arguments: allExamples)
    func parsed(example: String) throws {
        let arguments = Self.arguments(example)
        #expect(!arguments.isEmpty)
        do {
            _ = try SegNetCommand.parseAsRoot(try SegNetCommand.words(arguments))
        } catch {
            Issue.record("\(example): \(SegNetCommand.fullMessage(for: error))")
        }
    }

    @Test("there are examples everywhere")
    func exampleCount() { #expect(Self.allExamples.count > 90) }

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
