import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet evaluate")
struct EvaluateTests {
    /// Two pictures of 4x2 with their truth: classes ground, thing, moon (which never shows); void 255.
    static func data(_ scratch: ScratchFolder) throws {
        try scratch.write("ground 10 20 30\nthing 200 0 0\nmoon 0 0 200\n", "d/classes.txt")
        for (seed, name) in ["a", "b"].enumerated() {
            try scratch.picture("d/images/test/\(name).png", width: 4, height: 2, seed: UInt64(seed + 1))
        }
        try scratch.write("", "d/labels/test/.keep")
        try scratch.write("", "masks/.keep")
        try labels([0, 0, 1, 1, 0, 0, 1, 255], scratch("d/labels/test/a.png"))
        try labels([0, 0, 0, 0, 0, 0, 1, 1], scratch("d/labels/test/b.png"))
        try labels([0, 0, 1, 1, 0, 0, 0, 0], scratch("masks/a.png"))
        try labels([0, 0, 0, 1, 0, 0, 1, 255], scratch("masks/b.png"))
    }

    static func labels(_ ids: [UInt16], _ path: String) throws {
        try LabelMap(width: 4, height: 2, ids: ids).write(path: path)
    }

    static func evaluate(_ scratch: ScratchFolder, _ more: String...) -> CommandResult {
        segnet(["evaluate", "--dataset", "folder", "--data", scratch("d"), "--predictions", scratch("masks")] + more)
    }

