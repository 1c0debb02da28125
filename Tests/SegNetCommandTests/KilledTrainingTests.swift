import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

/// The command as it was built with the tests.
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

    private static func start(_ output: String) throws -> Process {
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = arguments(output)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// - Returns: The exit status.
    static func run(_ output: String) throws -> Int32 {
        let process = try start(output)
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// The step of the checkpoint; 0 without one.
    static func saved(_ output: String) -> Int {
        (try? Checkpoint.progress(URL(filePath: output).appending(path: "last.checkpoint")).step) ?? 0
    }

    /// Runs and kills: while the program starts, or, once it has saved a step, within about two further ones.
    /// - Parameter whole: The seconds that all 150 steps took.
    /// - Returns: Whether it was killed before its end.
    private static func runAndKill(_ output: String, whole: Double, _ random: inout RandomNumbers) throws -> Bool {
        let before = saved(output)
        let process = try start(output)
        if random.uniform() < 0.4 {
            Thread.sleep(forTimeInterval: 0.03 * whole * random.uniform())
        } else {
            while process.isRunning, saved(output) == before { Thread.sleep(forTimeInterval: 0.002) }
            Thread.sleep(forTimeInterval: 2 * whole / 150 * random.uniform())
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal
    }

    @Test("up to 50 times at random instants ends bit for bit as one that was not")
    func killed() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe, "recipe.yaml")
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try Self.run(scratch("whole")) == 0)
        let whole = (clock.now - start) / .seconds(1)
        var random = RandomNumbers(seed: 1)
        var steps: [Int] = []
        while steps.count < 50, try Self.runAndKill(scratch("killed"), whole: whole, &random) {
            steps.append(Self.saved(scratch("killed")))
        }
        #expect(try Self.run(scratch("killed")) == 0)
        let files = ["whole", "killed"].map { URL(filePath: scratch("\($0)/last.safetensors")) }
        #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
        // A busy machine may let a run go further than meant, so that there are fewer; most have gone on from another's checkpoint.
        #expect(
            steps.count >= 10 && Set(steps).count >= 5,
            "the training was over after \(steps.count) kills: \(steps)"
        )
    }

    /// Runs until a step is saved, then sends signals, a twentieth of a second apart.
    /// - Parameters:
    ///   - more: Further arguments.
    ///   - insists: Whether the second of several signals is sent until the process ends.
    /// - Returns: How the process ended, and what it wrote on standard error.
    static func run(_ output: String, signals: [Int32], more: [String] = [], insists: Bool = true) throws -> (
        reason: Process.TerminationReason, status: Int32, errors: String
    ) {
        let before = saved(output)
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = arguments(output) + more
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // A new checkpoint also tells that the program listens: whoever started the tests may have had the signals blocked or ignored.
        while process.isRunning, saved(output) == before { Thread.sleep(forTimeInterval: 0.01) }
        for number in signals {
            kill(process.processIdentifier, number)
            Thread.sleep(forTimeInterval: 0.05)
        }
        // Two signals of one kind may arrive as one where the machine is busy.
        while insists, signals.count > 1, process.isRunning {
            kill(process.processIdentifier, signals[1])
            Thread.sleep(forTimeInterval: 0.02)
        }
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationReason, process.terminationStatus, text)
    }

    @Test("whose reader has ended saves all the same", arguments: [SIGINT, SIGTERM])
    func readerGone(signal: Int32) throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 150", with: "iterations: 100000"), "recipe.yaml")
        let output = scratch("run")
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = Self.arguments(output)
        let text = Pipe()
        (process.standardError, process.standardOutput) = (text, text)
        try process.run()
        while process.isRunning, Self.saved(output) == 0 { Thread.sleep(forTimeInterval: 0.01) }
        // As `tee` does, which the same Ctrl-C ends.
        try text.fileHandleForReading.close()
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + signal)
        #expect(try Self.steps(URL(filePath: scratch("run/log.jsonl"))) == Array(1...Self.saved(output)))
    }

    /// The steps that a log tells of.
    static func steps(_ log: URL) throws -> [Int] {
        struct Line: Decodable {
            var kind: String
            var step: Int
        }
        guard let text = try? String(contentsOf: log, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            .filter { $0.kind == "step" }.map(\.step)
    }

    @Test(
        "by Ctrl-C or SIGTERM finishes its step, saves, says how to go on, and goes on as if nothing had been",
        arguments: [SIGINT, SIGTERM]
    )
    func stopped(signal: Int32) throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 150", with: "iterations: 50"), "recipe.yaml")
        let output = scratch("my run")
        let (reason, status, errors) = try Self.run(output, signals: [signal])
        #expect(reason == .exit && status == 128 + signal, "\(status): \(errors)")
        let step = try Checkpoint.progress(URL(filePath: scratch("my run/last.checkpoint"))).step
        #expect(try Self.steps(URL(filePath: scratch("my run/log.jsonl"))) == Array(1...step))
        #expect(
            errors.contains(
                "asked to stop: saving. A second request ends the run at once; the checkpoint is safe either way.\n"
            )
        )
        #expect(
            errors.hasSuffix(
                """
                stopped at step \(step) of 50, saved as \(output)/last.checkpoint; continue with
                  segnet train --resume '\(output)'

                """
            ),
            "\(errors)"
        )
        // Following its advice finishes the training, with the same result.
        let resumed = try Process.run(
            BuiltCommand.url,
            arguments: ["train", "--resume", output, "--threads", "1"]
        )
        resumed.waitUntilExit()
        #expect(resumed.terminationStatus == 0)
        #expect(try Self.run(scratch("whole")) == 0)
        let files = ["my run/last.safetensors", "whole/last.safetensors"].map { URL(filePath: scratch($0)) }
        #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
        #expect(try Self.steps(URL(filePath: scratch("my run/log.jsonl"))) == Array(1...50))
    }

    @Test(
        "by the end of its terminal saves and ends too, however many hang-ups come",
        .enabled(if: !ProcessSignal.isIgnored(SIGHUP), "whoever started the tests has hang-ups ignored (nohup)")
    )
    func hangUp() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 150", with: "iterations: 100000"), "recipe.yaml")
        let (reason, status, errors) = try Self.run(scratch("run"), signals: [SIGHUP, SIGHUP])
        #expect(reason == .exit && status == 129, "\(reason) \(status): \(errors)")
        let step = try Checkpoint.progress(URL(filePath: scratch("run/last.checkpoint"))).step
        #expect(errors.contains("stopped at step \(step) of 100000, saved as "), "\(errors)")
    }

    @Test("goes on after the end of its terminal where hang-ups are ignored, as by nohup")
    func nohup() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 150", with: "iterations: 100000"), "recipe.yaml")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments =
            ["-c", #"trap "" HUP; exec "$0" "$@""#, BuiltCommand.url.path] + Self.arguments(scratch("run"))
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        while process.isRunning, Self.saved(scratch("run")) == 0 { Thread.sleep(forTimeInterval: 0.01) }
        kill(process.processIdentifier, SIGHUP)
        let step = Self.saved(scratch("run"))
        // The step that ran when the signal came, and another.
        while process.isRunning, Self.saved(scratch("run")) < step + 3 { Thread.sleep(forTimeInterval: 0.01) }
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 143)
    }

    @Test(
        "by a signal to all processes of a job and by its parent's request saves, whichever comes first",
        arguments: [[SIGTERM, SIGUSR1], [SIGUSR1, SIGTERM]]
    )
    func stoppedWithItsParent(signals: [Int32]) throws {
        let scratch = try ScratchFolder()
        // Long steps, so that the second signal comes before the end of one.
        let recipe = Self.recipe.replacing("iterations: 150", with: "iterations: 20\naccumulate: 100")
        try scratch.write(recipe, "recipe.yaml")
        let (reason, status, errors) = try Self.run(
            scratch("run"),
            signals: signals,
            more: ["--parent", "\(getpid())"],
            insists: false
        )
        #expect(reason == .exit && status == 128 + signals[0], "\(reason) \(status): \(errors)")
        let step = try Checkpoint.progress(URL(filePath: scratch("run/last.checkpoint"))).step
        #expect(errors.contains("stopped at step \(step) of 20, saved as "), "\(errors)")
    }

    @Test(
        "by a second signal ends at once and leaves the checkpoint whole",
        arguments: [[SIGINT, SIGINT], [SIGTERM, SIGTERM], [SIGTERM, SIGINT]]
    )
    func stoppedTwice(signals: [Int32]) throws {
        let scratch = try ScratchFolder()
        // Long steps, so that the second signal comes before the end of one.
        let recipe = Self.recipe.replacing("iterations: 150", with: "iterations: 20\naccumulate: 100")
        try scratch.write(recipe, "recipe.yaml")
        let (reason, status, errors) = try Self.run(scratch("run"), signals: signals)
        #expect(reason == .uncaughtSignal && status == signals[1], "\(reason) \(status): \(errors)")
        #expect(!errors.contains("stopped at step"))
        let progress = try Checkpoint.progress(URL(filePath: scratch("run/last.checkpoint")))
        #expect((1..<20).contains(progress.step))
        // Another second signal, after it went on: the checkpoint could be read.
        let again = try Self.run(scratch("run"), signals: [signals[0]])
        #expect(
            again.status == 128 + signals[0] && again.errors.contains("resumed at step \(progress.step) of 20."),
            "\(again.errors)"
        )
    }
}
