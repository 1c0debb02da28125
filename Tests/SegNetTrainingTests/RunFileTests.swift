import Foundation
import SegNetPlatform
import Testing

@testable import SegNetTraining

/// A run whose pipe is opened waits until the time limit.
@Suite("A pipe in place of a file of a run", .timeLimit(.minutes(1)))
struct RunFileTests {
    private static let names = [
        "recipe.yaml", "pictures.txt", "log.jsonl", "last.checkpoint", "best.safetensors", "last.safetensors",
        ".lock",
    ]

    private static func message(_ run: RunFolder, _ name: String) -> String {
        "\(run.url.appending(path: name).relativePath): is a pipe or a device, but a training needs a file there; move it away, or give "
            + "another output folder."
    }

    @Test("is refused by name before a training begins", arguments: names)
    func begun(name: String) throws {
        let run = try RunFolder()
        #expect(mkfifo(run.url.appending(path: name).path, 0o600) == 0)
        let recipe = ResumingTests.recipe()
        for resume in [false, true] {
            #expect {
                try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, resume: resume, threads: 1)
            } throws: {
                "\($0)" == Self.message(run, name)
            }
        }
    }

    @Test("is refused by name before a training goes on", arguments: names)
    func resumed(name: String) throws {
        let run = try RunFolder()
        let recipe = ResumingTests.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        try? FileManager.default.removeItem(at: run.url.appending(path: name))
        #expect(mkfifo(run.url.appending(path: name).path, 0o600) == 0)
        #expect {
            try ResumingTests.resumed(recipe, run)
        } throws: {
            "\($0)" == Self.message(run, name)
        }
    }

    @Test("does not keep those waiting who look what is in a folder")
    func looked() throws {
        let run = try RunFolder()
        for name in ["recipe.yaml", "pictures.txt", "log.jsonl"] {
            #expect(mkfifo(run.url.appending(path: name).path, 0o600) == 0)
        }
        #expect(try Trainer.recipe(of: run.url) == nil)
        #expect(TrainingPictures.learnt(in: run.url) == nil)
        #expect(!Trainer.lacksCheckpoint(run.url))
    }
}
