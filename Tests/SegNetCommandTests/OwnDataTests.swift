import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("Data of one's own, from train to predict")
struct OwnDataTests {
    /// Pictures whose colours say nothing, whose depth in 16 bits tells two classes apart by steps that 8 bits do not have.
    private static func depthScenes(_ scratch: ScratchFolder, count: Int = 6) throws {
        var lines = ""
        for number in 0..<count {
            let (width, height) = (32, 24)
            let cut = 8 + 3 * number
            try scratch.picture("d/rgb/\(number).png", width: width, height: height, seed: UInt64(number + 1))
            try scratch.write("", "d/depth/.keep")
            try scratch.write("", "d/labels/.keep")
            let columns = (0..<width * height).map { $0 % width < cut }
            try Plane(width: width, height: height, samples: columns.map { $0 ? 1000 : 1100 })
                .write(path: scratch("d/depth/\(number).png"))
            // 7 is "far" by --map, 9 is nothing by --ignore.
            try LabelMap(width: width, height: height, ids: columns.enumerated().map { $0 == 0 ? 9 : $1 ? 0 : 7 })
                .write(path: scratch("d/labels/\(number).png"))
            lines += "rgb/\(number).png depth/\(number).png labels/\(number).png\n"
        }
        try scratch.write(lines, "d/train.txt")
        try scratch.write("near\nfar\n", "names.txt")
        try scratch.write("width: 0.25\nbatch-size: 2\nvalidate-every: 10\nlearning-rate: 0.02\n", "recipe.yaml")
    }

