import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

/// `mpirun` and `segnet-mpi`, where both are there: `make mpi` builds the second.
enum MPIRun {
    static let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Cluster/.build/release/segnet-mpi")

    static let mpirun: URL? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { URL(filePath: "\($0)/mpirun") }.first {
            FileManager.default.isExecutableFile(atPath: $0.path)
        }
    }()

    static var isThere: Bool {
        mpirun != nil && BuiltCommand.isThere && FileManager.default.isExecutableFile(atPath: program.path)
    }

    /// Ranks of Open MPI share two cores, and may run as root in a container.
    static let options: [String] = {
        guard let mpirun else { return [] }
        let process = Process()
        let pipe = Pipe()
        (process.executableURL, process.arguments, process.standardOutput) = (mpirun, ["--version"], pipe)
        try? process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.contains("Open MPI") || text.contains("OpenRTE")
            ? ["--oversubscribe", "--bind-to", "none", "--mca", "odls_base_sigkill_timeout", "5"] : []
    }()

    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Starts ranks.
    /// - Parameter ranks: The arguments that differ, for each rank.
    static func start(_ ranks: [[String: String]], _ arguments: [String]) throws -> (
        process: Process, result: () -> Result
    ) {
        let process = Process()
        process.executableURL = mpirun
        var words = options
        for (index, environment) in ranks.enumerated() {
            let settings = environment.map { "\($0.key)=\($0.value)" }
            words += (index > 0 ? [":"] : []) + ["-n", "1", "env"] + settings + [program.path] + arguments
        }
        process.arguments = words
        var environment = ProcessInfo.processInfo.environment
        environment["SEGNET"] = BuiltCommand.url.path
        environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        process.environment = environment
        // Files, not pipes, so that nobody has to read while the test waits.
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-mpi-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = ["output", "errors"].map { folder.appending(path: $0) }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        // Threads of tests have signals blocked, which children inherit; mpirun passes them on and waits for those of its ranks.
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_UNBLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        return (
            process,
            {
                process.waitUntilExit()
                let texts = files.map { (try? String(contentsOf: $0, encoding: .utf8)) ?? "" }
                try? FileManager.default.removeItem(at: folder)
                return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
            }
        )
    }

    static func run(_ ranks: Int, _ arguments: [String]) throws -> Result {
        try start(Array(repeating: [:], count: ranks), arguments).result()
    }

    /// The processes that a process has started, and those that they have, by their parents' lists.
    static func descendants(of process: pid_t) -> [pid_t] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        let children = threads.flatMap { thread in
            let file = "/proc/\(process)/task/\(thread)/children"
            return ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
                pid_t($0)
            }
        }
        return children + children.flatMap(descendants)
    }
}

@Suite(
    "Training over MPI",
    .serialized,
    .enabled(if: MPIRun.isThere, "no mpirun, or segnet-mpi is not built ('make mpi')")
)
struct MPITests {
    static let recipe = """
        architecture: bayesian-segnet-basic
        width: 0.25
        dataset: synthetic
        count: 8
        size: [48, 32]
        augmentation: {flip: true, crop: [32, 24], scale: [0.8, 1.4]}
        batch-size: 4
        iterations: 12
        learning-rate: 0.01
        average: 0.9
        validate-every: 2
        checkpoint-minutes: 0
        tensorboard: false
        """

    static func arguments(_ scratch: ScratchFolder, _ output: String) -> [String] {
        ["train", "--config", scratch("recipe.yaml"), "--output", scratch(output), "--resume", "--threads", "1"]
    }

    struct Line: Decodable {
        var kind: String
        var step: Int
        var loss: Double?
        var waitingShare: Double?
    }

