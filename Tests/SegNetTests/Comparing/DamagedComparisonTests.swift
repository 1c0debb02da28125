import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A comparison whose folder was damaged")
struct DamagedComparisonTests {
    /// A trained and scored comparison of one system and another model of it. Its folder goes with it.
    private final class Done {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        let comparison: SystemComparison
        var first: SystemComparison.System { comparison.systems[0] }

        init() throws {
            comparison = try SystemComparisonTests.onFiles(folder)
            try SystemComparisonTests.train(comparison)
            try go()
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        /// What `segnet compare` does after the trainings.
        func go() throws {
            for system in comparison.systems where try comparison.state(of: system) == .trained {
                try comparison.evaluate(system, threads: 1)
                try comparison.measure(system, threads: 1, repetitions: 1)
            }
            _ = try comparison.writePages(threads: 1)
        }

        func file(_ name: String) -> URL { comparison.output.appending(path: "first/\(name)") }

        func remove(_ name: String) throws { try FileManager.default.removeItem(at: file(name)) }

        /// Puts a folder in place of a file.
        func block(_ name: String) throws {
            try? FileManager.default.removeItem(at: file(name))
            try FileManager.default.createDirectory(at: file(name), withIntermediateDirectories: true)
        }

        /// What the user reads.
        func message() -> String {
            do {
                try go()
                return ""
            } catch { return "\(error)" }
        }
    }

    @Test("scores and measures again what cannot be read", arguments: ["", "{\"subject\":", "nothing of the kind"])
    func contents(text: String) throws {
        let done = try Done()
        for name in ["evaluation.json", "measurement.json"] { try Data(text.utf8).write(to: done.file(name)) }
        #expect(done.comparison.scores(of: done.first) == nil)
        #expect(done.message() == "")
        #expect(done.comparison.scores(of: done.first) != nil)
        #expect(done.comparison.measurement(of: done.first, threads: 1) != nil)
    }

    @Test("makes masks and pages again that are gone")
    func masks() throws {
        let done = try Done()
        let mask = try Data(contentsOf: done.file("masks/p0.png"))
        try done.remove("masks")
        #expect(done.comparison.scores(of: done.first) == nil)
        #expect(done.message() == "")
        #expect(try Data(contentsOf: done.file("masks/p0.png")) == mask)
        try done.remove("masks/p1.png")
        #expect(done.message() == "")
        #expect(FileManager.default.fileExists(atPath: done.file("masks/p1.png").path))
    }

    @Test("names a mask that cannot be read, and what to do")
    func damagedMask() throws {
        let done = try Done()
        try Data("no picture".utf8).write(to: done.file("masks/p0.png"))
        let message = done.message()
        #expect(message.contains("/first/masks/p0.png"), "\(message)")
        #expect(
            message.hasSuffix(
                " Remove the folder \(done.file("masks").relativePath), and the same command makes these masks again."
            ),
            "\(message)"
        )
    }

    @Test("names what stands in place of a file or folder")
    func blocked() throws {
        let done = try Done()
        try done.block("evaluation.json")
        #expect(
            done.message().hasPrefix("\(done.file("evaluation.json").relativePath): cannot be put in place ("),
            "\(done.message())"
        )
        try done.remove("evaluation.json")
        try done.remove("masks")
        try Data().write(to: done.file("masks"))
        #expect(
            done.message()
                == "\(done.file("masks").relativePath): the folder cannot be made; check whether a file has that name, and the permissions, or give another "
                + "output folder."
        )
    }

    @Test("is not trained where its last model is gone, which the training writes again")
    func lastModel() throws {
        let done = try Done()
        try done.remove("last.safetensors")
        #expect(try done.comparison.state(of: done.first) == .begun(step: 2, of: 2))
        try SystemComparisonTests.train(done.comparison)
        #expect(try done.comparison.state(of: done.first) == .trained)
        #expect(done.message() == "")
    }

    @Test("is cut off where the checkpoint of an unfinished training is gone, with or without its recipe")
    func checkpoint() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let comparison = try SystemComparison(try SystemComparisonTests.plan(), output: folder)
        let first = comparison.systems[0]
        try SystemComparisonTests.train(comparison, stopping: true)
        try comparison.requireCheckpoints(comparison.systems)
        try FileManager.default.removeItem(at: first.runFolder.appending(path: "last.checkpoint"))
        #expect(try comparison.state(of: first) == .cutOff)
        #expect {
            try comparison.requireCheckpoints(comparison.systems)
        } throws: {
            "\($0)".hasPrefix("First: its training in \(first.runFolder.relativePath) cannot go on, ")
        }
        // Nothing else stops the pages from being written.
        try comparison.requireUnchanged()
        try FileManager.default.removeItem(at: first.runFolder.appending(path: "recipe.yaml"))
        #expect(try comparison.state(of: first) == .cutOff)
        #expect(try comparison.setAside(first).lastPathComponent == "first~1")
        #expect(try comparison.state(of: first) == .missing)
    }

    @Test("is trained without its checkpoint too, once the training is over")
    func finishedCheckpoint() throws {
        let done = try Done()
        try done.remove("last.checkpoint")
        #expect(try done.comparison.state(of: done.first) == .trained)
        #expect(done.message() == "")
    }

    @Test("does not take the last model for the best one that is gone")
    func bestModel() throws {
        let done = try Done()
        try done.remove("best.safetensors")
        #expect(done.comparison.scores(of: done.first) == nil)
        #expect(
            done.message()
                == "\(done.file("best.safetensors").relativePath): is missing, although the training had a best model. Put it back, or rename the "
                + "folder \(done.first.runFolder.relativePath), so that First is retrained."
        )
        try done.block("best.safetensors")
        #expect(
            done.message()
                == "\(done.file("best.safetensors").relativePath): is not a file, so it cannot be the model of First; remove it, and train First "
                + "again."
        )
    }

    @Test("names a recipe that is empty or no recipe, and what to do")
    func recipe() throws {
        let done = try Done()
        let path = done.file("recipe.yaml").relativePath
        let advice =
            " It belongs to the training of First: put it back, or remove it, and the training goes on by the plan."
        try Data().write(to: done.file("recipe.yaml"))
        #expect(done.message() == "\(path): is empty.\(advice)")
        try Data("width: [".utf8).write(to: done.file("recipe.yaml"))
        #expect(done.message().hasPrefix(path) && done.message().hasSuffix(advice), "\(done.message())")
        try done.block("recipe.yaml")
        #expect(done.message() == "\(path): cannot be read.\(advice)")
        try done.remove("recipe.yaml")
        #expect(try done.comparison.state(of: done.first) == .missing)
        try SystemComparisonTests.train(done.comparison)
        #expect(try done.comparison.state(of: done.first) == .trained)
    }
}