    @Test("depth in addition to colours: trained, scored, predicted, converted with one description of the input")
    func depth() throws {
        let scratch = try ScratchFolder()
        try Self.depthScenes(scratch)
        let data = ["--dataset", "list", "--data", scratch("d")]
        let train = segnet(
            [
                "train", "--config", scratch("recipe.yaml"), "--output", scratch("run"), "--threads", "1",
                "--iterations", "40",
            ] + data
                + ["--classes", scratch("names.txt"), "--map", "7=far", "--ignore", "9", "--inputs", "rgb,depth"]
                + ["--mean", "128,128,128,4", "--scale", "0.01,0.01,0.01,5"]
        )
        #expect(train.exitCode == 0, "\(train.errors)")
        let model = scratch("run/last.safetensors")
        let input = try LoadedModel(URL(filePath: model)).model.network.input
        #expect(input.channels == ["blue", "green", "red", "depth"])
        #expect(input.mean == [128, 128, 128, 4] && input.scale == [0.01, 0.01, 0.01, 5])

        // Predictions for the list's lines are right nearly everywhere: the network sees the depth, in 16 bits.
        let predict = segnet(
            "predict",
            scratch("d/train.txt"),
            "--model",
            model,
            "--output",
            scratch("out"),
            "--save",
            "mask,overlay"
        )
        #expect(predict.exitCode == 0, "\(predict.errors)")
        var (right, all) = (0, 0)
        for number in 0..<6 {
            let mask = try LabelMap(path: scratch("out/rgb/\(number).mask.png"))
            let truth = try LabelMap(path: scratch("d/labels/\(number).png"))
            right += zip(mask.ids, truth.ids).count { $0 == ($1 == 7 ? 1 : 0) }
            all += mask.ids.count
        }
        #expect(Double(right) / Double(all) > 0.9, "\(right) of \(all)")

        let alone = segnet("predict", scratch("d/rgb/0.png"), "--model", model, "--output", scratch("out2"))
        #expect(alone.exitCode == 1)
        #expect(
            alone.errors.contains(
                "error: \(scratch("d/rgb/0.png")): the network reads rgb, depth, one file each; give a list (.txt) with a line \"rgb depth\" "
                    + "for each picture."
            )
        )
        try scratch.write("rgb/0.png\nrgb/0.png depth/none.png\n", "d/bad.txt")
        let bad = segnet("predict", scratch("d/bad.txt"), "--model", model, "--output", scratch("out3"))
        #expect(
            bad.errors.contains(
                "bad.txt, line 1: has 1 word; the network reads rgb, depth, so each line needs \"rgb depth\", optionally followed by a "
                    + "label."
            )
        )
        #expect(
            bad.errors.contains(
                "depth/none.png: there is no such file (\(scratch("d/bad.txt")), line 2); check the list."
            )
        )

        let onnx = segnet("convert", model, scratch("m.onnx"))
        #expect(onnx.exitCode == 0, "\(onnx.errors)")
        let bytes = try Data(contentsOf: URL(filePath: scratch("m.onnx")))
        for text in ["blue,green,red,depth", "128.0,128.0,128.0,4.0", "0.01,0.01,0.01,5.0"] {
            #expect(bytes.range(of: Data(text.utf8)) != nil, "\(text)")
        }
        let caffe = segnet("convert", model, scratch("m.caffemodel"), "--force")
        #expect(caffe.exitCode != 0)
    }

    @Test("import and export copy the colours, and say that the depth is not copied", arguments: ["import", "export"])
    func copies(command: String) throws {
        let scratch = try ScratchFolder()
        try Self.depthScenes(scratch, count: 2)
        let result = segnet(
            ["dataset", command, "--dataset", "list", "--data", scratch("d"), "--inputs", "rgb,depth", "--ignore", "9"]
                + ["--classes", scratch("names.txt"), "--map", "7=far", "--output", scratch("out")]
                + (command == "export" ? ["--to", "labelme"] : [])
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(
            result.errors.contains("warning: each picture has 2 files (rgb, depth); only the first, rgb, is copied.\n"),
            "\(result.errors)"
        )
    }

    @Test("evaluate reads what the model reads: the same labels need the same options")
    func evaluate() throws {
        let scratch = try ScratchFolder()
        try Self.depthScenes(scratch, count: 4)
        try scratch.write("near\nfar\nx\nx2\nx3\nx4\nx5\nseven\nx6\nnine\n", "d/classes.txt")
        let train = segnet(
            "train",
            "--config",
            scratch("recipe.yaml"),
            "--output",
            scratch("run"),
            "--threads",
            "1",
            "--iterations",
            "1",
            "--dataset",
            "list",
            "--data",
            scratch("d"),
            "--inputs",
            "rgb,depth"
        )
        #expect(train.exitCode == 0, "\(train.errors)")
        let scores = segnet(
            "evaluate",
            "--model",
            scratch("run/last.safetensors"),
            "--dataset",
            "list",
            "--data",
            scratch("d"),
            "--split",
            "val",
            "--bf",
            "none"
        )
        #expect(scores.exitCode == 0, "\(scores.errors)")
    }

    @Test("photos with painted labels and void: what check says is wrong is fixed, then it trains")
    func photos() throws {
        let scratch = try ScratchFolder()
        try scratch.write("ground 128 64 128\nplant 0 128 0\nvoid 0 0 0\n", "mine/classes.txt")
        try scratch.write("", "mine/images/.keep")
        try scratch.write("", "mine/labels/.keep")
        for number in 0..<4 {
            var (photo, label): ([UInt8], [UInt8]) = ([], [])
            for index in 0..<32 * 24 {
                let isPlant = index % 32 > 10 + number
                photo += isPlant ? [40, 150, 50] : [150, 120, 110]
                label += index < 32 ? [0, 0, 0] : isPlant ? [0, 128, 0] : [128, 64, 128]
            }
            try Image(width: 32, height: 24, channels: 3, pixels: photo).write(
                path: scratch("mine/images/\(number).jpg")
            )
            // One was saved with a colour that is not a class.
            if number == 2 { label.replaceSubrange(3 * 700..<3 * 701, with: [1, 2, 3] as [UInt8]) }
            try Image(width: 32, height: 24, channels: 3, pixels: label).write(
                path: scratch("mine/labels/\(number).png")
            )
        }
        let data = ["--dataset", "folder", "--data", scratch("mine"), "--colored"]
        let wrong = segnet(["dataset", "check"] + data)
        #expect(wrong.exitCode == 1)
        #expect(
            wrong.errors.contains(
                "mine/labels/2.png: has the colour (1, 2, 3) at x 28, y 21, which is not a class of 'classes.txt'"
            )
        )
        try FileManager.default.removeItem(atPath: scratch("mine/labels/2.png"))
        try FileManager.default.removeItem(atPath: scratch("mine/images/2.jpg"))
        #expect(segnet(["dataset", "check"] + data).exitCode == 0)
        try scratch.write("width: 0.25\nbatch-size: 2\niterations: 3\nvalidate-every: 100\n", "recipe.yaml")
        let train = segnet(
            ["train", "--config", scratch("recipe.yaml"), "--output", scratch("run"), "--threads", "1"] + data
        )
        #expect(train.exitCode == 0, "\(train.errors)")
        let predict = segnet(
            "predict",
            scratch("mine/images"),
            "--model",
            scratch("run/best.safetensors"),
            "--output",
            scratch("out")
        )
        #expect(predict.exitCode == 0 && predict.output.contains("ground "), "\(predict.errors)")
    }

    @Test(
        "options that cannot be read are answered with an example",
        arguments: [
            (
                ["--map", "seven"],
                "label change (--map) 'seven': write the label and its class as OLD=NEW, such as 14=3, 14=Road, Pole=Fence or Pole=void."
            ),
            (["--mean", "1,x"], "mean, entry 2: needs a finite number; found 'x'."),
            (
                ["--inputs", "depth,rgb"],
                "inputs depth,rgb: the colours come first; write rgb in front, also in list files."
            ),
            (["--classes", "camvid13"], "'camvid13' is neither a class table (camvid11,"),
        ]
    )
    func refusals(options: [String], text: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write("a b\n", "d/train.txt")
        try scratch.write("one\n", "d/classes.txt")
        let result = segnet(
            ["train", "--dataset", "list", "--data", scratch("d"), "--output", scratch("run")] + options
        )
        #expect(result.exitCode != 0 && result.errors.contains(text), "\(result.errors)")
    }

    @Test("without a validation there is only the last model, and train says so; it names labels that it leaves out")
    func lastOnly() throws {
        let scratch = try ScratchFolder()
        try scratch.write("left\nright\n", "d/classes.txt")
        for part in ["images", "labels"] {
            try FileManager.default.createDirectory(
                atPath: scratch("d/\(part)"),
                withIntermediateDirectories: true
            )
        }
        for name in ["a", "b", "stray"] {
            if name != "stray" { try scratch.picture("d/images/\(name).png", width: 32, height: 24) }
            try LabelMap(width: 32, height: 24, ids: (0..<32 * 24).map { $0 % 32 < 16 ? 0 : 1 })
                .write(path: scratch("d/labels/\(name).png"))
        }
        let result = segnet(
            "train",
            "--architecture",
            "segnet-basic",
            "--width",
            "0.25",
            "--dataset",
            "folder",
            "--data",
            scratch("d"),
            "--val-share",
            "0",
            "--batch-size",
            "2",
            "--iterations",
            "1",
            "--threads",
            "1",
            "--no-tensorboard",
            "--output",
            scratch("run")
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output == "\(scratch("run"))/last.safetensors\n")
        #expect(
            result.errors.contains(
                "warning: no validation has given a score, so there is no best.safetensors\n"
                    + "last.safetensors is the model of the last step.\n"
            ),
            "\(result.errors)"
        )
        #expect(
            result.errors.contains("warning: \(scratch("d/labels/stray.png")): has no picture of the same name in "),
            "\(result.errors)"
        )
        #expect(!FileManager.default.fileExists(atPath: scratch("run/best.safetensors")))
    }
}
