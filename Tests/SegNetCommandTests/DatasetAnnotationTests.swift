import Foundation
import SegNetReference
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet dataset import, export, init")
struct DatasetAnnotationTests {
    private static let files = ReferencePython.root.appending(path: "Tests/SegNetAnnotationsTests/Files")

    /// A folder data set of pictures with regions that have holes and touch at corners.
    private static func dataset(_ scratch: ScratchFolder) throws {
        try scratch.write("road 128 64 128\nsky 128 128 128\ncar 64 0 128\nvoid 0 0 0\n", "mine/classes.txt")
        for (number, name) in ["train/a", "train/b", "val/c"].enumerated() {
            try scratch.picture("mine/images/\(name).png", width: 57, height: 43, seed: UInt64(number + 1))
            try scratch.write("", "mine/labels/\(name).keep")
            var random = RandomNumbers(seed: UInt64(number + 9))
            var ids = [UInt16](repeating: 0, count: 57 * 43)
            for _ in 0..<22 {
                let (x, y, w, h) = (
                    Int(random.next() % 50), Int(random.next() % 40), Int(random.next() % 20) + 1,
                    Int(random.next() % 14) + 1
                )
                let id = [0, 1, 2, 255][Int(random.next() % 4)]
                for row in y..<min(43, y + h) {
                    for column in x..<min(57, x + w) { ids[row * 57 + column] = UInt16(id) }
                }
            }
            try LabelMap(width: 57, height: 43, ids: ids).write(path: scratch("mine/labels/\(name).png"))
        }
    }

