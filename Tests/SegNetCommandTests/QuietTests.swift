import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("--quiet")
struct QuietTests {
    @Test("leaves what makes another model of a training than the user may think")
    func notes() {
        for note in [
            "changed: seed 1 -> 2", "no training pixel shows moon; the model cannot learn it.",
            "run/recipe.yaml is missing: it is unknown whether settings have changed.",
        ] {
            #expect(Train.line(note) == "warning: \(note)")
        }
        #expect(Train.line("resumed at step 2 of 9.") == "resumed at step 2 of 9.")
    }

    @Test(
        "of compare is that of its trainings too; scores of what was learnt come with a warning",
        .enabled(if: BuiltCommand.isThere, "the segnet command is not built")
    )
    func compare() throws {
        let scratch = try ScratchFolder()
        let plan = """
            dataset: synthetic
            split: train
            size: [48, 32]
            protocol: {count: 2, batch-size: 2, class-weights: none, tensorboard: false, validate-every: 100}
            budget: {iterations: 2}
            systems:
              - {name: A, recipe: {width: 0.125}}
            """
        try scratch.write(plan, "plan.yaml")
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = [
            "compare", scratch("plan.yaml"), "--output", scratch("out"), "--quiet", "--threads", "1",
        ]
        let errors = Pipe()
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, errors)
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        #expect(text.hasPrefix("warning: the systems learn from 'train', the split that is scored:"), "\(text)")
        #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("warning: ") }, "\(text)")
        let page = try String(contentsOfFile: scratch("out/comparison.md"), encoding: .utf8)
        #expect(page.contains("The systems have learnt from these pictures: the scores flatter them."))
    }
}