    static func json(_ path: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? [String: Any])
    }

    @Test("refuses a model that has the data's classes in another order")
    func order() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        var model = try scratch.model("m.caffemodel", classes: 3)
        let file = scratch("m.safetensors")
        let arguments = ["--dataset", "folder", "--data", scratch("d"), "--model", file, "--threads", "1"]
        for (names, code) in [
            (["moon", "ground", "thing"], 1), (["ground", "thing", "moon"], 0), (["a", "b", "c"], 0),
        ] {
            model.metadata.classNames = names
            try SafetensorsFile.write(model, to: URL(filePath: file))
            let result = segnet(["evaluate"] + arguments)
            #expect(Int(result.exitCode) == code, "\(result.errors)")
            guard code == 1 else { continue }
            let problem =
                "its classes are moon, ground, thing, but the data set 'd' has them in the order ground, thing, moon; give the model's order"
            #expect(result.errors.contains(problem), "\(result.errors)")
            #expect(segnet(["tune", "crf", "--split", "test"] + arguments).errors.contains(problem))
        }
    }

    @Test("a data set that the default model does not fit: the model was to be named")
    func defaultModel() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.model("m.safetensors", classes: 2)
        let data = ["--dataset", "folder", "--data", scratch("d"), "--threads", "1"]
        let unnamed = segnet(["evaluate"] + data)
        #expect(unnamed.exitCode == 1)
        #expect(
            unnamed.errors.contains(
                "note: no model was named, so 'segnet-streets' was tried; name yours with '--model'.\n"
            ),
            "\(unnamed.errors)"
        )
        #expect(
            unnamed.errors.contains("it has 11 classes, but the data set 'd' has 3; score it on"),
            "\(unnamed.errors)"
        )
        let named = segnet(["evaluate", "--model", scratch("m.safetensors")] + data)
        #expect(named.exitCode == 1 && !named.errors.contains("no model was named"), "\(named.errors)")
    }

    @Test("writes its scores into a pipe that is there, and through a link")
    func targets() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.write("old", "real/s.json")
        try FileManager.default.createSymbolicLink(atPath: scratch("link.json"), withDestinationPath: "real/s.json")
        #expect(Self.evaluate(scratch, "--json", scratch("link.json")).exitCode == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch("link.json")) == "real/s.json")
        #expect(try Self.json(scratch("real/s.json"))["meanIoU"] != nil)

        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        let reader = Process()
        reader.executableURL = URL(filePath: "/bin/cat")
        reader.arguments = [scratch("pipe")]
        let read = Pipe()
        reader.standardOutput = read
        try reader.run()
        #expect(Self.evaluate(scratch, "--json", scratch("pipe")).exitCode == 0)
        let text = read.fileHandleForReading.readDataToEndOfFile()
        reader.waitUntilExit()
        #expect(text == (try Data(contentsOf: URL(filePath: scratch("real/s.json")))))
    }

    @Test("writes the scores as fractions, null where a class is absent")
    func contract() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let result = Self.evaluate(scratch, "--json", scratch("s.json"))
        #expect(result.exitCode == 0, "\(result.errors)")
        let scores = try Self.json(scratch("s.json"))
        // Ground: 10 true, 9 right, 1 too many. Thing: 5 true, 3 right, 1 too many, 1 given no class.
        #expect(abs((scores["globalAccuracy"] as? Double ?? 0) - 12.0 / 15) < 1e-12)
        #expect(abs((scores["classAverageAccuracy"] as? Double ?? 0) - (0.9 + 0.6) / 2) < 1e-12)
        #expect(abs((scores["meanIoU"] as? Double ?? 0) - (9.0 / 11 + 3.0 / 6) / 2) < 1e-12)
        #expect(scores["boundaryF1"] is Double && scores["boundaryRule"] as? String == "one-to-one")
        #expect(scores["confusionMatrix"] as? [[Int]] == [[9, 1, 0], [1, 3, 0], [0, 0, 0]])
        let classes = try #require(scores["perClass"] as? [[String: Any]])
        #expect(classes.map { $0["name"] as? String } == ["ground", "thing", "moon"])
        #expect(classes.map { $0["pixels"] as? Int } == [10, 5, 0])
        #expect(classes[2]["iou"] is NSNull && classes[2]["accuracy"] is NSNull)
        let pictures = try #require(scores["perImage"] as? [[String: Any]])
        #expect(pictures.map { $0["name"] as? String } == ["a", "b"] && scores["pictures"] as? Int == 2)
        #expect(abs((pictures[0]["meanIoU"] as? Double ?? 0) - (4.0 / 5 + 2.0 / 3) / 2) < 1e-12)
        #expect(result.output.contains("moon        -           -       0"))
        #expect(result.output.contains("mean IoU         65.91 %"))
    }

    @Test("divides by all classes by the original's rule, and tells of no boundary score where none is asked for")
    func originalRule() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let result = Self.evaluate(scratch, "--json", scratch("s.json"), "--metrics", "original", "--bf", "none")
        #expect(result.exitCode == 0, "\(result.errors)")
        let scores = try Self.json(scratch("s.json"))
        #expect(abs((scores["meanIoU"] as? Double ?? 0) - (9.0 / 11 + 3.0 / 6) / 3) < 1e-12)
        #expect(scores["metrics"] as? String == "original")
        #expect(scores["boundaryF1"] is NSNull && scores["boundaryRule"] is NSNull)
        #expect(!result.output.contains("boundary"))
    }

    @Test("names the boundary rule that was used", arguments: ["one-to-one", "distance", "original"])
    func boundaryRules(rule: String) throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let result = Self.evaluate(scratch, "--json", scratch("s.json"), "--bf", rule)
        #expect(try Self.json(scratch("s.json"))["boundaryRule"] as? String == rule)
        #expect(result.output.contains("% (\(rule))"))
    }

    @Test("with merged classes scores truth and prediction by them")
    func merged() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        #expect(Self.evaluate(scratch, "--map", "thing=ground", "--json", scratch("s.json")).exitCode == 0)
        let merged = try Self.json(scratch("s.json"))
        #expect(merged["confusionMatrix"] as? [[Int]] == [[14, 0, 0], [0, 0, 0], [0, 0, 0]])
        // One pixel was given no class.
        #expect(abs((merged["globalAccuracy"] as? Double ?? 0) - 14.0 / 15) < 1e-12)
        #expect(Self.evaluate(scratch, "--map", "1=void", "--json", scratch("v.json")).exitCode == 0)
        let void = try Self.json(scratch("v.json"))
        #expect(void["confusionMatrix"] as? [[Int]] == [[9, 0, 0], [0, 0, 0], [0, 0, 0]])
        #expect((void["perClass"] as? [[String: Any]])?[1]["iou"] is NSNull)
        #expect(Self.evaluate(scratch, "--ignore", "1", "--json", scratch("i.json")).exitCode == 0)
        #expect(
            try Data(contentsOf: URL(filePath: scratch("i.json"))) == Data(contentsOf: URL(filePath: scratch("v.json")))
        )
        let wrong = Self.evaluate(scratch, "--map", "1=sun")
        #expect(
            wrong.errors.contains(
                "label change (--map) '1=sun': there is no class 'sun'; the classes are ground, thing, moon."
            )
        )
    }

    @Test("takes the classes from a file or a table's name")
    func classes() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.write("earth\nobject\n", "two.txt")
        let result = Self.evaluate(scratch, "--classes", scratch("two.txt"))
        #expect(result.exitCode == 0 && result.output.contains("earth") && !result.output.contains("moon"))
        #expect(Self.evaluate(scratch, "--classes", "voc21").output.contains("aeroplane"))
        #expect(Self.evaluate(scratch, "--classes", "voc22").errors.contains("'voc22' is neither a class table"))
    }

    @Test("names the mask that is missing, of another size, or has values that are not a class")
    func wrongMasks() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try Self.labels([0, 0, 9, 9, 0, 0, 1, 1], scratch("masks/b.png"))
        let value = Self.evaluate(scratch)
        #expect(value.exitCode == 1)
        #expect(
            value.errors.contains("masks/b.png: has the value 9 at x 2, y 0 (2 pixels), which is none of the 3 classes")
        )
        try LabelMap(width: 2, height: 4, ids: Array(repeating: 0, count: 8)).write(path: scratch("masks/b.png"))
        #expect(Self.evaluate(scratch).errors.contains("masks/b.png: is 2x4, the labels of 'b' are 4x2"))
        try FileManager.default.removeItem(atPath: scratch("masks/b.png"))
        #expect(Self.evaluate(scratch).errors.contains("masks/b.png: there is no mask of the picture 'b'"))
    }

    @Test("tells of the only class there is in proper words")
    func oneClass() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.write("earth\n", "one.txt")
        let labels = Self.evaluate(scratch, "--classes", scratch("one.txt"))
        #expect(labels.errors.contains(", but the only class is 0; "), "\(labels.errors)")
        let change = Self.evaluate(scratch, "--classes", scratch("one.txt"), "--map", "0=3")
        #expect(change.errors.contains("'0=3': 3 is not 0, the only class."), "\(change.errors)")
    }

    @Test("writes a report of a model with the curves of its run, and of masks without")
    func report() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let masks = Self.evaluate(scratch, "--report", scratch("out/masks.html"))
        #expect(masks.exitCode == 0, "\(masks.errors)")
        let page = try String(contentsOfFile: scratch("out/masks.html"), encoding: .utf8)
        #expect(page.contains("<title>Masks in ") && !page.contains("Training loss"))
        #expect(page.contains("<h3>Best</h3>") && page.contains("<td>one-to-one: within 0.75 % of the diagonal"))

        try scratch.write(
            "{\"kind\":\"step\",\"step\":1,\"epoch\":0.5,\"loss\":2,\"learningRate\":0.1}\n",
            "run/log.jsonl"
        )
        try scratch.model("run/best.safetensors", classes: 3)
        let base = [
            "evaluate", "--model", scratch("run/best.safetensors"), "--dataset", "folder", "--data", scratch("d"),
        ]
        let options = ["--report", scratch("m.html"), "--tta", "flip", "--threads", "1"]
        let model = segnet(base + options)
        #expect(model.exitCode == 0, "\(model.errors)")
        let second = try String(contentsOfFile: scratch("m.html"), encoding: .utf8)
        #expect(second.contains("Training loss") && second.contains("<td>flip (2 views)</td>"))
        let other = segnet(base + options + ["--run", scratch("d")])
        #expect(other.exitCode == 1)
        #expect(other.errors.contains("d/log.jsonl: there is no such log. Give the folder of a training run (--run)"))
    }

    @Test("says before the work that a result cannot be written", arguments: ["--json", "--report"])
    func unwritable(option: String) throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.write("a file, no folder", "taken")
        let path = scratch("taken/scores")
        let result = Self.evaluate(scratch, option, path)
        #expect(result.exitCode == 1 && result.output.isEmpty)
        #expect(
            result.errors.contains(
                "\(path): cannot be written. Give another file (\(option)), or check the permissions of its folder and the disk"
            )
        )
    }

    @Test("saves masks that score the same; two pictures of one name would be one mask")
    func saveMasks() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let base = ["evaluate", "--dataset", "folder", "--data", scratch("d")]
        try scratch.model("m.safetensors", classes: 3)
        let first = segnet(
            base + ["--model", scratch("m.safetensors"), "--save-masks", scratch("own"), "--json", scratch("1")]
        )
        #expect(first.exitCode == 0, "\(first.errors)")
        #expect(segnet(base + ["--predictions", scratch("own"), "--json", scratch("2")]).exitCode == 0)
        #expect(try Data(contentsOf: URL(filePath: scratch("1"))) == Data(contentsOf: URL(filePath: scratch("2"))))
        try scratch.write("images/test/a.png labels/test/a.png\nd2/a.png labels/test/b.png\n", "d/test.txt")
        let twice = segnet(["evaluate", "--dataset", "list", "--data", scratch("d"), "--predictions", scratch("masks")])
        #expect(
            twice.errors.contains(
                "split 'test': has two pictures named 'a', whose masks would be one file; rename one."
            )
        )
    }

    @Test("saves masks that score the same also where classes that are predicted have become void")
    func saveVoidMasks() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.model("m.safetensors", classes: 3)
        let base = ["evaluate", "--dataset", "folder", "--data", scratch("d")]
        let model = ["--model", scratch("m.safetensors"), "--threads", "1"]
        #expect(segnet(base + model + ["--save-masks", scratch("all")]).exitCode == 0)
        let predicted = try LabelMap(path: scratch("all/a.png")).ids[0]
        let changed = base + ["--map", "\(predicted)=void"]
        let first = segnet(changed + model + ["--save-masks", scratch("own"), "--json", scratch("1")])
        #expect(try LabelMap(path: scratch("own/a.png")).ids[0] == 255)
        let second = segnet(changed + ["--predictions", scratch("own"), "--json", scratch("2")])
        #expect(first.exitCode == 0 && second.exitCode == 0, "\(first.errors)\(second.errors)")
        #expect(try Data(contentsOf: URL(filePath: scratch("1"))) == Data(contentsOf: URL(filePath: scratch("2"))))
    }

    @Test("warns of pictures that the data set leaves out")
    func leftOut() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        #expect(!Self.evaluate(scratch).errors.contains("warning: "))
        try scratch.picture("d/images/loose.png", width: 4, height: 2, seed: 3)
        let result = Self.evaluate(scratch)
        #expect(result.exitCode == 0 && result.errors.contains("warning: "), "\(result.errors)")
        #expect(result.errors.contains("loose.png"))
    }

    @Test(
        "replaces neither what the data set holds nor the masks that it scores",
        arguments: ["d/labels/test", "d/images/test/", "d/labels/../labels/train", "masks"]
    )
    func ownFolders(folder: String) throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        try scratch.picture("d/images/train/c.png", width: 4, height: 2, seed: 3)
        try scratch.write("", "d/labels/train/.keep")
        try Self.labels([0, 0, 0, 0, 0, 0, 1, 1], scratch("d/labels/train/c.png"))
        let files = scratch.files()
        let before = try files.map { try Data(contentsOf: URL(filePath: scratch($0))) }
        let result = Self.evaluate(scratch, "--save-masks", "\(scratch.path)/\(folder)")
        #expect(result.exitCode == 64 && result.output.isEmpty)
        #expect(result.errors.contains("Please give '--save-masks' another folder"), "\(result.errors)")
        #expect(result.errors.hasSuffix(", which would be replaced.\n"), "\(result.errors)")
        #expect(scratch.files() == files)
        #expect(try files.map { try Data(contentsOf: URL(filePath: scratch($0))) } == before)
    }

    @Test(
        "refuses options that make no sense together",
        arguments: [
            (["--tta", "flip"], "Please leave '--tta' out with '--predictions': the masks are made already."),
            (["--size", "native"], "Please leave '--size' out with '--predictions': the masks are made already."),
            (
                ["--network", "n.prototxt"],
                "Please leave '--network' out with '--predictions': the masks are made already."
            ),
            (["--mean", "0"], "Please leave '--mean' out with '--predictions'"),
            (["--precision", "float16"], "Please leave '--precision' out with '--predictions'"),
            (["--accuracy", "exact"], "Please leave '--accuracy' out with '--predictions'"),
            (
                ["--json", "s.txt", "--csv", "./s.txt"],
                "Please give '--csv' another file than '--json'; found ./s.txt for both."
            ),
            (
                ["--folds", "3", "--val-share", "0.5"],
                "Please leave '--val-share' out with '--folds': the fold is val."
            ),
            (
                ["--ignore", "-1"],
                "The value '-1' is invalid for '--ignore <number>': a whole number in 0...65535 is needed."
            ),
            (["--ignore", "65536"], "invalid for '--ignore <number>': a whole number in 0...65535 is needed."),
            (
                ["--seed", "-1"],
                "invalid for '--seed <number>': a whole number in 0...18446744073709551615 is needed."
            ),
            (["--model", "m"], "Please give either '--model' or '--predictions', not both."),
            (["--run", "x"], "Please give '--run' only with '--report', which shows its curves."),
            (
                ["--tta", "flop"],
                "'flop' is not one of flip, scales and scales=NUMBER,NUMBER; write flip, scales, scales=0.5,1,2, or flip,scales."
            ),
            (["--bf", "near"], "'near' is not one of one-to-one, original, distance, none."),
        ]
    )
    func refusals(options: [String], message: String) throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let result = segnet(
            ["evaluate", "--dataset", "folder", "--data", scratch("d"), "--predictions", scratch("masks")] + options
        )
        #expect(result.exitCode == 64)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("the command in a report can be given to a shell")
    func shell() {
        #expect(
            Facts.shell(["/usr/bin/segnet", "evaluate", "--data", "my photos", "it's", "a/b-c_1.0", ""])
                == "segnet evaluate --data 'my photos' 'it'\\''s' a/b-c_1.0 ''"
        )
    }

    @Test("scores the split that is there, and says so where it is not the test split; --csv writes one line per class")
    func split() throws {
        let scratch = try ScratchFolder()
        try Self.data(scratch)
        let test = Self.evaluate(scratch, "--bf", "none", "--csv", scratch("scores/s.csv"))
        #expect(test.exitCode == 0 && !test.errors.contains("note:"), "\(test.errors)")
        let csv = try String(contentsOfFile: scratch("scores/s.csv"), encoding: .utf8).split(separator: "\r\n")
        #expect(
            csv.count == 5 && csv[0] == "class,iou,accuracy,pixels" && csv[3] == "moon,,,0"
                && csv[4].hasPrefix("(all),0.")
        )
        for part in ["images", "labels"] {
            try FileManager.default.moveItem(atPath: scratch("d/\(part)/test"), toPath: scratch("d/\(part)/val"))
        }
        let val = Self.evaluate(scratch, "--bf", "none")
        #expect(val.exitCode == 0 && val.output == test.output)
        #expect(val.errors == "note: the data set has no split 'test'; scoring 'val'.\n", "\(val.errors)")
        #expect(Self.evaluate(scratch, "--split", "test").errors.contains("has no split 'test'; it has val."))
    }
}