    static func log(_ scratch: ScratchFolder, _ output: String) throws -> [Line] {
        try String(contentsOfFile: scratch("\(output)/log.jsonl"), encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    static func losses(_ scratch: ScratchFolder, _ output: String) throws -> [Double] {
        try log(scratch, output).filter { $0.kind == "step" }.compactMap(\.loss)
    }

    @Test("with 2 ranks equals that of one process, and one rank writes")
    func twoRanks() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe, "recipe.yaml")
        let result = try MPIRun.run(2, Self.arguments(scratch, "two") + ["--sync-statistics"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "\(scratch("two"))/best.safetensors\n\(scratch("two"))/last.safetensors\n")
        #expect(result.errors.contains("rank 0 of 2, "), "\(result.errors)")
        #expect(
            result.errors.contains(
                "2 ranks: each takes 2 of the 4 pictures of a batch; statistics of batch normalisation over all of them.\n"
            )
        )
        #expect(result.errors.contains("of gradients per step; their transfer took "))
        #expect(result.errors.split(separator: "\n").count { $0.hasPrefix("trained in ") } == 1)
        let alone = segnet(Self.arguments(scratch, "one"))
        #expect(alone.exitCode == 0, "\(alone.errors)")
        let losses = try ["one", "two"].map { try Self.losses(scratch, $0) }
        #expect(losses[0].count == 12 && losses[1].count == 12)
        for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 5e-3 * a, "\(losses)") }
        let lines = try Self.log(scratch, "two")
        #expect(lines.filter { $0.kind == "step" }.allSatisfy { (0...1).contains($0.waitingShare ?? -1) })
    }

    @Test("with different kernels on the ranks uses those that all have")
    func differentKernels() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 12", with: "iterations: 2"), "recipe.yaml")
        let result = try MPIRun.start([[:], ["SEGNET_ISA": "portable"]], Self.arguments(scratch, "run")).result()
        #expect(result.status == 0 && result.errors.contains("rank 0 of 2, portable"), "\(result.errors)")
    }

    /// Whether a process is there and has not ended.
    private static func isRunning(_ process: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let state = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ").dropFirst().first
        else { return false }
        return state != "Z"
    }

    @Test("that is asked to stop ends on all ranks at the same step, and continues with another number of ranks")
    func stopped() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 12", with: "iterations: 150"), "recipe.yaml")
        let (process, wait) = try MPIRun.start([[:], [:]], Self.arguments(scratch, "run"))
        let checkpoint = URL(filePath: scratch("run/last.checkpoint"))
        func step() -> Int { (try? Checkpoint.progress(checkpoint).step) ?? 0 }
        while process.isRunning, step() < 3 { Thread.sleep(forTimeInterval: 0.01) }
        // Passed on to the ranks.
        kill(process.processIdentifier, SIGUSR1)
        let result = wait()
        let stopped = step()
        #expect(result.status != 0 && (3..<150).contains(stopped), "\(result.status) \(stopped) \(result.errors)")
        #expect(result.errors.contains("stopped at step \(stopped) of 150, saved as "), "\(result.errors)")
        #expect(try Self.losses(scratch, "run").count == stopped)
        let rest = try MPIRun.run(3, Self.arguments(scratch, "run"))
        #expect(rest.status == 0 && rest.errors.contains("resumed at step \(stopped) of 150."), "\(rest.errors)")
        #expect(rest.errors.contains("3 ranks: each takes 1 or 2 of the 4 pictures of a batch;"))
        #expect(try Self.losses(scratch, "run").count == 150)
    }

    @Test("with one killed rank ends, and continues to the same result")
    func killed() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe.replacing("iterations: 12", with: "iterations: 30"), "recipe.yaml")
        var random = RandomNumbers(seed: 3)
        var kills = 0
        for victim in [0, 1] {
            let (process, wait) = try MPIRun.start([[:], [:]], Self.arguments(scratch, "killed"))
            var ranks: [pid_t] = []
            while process.isRunning, ranks.count < 2 {
                ranks = MPIRun.descendants(of: process.processIdentifier).filter { Self.name($0) == "segnet" }
            }
            Thread.sleep(forTimeInterval: 0.3 + 0.3 * random.uniform())
            if ranks.count == 2, kill(ranks[victim], SIGKILL) == 0 { kills += 1 }
            #expect(wait().status != 0 || kills == 0)
            // A process that nobody has waited for has also ended.
            var waited = 0
            while ranks.contains(where: Self.isRunning), waited < 1000 {
                Thread.sleep(forTimeInterval: 0.1)
                waited += 1
            }
            #expect(!ranks.contains(where: Self.isRunning))
        }
        #expect(kills > 0)
        let rest = try MPIRun.run(2, Self.arguments(scratch, "killed"))
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(try MPIRun.run(2, Self.arguments(scratch, "whole")).status == 0)
        let files = ["whole", "killed"].map { URL(filePath: scratch("\($0)/last.safetensors")) }
        #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
    }

    private static func name(_ process: pid_t) -> String {
        ((try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? "").trimmingCharacters(
            in: .newlines
        )
    }

    @Test("reports once what is wrong with the recipe, and on which rank")
    func errors() throws {
        let scratch = try ScratchFolder()
        try scratch.write(Self.recipe, "recipe.yaml")
        let many = try MPIRun.run(5, Self.arguments(scratch, "run"))
        let message =
            "batch-size: 5 ranks cannot share 4 pictures; start at most 4, or give a larger batch size (--batch-size)."
        #expect(many.status != 0)
        #expect(many.errors.components(separatedBy: message).count == 2, "\(many.errors)")
    }
}

@Suite("Ranks without MPI")
struct RanksLibraryTests {
    @Test("are refused, with the library's name and what to do", .enabled(if: BuiltCommand.isThere))
    func missingLibrary() throws {
        let process = Process()
        let errors = Pipe()
        (process.executableURL, process.standardError) = (BuiltCommand.url, errors)
        process.arguments = ["train", "--dataset", "synthetic", "--output", "/tmp/never"]
        process.environment = ["SEGNET_RANKS": "/nowhere/libSegNetRanks.so"]
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        #expect(text.hasPrefix("Error: /nowhere/libSegNetRanks.so: cannot be loaded ("), "\(text)")
        #expect(
            text.contains("'make mpi' builds it, and needs an MPI library: on Debian, libopenmpi-dev and openmpi-bin.")
        )
    }
}
