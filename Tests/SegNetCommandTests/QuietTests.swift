import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("--quiet")
struct QuietTests {
    @Test("leaves a training's warnings, by their kind alone", arguments: [false, true])
    func notes(isQuiet: Bool) {
        let console = Console.recording()
        if isQuiet { console.beQuiet() }
        // The words of the one could be those of the other.
        Train.tell(TrainingNote(kind: .warning, text: "the validation flatters the model."), on: console)
        Train.tell(TrainingNote(kind: .information, text: "warning: changed: seed 1 -> 2"), on: console)
        let rest = isQuiet ? "" : "warning: changed: seed 1 -> 2\n"
        #expect(console.recordedErrors == "warning: the validation flatters the model.\n\(rest)")
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
