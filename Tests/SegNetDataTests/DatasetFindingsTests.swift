import Foundation
import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetData

@Suite("What pictures and labels show together")
struct DatasetFindingsTests {
    /// Pictures of 4 x 3 with these labels.
    private static func report(
        _ labels: [[UInt16]],
        classes: String = "grass\nball\n",
        _ change: (ScratchFolder) throws -> Void = { _ in }
    )
        throws -> DatasetReport
    {
        let scratch = try ScratchFolder()
        try scratch.write(classes, "classes.txt")
        for (number, ids) in labels.enumerated() {
            try scratch.picture("images/\(number).png", first: 9 * number)
            try scratch.labels("labels/\(number).png", ids)
        }
        try change(scratch)
        var options = DatasetOptions()
        options.validationShare = 0
        options.collectsProblems = true
        return try Dataset.load(.folder, directory: scratch.path, options: options).checked()
    }

    private static let both: [UInt16] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]

    @Test("nothing, where both classes are there")
    func right() throws {
        let report = try Self.report([Self.both, Self.both])
        #expect(report.problems == [] && report.warnings == [])
    }

    @Test("masks of 0 and 255: one class and void")
    func binary() throws {
        let report = try Self.report([[0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255]])
        #expect(
            report.problems == [
                "all labelled pixels are 'grass', so there is nothing to tell apart. All others are void. In masks of 0 and 255, 255 means "
                    + "void; the label change 255=CLASS makes it a class."
            ]
        )
    }

    @Test("pictures that are their own labels, as numbers, as colours, or as numbers of a palette")
    func ownLabels() throws {
        let report = try Self.report([Self.both, Self.both, Self.both, Self.both]) { scratch in
            try scratch.labels("images/0.png", Self.both)
            for (part, number) in [("images", 1), ("labels", 1), ("labels", 2)] {
                try LabelMap(width: 4, height: 3, ids: Self.both.map { $0 == 0 ? 1 : 0 })
                    .write(path: scratch("\(part)/\(number).png"), table: .camVid11)
            }
            try scratch.labels("images/2.png", Self.both.map { $0 == 0 ? 1 : 0 })
        }
        #expect(report.problems == [])
        #expect(
            report.warnings == [
                "train: 3 pictures are their own labels, pixel for pixel, such as 0. Put the photos in their places."
            ]
        )
    }

    @Test("a table of one class")
    func oneClass() throws {
        let labels: [UInt16] = [0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255]
        #expect(try Self.report([labels], classes: "grass\n").problems == [DatasetFindings.onlyClass("grass")])
    }

    @Test("labels that are all void, or those of some pictures")
    func void() throws {
        let nothing = [UInt16](repeating: 255, count: 12)
        #expect(
            try Self.report([nothing, nothing]).problems
                == [
                    "train: none of its pictures has a labelled pixel; all labels are void. Check what their numbers mean."
                ]
        )
        let some = try Self.report([Self.both, nothing, nothing])
        #expect(some.problems == [] && some.warnings == ["train: 2 pictures have no labelled pixel, such as 1."])
    }

    @Test("classes that never occur, and labels that seem to count from 1")
    func absent() throws {
        let report = try Self.report([[1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]], classes: "grass\nball\nsky\ncar\n")
        #expect(report.problems == [])
        #expect(
            report.warnings == [
                "train: no picture shows grass, car; a model cannot learn what it never sees.",
                "class 0, 'grass', never occurs. If the labels count from 1, with 0 for void, use the label offset -1.",
            ]
        )
    }

    @Test("labels in colours, which no offset shifts, get no advice to shift them")
    func absentColor() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass 1 2 3\nball 4 5 6\nsky 7 8 9\n", "classes.txt")
        try scratch.picture("images/0.png")
        let colors = [Color(4, 5, 6), Color(7, 8, 9)]
        try scratch.painted("labels/0.png", (0..<12).map { colors[$0 % 2] })
        var options = DatasetOptions()
        options.isColored = true
        let report = try Dataset.load(.folder, directory: scratch.path, options: options).checked()
        #expect(report.warnings.last == "class 0, 'grass', never occurs.")
    }

    @Test("labels that are shifted already, or whose kind says what they mean, get no such advice either")
    func absentShifted() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\nsky\n", "classes.txt")
        try scratch.picture("images/0.png")
        try scratch.labels("labels/0.png", [2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3])
        try scratch.write("images/0.png labels/0.png\n", "train.txt")
        func warning(_ kind: DatasetKind, offset: Int = 0) throws -> String? {
            var options = DatasetOptions()
            options.labelOffset = offset
            options.validationShare = 0
            return try Dataset.load(kind, directory: scratch.path, options: options).checked().warnings.first {
                $0.hasPrefix("class 0, ")
            }
        }
        #expect(try warning(.folder, offset: -1) == "class 0, 'grass', never occurs.")
        #expect(try warning(.list, offset: -1) == "class 0, 'grass', never occurs.")
        #expect(try warning(.camVid) == "class 0, 'Sky', never occurs.")
    }

    @Test("pictures of images/ that no split takes are named, with their number")
    func outsideSplits() throws {
        func warnings(_ pictures: [String]) throws -> [String] {
            let scratch = try ScratchFolder()
            try scratch.write("grass\nball\n", "classes.txt")
            for (number, name) in pictures.enumerated() {
                try scratch.picture("images/\(name)", first: 9 * number)
                try scratch.labels("labels/\(name)", Self.both)
            }
            var options = DatasetOptions()
            options.validationShare = 0
            return try Dataset.load(.folder, directory: scratch.path, options: options).warnings.map {
                $0.replacing(scratch.path, with: "d")
            }
        }
        #expect(
            try warnings(["train/a.png", "val/b.png", "c.png", "extra/d.png", "extra/e.png"]) == [
                "d/images/c.png: is not used, nor are 2 other pictures; pictures are taken from images/train, images/val. Folders can be called "
                    + "train, val and test."
            ]
        )
        #expect(
            try warnings(["a.png", "extra/b.png"]) == [
                "d/images/extra/b.png: is not used; pictures are taken from images/ itself. Folders can be called train, val and test."
            ]
        )
        #expect(try warnings(["train/a.png", "test/b.png"]) == [])
    }

    @Test(
        "a folder that may not be read is not called empty",
        .enabled(if: geteuid() != 0),
        arguments: ["images", "labels"]
    )
    func unreadable(folder: String) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("images/0.png")
        try scratch.labels("labels/0.png", Self.both)
        chmod(scratch(folder), 0)
        defer { chmod(scratch(folder), 0o700) }
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path) }
                == "\(scratch(folder)): the folder cannot be read; check its permissions."
        )
    }

    @Test("classes of one colour are refused where labels are painted, and only there")
    func equalColors() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass 1 2 3\nball 4 5 6\nbox 1 2 3\n", "classes.txt")
        try scratch.picture("images/0.png")
        try scratch.labels("labels/0.png", Self.both)
        var options = DatasetOptions()
        _ = try Dataset.load(.folder, directory: scratch.path, options: options)
        options.isColored = true
        #expect(
            message { _ = try Dataset.load(.folder, directory: scratch.path, options: options) }
                == "table of classes 'classes.txt': the classes 'grass' and 'box' have the same colour (1, 2, 3), so they cannot be told "
                + "apart in painted labels; give each a different colour."
        )
    }

    @Test("a list that names a picture several times, and a folder or pipe in place of a list")
    func lists() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "classes.txt")
        try scratch.picture("a.png")
        try scratch.picture("b.png", first: 5)
        try scratch.labels("l.png", Self.both)
        try scratch.write("a.png l.png\nb.png l.png\na.png l.png\na.png l.png\n", "train.txt")
        var options = DatasetOptions()
        options.validationShare = 0
        let dataset = try Dataset.load(.list, directory: scratch.path, options: options)
        #expect(
            dataset.checked().warnings == [
                "train: lists 1 picture more than once, such as \(scratch("a.png")) (3 times); each counts as often as it is listed."
            ]
        )
        for make in [
            { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) },
            { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "gone.txt") },
            { _ = mkfifo($0, 0o600) },
        ] as [(String) throws -> Void] {
            try make(scratch("val.txt"))
            let text = message { _ = try Dataset.load(.list, directory: scratch.path, options: options) }
            #expect(text.hasPrefix("\(scratch("val.txt")): cannot be read; it needs one"), "\(text)")
            try FileManager.default.removeItem(atPath: scratch("val.txt"))
        }
    }

    @Test("equal pictures under two names in one split; with other labels they are a problem")
    func equalPictures() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "classes.txt")
        for name in ["a", "b", "c"] {
            try scratch.picture("images/\(name).png")
            try scratch.labels("labels/\(name).png", Self.both)
        }
        var options = DatasetOptions()
        options.validationShare = 0
        let same = try Dataset.load(.folder, directory: scratch.path, options: options).checked()
        #expect(
            same.warnings == [
                "train: 2 pictures are the same as another one with a different name, such as b and a; all of them are counted."
            ]
        )
        #expect(same.problems == [])
        try scratch.labels("labels/b.png", Self.both.reversed())
        let other = try Dataset.load(.folder, directory: scratch.path, options: options).checked()
        #expect(other.problems == ["b of train: is the same picture as a, with other labels. Take one of them out."])
        #expect(other.warnings.count == 1, "\(other.warnings)")
    }

    @Test("annotations that lie outside their pictures")
    func outsideAnnotations() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        func shape(_ label: String, _ points: String) -> String {
            #"{"label": "\#(label)", "shape_type": "polygon", "points": \#(points)}"#
        }
        let shapes = [
            shape("ball", "[[0, 0], [2, 0], [2, 3], [0, 3]]"), shape("grass", "[[2, 0], [9, 0], [9, 3], [2, 3]]"),
            shape("ball", "[[4, 0], [9, 0], [9, 3]]"), shape("grass", "[[0, -5], [3, -5], [3, -1]]"),
        ]
        try scratch.write(
            #"{"imagePath": "a.png", "imageWidth": 4, "imageHeight": 3, "shapes": [\#(shapes.joined(separator: ", "))]}"#,
            "a.json"
        )
        let report = try Dataset.load(.labelme, directory: scratch.path).checked()
        #expect(
            report.problems == []
                && report.warnings == [
                    "2 annotations outside their pictures label nothing, such as in a. Check that the pictures are those that were annotated."
                ],
            "\(report)"
        )
    }

    @Test("nearly all pixels of one class")
    func share() throws {
        var labels = Array(repeating: [UInt16](repeating: 0, count: 12), count: 20)
        labels[3][5] = 1
        #expect(
            try Self.report(labels).warnings == [
                "99.5 % of all labelled pixels are 'grass'. Check what the labels' numbers mean."
            ]
        )
    }

    @Test("pictures of several sizes")
    func sizes() throws {
        let report = try Self.report([Self.both, Self.both]) { scratch in
            try Image(width: 3, height: 2, channels: 3, pixels: Array(0..<18)).write(path: scratch("images/z.png"))
            try LabelMap(width: 3, height: 2, ids: [0, 1, 0, 1, 0, 1]).write(path: scratch("labels/z.png"))
        }
        #expect(
            report.warnings == [
                "pictures have 2 sizes: 4x3 (2 pictures, such as 0), 3x2 (1 picture, such as z). Training needs one: a picture size, or a crop of "
                    + "the pictures."
            ]
        )
    }

    @Test("two files of one name, which training refuses too")
    func twice() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "classes.txt")
        try scratch.picture("images/1.png")
        try Image(path: scratch("images/1.png")).write(path: scratch("images/1.jpg"))
        try scratch.labels("labels/1.png", Self.both)
        let error =
            "\(scratch("images/1.png")): has the same name as 1.jpg next to it, so that it is not clear which of them is meant; rename one, or remove it."
        #expect(message { _ = try Dataset.load(.folder, directory: scratch.path) } == error)
        var options = DatasetOptions()
        options.collectsProblems = true
        #expect(try Dataset.load(.folder, directory: scratch.path, options: options).checked().problems == [error])
    }

    @Test("a pipe in a folder of pictures is left out")
    func pipe() throws {
        let report = try Self.report([Self.both]) { scratch in
            #expect(mkfifo(scratch("images/pipe.png"), 0o600) == 0)
            #expect(mkfifo(scratch("labels/0.jpg"), 0o600) == 0)
        }
        #expect(report.problems == [] && report.splits.map(\.pictures) == [1])
    }

    @Test("a pipe in a list is refused with its name and line")
    func listedPipe() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "classes.txt")
        try scratch.picture("a.png")
        #expect(mkfifo(scratch("pipe.png"), 0o600) == 0)
        try scratch.write("a.png a.png\na.png pipe.png\n", "train.txt")
        #expect(
            message { _ = try Dataset.load(.list, directory: scratch.path) }
                == "\(scratch("pipe.png")): is a pipe or a device (\(scratch("train.txt")), line 2), which may never end; a list names files."
        )
    }

    @Test("void is no class, with and without a colour", arguments: ["void", "Void 1 2 3", "VOID"])
    func void(line: String) throws {
        let scratch = try ScratchFolder()
        let hasColor = line.contains("1")
        let rows = ["road 9 9 9", "car 64 0 128"]
        try scratch.write((hasColor ? [rows[0], line, rows[1]] : rows + [line]).joined(separator: "\n"), "classes.txt")
        let table = try ClassTable(path: scratch("classes.txt"))
        #expect(table.classes.map(\.name) == ["road", "car"] && table.ignoredIDs == [255])
        #expect(table.ignoredColor == (hasColor ? Color(1, 2, 3) : .black))
        try table.requireDistinctColors()
    }

    @Test("void without a colour above a class is refused: labels may have counted it")
    func countedVoid() throws {
        let scratch = try ScratchFolder()
        try scratch.write("# mine\nvoid\nroad\ncar\n", "classes.txt")
        #expect(
            message { _ = try ClassTable(path: scratch("classes.txt")) }
                == "\(scratch("classes.txt")), line 2: 'void' is not a class and has no number, so 'road' below it would be 0; if that is its "
                + "number in the labels, move 'void' to the end; if not, give 'void' another name there and ignore its number."
        )
    }

    @Test("a classes.json that cannot be read is not left for classes.txt, and the error says so")
    func twoTables() throws {
        let scratch = try ScratchFolder()
        try scratch.write("grass\nball\n", "classes.txt")
        try scratch.write("{", "classes.json")
        try scratch.picture("images/a.png")
        try scratch.labels("labels/a.png", Self.both)
        let text = message { _ = try Dataset.load(.folder, directory: scratch.path) }
        #expect(
            text.hasPrefix("\(scratch("classes.json")): cannot be read as a class table")
                && text.hasSuffix(
                    " It takes precedence over the classes.txt next to it; correct it, or remove it to use classes.txt."
                ),
            "\(text)"
        )
    }
}

