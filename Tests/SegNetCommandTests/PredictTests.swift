import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict")
struct PredictTests {
    @Test("writes every output that can be asked for, in the promised form")
    func everyOutput() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("photo.png", width: 50, height: 41)
        let model = try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("photo.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask,color,overlay,confidence,logits,probabilities,blob:pool3"
        )
        #expect(result.exitCode == 0)
        #expect(
            scratch.files("out") == [
                "photo.color.png", "photo.confidence.png", "photo.logits.npy", "photo.mask.png", "photo.overlay.png",
                "photo.pool3.npy", "photo.probabilities.npy",
            ]
        )
        let image = try Image(path: scratch("photo.png"))
        let request = Segmenter.Request(keeps: [.scores, .confidence, .probabilities], blobs: ["pool3"])
        let expected = try Segmenter(
            LoadedModel(model, name: "m"),
            options: Segmenter.Options().serving(only: request)
        ).segment(image, request)
        #expect(try LabelMap(path: scratch("out/photo.mask.png")) == expected.classes)
        #expect(try Image(path: scratch("out/photo.color.png")) == expected.colored())
        #expect(try Image(path: scratch("out/photo.overlay.png")) == expected.overlay())
        let confidence = try Image(path: scratch("out/photo.confidence.png"))
        #expect(confidence.width == 50 && confidence.height == 41 && confidence.channels == 1)
        let logits = try NPYFile(URL(filePath: scratch("out/photo.logits.npy")))
        #expect(logits.shape == [24, 32, 11])
        #expect(logits.floats() == expected.scores?.channelsLast().values)
        // [H, W, K]: pixel (y, x)'s scores lie side by side.
        #expect(logits.floats()[(3 * 32 + 7) * 11 + 2] == expected.scores?.values[(2 * 24 + 3) * 32 + 7])
        let probabilities = try NPYFile(URL(filePath: scratch("out/photo.probabilities.npy")))
        #expect(probabilities.shape == [24, 32, 11])
        #expect(probabilities.floats() == expected.probabilities?.channelsLast().values)
        let pool3 = try NPYFile(URL(filePath: scratch("out/photo.pool3.npy")))
        #expect(pool3.shape == [16, 3, 4] && pool3.floats() == expected.blobs["pool3"]?.values)

        #expect(
            result.output.hasPrefix(
                "[1/1] \(scratch("photo.png")): \(PredictionRun.words(expected.shares))\n1 picture in "
            )
        )
        #expect(result.output.contains("peak memory"))
        #expect(
            result.errors
                == "note: the model does not name its 11 classes; those of 'camvid11' are assumed from their number "
                + "(convert the model with a table of class names (--classes-from) to store names).\n"
        )
    }

    @Test(
        "--save takes spaces, and adds up",
        arguments: [
            ([], [.mask, .color, .overlay]), (["--save", "mask, logits"], [.mask, .logits]),
            (["--save", "mask", "--save", " color,mask,blob:a b"], [.mask, .color, .blob("a b")]),
        ] as [([String], [OutputKind])]
    )
    func saves(options: [String], kinds: [OutputKind]) throws {
        let command = try SegNetCommand.parseAsRoot(["predict", "a.png", "--model", "m.safetensors"] + options)
        #expect((command as? Predict)?.kinds == kinds)
    }

    @Test("mirrors folders, names bad files, does the rest, and exits with 1")
    func folders() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("photos/a.png")
        try scratch.picture("photos/day 1/b.JPG")
        try scratch.picture("photos/day 1/deep/c.jpeg")
        try scratch.write("not a picture", "photos/day 1/broken.png")
        try scratch.write("", "photos/empty.jpg")
        try scratch.write("text", "photos/readme.md")
        try scratch.picture("photos/.hidden/d.png")
        try scratch.model("m.safetensors")
        let arguments = [
            "predict", scratch("photos"), "--model", scratch("m.safetensors"), "--output", scratch("out"), "--save",
            "mask",
        ]
        let result = segnet(arguments)
        #expect(result.exitCode == 1)
        #expect(scratch.files("out") == ["a.mask.png", "day 1/b.mask.png", "day 1/deep/c.mask.png"])
        let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(
            errors == [
                "error: \(scratch("photos/day 1/broken.png")): is not in a known picture format (it begins with the bytes 6e 6f 74 20); convert it to PNG or JPEG.",
                "error: \(scratch("photos/empty.jpg")): is empty; fetch or export it again.",
            ]
        )
        #expect(result.errors.hasSuffix("2 of 5 inputs failed; see the errors above.\n"))
        #expect(result.output.contains("3 pictures in "))
    }

    @Test("results of an earlier run are not inputs")
    func twice() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("photos/a.png")
        try scratch.model("m.safetensors")
        for output in ["photos/results", "photos"] {
            for _ in 0..<2 {
                let result = segnet(
                    "predict",
                    scratch("photos"),
                    "--model",
                    scratch("m.safetensors"),
                    "--output",
                    scratch(output)
                )
                #expect(result.output.contains("1 picture in "))
            }
        }
    }

    @Test("lists are read line by line, relative to the list, labels behind pictures left out")
    func lists() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("set/test/a.png")
        try scratch.picture("set/test/with space.png")
        try scratch.picture("other/c.png")
        try scratch.write(
            "# pictures\n\ntest/a.png testannot/a.png\r\ntest/with space.png\n../other/c.png\n\(scratch("set/test/a.png"))\ntest/none.png\n",
            "set/list.txt"
        )
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("set/list.txt"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask"
        )
        #expect(scratch.files("out") == ["c.mask.png", "test/a.mask.png", "test/with space.mask.png"])
        #expect(
            result.errors.contains(
                "error: \(scratch("set/test/none.png")): there is no such file (\(scratch("set/list.txt")), line 7); check the list.\n"
            )
        )
        #expect(result.exitCode == 1)
    }

    @Test("absolute paths of a list from another machine are found next to the list, and one note says so")
    func movedList() throws {
        let scratch = try ScratchFolder()
        for name in ["test/a.png", "test/b.png", "testannot/a.png", "testannot/b.png", "testannot/c.png"] {
            try scratch.picture("set/\(name)")
        }
        let lines = ["a", "b", "c"].map { "/SegNet/CamVid/test/\($0).png /SegNet/CamVid/testannot/\($0).png" }
        try scratch.write(lines.joined(separator: "\n"), "set/test.txt")
        let list = InputList([scratch("set/test.txt")], output: scratch("out"))
        #expect(list.pictures.map(\.name) == [scratch("set/test/a.png"), scratch("set/test/b.png")])
        #expect(list.pictures.map(\.stem) == ["test/a", "test/b"])
        #expect(
            list.notes == [
                "\(scratch("set/test.txt")): /SegNet/CamVid/test/a.png and 1 more cannot be found; taken from the list's folder instead, as \(scratch("set/test/a.png"))."
            ]
        )
        // A label that is there is not taken for its picture.
        #expect(
            list.problems.map(\.message) == [
                "/SegNet/CamVid/test/c.png: there is no such file (\(scratch("set/test.txt")), line 3); check the list."
            ]
        )
    }

    @Test("lists may begin with a byte-order mark, and paths before labels may have spaces")
    func listText() throws {
        let scratch = try ScratchFolder()
        for name in ["a.png", "day one/b c.png", "day one/d.png"] { try scratch.picture(name) }
        try scratch.write(
            "\u{FEFF}a.png\nday one/b c.png labels/b c.png\nday one/d.png \t labels/d.png\nday one/none.png labels/none.png",
            "list.txt"
        )
        let list = InputList([scratch("list.txt")], output: scratch("out"))
        #expect(list.pictures.map(\.stem) == ["a", "day one/b c", "day one/d"])
        #expect(list.problems.map(\.name) == [scratch("day one/none.png")])
        #expect(list.notes.isEmpty)
    }

    @Test("folders that overlap are done once, in any order")
    func overlappingFolders() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("set/test/a.png")
        let (set, test) = (scratch("set"), scratch("set/test"))
        for inputs in [[set, set + "/", test], [test, set], [test, test + "/", set, set]] {
            let list = InputList(inputs, output: scratch("out"))
            #expect(list.pictures.count == 1 && list.problems.isEmpty, "\(inputs)")
        }
        // A folder that leads into itself holds nothing all the same.
        try scratch.write("", "circle/note.md")
        try FileManager.default.createSymbolicLink(
            atPath: scratch("circle/round"),
            withDestinationPath: scratch("circle")
        )
        #expect(InputList([scratch("circle")], output: scratch("out")).problems.count == 1)
    }

    @Test("links to pictures that are gone are problems, files of other kinds are counted in a note")
    func otherFiles() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("set/a.png")
        for name in ["set/readme.md", "set/deep/Thumbs.db", "set/deep/labels.npy"] { try scratch.write("x", name) }
        for name in ["gone.jpg", "gone.md"] {
            try FileManager.default.createSymbolicLink(
                atPath: scratch("set/\(name)"),
                withDestinationPath: scratch("nowhere")
            )
        }
        let list = InputList([scratch("set")], output: scratch("out"))
        #expect(list.pictures.map(\.stem) == ["a"])
        #expect(list.notes == ["3 other files in the folders are not pictures and are left out."])
        #expect(
            list.problems.map(\.message) == [
                "\(scratch("set/gone.jpg")): is a link to a file that is not there; fix or remove the link."
            ]
        )
    }

    @Test("two inputs that would write the same files are told apart by an error")
    func collisions() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a/photo.png")
        try scratch.picture("b/photo.png")
        try scratch.picture("a/photo.jpg")
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("a/photo.png"),
            scratch("a/../a/photo.png"),
            scratch("b/photo.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask"
        )
        #expect(result.exitCode == 1)
        #expect(
            result.errors.contains(
                "error: \(scratch("b/photo.png")): its outputs would have the same names as those of \(scratch("a/photo.png")) (photo.*); rename one, or segment them into different folders with --output.\n"
            )
        )
        #expect(result.output.contains("1 picture in "))
    }

    @Test("--json prints one document and nothing else")
    func json() throws {
        struct Document: Decodable {
            struct Picture: Decodable {
                var input: String
                var width: Int?
                var outputs: [String: String]?
                var classes: [Segmentation.Share]?
                var error: String?
            }
            var classNames: [String]
            var pictures: [Picture]
            var failed: Int
            var peakMemoryBytes: Int
        }
        let scratch = try ScratchFolder()
        try scratch.picture("a.png", width: 30, height: 20)
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("a.png"),
            scratch("none.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--json"
        )
        #expect(result.exitCode == 1)
        let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
        #expect(document.failed == 1 && document.classNames.count == 11 && document.peakMemoryBytes > 1 << 20)
        let done = try #require(document.pictures.first { $0.error == nil })
        #expect(done.width == 30)
        #expect(done.classes?.reduce(0) { $0 + $1.pixels } == 600)
        #expect(done.outputs?.keys.sorted() == ["color", "mask", "overlay"])
        #expect(done.outputs?["mask"] == scratch("out/a.mask.png"))
        #expect(
            document.pictures.first { $0.error != nil }?.error
                == "\(scratch("none.png")): there is no such file or folder; check the path."
        )
    }

    @Test("a .caffemodel and its conversions give the same masks")
    func formats() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png", width: 64, height: 40)
        try scratch.model("m.caffemodel")
        let network = ["--network", scratch("m.prototxt")]
        #expect(segnet(["convert", scratch("m.caffemodel"), scratch("m.safetensors")] + network).exitCode == 0)
        let back = segnet("convert", scratch("m.safetensors"), scratch("back.caffemodel"))
        #expect(
            back.output
                == "\(scratch("back.caffemodel")) and \(scratch("back.prototxt")): segnet-basic, 11 classes, 90,731 parameters, 32x24\n"
        )
        let models = [
            ["--model", scratch("m.caffemodel")] + network, ["--model", scratch("m.safetensors")],
            ["--model", scratch("back.caffemodel"), "--network", scratch("back.prototxt")],
        ]
        var masks: [LabelMap] = []
        for (index, model) in models.enumerated() {
            let output = scratch("out\(index)")
            #expect(segnet(["predict", scratch("a.png"), "--output", output] + model).exitCode == 0)
            masks.append(try LabelMap(path: "\(output)/a.mask.png"))
        }
        #expect(masks[0] == masks[1] && masks[1] == masks[2])
    }

    @Test("on a terminal a status line is rewritten and wiped")
    func terminal() throws {
        let scratch = try ScratchFolder()
        for index in 0..<3 { try scratch.picture("photos/\(index).png") }
        try scratch.model("m.safetensors")
        let result = segnet(
            ["predict", scratch("photos"), "--model", scratch("m.safetensors"), "--output", scratch("out")],
            isTerminal: true
        )
        #expect(result.errors.contains("\r\u{1B}[K0/3: "))
        #expect(result.errors.contains("left: "))
        #expect(result.errors.hasSuffix("\r\u{1B}[K"))
    }

    @Test(
        "native size runs at the picture's size, a fixed one at its own",
        arguments: [("native", 41, 50), ("40x20", 20, 40)]
    )
    func sizes(size: String, height: Int, width: Int) throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png", width: 50, height: 41)
        try scratch.model("m.safetensors", classes: 3)
        let result = segnet(
            "predict",
            scratch("a.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--size",
            size,
            "--save",
            "mask,logits"
        )
        #expect(result.exitCode == 0)
        #expect(try NPYFile(URL(filePath: scratch("out/a.logits.npy"))).shape == [height, width, 3])
        #expect(try LabelMap(path: scratch("out/a.mask.png")).width == 50)
    }
}
