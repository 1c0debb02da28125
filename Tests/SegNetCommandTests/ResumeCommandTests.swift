import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet train --resume", .serialized, .enabled(if: BuiltCommand.isThere, "the segnet command is not built"))
struct ResumeCommandTests {
    private struct Ended {
        var status: Int32
        var errors: String
    }

    private static func process(_ arguments: [String]) -> (process: Process, errors: Pipe) {
        let process = Process()
        process.executableURL = BuiltCommand.url
        process.arguments = ["train"] + arguments + ["--threads", "1"]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        return (process, errors)
    }

    private static func train(_ arguments: String...) throws -> Ended {
        let (process, errors) = process(arguments)
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, errors: text)
    }

    private static func recipe(_ scratch: ScratchFolder, iterations: Int) throws {
        let text = KilledTrainingTests.recipe.replacing("iterations: 150", with: "iterations: \(iterations)")
        try scratch.write(text + "\nfreeze: [conv1]\ntensorboard: false\n", "recipe.yaml")
    }

    @Test("needs nothing but the folder, in both spellings, and goes on with the recipe there")
    func alone() throws {
        let scratch = try ScratchFolder()
        try Self.recipe(scratch, iterations: 4)
        let run = scratch("run")
        #expect(try Self.train("--config", scratch("recipe.yaml"), "--output", run).status == 0)
        try FileManager.default.removeItem(atPath: scratch("recipe.yaml"))
        let before = try Data(contentsOf: URL(filePath: run + "/recipe.yaml"))
        for arguments in [
            ["--resume", run], ["--output", run, "--resume"], ["--resume", "--output", run, "--freeze", "conv1"],
        ] {
            let (process, errors) = Self.process(arguments)
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0 && text.contains("resumed at step 4 of 4.\n"), "\(text)")
            #expect(text.contains("\nbayesian-segnet-basic, ") && !text.contains("changed:"), "\(text)")
            // Nothing was trained.
            #expect(text.contains("was already finished") && !text.contains("trained in"), "\(text)")
        }
        #expect(try Data(contentsOf: URL(filePath: run + "/recipe.yaml")) == before)
        // The checkpoint has a copy of a recipe that is gone.
        try FileManager.default.removeItem(atPath: run + "/recipe.yaml")
        let without = try Self.train("--resume", run)
        #expect(without.status == 0 && !without.errors.contains("changed:"), "\(without.errors)")
        #expect(try Data(contentsOf: URL(filePath: run + "/recipe.yaml")) == before)
        let changed = try Self.train("--resume", run, "--iterations", "6", "--learning-rate", "0.1")
        #expect(changed.status == 0, "\(changed.errors)")
        #expect(
            changed.errors.contains(
                "resumed at step 4 of 6.\nwarning: changed: iterations 4 -> 6\nwarning: changed: learning-rate 0.01 -> 0.1\n"
            ),
            "\(changed.errors)"
        )
        #expect(try Data(contentsOf: URL(filePath: run + "/recipe-until-step-4.yaml")) == before)
        let refused = try Self.train("--resume", run, "--architecture", "segnet-basic", "--seed", "2")
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains(
                "cannot go on after these changes: architecture bayesian-segnet-basic -> segnet-basic (the checkpoint holds the weights of "
                    + "the other network); seed 1 -> 2 ("
            ),
            "\(refused.errors)"
        )
    }

    @Test("says what was edited in the folder's recipe")
    func edited() throws {
        let scratch = try ScratchFolder()
        try Self.recipe(scratch, iterations: 4)
        let run = scratch("run")
        #expect(try Self.train("--config", scratch("recipe.yaml"), "--output", run).status == 0)
        let file = URL(filePath: run + "/recipe.yaml")
        let before = try String(contentsOf: file, encoding: .utf8)
        func edit(_ old: String, _ new: String) throws {
            #expect(before.contains("\n\(old)\n"), "\(before)")
            try Data(before.replacing("\n\(old)\n", with: "\n\(new)\n").utf8).write(to: file)
        }
        try edit("seed: 1", "seed: 2")
        let refused = try Self.train("--resume", run)
        #expect(refused.status == 1 && refused.errors.contains("after this change: seed 1 -> 2 ("), "\(refused.errors)")
        try edit("iterations: 4", "iterations: 5")
        let changed = try Self.train("--resume", run)
        #expect(
            changed.status == 0
                && changed.errors.contains("resumed at step 4 of 5.\nwarning: changed: iterations 4 -> 5\n"),
            "\(changed.errors)"
        )
        #expect(try String(contentsOfFile: run + "/recipe-until-step-4.yaml", encoding: .utf8) == before)
    }

    @Test("says what is missing, and where two folders are named")
    func mistakes() throws {
        let scratch = try ScratchFolder()
        let none = segnet("train", "--resume", scratch("none"))
        #expect(none.exitCode == 1)
        #expect(
            none.errors.contains(
                "\(scratch("none")): there is no such folder; check the path, or begin a new training with --output."
            ),
            "\(none.errors)"
        )
        try FileManager.default.createDirectory(atPath: scratch("empty"), withIntermediateDirectories: true)
        #expect(
            segnet("train", "--resume", scratch("empty")).errors.contains(
                "\(scratch("empty")): holds no last.checkpoint, so there is no training to resume; check the path, put the checkpoint back, "
                    + "or begin a new training with --output."
            )
        )
        try scratch.write("", "run/last.checkpoint")
        let file = segnet("train", "--resume", scratch("run/last.checkpoint"))
        #expect(
            file.exitCode == 1
                && file.errors.contains(
                    "\(scratch("run/last.checkpoint")): is a file; give the run's folder, '--resume \(scratch("run"))'."
                ),
            "\(file.errors)"
        )
        let from = segnet("train", "--resume", scratch("run"), "--from", "segnet-streets")
        #expect(
            from.exitCode == 64
                && from.errors.contains(
                    "Please leave '--from' out: '--resume \(scratch("run"))' continues with that run's own weights and recipe."
                ),
            "\(from.errors)"
        )
        try scratch.write("dataset: folder\ndata: mine here\n", "run/recipe.yaml")
        try scratch.write("dataset: camvid\n", "other.yaml")
        let other = segnet("train", "--resume", scratch("run"), "--config", scratch("other.yaml"))
        #expect(
            other.exitCode == 1
                && other.errors.contains(
                    "\(scratch("other.yaml")): takes the place of the run's own recipe, which learns from mine here, but names no data itself; "
                        + "leave --config out, or give '--dataset folder --data 'mine here'' too."
                ),
            "\(other.errors)"
        )
        try FileManager.default.removeItem(atPath: scratch("run/recipe.yaml"))
        #expect(mkfifo(scratch("run/recipe.yaml"), 0o600) == 0)
        let pipe = segnet("train", "--resume", scratch("run"))
        #expect(
            pipe.exitCode == 1
                && pipe.errors.contains(
                    "\(scratch("run/recipe.yaml")): is a pipe or a device, but a training needs a file there; move it away, or give "
                        + "another output folder (--output)."
                ),
            "\(pipe.errors)"
        )
        let two = segnet("train", "--resume", "a", "--output", "b")
        #expect(
            two.exitCode == 64
                && two.errors.contains("'--resume a' and '--output b' name two folders; give '--resume a' alone.")
        )
        let missing = segnet("train", "--config", "r.yaml", "--resume")
        #expect(
            missing.exitCode == 64
                && missing.errors.contains(
                    "Please name the run's folder: '--output FOLDER', or '--resume FOLDER' to continue one."
                ),
            "\(missing.errors)"
        )
    }

    @Test("a folder in which a training has begun and not saved yet is not called empty")
    func notSavedYet() throws {
        let scratch = try ScratchFolder()
        try scratch.write("", "run/x")
        let result = segnet("train", "--resume", scratch("run"))
        #expect(result.errors.contains("so there is no training to resume"), "\(result.errors)")
        #expect(scratch.files("run") == ["x"])
        let lock = try RunLock(URL(filePath: scratch("run")))
        let taken = segnet("train", "--resume", scratch("run"))
        #expect(taken.errors.contains("this process trains in the folder already"), "\(taken.errors)")
        _ = lock
    }

    @Test("and a training in the same folder at the same time: the second is refused with the first one's number")
    func twoProcesses() throws {
        let scratch = try ScratchFolder()
        try Self.recipe(scratch, iterations: 100_000)
        let run = scratch("run")
        let (first, errors) = Self.process(["--config", scratch("recipe.yaml"), "--output", run])
        try first.run()
        let checkpoint = URL(filePath: run + "/last.checkpoint")
        while first.isRunning, (try? Checkpoint.progress(checkpoint)) == nil { Thread.sleep(forTimeInterval: 0.02) }
        let log = try Data(contentsOf: URL(filePath: run + "/recipe.yaml"))
        let second = try Self.train("--resume", run, "--learning-rate", "0.5")
        #expect(second.status == 1)
        #expect(
            second.errors.contains(
                "\(run): process \(first.processIdentifier) trains in this folder; wait for its end, stop it "
                    + "('kill \(first.processIdentifier)' lets it save), or give another output folder (--output)."
            ),
            "\(second.errors)"
        )
        #expect(try Data(contentsOf: URL(filePath: run + "/recipe.yaml")) == log)
        // The lock dies with its process, and what it was writing goes with the next one.
        kill(first.processIdentifier, SIGKILL)
        _ = errors.fileHandleForReading.readDataToEndOfFile()
        first.waitUntilExit()
        try Data([1]).write(to: URL(filePath: run + "/.segnet-\(first.processIdentifier)-7"))
        let step = try Checkpoint.progress(checkpoint).step
        let third = try Self.train("--resume", run, "--iterations", "\(step)")
        #expect(third.status == 0, "\(third.errors)")
        #expect(!scratch.files("run").contains { $0.contains(".segnet-") }, "\(scratch.files("run"))")
    }
}

@Suite("segnet predict after a kill")
struct LeftoverPredictionTests {
    @Test("removes what the killed one was writing, in every folder that it writes to")
    func leftovers() throws {
        let scratch = try ScratchFolder()
        try scratch.model("model.safetensors")
        try scratch.picture("photos/a.png")
        try scratch.picture("photos/trip/b.png")
        let child = try Process.run(URL(filePath: "/bin/sh"), arguments: ["-c", "exit 0"])
        child.waitUntilExit()
        for folder in ["out", "out/trip"] {
            try scratch.write("half", "\(folder)/.segnet-\(child.processIdentifier)-0")
        }
        let result = segnet(
            "predict",
            scratch("photos"),
            "--model",
            scratch("model.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask"
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(scratch.files("out") == ["a.mask.png", "trip/b.mask.png"])
    }
}