@Suite("Sizes from headers")
struct FileSizeTests {
    @Test("are those of the files, and labels of another size are named")
    func sizes() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.labels("a-labels.png", Array(repeating: 0, count: 12))
        try LabelMap(width: 3, height: 4, ids: Array(repeating: 0, count: 12)).write(path: scratch("turned.png"))
        let dataset = Dataset(name: "x", classes: .camVid11, rule: LabelRule(), splits: [:])
        let right = Sample(image: scratch("a.png"), label: scratch("a-labels.png"))
        #expect(try dataset.fileSize(of: right) == PictureSize(width: 4, height: 3))
        let wrong = Sample(image: scratch("a.png"), label: scratch("turned.png"))
        #expect(
            message { _ = try dataset.fileSize(of: wrong) }
                == "\(scratch("turned.png")): is 3x4, but its picture \(scratch("a.png")) is 4x3; labels must have the picture's size. Export them "
                + "again."
        )
        #expect(message { _ = try dataset.fileSize(of: wrong) } == message { _ = try dataset.example(wrong) })
        let missing = Sample(image: scratch("b.png"), label: scratch("a-labels.png"))
        #expect(message { _ = try dataset.fileSize(of: missing) }.hasPrefix("\(scratch("b.png")): "))
    }

    @Test("are read from the beginning of a file, however long what stands before them")
    func beginning() throws {
        let scratch = try ScratchFolder()
        var bytes = try Image(width: 9, height: 5, channels: 3, pixels: Array(repeating: 7, count: 135)).encodedJPEG()
        let comment = [0xFF, 0xFE, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 65_533)
        bytes.insert(contentsOf: comment + comment, at: 2)
        try Data(bytes).write(to: scratch.url.appending(path: "long.jpg"))
        let header = try PictureHeader(path: scratch("long.jpg"))
        #expect((header.width, header.height) == (9, 5))
        #expect(message { _ = try PictureHeader(path: scratch.path) }.contains(scratch.path))
    }
}
