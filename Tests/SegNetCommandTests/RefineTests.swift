import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("--refine and segnet tune crf")
struct RefineTests {
    /// A folder data set of a noisy street of two classes, and a model that does not know it.
    static func streets(_ scratch: ScratchFolder, count: Int = 3) throws {
        try scratch.write("dark 0 0 0\nbright 255 255 255\n", "d/classes.txt")
        for split in ["train", "test"] {
            try scratch.write("", "d/labels/\(split)/.keep")
            for index in 0..<count {
                try scratch.picture("d/images/\(split)/p\(index).png", seed: UInt64(index))
                let ids = (0..<24 * 18).map { UInt16($0 % 24 < 12 ? 0 : 1) }
                try LabelMap(width: 24, height: 18, ids: ids).write(path: scratch("d/labels/\(split)/p\(index).png"))
            }
        }
        try scratch.model("m.safetensors", classes: 2)
    }

    @Test("predict refines, and tells with what")
    func predict() throws {
        let scratch = try ScratchFolder()
        let image = try scratch.picture("a.png", width: 20, height: 14)
        try scratch.model("m.safetensors", classes: 3)
        let result = segnet(
            "predict",
            scratch("a.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--json",
            "--refine",
            "crf:3,8,30,1,2,4",
            "--save",
            "mask,probabilities",
            "--threads",
            "1"
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("\"crf\" : \"3,8,30,1,2,4\"") && result.output.contains("\"refinement\" : "))
        let probabilities = try NPYFile(URL(filePath: scratch("out/a.probabilities.npy")))
        #expect(probabilities.shape == [14, 20, 3])
        let expected = try Segmenter(model: URL(filePath: scratch("m.safetensors"))).segment(
            image,
            .init(refinement: .denseCRF(DenseCRF("3,8,30,1,2,4")))
        )
        #expect(try LabelMap(path: scratch("out/a.mask.png")) == expected.classes)
        let plain = segnet(
            "predict",
            scratch("a.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--refine",
            "crf"
        )
        #expect(plain.exitCode == 0 && plain.output.contains("refinement "), "\(plain.errors)")
    }

    @Test("evaluate scores the refined classes")
    func evaluate() throws {
        let scratch = try ScratchFolder()
        try Self.streets(scratch)
        let base = [
            "evaluate", "--model", scratch("m.safetensors"), "--dataset", "folder", "--data", scratch("d"), "--bf",
            "none",
        ]
        let result = segnet(
            base + ["--refine", "crf:3,8,30", "--json", scratch("s.json"), "--report", scratch("r.html")]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let segmenter = try Segmenter(model: URL(filePath: scratch("m.safetensors")))
        var matrix = ConfusionMatrix(classCount: 2)
        for index in 0..<3 {
            let found = try segmenter.segment(
                try Image(path: scratch("d/images/test/p\(index).png")),
                .init(refinement: .denseCRF(DenseCRF("3,8,30")))
            )
            matrix.add(
                truth: try LabelMap(path: scratch("d/labels/test/p\(index).png")).ids,
                prediction: found.classes.ids
            )
        }
        let scores = try EvaluateTests.json(scratch("s.json"))
        let found = try #require(scores["globalAccuracy"] as? Double)
        // A number that went through JSON.
        #expect(abs(found - (Scores(matrix).globalAccuracy ?? 0)) < 1e-12)
        #expect(try String(contentsOfFile: scratch("r.html"), encoding: .utf8).contains("3,8,30,3,3,10"))
    }

    @Test(
        "refuses what does not fit",
        arguments: [
            (
                ["predict", "a.png", "--refine", "crf", "--samples", "2"],
                "Please give either '--refine' or '--samples', not both."
            ),
            (
                ["predict", "a.png", "--refine", "crf", "--save", "logits"],
                "Please leave 'logits' out with '--refine', which does not change it; save 'probabilities', which are refined, instead."
            ),
            (["predict", "a.png", "--refine", "snakes"], "'snakes' is not a known refinement; the only one is 'crf'."),
            (["predict", "a.png", "--refine", "crf:4,49,0"], "sigma-beta is 0; give a number in 0.1...10000"),
            (
                ["evaluate", "--dataset", "camvid", "--predictions", "masks", "--refine", "crf"],
                "Please leave '--refine' out with '--predictions': the masks are made already."
            ),
            (
                ["tune", "crf", "--dataset", "camvid", "--pictures", "0"],
                "Please give '--pictures' a number of at least 1; found 0."
            ),
            (
                ["tune", "crf", "--dataset", "camvid", "--iterations", "0"],
                "Please give '--iterations' a number in 1...1000; found 0."
            ),
        ]
    )
    func refusals(arguments: [String], message: String) {
        let result = segnet(arguments)
        #expect(result.exitCode == 64 && result.errors.contains(message), "\(result.errors)")
    }

    @Test("tune prints a table, stores the best with the model, and crf alone then means it")
    func tune() throws {
        let scratch = try ScratchFolder()
        try Self.streets(scratch)
        let before = try SafetensorsFile(URL(filePath: scratch("m.safetensors"))).weights
        let result = segnet(
            ["tune", "crf", "--model", scratch("m.safetensors"), "--dataset", "folder", "--data", scratch("d")]
                + ["--pictures", "2", "--iterations", "3"],
            isTerminal: true
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(
            lines[0].split(separator: " ").joined(separator: " ") == "w1 sigma-alpha sigma-beta global class mean IoU"
        )
        #expect(lines[11].hasPrefix("without"))
        #expect(result.errors.contains("2 pictures of 'train', a coarse grid and a finer one"))
        #expect(result.errors.contains("/106 refinements, ") && result.errors.contains(" left: p"))
        let best = try #require(lines.first { $0.hasPrefix("Best: --refine crf:") }).dropFirst(
            "Best: --refine crf:".count
        )
        #expect(lines.last == "Stored in \(scratch("m.safetensors")); '--refine crf' now means this.")
        let stored = try SafetensorsFile.readModel(URL(filePath: scratch("m.safetensors")))
        #expect(stored.metadata.denseCRF == String(best))
        for (name, tensor) in before.tensors { #expect(stored.weights.tensors[name]?.floats() == tensor.floats()) }
        // It survives a conversion, and is used.
        let converted = segnet(
            "convert",
            scratch("m.safetensors"),
            scratch("half.safetensors"),
            "--precision",
            "float16"
        )
        #expect(converted.exitCode == 0, "\(converted.errors)")
        let told = segnet(
            "predict",
            scratch("d/images/test/p0.png"),
            "--model",
            scratch("half.safetensors"),
            "--output",
            scratch("out"),
            "--refine",
            "crf",
            "--json"
        )
        #expect(told.output.contains("\"crf\" : \"\(best)\""), "\(told.errors)")
    }

    @Test("tune is refused where no picture that it uses has a label")
    func void() throws {
        let scratch = try ScratchFolder()
        try Self.streets(scratch)
        let arguments = [
            "tune", "crf", "--model", scratch("m.safetensors"), "--dataset", "folder", "--data", scratch("d"),
        ]
        for index in 0..<3 {
            try LabelMap(width: 24, height: 18, ids: Array(repeating: 255, count: 24 * 18)).write(
                path: scratch("d/labels/train/p\(index).png")
            )
        }
        let result = segnet(arguments + ["--pictures", "2", "--iterations", "1"])
        #expect(result.exitCode == 1 && result.output.isEmpty)
        #expect(
            result.errors.contains(
                "data set 'd': the pictures used (2 of 2 of 'train') have no label at any pixel, so no CRF can score better than another."
            ),
            "\(result.errors)"
        )
    }

    @Test("what tune finds is not stored in a model that has taken the place of the one it was found for")
    func replaced() throws {
        let scratch = try ScratchFolder()
        try Self.streets(scratch)
        let file = URL(filePath: scratch("m.safetensors"))
        let options = try TuneCRF.parse(["--model", file.path, "--dataset", "folder", "--data", scratch("d")])
        let run = TuneCRFRun(options: options, console: .recording(isTerminal: false))
        let tuned = try options.model.checksum()
        try scratch.model("m.safetensors", classes: 3)
        let before = try Data(contentsOf: file)
        #expect {
            try run.store(DenseCRF("3,8,30"), in: file, of: tuned)
        } throws: {
            "\($0)".contains("m.safetensors: was replaced or removed while the search ran")
                && "\($0)".contains("give the numbers yourself (--refine crf:3,8,30,")
        }
        #expect(try Data(contentsOf: file) == before)
        try run.store(DenseCRF("3,8,30"), in: file, of: try options.model.checksum())
        #expect(try SafetensorsFile.readModel(file).metadata.denseCRF?.hasPrefix("3,8,30,") == true)
    }

    // Root may write everywhere.
    @Test("tune sees before the search that its result cannot be stored", .enabled(if: geteuid() != 0))
    func tuneReadOnly() throws {
        let scratch = try ScratchFolder()
        try Self.streets(scratch)
        let folder = scratch("closed")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: scratch("m.safetensors"), toPath: "\(folder)/m.safetensors")
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder) }
        let arguments = [
            "tune", "crf", "--model", "\(folder)/m.safetensors", "--dataset", "folder", "--data", scratch("d"),
        ]
        let result = segnet(arguments)
        #expect(result.exitCode == 1 && result.output.isEmpty)
        #expect(
            result.errors
                == "\(folder)/m.safetensors: cannot be written (Permission denied), and what is found is to be stored in it. Check the "
                + "permissions of its folder, copy the model to another, or give --no-store.\n"
        )
    }

    @Test("tune leaves files alone that cannot hold the result, or are not to")
    func notStored() throws {
        let scratch = try ScratchFolder()
        try Self.streets(scratch, count: 1)
        try scratch.model("m.caffemodel", classes: 2)
        let data = ["--dataset", "folder", "--data", scratch("d"), "--iterations", "1"]
        let refused = segnet(
            ["tune", "crf", "--model", scratch("m.caffemodel"), "--network", scratch("m.prototxt")] + data
        )
        #expect(refused.exitCode == 1)
        #expect(
            refused.errors.contains(
                "cannot hold a dense CRF. Convert the model to .safetensors first ('segnet convert'), or give --no-store."
            ),
            "\(refused.errors)"
        )
        let before = try Data(contentsOf: URL(filePath: scratch("m.safetensors")))
        let result = segnet(["tune", "crf", "--model", scratch("m.safetensors"), "--no-store"] + data)
        #expect(
            result.exitCode == 0 && result.output.contains("without") && !result.output.contains("Stored"),
            "\(result.errors)"
        )
        #expect(try Data(contentsOf: URL(filePath: scratch("m.safetensors"))) == before)
    }

    private struct CRFReport: Decodable {
        struct Times: Decodable { var median, least: Double }
        var milliseconds: Times
        var width, height, classes, threads, peakMemoryBytes: Int
        var crf: String
    }

    @Test("benchmark crf measures a street, or a picture with its probabilities")
    func benchmark() throws {
        let scratch = try ScratchFolder()
        let street = segnet("benchmark", "crf", "--size", "64x48", "--classes", "3", "--repeat", "2", "--json")
        let report = try JSONDecoder().decode(CRFReport.self, from: Data(street.output.utf8))
        #expect((report.width, report.height, report.classes) == (64, 48, 3))
        #expect(report.milliseconds.least > 0 && report.peakMemoryBytes > 1 << 20 && report.crf == "4,49,5,3,3,10")

        let picture = try scratch.picture("a.png", width: 20, height: 14)
        let values: [Float] = (0..<560).map { index in Float(index % 7 + 1) / 8 }
        try NPYFile.write(values, shape: [14, 20, 2], to: URL(filePath: scratch("a.npy")))
        let files = ["benchmark", "crf", "--picture", scratch("a.png"), "--probabilities", scratch("a.npy")]
        let found = segnet(
            files + ["--repeat", "1", "--crf", "3,8,30", "--threads", "1", "--output", scratch("b.npy")]
        )
        #expect(found.exitCode == 0 && found.output.contains("20x14, 2 classes, crf:3,8,30,3,3,10"), "\(found.errors)")
        let planes: [Float] = (0..<560).map { index in values[2 * (index % 280) + index / 280] }
        let expected = try DenseCRF("3,8,30").refine(probabilities: planes, classCount: 2, picture: picture)
        let refined = try NPYFile(URL(filePath: scratch("b.npy"))).floats()
        for index in 0..<560 { #expect(refined[index] == expected.probabilities[index % 2 * 280 + index / 2]) }

        try scratch.picture("c.png", width: 3, height: 3)
        let wrong = segnet(["benchmark", "crf", "--picture", scratch("c.png"), "--probabilities", scratch("a.npy")])
        #expect(wrong.exitCode == 1)
        #expect(wrong.errors.contains("the picture is 3x3. Give [height, width, classes]."), "\(wrong.errors)")
    }
}
