import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite(
    "segnet compare without what it needs",
    .serialized,
    .enabled(if: BuiltCommand.isThere, "the segnet command is not built")
)
struct CompareNeedsTests {
    @Test("says why a system has no best model to start from, and what to do; the last one then serves")
    func noValidation() throws {
        let scratch = try CompareTests.scratch()
        let text = CompareTests.plan(scratch).replacing(
            "budget: {iterations: 40}",
            with: "budget: {iterations: 2}"
        ).replacing("  tensorboard: false\n", with: "  tensorboard: false\n  validation-split: none\n").replacing(
            "recipe: {architecture: bayesian-segnet-basic, width: 0.125}",
            with: "recipe: basic.yaml, start-from: Basic"
        )
        try scratch.write(text, "plan.yaml")
        let out = scratch("out")
        let arguments = [scratch("plan.yaml"), "--output", out, "--only", "Basic", "--only", "Dropout"]
        let refused = try CompareTests.run(arguments)
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains(
                "Dropout: starts from the best model of Basic, but \(out)/basic/best.safetensors is missing; perhaps no validation gave a "
                    + "score. Give Basic 'model: last' in the plan, or put the file back.\n"
            ),
            "\(refused.errors)"
        )
        let quiet = try CompareTests.run(arguments + ["--quiet"])
        #expect(quiet.status == 1 && quiet.errors.contains("error: Dropout: starts from the best model of Basic"))
        try scratch.write(text.replacing("{name: Basic, ", with: "{name: Basic, model: last, "), "plan.yaml")
        let done = try CompareTests.run(arguments)
        #expect(done.status == 0, "\(done.errors)")
        #expect(FileManager.default.fileExists(atPath: scratch("out/dropout/last.safetensors")))
    }

    @Test("quotes what the plan's head says where the data are missing")
    func prepared() throws {
        let scratch = try ScratchFolder()
        let yaml = "dataset: list\ndata: /nowhere/lists\nsystems:\n  - {name: a, recipe: {width: 0.5}}\n"
        let head = "# Two systems.\n#   scripts/make-lists CamVid lists\n#   segnet compare p.yaml\n"
        try scratch.write(head + yaml, "p.yaml")
        try scratch.write("# Two systems.\n" + yaml, "q.yaml")
        let quoting = segnet("compare", scratch("p.yaml"), "--output", scratch("out"))
        #expect(quoting.exitCode == 1 && quoting.errors.hasPrefix("/nowhere/lists: there is no such folder; "))
        #expect(
            quoting.errors.hasSuffix(
                " The comment at the top of \(scratch("p.yaml")) says how to run it:\n  scripts/make-lists CamVid lists\n  segnet "
                    + "compare p.yaml\n"
            ),
            "\(quoting.errors)"
        )
        let other = segnet("compare", scratch("q.yaml"), "--output", scratch("out"))
        #expect(other.exitCode == 1 && other.errors.hasSuffix(" on each line.\n"), "\(other.errors)")
    }

    @Test("--check warns of models that are not there, as --dry-run does")
    func check() throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            "dataset: folder\ndata: /nowhere\nsystems:\n  - {name: a, recipe: {encoder: /nowhere/vgg.safetensors}}\n",
            "plan.yaml"
        )
        let result = segnet("compare", scratch("plan.yaml"), "--check", "--output", scratch("out"))
        #expect(
            result.errors
                == "warning: a: encoder: /nowhere/vgg.safetensors is not there; its training would fail.\n"
        )
        #expect(result.output == "\(scratch("plan.yaml")): nothing is wrong except the missing files; 1 system\n")
        #expect(result.exitCode == 0)
    }

    @Test("--dry-run measures steps without a teacher, and says so")
    func teacher() throws {
        let scratch = try CompareTests.scratch()
        let text = CompareTests.plan(scratch).replacing(
            "{width: 0.125, iterations: 400}",
            with: "{width: 0.125, iterations: 400, teacher: {model: /nowhere/t.safetensors}}"
        )
        for (text, others) in [
            (CompareTests.plan(scratch), "validations, statistics and scores"),
            (text, "validations, statistics, scores and teachers"),
        ] {
            try scratch.write(text, "plan.yaml")
            let dry = try CompareTests.run([scratch("plan.yaml"), "--output", scratch("out"), "--dry-run"])
            #expect(dry.output.contains(" hours of steps to go; \(others) come on top. "), "\(dry.output)")
        }
    }

    @Test("says in its own words that no temporary folder can be made, and goes on from there")
    func temporary() throws {
        let scratch = try CompareTests.scratch()
        let text = CompareTests.plan(scratch).replacing("budget: {iterations: 40}", with: "budget: {iterations: 2}")
        try scratch.write(text, "plan.yaml")
        try scratch.write("", "err")
        let arguments = [scratch("plan.yaml"), "--output", scratch("out"), "--only", "Basic"]
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = ["compare"] + arguments + ["--threads", "1"]
        // No folder can be made in a file, not even by root.
        process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": scratch("plan.yaml")]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: scratch("err"))
        try process.run()
        process.waitUntilExit()
        let errors = try String(contentsOfFile: scratch("err"), encoding: .utf8)
        #expect(process.terminationStatus == 1)
        #expect(errors.contains("Error: \(scratch("plan.yaml"))/segnet-"), "\(errors)")
        #expect(
            errors.hasSuffix(
                ": a folder for temporary files cannot be made; set TMPDIR to a folder in which you may write.\n"
            ),
            "\(errors)"
        )
        let done = try CompareTests.run(arguments)
        #expect(done.status == 0, "\(done.errors)")
    }
}
