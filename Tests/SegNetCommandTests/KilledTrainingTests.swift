import Foundation
import SegNet
import Testing

@testable import SegNetCommand

/// The command as it was built beside the tests.
enum BuiltCommand {
    static let url: URL = {
        // The test bundle lies in the folder of the products.
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return bundle.appending(path: "segnet")
    }()

    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: url.path) }
}

@Suite("A training that is killed", .serialized, .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct KilledTrainingTests {
    static func arguments(_ output: String) -> [String] {
        [
            "train", "--config", URL(filePath: output).deletingLastPathComponent().appending(path: "recipe.yaml").path,
            "--output", output, "--threads", "1", "--resume",
        ]
    }

    static let recipe = """
        architecture: bayesian-segnet-basic
        width: 0.25
        dataset: synthetic
        count: 6
        size: [48, 32]
        augmentation: {flip: true, crop: [32, 24], scale: [0.8, 1.4]}
        batch-size: 2
        iterations: 150
        learning-rate: 0.01
        average: 0.9
        validate-every: 1000
        checkpoint-minutes: 0
        """

    /// - Returns: The exit status, or nil if it was killed.
    static func run(_ output: String, killAfter seconds: Double? = nil, signal number: Int32 = SIGKILL) throws -> Int32?
    {
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = arguments(output)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        if let seconds {
            Thread.sleep(forTimeInterval: seconds)
            kill(process.processIdentifier, number)
        }
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? nil : process.terminationStatus
    }

    @Test("50 times at random instants ends bit for bit as one that was not")
    func killed() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe, "recipe.yaml")
        #expect(try Self.run(scratch("whole")) == 0)
        var random = RandomNumbers(seed: 1)
        var kills = 0
        while kills < 50 {
            // Start-up takes some hundredths of a second, a step less: kills fall into all of them.
            if try Self.run(scratch("killed"), killAfter: 0.02 + 0.1 * random.uniform()) != nil { break }
            kills += 1
        }
        #expect(try Self.run(scratch("killed")) == 0)
        let (whole, killed) = (scratch("whole/last.safetensors"), scratch("killed/last.safetensors"))
        #expect(try Data(contentsOf: URL(filePath: whole)) == Data(contentsOf: URL(filePath: killed)))
        #expect(kills == 50, "the training was over after \(kills) kills")
    }

    @Test("by SIGTERM saves and exits with 0")
    func stopped() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 150", with: "iterations: 5000"), "recipe.yaml")
        #expect(try Self.run(scratch("run"), killAfter: 1, signal: SIGTERM) == 0)
        let progress = try Checkpoint.progress(URL(filePath: scratch("run/last.checkpoint")))
        #expect(progress.step > 0)
    }
}
