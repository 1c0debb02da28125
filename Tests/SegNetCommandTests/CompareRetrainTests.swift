import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet compare --retrain", .serialized, .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct CompareRetrainTests {
    @Test("moves a training aside that has lost its checkpoint; without it, the training is refused and stays as it is")
    func lostCheckpoint() throws {
        let scratch = try CompareTests.scratch()
        let text = CompareTests.plan(scratch).replacing("budget: {iterations: 40}", with: "budget: {iterations: 2}")
        try scratch.write(text, "plan.yaml")
        let out = scratch("out")
        let arguments = [scratch("plan.yaml"), "--output", out, "--only", "Basic"]
        #expect(try CompareTests.run(arguments).status == 0)
        for name in ["last.checkpoint", "last.safetensors"] {
            try FileManager.default.removeItem(atPath: scratch("out/basic/\(name)"))
        }
        let kept = ["log.jsonl", "recipe.yaml", "best.safetensors"]
        func contents(_ folder: String) throws -> [Data] {
            try kept.map { try Data(contentsOf: URL(filePath: scratch("out/\(folder)/\($0)"))) }
        }
        let before = try contents("basic")

        let refused = try CompareTests.run(arguments)
        #expect(refused.status == 1)
        #expect(
            refused.errors
                == """
                Error: Basic: its training in \(out)/basic cannot go on, because last.checkpoint is missing
                Put it back, retrain it (--retrain), which keeps the old training next to the new one, or give another \
                output folder (--output).

                """,
            "\(refused.errors)"
        )
        let dry = try CompareTests.run(arguments + ["--dry-run"])
        #expect(dry.output.contains("cut off: last.checkpoint is missing"), "\(dry.output)")
        #expect(try contents("basic") == before)

        let anew = try CompareTests.run(arguments + ["--retrain"])
        #expect(anew.status == 0, "\(anew.errors)")
        #expect(
            anew.errors.hasPrefix("Basic: last.checkpoint is missing; the old training is \(out)/basic~1\n"),
            "\(anew.errors)"
        )
        #expect(try contents("basic~1") == before)
        #expect(FileManager.default.fileExists(atPath: scratch("out/basic/last.checkpoint")))
    }
}
