import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict: no two results have one name")
struct PredictNamesTests {
    private let scratch: ScratchFolder
    private let model: Model

    init() throws {
        scratch = try ScratchFolder()
        model = try scratch.model("m.safetensors")
    }

    private func predict(_ arguments: String...) -> CommandResult {
        segnet(["predict", "--model", scratch("m.safetensors")] + arguments)
    }

    @Test(
        "kinds with the same file are refused before the model is opened, and both are named",
        arguments: [
            ("logits,blob:logits", "'logits' and 'blob:logits'", ".logits.npy"),
            ("mask,blob:probabilities,probabilities", "'blob:probabilities' and 'probabilities'", ".probabilities.npy"),
            ("blob:a/b,blob:a_b", "'blob:a/b' and 'blob:a_b'", ".a_b.npy"),
            ("cutout:a/b,cutout:a_b", "'cutout:a/b' and 'cutout:a_b'", ".cutout-a_b.png"),
        ]
    )
    func kinds(list: String, names: String, suffix: String) {
        let result = segnet("predict", "a.png", "--model", "none.safetensors", "--save", list)
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "Please save \(names) in two calls, each with its own '--output': both would be the file STEM\(suffix)."
            ),
            "\(result.errors)"
        )
    }

    @Test("a blob with the name of a result of another format has a file of its own")
    func otherFormat() throws {
        #expect(OutputKind.sharing([.mask, .blob("mask"), .blob("mask.png")], suffix: \.fileSuffix) == nil)
    }

    @Test("a folder that is there, or has a slash behind it, may be named like a picture")
    func pictureNamedFolder() throws {
        try scratch.picture("there.png/a.png")
        for name in [scratch("there.png"), "new.png/"] {
            #expect(try Predict.parse(["a.png", "--output", name]).output == name)
        }
    }

    /// Why the results of pictures are refused; empty if they are not.
    private func refusal(_ names: [String], _ save: String, ignoresCase: Bool = false) throws -> String {
        for name in names { try scratch.picture(name) }
        let options = try Predict.parse(names.map { scratch($0) } + ["--save", save, "--output", "out"])
        let outputs = RunOutputs(
            options.outputs,
            folder: options.output,
            segmenter: try Segmenter(LoadedModel(model, name: "m"))
        )
        let list = InputList(options.inputs, output: options.output)
        #expect(list.pictures.count == names.count)
        do throws(ValidationError) {
            try PredictionRun.requireDistinct(list.pictures, options, outputs, ignoresCase: ignoresCase)
            return ""
        } catch { return error.message }
    }

    @Test("blobs with dots in their names cannot meet those of another picture")
    func dots() throws {
        #expect(
            try refusal(["a.png", "a.b.png"], "blob:b.c,blob:c")
                == "Please segment \(scratch("a.png")) and \(scratch("a.b.png")) in two calls, each with its own '--output': a result of "
                + "each would be the file out/a.b.c.npy."
        )
        #expect(try refusal(["a.png", "b.png"], "blob:b.c,blob:c") == "")
    }

    @Test("a folder that does not distinguish upper and lower case is given no two files of one name")
    func letters() throws {
        let why = ", as the folder does not distinguish upper and lower case."
        #expect(
            try refusal(["x/A.png", "y/a.png"], "mask", ignoresCase: true)
                == "Please segment \(scratch("x/A.png")) and \(scratch("y/a.png")) in two calls, each with its own '--output': a result of "
                + "each would be the file out/a.mask.png\(why)"
        )
        #expect(
            try refusal(["p.png"], "blob:A,blob:a", ignoresCase: true)
                == "Please save 'blob:A' and 'blob:a' in two calls, each with its own '--output': a result of each would be the file "
                + "out/p.a.npy\(why)"
        )
        #expect(try refusal(["x/A.png", "y/a.png"], "blob:A,blob:a,shares") == "")
        #expect(try refusal(["x/A.png", "y/b.png"], "mask,color,shares", ignoresCase: true) == "")
    }

    @Test("nor are the results of two videos")
    func videoLetters() throws {
        let videos = ["x/Clip.mp4", "y/other.mp4", "y/clip.mov"].compactMap { VideoInput($0) }
        #expect {
            try VideoRun.requireDistinct(videos)
        } throws: {
            ($0 as? ValidationError)?.message
                == "Please segment x/Clip.mp4 and y/clip.mov in two calls, each with its own '--output': their results would be the same "
                + "files, as the folder does not distinguish upper and lower case."
        }
        try VideoRun.requireDistinct(Array(videos.prefix(2)))
    }

    #if os(Linux)
        @Test("Linux's folders tell them apart; the test leaves nothing behind")
        func folder() throws {
            let before = scratch.files()
            #expect(!OutputFolder.ignoresCase(scratch.path))
            #expect(scratch.files() == before)
        }
    #endif

    @Test("pictures whose segments would be one file of the panoptic format are refused, and named")
    func panoptic() throws {
        try scratch.picture("in/x/y.png", seed: 1)
        try scratch.picture("in/x_y.png", seed: 2)
        let arguments = ["--save", "mask", "--polygons", "coco-panoptic", "--output", scratch("out")]
        let result = segnet(["predict", "--model", scratch("m.safetensors"), scratch("in")] + arguments)
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "Please segment \(scratch("in/x/y.png")) and \(scratch("in/x_y.png")) in two calls, each with its own '--output': a "
                    + "result of each would be the file \(scratch("out/annotations.panoptic/x_y.png"))."
            ),
            "\(result.errors)"
        )
        #expect(!FileManager.default.fileExists(atPath: scratch("out")))
        let each = segnet(
            ["predict", "--model", scratch("m.safetensors"), scratch("in"), "--polygons-per", "picture"] + arguments
        )
        #expect(each.exitCode == 0, "\(each.errors)")
    }

    @Test("YOLO's polygons do not replace the list that names the picture")
    func list() throws {
        try scratch.picture("photos/b.png")
        let lines = "../../photos/b.png\n"
        try scratch.write(lines, "lists/all/b.txt")
        let list = scratch("lists/all/b.txt")
        let result = predict(list, "--polygons", "yolo", "--output", scratch("lists/all"))
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "Please give another '--output': \(list), a result of \(scratch("lists/all"))/../../photos/b.png, would replace the "
                    + "input \(list)."
            ),
            "\(result.errors)"
        )
        #expect(try String(contentsOfFile: list, encoding: .utf8) == lines)
    }

    @Test("a result of one video does not replace another one")
    func videos() throws {
        try scratch.write("x", "clip.mp4")
        try scratch.write("y", "clip.overlay.mp4")
        let result = predict(scratch("clip.mp4"), scratch("clip.overlay.mp4"), "--output", scratch.path)
        #expect(result.exitCode == 64)
        #expect(
            result.errors.contains(
                "Please give another '--output': \(scratch("clip.overlay.mp4")), a result of \(scratch("clip.mp4")), would replace "
                    + "the input \(scratch("clip.overlay.mp4"))."
            ),
            "\(result.errors)"
        )
        #expect(try String(contentsOfFile: scratch("clip.overlay.mp4"), encoding: .utf8) == "y")
    }

    @Test("a picture that is listed with two depths is an error: results are named after its colours")
    func depths() throws {
        for name in ["a.png", "d1.png", "d2.png"] { try scratch.write("", name) }
        try scratch.write("a.png d1.png\na.png d2.png\na.png d1.png\n", "list.txt")
        let list = InputList([scratch("list.txt")], output: scratch("out"), words: ["rgb", "depth"])
        #expect(list.pictures.map(\.stem) == ["a"])
        #expect(
            list.problems.map(\.message) == [
                "\(scratch("a.png")): is listed twice, with different further files, and results are named after it (a.*); list it once, "
                    + "or copy it under another name."
            ]
        )
    }

    @Test("a blob under a second name is found under its first")
    func split() throws {
        try scratch.picture("a.png")
        try scratch.model("c.caffemodel")
        let text = try String(contentsOfFile: scratch("c.prototxt"), encoding: .utf8)
        let split = "layer { name: 's' type: 'Split' bottom: 'pool1' top: 'copy' top: 'other' }\n"
        try scratch.write(text + split, "c.prototxt")
        let arguments = [
            "predict", scratch("a.png"), "--model", scratch("c.caffemodel"), "--network", scratch("c.prototxt"),
            "--output", scratch("out"), "--save",
        ]
        let result = segnet(arguments + ["blob:copy"])
        #expect(result.exitCode == 1)
        #expect(
            result.errors
                == "network 'segnet-basic': the blob 'copy' is 'pool1' under another name; ask for 'pool1'.\n",
            "\(result.errors)"
        )
        #expect(segnet(arguments + ["blob:pool1"]).exitCode == 0)
        #expect(scratch.files("out") == ["a.pool1.npy"])
    }
}
