import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Choices in the environment", .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct EnvironmentTests {
    @Test(
        "a wrong one is refused by every command before it reads anything",
        arguments: [
            ["predict", "missing.png", "--accuracy", "exact"],
            ["train", "--config", "missing.yaml", "--output", "missing"],
            ["compare", "missing.yaml"], ["convert", "missing.safetensors", "missing.onnx"],
            ["evaluate", "--model", "missing.safetensors", "--dataset", "camvid", "--data", "missing"],
            ["info", "segnet"],
            ["tune", "crf", "--model", "missing.safetensors", "--dataset", "camvid", "--data", "missing"],
        ]
    )
    func refused(arguments: [String]) throws {
        for (name, value, message) in [
            ("SEGNET_ACCURACY", "best", "there is no accuracy 'best'; choose one of fast, accurate, exact."),
            ("SEGNET_ISA", "sse", "instruction set 'sse' is not available here; choose one of "),
        ] {
            let process = Process()
            process.executableURL = BuiltCommand.url
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging([name: value]) { $1 }
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(
                process.terminationStatus == 1 && text.contains("environment variable \(name): \(message)"),
                "\(text)"
            )
        }
    }

    /// Runs the command in a folder, with its folders `models`, `recipes` and `plans` as those of the environment.
    private static func run(_ arguments: [String], in scratch: ScratchFolder) throws -> CommandResult {
        let process = Process()
        (process.executableURL, process.arguments) = (BuiltCommand.url, arguments)
        process.currentDirectoryURL = scratch.url
        let folders = ["models", "recipes", "plans"].map { ("SEGNET_\($0.uppercased())", scratch($0)) }
        process.environment = ProcessInfo.processInfo.environment.merging(folders) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return CommandResult(output: lines, errors: text, exitCode: process.terminationStatus)
    }

    @Test("what tune finds is stored with a bundled model only where --store says so")
    func tuneByName() throws {
        let scratch = try ScratchFolder()
        try RefineTests.streets(scratch)
        try FileManager.default.createDirectory(atPath: scratch("models"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: scratch("m.safetensors"), toPath: scratch("models/m.safetensors"))
        let file = URL(filePath: scratch("models/m.safetensors"))
        let before = try Data(contentsOf: file)
        let arguments =
            ["tune", "crf", "--model", "m", "--dataset", "folder", "--data", scratch("d")]
            + ["--pictures", "2", "--iterations", "3"]
        let result = try Self.run(arguments, in: scratch)
        #expect(result.exitCode == 0 && result.output.contains("Best: --refine crf:"), "\(result.errors)")
        #expect(
            result.output.hasSuffix(
                "Not stored: 'm' is a bundled model, which others use too. Give this --refine where you want it, store it with "
                    + "--store, or tune a copy ('segnet convert m mine.safetensors').\n"
            ),
            "\(result.output)"
        )
        #expect(try Data(contentsOf: file) == before)
        let stored = try Self.run(arguments + ["--store"], in: scratch)
        #expect(stored.output.contains("Stored in "), "\(stored.output)")
        #expect(try SafetensorsFile.readModel(file).metadata.denseCRF != nil)
    }

    @Test("a model that cannot be read hides no other")
    func damagedModel() throws {
        let scratch = try ScratchFolder()
        try scratch.write("garbage", "models/a.safetensors")
        try scratch.model("models/b.safetensors", classes: 1)
        for format in [[], ["--json"]] {
            let result = try Self.run(["models"] + format, in: scratch)
            #expect(result.exitCode == 1 && result.output.contains("b.safetensors"), "\(result.output)")
            #expect(result.errors.contains("error: \(scratch("models/a.safetensors")): "), "\(result.errors)")
        }
    }

    @Test("recipes and plans are found by their names; a file of that name comes first")
    func recipes() throws {
        let scratch = try ScratchFolder()
        try scratch.write("# A small one. More.\nwidth: 0.5\n", "recipes/tiny.yaml")
        try scratch.write("width: wide\n", "recipes/deep/other.yaml")
        let plan = "# Two.\ndataset: synthetic\nsystems:\n  - {name: a, recipe: ../recipes/tiny.yaml}\n"
        try scratch.write(plan, "plans/pair.yaml")
        let list = try Self.run(["recipe", "list"], in: scratch).output
        #expect(list.hasPrefix("Recipes (segnet train --config NAME):\n"), "\(list)")
        #expect(list.contains("\n  tiny\n    A small one.\n") && list.contains("\n  deep/other\n"), "\(list)")
        #expect(list.contains("\nPlans (segnet compare NAME):\n") && list.contains("\n  pair\n    Two.\n"), "\(list)")
        #expect(try Self.run(["recipe", "check", "tiny"], in: scratch).output == "tiny: nothing is wrong\n")
        let check = try Self.run(["compare", "pair", "--check"], in: scratch)
        #expect(check.output == "pair: nothing is wrong; 1 system\n", "\(check.errors)")
        let train = try Self.run(["train", "--config", "tiny", "--output", "run"], in: scratch)
        #expect(train.exitCode == 1 && train.errors.contains("tiny: no training data was given"), "\(train.errors)")
        let wrong = try Self.run(["recipe", "check", "tinny", "deep/other"], in: scratch)
        let words =
            "error: tinny: is neither a file nor the name of a recipe that comes with the package. Did you mean 'tiny'? See the list of "
            + "all recipes and plans ('segnet recipe list').\n"
        #expect(wrong.exitCode == 1 && wrong.errors.hasPrefix(words), "\(wrong.errors)")
        #expect(wrong.errors.contains("deep/other.yaml, line 1: width: needs a number"), "\(wrong.errors)")
        let other = try Self.run(["compare", "pairs"], in: scratch)
        #expect(other.exitCode == 1 && other.errors.contains("Did you mean 'pair'?"), "\(other.errors)")
        try scratch.write("width: wide\n", "tiny")
        let file = try Self.run(["recipe", "check", "tiny"], in: scratch)
        #expect(file.exitCode == 1 && file.errors.hasPrefix("error: tiny, line 1: width: "), "\(file.errors)")
    }

    @Test("a folder with the name of a bundled model does not hide it")
    func folder() throws {
        let scratch = try ScratchFolder()
        try scratch.write("", "models/.keep")
        try scratch.model("models/tiny.safetensors")
        for folder in ["tiny", "run"] { try scratch.write("", "\(folder)/.keep") }
        try scratch.model("run/best.safetensors")
        let found = try Self.run(["info", "tiny"], in: scratch)
        #expect(found.exitCode == 0, "\(found.errors)")
        #expect(try Self.run(["convert", "tiny", "out.safetensors"], in: scratch).exitCode == 0)
        for command in [["info", "run"], ["convert", "run", "other.safetensors"]] {
            let inside = try Self.run(command, in: scratch)
            #expect(
                inside.exitCode == 1
                    && inside.errors.contains("run: is a folder, not a model. Give the file run/best.safetensors."),
                "\(inside.errors)"
            )
        }
    }
}
