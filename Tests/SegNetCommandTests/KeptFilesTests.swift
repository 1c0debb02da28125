import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Files that no command replaces, and those that it clears away")
struct KeptFilesTests {
    @Test("dataset convert replaces nothing that is there: photos have the names of their labels")
    func convert() throws {
        let scratch = try ScratchFolder()
        try scratch.write("ground 10 20 30\nthing 200 0 0\n", "classes.txt")
        try scratch.picture("images/val/a.png", width: 4, height: 2)
        try scratch.write("", "labels/val/.keep")
        try EvaluateTests.labels([0, 0, 1, 1, 0, 0, 1, 255], scratch("labels/val/a.png"))
        let before = try Data(contentsOf: URL(filePath: scratch("images/val/a.png")))
        let words = ["dataset", "convert", scratch("labels"), "--to", "color", "--classes", scratch("classes.txt")]
        let result = segnet(words + ["--output", scratch("images")])
        #expect(result.exitCode == 64 && result.output.isEmpty)
        #expect(result.errors.contains("already holds 'val/a.png', which would be replaced."), "\(result.errors)")
        #expect(try Data(contentsOf: URL(filePath: scratch("images/val/a.png"))) == before)
        // Next to other files it writes, and not twice.
        try scratch.write("mine", "colors/notes.txt")
        #expect(segnet(words + ["--output", scratch("colors")]).exitCode == 0)
        #expect(segnet(words + ["--output", scratch("colors")]).exitCode == 64)
        // What an earlier run did not reach is made up for.
        try EvaluateTests.labels([0, 0, 1, 1, 0, 0, 1, 255], scratch("labels/val/b.png"))
        let rest = segnet(words + ["--output", scratch("colors"), "--skip-existing"])
        #expect(rest.exitCode == 0 && rest.output.hasPrefix("1 label map in "), "\(rest.output)")
        #expect(rest.errors.contains("note: 1 label map in \(scratch("colors")) already, left out."), "\(rest.errors)")
        #expect(scratch.files("colors/val") == ["a.png", "b.png"])
    }

