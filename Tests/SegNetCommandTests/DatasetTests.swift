import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet dataset and train")
struct DatasetTests {
    @Test("from rendered streets to a trained and scored model, as a user goes")
    func wholeWay() throws {
        let scratch = try ScratchFolder()
        let data = scratch("streets")
        #expect(segnet("dataset", "synthesize", "--count", "8", "--size", "48x32", "--output", data).exitCode == 0)
        let check = segnet("dataset", "check", "--dataset", "folder", "--data", data)
        #expect(check.exitCode == 0, "\(check.errors)")
        #expect(check.output.contains("nothing is wrong."))
        let weights = segnet("dataset", "weights", "--dataset", "folder", "--data", data)
        #expect(weights.output.split(separator: "\n").count == 11)
        try scratch.write(weights.output, "weights.txt")
        try scratch.write("width: 0.25\nbatch-size: 2\niterations: 3\nvalidate-every: 100\n", "recipe.yaml")
        let train = segnet(
            "train",
            "--config",
            scratch("recipe.yaml"),
            "--dataset",
            "folder",
            "--data",
            data,
            "--class-weights",
            scratch("weights.txt"),
            "--output",
            scratch("run"),
            "--threads",
            "1"
        )
        #expect(train.exitCode == 0, "\(train.errors)")
        let model = scratch("run/last.safetensors")
        let score = segnet(
            "evaluate",
            "--model",
            model,
            "--dataset",
            "folder",
            "--data",
            data,
            "--split",
            "val",
            "--json",
            scratch("s.json"),
            "--save-masks",
            scratch("masks")
        )
        #expect(score.exitCode == 0, "\(score.errors)")
        #expect(score.output.contains("mean IoU") && score.output.contains("boundary F1"))
        // The masks that were written, scored as another program's, give the same.
        let again = segnet(
            "evaluate",
            "--predictions",
            scratch("masks"),
            "--dataset",
            "folder",
            "--data",
            data,
            "--split",
            "val",
            "--json",
            scratch("t.json")
        )
        #expect(again.exitCode == 0, "\(again.errors)")
        #expect(
            try Data(contentsOf: URL(filePath: scratch("s.json"))) == Data(contentsOf: URL(filePath: scratch("t.json")))
        )
        let predict = segnet(
            "predict",
            "\(data)/images",
            "--model",
            model,
            "--output",
            scratch("out"),
            "--save",
            "mask"
        )
        #expect(predict.exitCode == 0, "\(predict.errors)")
    }

    @Test("the check names stray label values, sizes that differ and missing partners")
    func problems() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("d/images/a.png", width: 8, height: 6)
        try scratch.picture("d/images/b.png", width: 8, height: 6, seed: 2)
        try scratch.write("ground\nsky\n", "d/classes.txt")
        try scratch.write("", "d/labels/.keep")
        var ids = [UInt16](repeating: 0, count: 48)
        ids[10] = 7
        try LabelMap(width: 8, height: 6, ids: ids).write(path: scratch("d/labels/a.png"))
        let missing = segnet("dataset", "check", "--dataset", "folder", "--data", scratch("d"))
        #expect(missing.errors.contains("images/b.png: has no label of the same name in"))
        try LabelMap(width: 6, height: 8, ids: Array(repeating: 0, count: 48)).write(path: scratch("d/labels/b.png"))
        let result = segnet("dataset", "check", "--dataset", "folder", "--data", scratch("d"))
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "labels/a.png: has the label 7 at x 2, y 1 (1 pixel), but the classes are 0...1; map it with the label change (--map) "
                    + "7=CLASS, or add 7 to the ignored labels (--ignore)."
            )
        )
        #expect(result.errors.contains("labels/b.png: is 6x8, but its picture"))
    }

    @Test("labels are not painted in colours that two classes share")
    func equalColors() throws {
        let scratch = try ScratchFolder()
        try scratch.write("ground 1 2 3\nsky 1 2 3\n", "classes.txt")
        try LabelMap(width: 2, height: 1, ids: [0, 1]).write(path: scratch("a.png"))
        let result = segnet(
            ["dataset", "convert", scratch("a.png"), "--to", "color", "--classes", scratch("classes.txt")]
                + ["--output", scratch("out")]
        )
        #expect(
            result.exitCode == 1 && result.errors.contains("'ground' and 'sky' have the same colour (1, 2, 3)"),
            "\(result.errors)"
        )
        #expect(!scratch.files().contains { $0.hasPrefix("out/") })
    }

    @Test(
        "synthesize replaces nothing of a data set that is there",
        arguments: ["classes.txt", "classes.json", "images/street1.png", "labels/other.png"]
    )
    func synthesizeInto(file: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write("mine", "d/\(file)")
        let result = segnet("dataset", "synthesize", "--count", "1", "--size", "48x32", "--output", scratch("d"))
        #expect(result.exitCode == 1 && result.output.isEmpty)
        let part = file.split(separator: "/")[0]
        #expect(
            result.errors
                == "\(scratch("d"))/\(part): already exists; choose another output folder (--output), so that data sets are "
                + "not mixed.\n"
        )
        #expect(scratch.files() == ["d/\(file)"])
        #expect(try String(contentsOfFile: scratch("d/\(file)"), encoding: .utf8) == "mine")
    }

    /// A data set `d` of the kind folder, with two classes and one picture, whose labels are the first `count` numbers in turn.
    private static func labelled(with count: Int) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.write("ground\nsky\n", "d/classes.txt")
        try scratch.write("", "d/labels/.keep")
        try scratch.picture("d/images/a.png", width: 8, height: 6)
        try LabelMap(width: 8, height: 6, ids: (0..<48).map { UInt16($0 % count) }).write(
            path: scratch("d/labels/a.png")
        )
        return scratch
    }

    @Test("the check of another kind, which finds no label, names the kind that it looks like")
    func otherKind() throws {
        let scratch = try Self.labelled(with: 2)
        let result = segnet("dataset", "check", "--dataset", "yolo", "--data", scratch("d"))
        #expect(result.exitCode == 1 && result.errors.contains("all labels are void."), "\(result.errors)")
        #expect(result.errors.contains("note: \(scratch("d")) looks like '--dataset folder'.\n"), "\(result.errors)")
    }

    @Test("ten thousand equal problems are counted, not listed")
    func grouped() {
        let missing = (0..<10_000).map {
            "d/images/\($0).png: has no label of the same name in d/labels; add it, or remove the picture."
        }
        let strays = (0..<3).map {
            "d/labels/a\($0).png: has the label \($0 + 7) at x 2, y 1 (1 pixels), which is none of the classes."
        }
        let lines = DatasetCheck.grouped(missing + strays)
        #expect(lines.count == 7)
        #expect(lines.prefix(3) == missing.prefix(3) && lines[3...5] == strays[...])
        #expect(lines[6] == "9,997 more like these: \"has no label of the same ...\"")
        let colors = (0..<5).map {
            "l\($0).png: has the colour (\($0), 1, 1) at x \($0), y 1, which is not a class of 'classes.txt'."
        }
        #expect(DatasetCheck.grouped(colors).last == "2 more like these: \"has the colour ...\"")
    }

    @Test("the check says what cannot be learnt, and a set of doubtful labels is not called right")
    func findings() throws {
        let scratch = try ScratchFolder()
        try scratch.write("ground\nsky\n", "d/classes.txt")
        try scratch.write("", "d/labels/.keep")
        for number in 0..<2 {
            try scratch.picture("d/images/\(number).png", width: 8, height: 6, seed: UInt64(number))
            let ids = (0..<48).map { UInt16($0 % 2 == 0 ? 0 : 255) }
            try LabelMap(width: 8, height: 6, ids: ids).write(path: scratch("d/labels/\(number).png"))
        }
        let data = ["--dataset", "folder", "--data", scratch("d")]
        let binary = segnet(["dataset", "check"] + data)
        #expect(binary.exitCode == 1 && !binary.output.contains("nothing is wrong"))
        #expect(
            binary.errors.contains(
                "error: all labelled pixels are 'ground', so there is nothing to tell apart. All others are void. In masks of 0 and 255, "
                    + "255 means void; the label change (--map) 255=CLASS makes it a class.\n"
            ),
            "\(binary.errors)"
        )
        let train = segnet(["train", "--output", scratch("run"), "--threads", "1"] + data)
        #expect(train.exitCode == 1 && train.errors.contains("all labelled pixels are 'ground'"), "\(train.errors)")
        #expect(segnet(["dataset", "check"] + data + ["--map", "255=sky"]).output.hasSuffix("nothing is wrong.\n"))
        try scratch.picture("d/images/00.png", width: 8, height: 8, seed: 5)
        try LabelMap(width: 8, height: 8, ids: (0..<64).map { UInt16($0 % 2) }).write(path: scratch("d/labels/00.png"))
        let doubtful = segnet(["dataset", "check"] + data + ["--map", "255=sky"])
        #expect(doubtful.exitCode == 0 && doubtful.output.hasSuffix("no errors, 1 warning; see above.\n"))
        #expect(
            doubtful.errors.hasPrefix(
                "warning: pictures have 2 sizes: 8x6 (2 pictures, such as 0), 8x8 (1 picture, such as 00). "
            )
        )
        let sizes = segnet(["train", "--output", scratch("run"), "--threads", "1", "--map", "255=sky"] + data)
        #expect(
            sizes.exitCode == 1
                && sizes.errors.contains(
                    "Train on parts of one size with a crop of the pictures (--crop), or resize all with a picture size (--size)."
                ),
            "\(sizes.errors)"
        )
    }

    @Test("labels 1...K are named, and --label-offset -1 is what they need")
    func offset() throws {
        let scratch = try Self.labelled(with: 3)
        let data = ["dataset", "check", "--dataset", "folder", "--data", scratch("d")]
        let wrong = segnet(data)
        #expect(
            wrong.errors.contains(
                "if 1 is the class 'ground', and 0 is void, use the label offset (--label-offset) -1; otherwise map it "
                    + "with the label change (--map) 2=CLASS"
            ),
            "\(wrong.errors)"
        )
        let right = segnet(data + ["--label-offset", "-1"])
        #expect(right.exitCode == 0 && right.output.hasSuffix("nothing is wrong.\n"), "\(right.errors)")
    }
}
