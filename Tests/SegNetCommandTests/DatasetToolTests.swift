import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet dataset check, weights, preview, convert")
struct DatasetToolTests {
    /// Two classes, painted, in two splits.
    private static func painted(_ scratch: ScratchFolder) throws {
        try scratch.write("ground 10 20 30\nthing 200 0 0\n", "d/classes.txt")
        for (seed, name) in ["train/a", "train/b", "val/c"].enumerated() {
            try scratch.picture("d/images/\(name).png", width: 4, height: 3, seed: UInt64(seed + 1))
            try scratch.write("", "d/labels/\(name).keep")
            var pixels: [UInt8] = []
            for index in 0..<12 { pixels += index == 11 ? [0, 0, 0] : index < 9 ? [10, 20, 30] : [200, 0, 0] }
            try Image(width: 4, height: 3, channels: 3, pixels: pixels).write(path: scratch("d/labels/\(name).png"))
        }
    }

    private static let which = ["--dataset", "folder", "--data"]

    @Test("check counts classes, as text and as JSON")
    func check() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        let text = segnet(["dataset", "check", "--colored"] + Self.which + [scratch("d")])
        #expect(text.exitCode == 0, "\(text.errors)")
        #expect(
            text.output.contains(
                "train: 2 pictures\n  class       pixels       %  pictures\n  ground          18  75.000         2"
            )
        )
        #expect(text.output.contains("val: 1 picture\n") && text.output.hasSuffix("nothing is wrong.\n"))
        // Without the option the error names it.
        let plain = segnet(["dataset", "check"] + Self.which + [scratch("d")])
        #expect(plain.exitCode == 1)
        #expect(
            plain.errors.contains("is an RGB picture, not a label map;")
                && plain.errors.contains(
                    "are read as labels in colours (--colored) with the table of classes (--classes), or"
                ),
            "\(plain.errors)"
        )
        let json = segnet(["dataset", "check", "--colored", "--json"] + Self.which + [scratch("d")])
        let report = try JSONDecoder().decode(DatasetReport.self, from: Data(json.output.utf8))
        #expect(report.problems.isEmpty && report.splits[0].ignoredPixels == 2)
    }

    @Test("check goes on after a problem and names all of them; exit code 1")
    func problems() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        try FileManager.default.removeItem(atPath: scratch("d/labels/train/a.png"))
        try FileManager.default.removeItem(atPath: scratch("d/images/val/c.png"))
        try FileManager.default.copyItem(atPath: scratch("d/images/train/b.png"), toPath: scratch("d/images/val/c.png"))
        let result = segnet(["dataset", "check", "--colored"] + Self.which + [scratch("d")])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("images/train/a.png: has no label of the same name in"))
        #expect(result.errors.contains("c of val: is the same picture as b of train"))
        #expect(result.errors.contains("2 problems; see above."))
    }

    @Test(
        "one label with two meanings is refused",
        arguments: [["dataset", "check"], ["train", "--output", "o"], ["evaluate"]]
    )
    func twoMeanings(command: [String]) {
        let result = segnet(
            command + ["--dataset", "folder", "--data", "d", "--map", "Pole=Car", "--map", "pole=Road"]
        )
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains("Please give '--map' one meaning for each label; found 'Pole=Car' and 'pole=Road'."),
            "\(result.errors)"
        )
    }

    @Test("check shows a line feed in a file's name as %0A")
    func lineFeed() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        try scratch.picture("d/images/train/a\nb.png", width: 4, height: 3, seed: 7)
        let result = segnet(["dataset", "check", "--colored"] + Self.which + [scratch("d")])
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains("error: \(scratch("d/images/train"))/a%0Ab.png: has no label"),
            "\(result.errors)"
        )
    }

    @Test("numbers are mapped by class name and ignored by option; an unknown class is answered with those that are")
    func mapping() throws {
        let scratch = try ScratchFolder()
        try scratch.write("ground\nthing\n", "d/classes.txt")
        try scratch.picture("d/images/a.png", width: 4, height: 3)
        try scratch.write("", "d/labels/.keep")
        try LabelMap(width: 4, height: 3, ids: [0, 1, 7, 9] + Array(repeating: 0, count: 8))
            .write(path: scratch("d/labels/a.png"))
        let base = ["dataset", "check"] + Self.which + [scratch("d")]
        #expect(segnet(base).exitCode == 1)
        let mapped = segnet(base + ["--map", "7=Thing", "--ignore", "9"])
        #expect(mapped.exitCode == 0, "\(mapped.errors)")
        #expect(mapped.output.contains("  thing            2"))
        #expect(
            segnet(base + ["--map", "7=moon"]).errors.contains(
                "there is no class 'moon'; the classes are ground, thing."
            )
        )
        #expect(
            segnet(base + ["--map", "seven"]).errors.contains(
                "label change (--map) 'seven': write the label and its class as OLD=NEW"
            )
        )
    }

    @Test("weights: the authors' eleven without a file, and a note about classes that never occur")
    func weights() throws {
        let authors = segnet("dataset", "weights", "--dataset", "camvid", "--authors")
        #expect(authors.output.hasPrefix("Sky 0.2595\nBuilding 0.1826\n") && authors.exitCode == 0)
        #expect(segnet("dataset", "weights", "--dataset", "voc", "--authors").exitCode == 64)
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        try scratch.write("ground 10 20 30\nthing 200 0 0\nmoon 1 1 1\n", "d/classes.txt")
        let own = segnet(["dataset", "weights", "--colored"] + Self.which + [scratch("d")])
        // f = 18/24 and 4/24, median 11/24.
        #expect(own.output == "ground 0.6111\nthing 2.7500\nmoon 0.0000\n")
        #expect(own.errors.contains("note: no pixel of 'train' shows moon: weight 0"))
    }

    @Test("preview writes a sheet, of augmented pictures too", arguments: [false, true])
    func preview(isAugmented: Bool) throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        let options = ["--colored", "--width", "8", "--columns", "1", "--output", scratch("sheet.png")]
        let result = segnet(
            ["dataset", "preview"] + Self.which + [scratch("d")] + options + (isAugmented ? ["--augment"] : [])
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.hasPrefix("2 of 2 pictures of 'train': "))
        let sheet = try Image(path: scratch("sheet.png"))
        #expect(sheet.width == 16 && sheet.height == 16)
        #expect(segnet("dataset", "preview", "--dataset", "synthetic", "--count", "0").errors.contains("'--count'"))
    }

    @Test("preview replaces no file of the data set, and its own sheet where it lies there")
    func previewTarget() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        try scratch.picture("d/notes/other.png")
        let base = ["dataset", "preview", "--colored", "--width", "8"] + Self.which + [scratch("d"), "--output"]
        for (name, problem) in [
            ("images/train/a.png", "is one of the data set's files"),
            ("labels/val/c.png", "is one of the data set's files"),
            ("notes/other.png", "lies in the data set's folder, is not an earlier result, and would be replaced"),
        ] {
            let before = try Data(contentsOf: URL(filePath: scratch("d/\(name)")))
            let result = segnet(base + [scratch("d/\(name)")])
            #expect(result.exitCode == 64)
            #expect(
                result.errors.contains(
                    "Please give '--output' another file: \(scratch("d/\(name)")) \(problem)"
                ),
                "\(result.errors)"
            )
            #expect(try Data(contentsOf: URL(filePath: scratch("d/\(name)"))) == before)
        }
        for name in ["preview.png", "preview.png", "sheet.jpg", "sheet.jpg"] {
            #expect(segnet(base + [scratch("d/\(name)")]).exitCode == 0)
        }
    }

    @Test("convert turns colours into numbers and back, bit for bit, and reports a colour that is not a class")
    func convert() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        let classes = ["--classes", scratch("d/classes.txt")]
        let index = segnet(
            ["dataset", "convert", scratch("d/labels"), "--to", "index", "--output", scratch("i")] + classes
        )
        #expect(index.exitCode == 0, "\(index.errors)")
        #expect(index.output == "3 label maps in \(scratch("i"))\n")
        #expect(try LabelMap(path: scratch("i/val/c.png")).ids == Array(repeating: 0, count: 9) + [1, 1, 255])
        let color = segnet(["dataset", "convert", scratch("i"), "--to", "color", "--output", scratch("c")] + classes)
        #expect(color.exitCode == 0, "\(color.errors)")
        #expect(try Image(path: scratch("c/val/c.png")) == Image(path: scratch("d/labels/val/c.png")))

        try scratch.picture("d/labels/val/noise.png", width: 2, height: 2)
        let some = segnet(
            ["dataset", "convert", scratch("d/labels"), "--to", "index", "--output", scratch("j")] + classes
        )
        #expect(some.exitCode == 1 && some.output.hasPrefix("3 label maps"))
        #expect(some.errors.contains("labels/val/noise.png: has the colour ("))
        let back = segnet([
            "dataset", "convert", scratch("i"), "--to", "color", "--output", scratch("k"), "--classes", "voc21",
        ])
        #expect(back.exitCode == 0)
    }

    @Test("convert takes the masks out of what predict has written, as its help shows")
    func convertPredictions() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.model("m.safetensors")
        let predicted = segnet(
            ["predict", scratch("a.png"), "--model", scratch("m.safetensors"), "--output", scratch("masks")]
        )
        #expect(predicted.exitCode == 0, "\(predicted.errors)")
        let words = ["dataset", "convert", scratch("masks") + "/", "--classes", "camvid11", "--to"]
        let result = segnet(words + ["color", "--output", scratch("colors")])
        #expect(result.exitCode == 0 && result.output == "1 label map in \(scratch("colors"))\n", "\(result.errors)")
        #expect(
            result.errors == "note: 2 other results of 'segnet predict' in \(scratch("masks")) are left out.\n"
        )
        #expect(scratch.files("colors") == ["a.mask.png"])
        #expect(try Image(path: scratch("colors/a.mask.png")) == Image(path: scratch("masks/a.color.png")))
        #expect(segnet(words + ["index", "--output", scratch("ids")]).exitCode == 0)
        #expect(
            try LabelMap(path: scratch("ids/a.color.png")).ids == LabelMap(path: scratch("masks/a.mask.png")).ids
        )
    }

    @Test(
        "convert follows links to folders, and reads TIFFs, whose results are PNGs",
        .enabled(if: PictureLibrary.tiff.isThere, "libtiff is not on this machine")
    )
    func convertLinksAndTIFFs() throws {
        let scratch = try ScratchFolder()
        let map = try LabelMap(width: 4, height: 3, ids: (0..<12).map { $0 % 11 })
        for name in ["real/a.png", "other/b.png"] {
            try scratch.write("", "\(name).keep")
            try map.write(path: scratch(name))
        }
        try map.writeTIFF(path: scratch("real/c.tif"))
        // The last leads in a circle.
        for (link, target) in [("labels", "real"), ("real/more", "../other"), ("other/back", "../real")] {
            try FileManager.default.createSymbolicLink(atPath: scratch(link), withDestinationPath: target)
        }
        let words = ["dataset", "convert", scratch("labels"), "--to", "color", "--classes", "camvid11", "--output"]
        let result = segnet(words + [scratch("out")])
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(scratch.files("out") == ["a.png", "c.png", "more/b.png"])
        #expect(try Image(path: scratch("out/c.png")) == map.colored(with: .camVid11))
        // A second run must not take the results of the first for labels.
        #expect(segnet(words + [scratch("labels/out")]).exitCode == 0)
        #expect(segnet(words + [scratch("labels/out"), "--skip-existing"]).output.hasPrefix("0 label maps in "))
        try map.writeTIFF(path: scratch("real/a.tif"))
        let same = segnet(words + [scratch("two")])
        #expect(
            same.errors
                == "\(scratch("labels/a.tif")): its result would have the same name as that of a.png, a.png. Rename one, or name the "
                + "files to convert.\n"
        )
    }

    @Test("convert tells that class ids need no conversion, and names the table as it was given")
    func convertIDs() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        try LabelMap(width: 4, height: 3, ids: Array(repeating: 1, count: 12)).write(path: scratch("ids.png"))
        let result = segnet(
            ["dataset", "convert", scratch("ids.png"), "--to", "index", "--classes", scratch("d/classes.txt")]
                + ["--output", scratch("out")]
        )
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "\(scratch("ids.png")): has the colour (1, 1, 1) at x 0, y 0, which is not a class of '\(scratch("d/classes.txt"))'; "
                    + "choose the table the labels were painted with, or add the colour to it. Gray values: if they are class ids, these "
                    + "labels need no conversion."
            ),
            "\(result.errors)"
        )
    }

    // Root may read everywhere.
    @Test("convert names a folder that may not be read", .enabled(if: geteuid() != 0))
    func unreadable() throws {
        let scratch = try ScratchFolder()
        try scratch.write("", "labels/closed/.keep")
        let closed = scratch("labels/closed")
        #expect(chmod(closed, 0) == 0)
        defer { chmod(closed, 0o700) }
        let result = segnet(
            ["dataset", "convert", scratch("labels"), "--to", "index", "--classes", "camvid11"]
                + ["--output", scratch("out")]
        )
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains("the folder cannot be read. Check its permissions, or name the files to convert")
        )
        #expect(!result.errors.contains("NSCocoa"), "\(result.errors)")
    }

    @Test("convert replaces no input and says what it does not know")
    func refusals() throws {
        let scratch = try ScratchFolder()
        try Self.painted(scratch)
        let base = ["dataset", "convert", scratch("d/labels"), "--to", "index", "--output"]
        let own = segnet(base + [scratch("d/labels/"), "--classes", scratch("d/classes.txt")])
        #expect(own.exitCode == 64 && own.errors.contains("is the folder of the input; its labels would be replaced"))
        #expect(
            segnet(base + [scratch("o"), "--classes", "camvid13"]).errors.contains(
                "'camvid13' is neither a class table (camvid11,"
            )
        )
        let missing = segnet(
            "dataset",
            "convert",
            scratch("no"),
            "--to",
            "index",
            "--classes",
            "voc21",
            "--output",
            scratch("o")
        )
        #expect(missing.errors == "\(scratch("no")): there is no such file or folder; check the path.\n")
        #expect(missing.exitCode == 1)
    }
}
