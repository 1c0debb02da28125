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
                "labels/a.png: has the label 7 at x 2, y 1 (1 pixels), which is none of the 2 classes 0...1 and is not ignored"
            )
        )
        #expect(result.errors.contains("labels/b.png: is 6x8, its picture"))
    }
}
