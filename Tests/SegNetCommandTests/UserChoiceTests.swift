import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Settings in errors")
struct UserChoiceTests {
    @Test("get the command's option behind the library's words, once")
    func options() {
        let error = MemoryError(byteCount: 3 << 20, available: 2 << 20)
        let expected =
            "not enough memory: 3 MiB are needed, but only 2 MiB are available; use a smaller picture size (--size), a smaller number of "
            + "threads (--threads), or close other programs."
        #expect(UserChoice.withOptions("\(error)") == expected)
        #expect(UserChoice.withOptions(expected) == expected)
        #expect(CommandError(error)?.description == expected)
        #expect(CommandError(DatasetError("a: is missing.")) == nil)
    }

    @Test("have options or commands that exist", arguments: UserChoice.allCases)
    func exist(setting: UserChoice) {
        if setting.option.hasPrefix("'segnet ") {
            let command = setting.option.dropFirst().dropLast()
            let help = segnet(command.split(separator: " ").dropFirst().map(String.init) + ["--help"])
            #expect((help.errors + help.output).contains("USAGE: \(command) "))
            return
        }
        let helps = [["predict"], ["train"], ["evaluate"], ["convert"], ["compare"]].map {
            segnet($0 + ["--help"]).errors + segnet($0 + ["--help"]).output
        }
        #expect(helps.contains { $0.contains(setting.option) })
    }

    @Test("are not spelled as options in the library")
    func library() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
        // Reports say by which commands they were made.
        let exempt = ["SegNetCommand/", "Report/", "SystemComparison+Command.swift"]
        let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            guard !exempt.contains(where: { file.path.contains($0) }) else { continue }
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where line.contains("\"") {
                #expect(!line.contains(/["'(\s]--[a-z]/), "\(file.lastPathComponent): \(line)")
            }
        }
    }
}
