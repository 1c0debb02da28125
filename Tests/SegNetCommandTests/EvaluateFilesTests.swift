import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Files and models of segnet evaluate")
struct EvaluateFilesTests {
    @Test("a pipe in place of a run's log is not waited for", .timeLimit(.minutes(1)))
    func pipe() throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        try scratch.write("", "run/.keep")
        #expect(mkfifo(scratch("run/log.jsonl"), 0o600) == 0)
        let result = EvaluateTests.evaluate(scratch, "--report", scratch("r.html"), "--run", scratch("run"))
        #expect(
            result.exitCode == 1 && result.errors.contains("\(scratch("run/log.jsonl")): there is no such log. "),
            "\(result.errors)"
        )
    }

    @Test(
        "a result replaces no file that is read, nor another of the data set's folder",
        arguments: ["--json", "--csv", "--report"],
        [
            ("m.safetensors", "is the model,"), ("d/images/test/a.png", "is one of the data set's files,"),
            ("d/labels/test/../test/b.png", "is one of the data set's files,"),
            ("link.png", "is one of the data set's files,"),
            ("d/classes.txt", "lies in the data set's folder, is not an earlier result,"),
            ("d/notes/own.txt", "lies in the data set's folder, is not an earlier result,"),
        ]
    )
    func inputs(option: String, file: (name: String, problem: String)) throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        try scratch.write("mine", "d/notes/own.txt")
        try scratch.model("m.safetensors", classes: 3)
        try FileManager.default.createSymbolicLink(
            atPath: scratch("link.png"),
            withDestinationPath: scratch("d/labels/test/a.png")
        )
        let files = scratch.files()
        let before = try files.map { try Data(contentsOf: URL(filePath: scratch($0))) }
        let path = "\(scratch.path)/\(file.name)"
        let result = segnet(
            "evaluate",
            "--model",
            scratch("m.safetensors"),
            "--dataset",
            "folder",
            "--data",
            scratch("d"),
            option,
            path
        )
        #expect(result.exitCode == 64 && result.output.isEmpty)
        #expect(
            result.errors.contains(
                "Please give '\(option)' another file: \(path) \(file.problem) and would be replaced."
            ),
            "\(result.errors)"
        )
        #expect(scratch.files() == files)
        #expect(try files.map { try Data(contentsOf: URL(filePath: scratch($0))) } == before)
    }

    @Test("masks that are scored are not replaced either; earlier results are, wherever they lie")
    func earlier() throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        let masks = EvaluateTests.evaluate(scratch, "--csv", scratch("masks/a.png"))
        #expect(
            masks.exitCode == 64
                && masks.errors.contains("lies in the masks' folder, is not an earlier result, and would be replaced"),
            "\(masks.errors)"
        )
        for _ in 0..<2 {
            let result = EvaluateTests.evaluate(
                scratch,
                "--json",
                scratch("d/s.json"),
                "--csv",
                scratch("d/s.csv"),
                "--report",
                scratch("masks/s.html")
            )
            #expect(result.exitCode == 0, "\(result.errors)")
        }
    }

    @Test("--json - prints the scores as JSON and nothing else; other results need a file")
    func standardOutput() throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        let result = EvaluateTests.evaluate(scratch, "--json", "-")
        #expect(result.exitCode == 0, "\(result.errors)")
        let scores = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        #expect(scores?["pictures"] as? Int == 2)
        #expect(!FileManager.default.fileExists(atPath: "-"))
        for option in ["--csv", "--report"] {
            let refused = EvaluateTests.evaluate(scratch, option, "-")
            #expect(refused.exitCode == 64)
            #expect(
                refused.errors.contains("Please give '\(option)' a file; only '--json -' is standard output."),
                "\(refused.errors)"
            )
        }
    }

    @Test("a folder in a result's place is refused before the work", arguments: ["--json", "--csv", "--report"])
    func folder(option: String) throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        let result = EvaluateTests.evaluate(scratch, option, scratch("masks"))
        #expect(result.exitCode == 1 && result.output.isEmpty)
        #expect(result.errors == "\(scratch("masks")): is a folder. Give a file (\(option)).\n", "\(result.errors)")
    }

    /// A data set, and a training's folder with its model.
    private static func run() throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        try scratch.write("", "run/log.jsonl")
        try scratch.model("run/best.safetensors", classes: 3)
        return scratch
    }

    /// What scoring that model says.
    private static func evaluate(_ scratch: ScratchFolder, _ options: [String] = []) -> String {
        let model = ["--model", scratch("run/best.safetensors"), "--threads", "1"]
        return segnet(["evaluate", "--dataset", "folder", "--data", scratch("d")] + model + options).errors
    }

    @Test("labels that the training read in another way are told of, where its run's folder has the recipe")
    func otherLabels() throws {
        let scratch = try Self.run()
        func errors(_ options: String...) -> String { Self.evaluate(scratch, options) }
        let recipe = "dataset: folder\ndata: \(scratch("d"))\nmap: {a: b}\nignore: [9, 8]\n"
        try scratch.write(recipe, "run/recipe.yaml")
        // A recipe of somebody's own says nothing about the model.
        #expect(!errors().contains("in another way"))
        try scratch.write("", "run/pictures.txt")
        let text = errors()
        #expect(
            text.contains("warning: the training read these labels in another way (\(scratch("run/recipe.yaml"))): ")
                && text.contains("map.a was b and is not set here") && text.contains("ignore was [8, 9] and is [] here")
                && text.contains(". If the labels are the same, give the same options here.\n"),
            "\(text)"
        )
        #expect(!errors("--ignore", "8", "--ignore", "9", "--map", "a=b").contains("in another way"))
        try scratch.write(recipe.replacing("data: ", with: "data: /other"), "run/recipe.yaml")
        #expect(!errors().contains("in another way"))
    }

    @Test("pictures that the model has learnt from are named, where its run's folder tells")
    func learnt() throws {
        let scratch = try Self.run()
        func errors() -> String { Self.evaluate(scratch) }
        #expect(!errors().contains("learnt from"))
        try scratch.write("training\t1\tc\nvalidation\t1\ta\nvalidation\t1\tb\n", "run/pictures.txt")
        #expect(!errors().contains("learnt from"))
        try scratch.write("training\t1\tc\ntraining\t1\tb\nvalidation\t1\ta\n", "run/pictures.txt")
        #expect(
            errors().contains(
                "warning: judging by the names, 1 of the 2 pictures is among those that this model learnt from "
                    + "(\(scratch("run/pictures.txt"))), such as 'b': if they are the same pictures, the scores flatter it.\n"
            ),
            "\(errors())"
        )
        // The split that a training may have divided in another way.
        try scratch.picture("d/images/val/v.png", width: 4, height: 2, seed: 8)
        try scratch.write("", "d/labels/val/.keep")
        try EvaluateTests.labels([0, 0, 1, 1, 0, 0, 1, 1], scratch("d/labels/val/v.png"))
        try scratch.write("training\t1\tv\ntraining\t1\tb\nvalidation\t1\ta\n", "run/pictures.txt")
        let divided = Self.evaluate(scratch, ["--split", "val"])
        #expect(
            divided.contains(
                "warning: judging by the names, the only picture is among those that this model learnt from "
                    + "(\(scratch("run/pictures.txt"))), such as 'v': if they are the same pictures, the scores flatter it. If the training had "
                    + "'--folds' and '--fold', or '--val-share', give the same here.\n"
            ),
            "\(divided)"
        )
        // Then it was train's.
        try scratch.picture("d/images/train/b.png", width: 4, height: 2, seed: 9)
        try scratch.write("", "d/labels/train/.keep")
        try EvaluateTests.labels([0, 0, 1, 1, 0, 0, 1, 1], scratch("d/labels/train/b.png"))
        #expect(!errors().contains("learnt from"))
    }

    @Test(
        "a model that has some of the data's classes at other numbers is refused; names without any in common are told"
    )
    func partlyOtherOrder() throws {
        let scratch = try ScratchFolder()
        try EvaluateTests.data(scratch)
        var model = try scratch.model("m.caffemodel", classes: 3)
        let file = scratch("m.safetensors")
        for (names, code, words) in [
            (
                ["thing", "ground", "sun"], 1,
                "its classes are thing, ground, sun, but those of the data set 'd' are ground, thing, moon: some are in both, under "
                    + "different numbers."
            ),
            (
                ["sun", "Ground", "star"], 1,
                "its classes are sun, Ground, star, but those of the data set 'd' are ground, thing, moon: some are in both, under "
                    + "different numbers."
            ),
            (["Ground", "thing", "sun"], 0, ""),
            (
                ["Boden", "Ding", "Mond"], 0,
                "note: the model's classes are Boden, Ding, Mond, the data set's ground, thing, moon; they are matched by number.\n"
            ),
        ] {
            model.metadata.classNames = names
            try SafetensorsFile.write(model, to: URL(filePath: file))
            let result = segnet(
                "evaluate",
                "--model",
                file,
                "--dataset",
                "folder",
                "--data",
                scratch("d"),
                "--threads",
                "1"
            )
            #expect(Int(result.exitCode) == code, "\(result.errors)")
            #expect(
                words.isEmpty ? !result.errors.contains("classes") : result.errors.contains(words),
                "\(result.errors)"
            )
        }
    }
}