    @Test("the results of the run before are not segmented with the pictures that a pattern names")
    func repeated() throws {
        let scratch = try ScratchFolder()
        for name in ["a", "b", "c"] { try scratch.picture("photos/\(name).png") }
        try scratch.model("m.safetensors")
        func predict() -> CommandResult {
            let pictures = scratch.files("photos").map { scratch("photos/\($0)") }
            let words = ["predict", "--model", scratch("m.safetensors"), "--output", scratch("photos")]
            return segnet(words + pictures)
        }
        #expect(predict().exitCode == 0 && scratch.files("photos").count == 12)
        for _ in 0..<2 {
            let result = predict()
            #expect(result.exitCode == 0 && scratch.files("photos").count == 12, "\(result.errors)")
            #expect(
                result.errors.contains(
                    "note: \(scratch("photos/a.color.png")) and 8 more left out: named like results of an earlier run."
                ),
                "\(result.errors)"
            )
        }
        // In a list too.
        try scratch.write("photos/a.png\nphotos/a.mask.png\n", "list.txt")
        #expect(InputList([scratch("list.txt")], output: scratch("out")).pictures.map(\.stem) == ["photos/a"])
        // Alone it is a picture.
        #expect(InputList([scratch("photos/a.mask.png")], output: scratch("out")).pictures.count == 1)
    }

    @Test("a result does not replace a picture that is read", arguments: [["--dry-run"], []])
    func ownInput(more: [String]) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("pi/a.png")
        // A photo: no run has made it.
        try scratch.picture("pi/a.mask.png", seed: 2)
        try scratch.model("m.safetensors")
        let before = try Data(contentsOf: URL(filePath: scratch("pi/a.mask.png")))
        let result = segnet(
            [
                "predict", scratch("pi/a.png"), scratch("pi/a.mask.png"), "--model", scratch("m.safetensors"), "--save",
                "mask", "--output", scratch("pi"),
            ] + more
        )
        #expect(result.exitCode == 64 && result.output.isEmpty)
        #expect(
            result.errors.contains(
                "\(scratch("pi/a.mask.png")), a result of \(scratch("pi/a.png")), would replace the input \(scratch("pi/a.mask.png")). If that "
                    + "is an earlier result, remove it, or leave it out with '--exclude'."
            ),
            "\(result.errors)"
        )
        #expect(try Data(contentsOf: URL(filePath: scratch("pi/a.mask.png"))) == before)
        #expect(scratch.files("pi") == ["a.mask.png", "a.png"])
    }

    @Test(
        "evaluate replaces no file of a training",
        arguments: ["--json", "--csv", "--report"],
        ["last.checkpoint", "recipe.yaml", "log.jsonl", "pictures.txt", "best.safetensors"]
    )
    func run(option: String, name: String) throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        try scratch.write("mine", "run/\(name)")
        let path = scratch("run/\(name)")
        let result = EvaluateTests.evaluate(scratch, option, path)
        #expect(result.exitCode == 64 && result.output.isEmpty)
        #expect(
            result.errors.contains(
                "Please give '\(option)' another file: \(path) is a file of a training or a model, and would be replaced."
            ),
            "\(result.errors)"
        )
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    }

    @Test("what a killed run has left goes with the next one that writes into the folder")
    func leftovers() throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        try scratch.model("m.safetensors")
        let child = try Process.run(URL(filePath: "/bin/sh"), arguments: ["-c", "exit 0"])
        child.waitUntilExit()
        let left = ".segnet-\(child.processIdentifier)-7"
        let data = ["--dataset", "folder", "--data", scratch("d")]
        let convert = [
            "dataset", "convert", scratch("d/labels"), "--to", "color", "--classes", scratch("d/classes.txt"),
        ]
        let commands: [(folder: String, arguments: [String])] = [
            ("scores", ["evaluate", "--predictions", scratch("masks"), "--json", scratch("scores/s.json")] + data),
            ("models", ["convert", scratch("m.safetensors"), scratch("models/m.onnx")]),
            ("sheets", ["dataset", "preview", "--split", "test", "--output", scratch("sheets/s.png")] + data),
            ("export", ["dataset", "export", "--to", "coco", "--output", scratch("export")] + data),
            ("import", ["dataset", "import", "--output", scratch("import")] + data),
            ("colors/test", convert + ["--output", scratch("colors")]),
        ]
        for (folder, arguments) in commands {
            try scratch.write("half", "\(folder)/\(left)")
            let result = segnet(arguments)
            #expect(result.exitCode == 0, "\(folder): \(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: scratch("\(folder)/\(left)")), "\(folder)")
        }
    }

    @Test("other machines' files are left alone, and the test whether a folder can be written leaves nothing")
    func probe() throws {
        let scratch = try ScratchFolder()
        let child = try Process.run(URL(filePath: "/bin/sh"), arguments: ["-c", "exit 0"])
        child.waitUntilExit()
        let left = ".segnet-\(child.processIdentifier)-7"
        try scratch.write("half", left)
        try OutputFolder.prepare(scratch.path, isShared: true)
        #expect(scratch.files() == [left])
        try OutputFolder.prepare(scratch.path)
        #expect(scratch.files() == [])
    }

    @Test("a pipe in a list is refused with its name")
    func pipe() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        #expect(mkfifo(scratch("pipe.png"), 0o600) == 0)
        try scratch.write("a.png\npipe.png label.png\n", "list.txt")
        let list = InputList([scratch("list.txt")], output: scratch("out"))
        #expect(list.pictures.map(\.stem) == ["a"])
        #expect(
            list.problems.map(\.message) == [
                "\(scratch("pipe.png")): is a pipe or a device (\(scratch("list.txt")), line 2), which may never end; a list names files. "
                    + "Give it as an input."
            ]
        )
    }
}