    @Test(
        "other programs read our exports as the same labels, and COCOeval gives them full scores",
        .enabled(
            if: ReferencePython.has("pycocotools", "numpy", "PIL"),
            "no Python with pycocotools (.venv/bin/python or SEGNET_PYTHON; scripts/setup-python)"
        ),
        arguments: AnnotationFormat.allCases.filter { $0 != .yolo }
    )
    func programs(format: AnnotationFormat) throws {
        let scratch = try ScratchFolder()
        try Self.dataset(scratch)
        let arguments = [
            "dataset", "export", "--dataset", "folder", "--data", scratch("mine"), "--to", format.rawValue, "--output",
            scratch("out"),
        ]
        let export = segnet(arguments)
        #expect(export.exitCode == 0, "\(export.errors)")
        // Not among other files.
        let again = segnet(arguments)
        #expect(
            again.exitCode == 1 && again.errors.contains("\(scratch("out")): already holds files, such as '"),
            "\(again.errors)"
        )
        let script = ReferencePython.root.appending(path: "scripts/check-annotations").path
        let check = try ReferencePython.run(
            [script, format.rawValue, scratch("out"), scratch("mine/labels")],
            reading: .errors
        )
        // 3: pycocotools is installed, but not the format's own program.
        #expect(check.status == 0 || check.status == 3, "\(String(decoding: check.text, as: UTF8.self))")
    }

    @Test("import turns other programs' files into a folder, ready to check and to train on")
    func importing() throws {
        let scratch = try ScratchFolder()
        let result = segnet(
            "dataset",
            "import",
            "--dataset",
            "coco",
            "--data",
            Self.files.appending(path: "coco-counts.json").path,
            "--unlabelled",
            "background",
            "--output",
            scratch("mine")
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output == "1 picture with 3 classes in \(scratch("mine"))\n")
        #expect(scratch.files("mine") == ["classes.txt", "images/photo.png", "labels/photo.png"])
        #expect(
            try LabelMap(path: scratch("mine/labels/photo.png"))
                == LabelMap(path: Self.files.appending(path: "truth.png").path)
        )
        let check = segnet("dataset", "check", "--dataset", "folder", "--data", scratch("mine"))
        #expect(check.exitCode == 0, "\(check.errors)")
    }

    @Test("import continues after a problem, reports it, and ends with 1")
    func problems() throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            #"{"imagePath": "gone.png", "shapes": [{"label": "a", "points": [[0, 0], [4, 0], [4, 3]]}]}"#,
            "in/gone.json"
        )
        try scratch.write("", "in/empty.json")
        try scratch.write(
            #"{"imagePath": "a.png", "shapes": [{"label": "a", "points": [[0, 0], [4, 0], [4, 3]]}, {"label": "b", "points": [[9, 9]]}]}"#,
            "in/a.json"
        )
        try scratch.picture("in/a.png")
        let result = segnet(
            "dataset",
            "import",
            "--dataset",
            "labelme",
            "--data",
            scratch("in"),
            "--output",
            scratch("mine")
        )
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("error: \(scratch("in"))/empty.json: is empty; export it again.\n"))
        #expect(result.errors.contains("names the picture 'gone.png', which is not in"))
        #expect(result.errors.contains("shape 2, 'b', has a polygon of 1 point"))
        #expect(result.errors.hasSuffix("3 problems; see above.\n"))
        #expect(scratch.files("mine") == ["classes.txt", "images/a.png", "labels/a.png"])
    }

    @Test(
        "import refuses labels whose names no table of classes can hold",
        arguments: [("", "no name"), ("a\\nb", "control characters in its name")]
    )
    func unreadableLabels(label: String, problem: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            #"{"imagePath": "a.png", "shapes": [{"label": "\#(label)", "points": [[0, 0], [4, 0], [4, 3]]}]}"#,
            "in/a.json"
        )
        try scratch.picture("in/a.png")
        let arguments = ["--dataset", "labelme", "--data", scratch("in")]
        let result = segnet(["dataset", "import", "--output", scratch("mine")] + arguments)
        #expect(result.exitCode == 1)
        #expect(
            result.errors
                == "\(scratch("in")): label 1 of its annotations has \(problem); give it one that can be read, or give a table of classes "
                + "(--classes) and the label change (--map) 0=CLASS.\n",
            "\(result.errors)"
        )
        #expect(scratch.files("mine").isEmpty)
        try scratch.write("car\nroad\n", "two.txt")
        let mapped = segnet(["dataset", "check", "--classes", scratch("two.txt"), "--map", "0=car"] + arguments)
        #expect(!mapped.errors.contains("label 1 of its annotations"), "\(mapped.errors)")
    }

    @Test("export writes a split that is named twice once")
    func splitTwice() throws {
        let scratch = try ScratchFolder()
        try Self.dataset(scratch)
        let result = segnet(
            ["dataset", "export", "--dataset", "folder", "--data", scratch("mine"), "--to", "labelme"]
                + ["--split", "val", "--split", "val", "--output", scratch("out")]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output == "1 picture as labelme in \(scratch("out"))\n")
        #expect(scratch.files("out") == ["classes.txt", "val/c.json", "val/c.png"])
    }

    @Test("check and preview read annotations directly")
    func direct() throws {
        let scratch = try ScratchFolder()
        let place = ["--dataset", "cvat", "--data", Self.files.appending(path: "cvat").path]
        let check = segnet(["dataset", "check"] + place)
        #expect(check.exitCode == 0, "\(check.errors)")
        #expect(check.output.contains("car             69"))
        let preview = segnet(["dataset", "preview", "--output", scratch("sheet.png")] + place)
        #expect(preview.exitCode == 0, "\(preview.errors)")
        try scratch.write("car\nroad\n", "classes.txt")
        let unknown = segnet(["dataset", "check", "--classes", scratch("classes.txt")] + place)
        #expect(unknown.exitCode == 1)
        #expect(unknown.errors.contains("have the labels 'tree' (1)"))
        #expect(unknown.errors.contains("label change (--map) tree=CLASS or tree=void"))
    }

    @Test("init makes a skeleton, and keeps what is there")
    func skeleton() throws {
        let scratch = try ScratchFolder()
        let result = segnet("dataset", "init", scratch("mine"), "--classes", "ground,plant, stone")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(scratch.files("mine") == ["README.txt", "classes.txt"])
        #expect(try ClassTable(path: scratch("mine/classes.txt")).classes.map(\.name) == ["ground", "plant", "stone"])
        try scratch.write("mine 1 2 3\nrest 4 5 6\n", "mine/classes.txt")
        let again = segnet("dataset", "init", scratch("mine"))
        let note = "note: \(scratch("mine/classes.txt")) already exists and was left unchanged.\n"
        #expect(again.exitCode == 0 && again.errors == note, "\(again.errors)")
        #expect(segnet("dataset", "init", scratch("mine"), "--classes", "mine,rest").exitCode == 0)
        let others = segnet("dataset", "init", scratch("mine"), "--classes", "a,b")
        #expect(
            others.exitCode == 1
                && others.errors.contains(
                    "\(scratch("mine/classes.txt")): already exists and lists mine, rest; nothing was changed. Edit it, or remove it and "
                        + "run this again."
                ),
            "\(others.errors)"
        )
        #expect(try ClassTable(path: scratch("mine/classes.txt")).classes.map(\.name) == ["mine", "rest"])
        // As its README advises: a picture and a label with the same name.
        try scratch.picture("mine/images/a.png", width: 4, height: 3)
        try LabelMap(width: 4, height: 3, ids: (0..<12).map { $0 % 2 }).write(path: scratch("mine/labels/a.png"))
        let check = segnet("dataset", "check", "--dataset", "folder", "--data", scratch("mine"))
        #expect(check.exitCode == 0, "\(check.output) \(check.errors)")
    }

    @Test(
        "init writes nothing for names that a table of classes cannot hold",
        arguments: [
            ("a,b,A", "'A' is listed twice; give each class a different name."),
            ("void,a", "A line of classes.txt cannot hold 'void' as a name; choose another."),
            ("a,#b", "A line of classes.txt cannot hold '#b' as a name; choose another."),
        ]
    )
    func skeletonNames(names: String, problem: String) throws {
        let scratch = try ScratchFolder()
        let result = segnet("dataset", "init", scratch("mine"), "--classes", names)
        #expect(result.exitCode == 64)
        #expect(result.errors.contains("Please correct '--classes \(names)'. \(problem)"), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch("mine")))
    }

    @Test("impossible folds and shares are refused")
    func options() throws {
        let base = ["dataset", "check", "--dataset", "synthetic"]
        #expect(segnet(base + ["--folds", "1"]).errors.contains("Please give '--folds' at least 2; found 1."))
        #expect(
            segnet(base + ["--fold", "2"]).errors.contains(
                "Please give '--folds' with '--fold', for example '--folds 5 --fold 2'."
            )
        )
        #expect(
            segnet(base + ["--folds", "3", "--fold", "4"]).errors.contains(
                "Please give '--fold' a number in 1...3; found 4."
            )
        )
        #expect(
            segnet(base + ["--val-share", "1"]).errors.contains(
                "Please give '--val-share' a number from 0 to below 1; found 1.0."
            )
        )
        let export = [
            "dataset", "export", "--dataset", "synthetic", "--output", "/nowhere", "--to", "coco-rle", "--tolerance",
            "1",
        ]
        #expect(segnet(export).errors.contains("Please leave '--tolerance' out: 'coco-rle' has pixels, not borders."))
    }
}
