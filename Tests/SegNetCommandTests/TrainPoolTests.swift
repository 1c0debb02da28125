import Foundation
import SegNet
import Testing

@testable import SegNetCommand

@Suite("segnet train, several data sets")
struct TrainPoolTests {
    /// Two data sets of rendered streets, the second with labels of two classes.
    private static let recipe = """
        architecture: segnet-basic
        width: 0.25
        size: [48, 32]
        batch-size: 2
        class-weights: none
        statistics: running
        datasets:
          - {kind: synthetic, count: 4, share: 1, val: none}
          - {kind: synthetic, count: 4, share: 1, labelled: [Sky, Road]}
        phases:
          - {from: 0.5, shares: [1, 0]}
        augmentation: {flip: true, rotation: 5, gamma: 0.3, jpeg: 0.5, erase: 0.3}

        """

    @Test("says what it learns from, takes a teacher, and goes on with --resume")
    func trains() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe, "r.yaml")
        let first = segnet(
            [
                "train", "--config", scratch("r.yaml"), "--output", scratch("a"), "--iterations", "2",
                "--class-weights", "auto",
            ]
        )
        #expect(first.exitCode == 0, "\(first.errors)")
        #expect(first.errors.contains("rendering streets to count their classes ..."), "\(first.errors)")
        #expect(
            first.errors.contains(
                "data sets: synthetic 50.0 % (4 pictures), synthetic 50.0 % (4 pictures, labels name 2 of 11 classes)."
            ),
            "\(first.errors)"
        )
        let again = segnet(
            "train",
            "--config",
            scratch("a/recipe.yaml"),
            "--output",
            scratch("a"),
            "--resume",
            "--iterations",
            "3"
        )
        #expect(again.exitCode == 0 && again.errors.contains("resumed at step 2 of 3."), "\(again.errors)")
        let taught = segnet(
            "train",
            "--config",
            scratch("r.yaml"),
            "--output",
            scratch("b"),
            "--iterations",
            "1",
            "--teacher",
            scratch("a/last.safetensors")
        )
        #expect(taught.exitCode == 0, "\(taught.errors)")
        let saved = try String(contentsOfFile: scratch("b/recipe.yaml"), encoding: .utf8)
        #expect(saved.contains("model: \(scratch("a/last.safetensors"))"))

        // The teacher's own settings can be changed where there is one.
        let change = ["--set", "teacher.temperature=4", "--set", "teacher.share=0.25", "--iterations", "1"]
        let colder = segnet(
            ["train", "--config", scratch("b/recipe.yaml"), "--output", scratch("c"), "--no-tensorboard"] + change
        )
        #expect(colder.exitCode == 0, "\(colder.errors)")
        let changed = try String(contentsOfFile: scratch("c/recipe.yaml"), encoding: .utf8)
        #expect(changed.contains("temperature: 4") && changed.contains("share: 0.25"), "\(changed)")
        let untaught = segnet(["train", "--config", scratch("r.yaml"), "--output", scratch("d")] + change)
        #expect(untaught.exitCode == 1)
        let problem = "--set: teacher: lacks 'model' (a file, or a bundled model's name)"
        #expect(untaught.errors.hasPrefix(problem), "\(untaught.errors)")
    }

    @Test(
        "options that speak of one data set are refused with a list",
        arguments: [
            ["--data", "x"], ["--dataset", "camvid"], ["--classes", "camvid11"], ["--map", "Sky=void"],
            ["--ignore", "3"],
            ["--colored"], ["--set", "data=/nonexistent"], ["--set", "train-split=val"], ["--set", "ignore=[1]"],
            ["--set", "map.Sky=void"],
        ]
    )
    func refused(options: [String]) throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe, "r.yaml")
        let result = segnet(["train", "--config", scratch("r.yaml"), "--output", scratch("a")] + options)
        #expect(result.exitCode == 1)
        let name = options[0] == "--set" ? options.joined(separator: " ") : options[0]
        let message =
            "\(name): '\(scratch("r.yaml"))' lists several data sets ('datasets'); copy the recipe, and change 'data' and the like in "
            + "its entries."
        #expect(result.errors.hasPrefix(message), "\(result.errors)")
    }
}
