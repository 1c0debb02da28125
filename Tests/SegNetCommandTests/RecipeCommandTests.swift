import ArgumentParser
import Foundation
import SegNet
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet recipe")
struct RecipeCommandTests {
    @Test("docs/recipes.md has the tables that the settings give; UPDATE_GOLDEN=1 rewrites them")
    func guide() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/recipes.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let heading = "a test compares them.\n\n"
        let start = try #require(text.range(of: heading)).upperBound
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data((text[..<start] + RecipeTable.markdown + "\n").utf8).write(to: file)
        }
        let tables = try String(contentsOf: file, encoding: .utf8)[start...]
        #expect(tables == RecipeTable.markdown + "\n")
    }

    @Test("options that add to a list add to what --set gives; it used to take them away")
    func added() throws {
        let options = try RecipeOptions.parse([
            "--freeze", "conv1", "--set", "freeze=[]", "--ignore", "4", "--set", "ignore=[3]",
        ])
        var recipe = TrainingConfiguration()
        recipe.freeze = ["conv9"]
        try options.apply(to: &recipe)
        #expect(recipe.freeze == ["conv1"] && recipe.ignore == [3, 4])
    }

    @Test("explain lists all settings, one group, one setting, and knows the closest key")
    func explain() {
        let all = segnet("recipe", "explain")
        #expect(all.output.contains("learning-rate: a number above 0 (default: 0.1)\n"))
        #expect(all.output.contains("  kind: one of camvid, ") && all.output.contains("(required)"))
        let one = segnet("recipe", "explain", "optimizer.weight-decay")
        #expect(
            one.output
                == "optimizer.weight-decay: a number of at least 0 (default: 0.0005)\n  Decay of the weights.\n"
        )
        let wrong = segnet("recipe", "explain", "optimizer.weight-decai")
        #expect(
            wrong.errors.contains(
                "There is no setting 'optimizer.weight-decai'. Did you mean 'optimizer.weight-decay'?"
            )
        )
        #expect(wrong.exitCode == 64)
    }

    @Test("check names what is wrong in each file and goes on")
    func check() throws {
        let scratch = try ScratchFolder()
        try scratch.write("epochs: 3\nschedule: {kind: cosin}\n", "a.yaml")
        try scratch.write("epochs: 3\n", "b.yaml")
        let result = segnet("recipe", "check", scratch("a.yaml"), scratch("b.yaml"))
        #expect(
            result.errors
                == "error: \(scratch("a.yaml")), line 2: schedule.kind: needs one of constant, step, poly, cosine, one-cycle; "
                + "found 'cosin'. Did you mean 'cosine'?\n"
        )
        #expect(result.output == "\(scratch("b.yaml")): nothing is wrong\n" && result.exitCode == 1)
        let quiet = segnet("recipe", "check", scratch("a.yaml"), scratch("b.yaml"), "--quiet")
        #expect(quiet.errors == result.errors)
    }

    @Test("check refuses a fold that a training would refuse, and names the file and the line")
    func folds() throws {
        let scratch = try ScratchFolder()
        try scratch.write("folds: 5\nfold: 6\n", "a.yaml")
        let result = segnet("recipe", "check", scratch("a.yaml"))
        #expect(
            result.errors
                == "error: \(scratch("a.yaml")), line 2: fold: needs a whole number in 1...5, since folds is 5; found 6.\n"
        )
        #expect(result.exitCode == 1)
    }

    @Test("check tells of a setting that another one leaves without effect; that is no mistake")
    func unused() throws {
        let scratch = try ScratchFolder()
        try scratch.write("optimizer: {kind: adamw, momentum: 0.95}\n", "a.yaml")
        let result = segnet("recipe", "check", scratch("a.yaml"))
        #expect(result.output == "\(scratch("a.yaml")): nothing is wrong\n" && result.exitCode == 0)
        #expect(
            result.errors
                == "\(scratch("a.yaml")): optimizer.momentum is set, but only sgd uses it: it changes nothing.\n"
        )
    }

    @Test(
        "'segnet train' refuses wrong options in the recipe's words before it reads anything",
        arguments: [
            (["--batch-size", "0"], "batch-size: needs a whole number in 1...4096; found 0."),
            (
                ["--crop", "240"],
                "augmentation.crop: needs [width, height] or WIDTHxHEIGHT, such as 480x360, each of 1...16384; found 240."
            ),
            (["--architecture", "segnot"], "architecture: needs one of segnet, segnet-basic, "),
            (["--set", "optimizer.beta1=2"], "--set: optimizer.beta1: needs a number from 0 to below 1; found 2."),
            (["--set", "optimizer.beta=0.5"], "--set: optimizer: there is no setting 'beta'. Did you mean 'beta1'?"),
            (["--set", "epochs"], "Please give '--set' as key=value; found 'epochs'."),
            (
                ["--iterations", "3", "--epochs", "7"],
                "Please give '--epochs' or '--iterations', not both: each says how long the training is."
            ),
            (
                ["--iterations", "3", "--set", "epochs=7"],
                "Please give '--epochs' or '--iterations', not both: each says how long the training is."
            ),
        ]
    )
    func options(arguments: [String], problem: String) {
        let result = segnet(["train", "--output", "/nowhere/run"] + arguments)
        #expect(result.errors.contains(problem), "\(result.errors)")
        #expect(result.exitCode == 64)
    }
}
