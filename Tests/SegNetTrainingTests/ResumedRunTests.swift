import Foundation
import SegNetData
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

extension RunFolder {
    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    /// Makes the checkpoint one of an earlier version: without a checksum and without these entries of the position.
    func ageCheckpoint(without keys: [String]) throws {
        try Self.ageCheckpoint(url.appending(path: "last.checkpoint"), without: keys)
    }

    static func ageCheckpoint(_ checkpoint: URL, without keys: [String]) throws {
        let file = try SafetensorsFile(checkpoint)
        var metadata = file.metadata
        metadata["checksum"] = nil
        let position = Data((metadata["progress"] ?? "").utf8)
        var fields = try #require(JSONSerialization.jsonObject(with: position) as? [String: Any])
        for key in keys { #expect(fields.removeValue(forKey: key) != nil, "\(key)") }
        metadata["progress"] = String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self)
        try SafetensorsFile.write(file.weights, metadata: metadata, to: checkpoint)
    }
}

@Suite("A resumed training whose recipe was edited in the folder")
struct EditedRecipeTests {
    /// Changes a line of the recipe in the folder.
    private static func edit(_ run: RunFolder, _ old: String, _ new: String) throws -> TrainingConfiguration {
        let text = try run.text("recipe.yaml")
        #expect(text.contains("\(old)\n"), "\(text)")
        try Data(text.replacing("\(old)\n", with: "\(new)\n").utf8).write(to: run.url.appending(path: "recipe.yaml"))
        return try #require(try Trainer.recipe(of: run.url))
    }

    @Test("names what was edited and keeps the recipe by which the steps so far were taken")
    func edited() throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(), in: run, stopAfter: 2)
        let before = try run.bytes("recipe.yaml")
        let recipe = try Self.edit(run, "learning-rate: 0.01", "learning-rate: 0.1")
        let notes = try ResumingTests.resumed(recipe, run).notes.map(\.text)
        #expect(notes.suffix(2) == ["resumed at step 2 of 6.", "changed: learning-rate 0.01 -> 0.1"], "\(notes)")
        #expect(try run.bytes("recipe-until-step-2.yaml") == before)
        // With the next checkpoint the new recipe is that of the run.
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 1)
        #expect(try !ResumingTests.resumed(recipe, run).notes.map(\.text).contains { $0.hasPrefix("changed") })
    }

    @Test(
        "goes by the checkpoint's recipe where the folder's is empty, and writes it again",
        arguments: ["", "# gone\n"]
    )
    func emptied(text: String) throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(), in: run, stopAfter: 2)
        let before = try run.bytes("recipe.yaml")
        try Data(text.utf8).write(to: run.url.appending(path: "recipe.yaml"))
        let recipe = try #require(try Trainer.recipe(of: run.url))
        let notes = try ResumingTests.resumed(recipe, run).notes.map(\.text)
        #expect(!notes.contains { $0.hasPrefix("changed") }, "\(notes)")
        #expect(try run.bytes("recipe.yaml") == before)
    }

    @Test("refuses an edit of what cannot change")
    func refused() throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(), in: run, stopAfter: 2)
        let recipe = try Self.edit(run, "metric: mean-iou", "metric: global-accuracy")
        #expect {
            try ResumingTests.resumed(recipe, run)
        } throws: {
            "\($0)".contains(
                "cannot go on after this change: metric mean-iou -> global-accuracy (the best score so far is of the other kind)"
            )
        }
    }

    @Test("refuses settings that choose the pictures", arguments: [("count", "7"), ("validation-split", "test")])
    func pictures(key: String, value: String) throws {
        let run = try RunFolder()
        var recipe = ResumingTests.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        try recipe.set(key, to: value)
        #expect {
            try ResumingTests.resumed(recipe, run)
        } throws: {
            "\($0)".contains("cannot go on after this change: \(key) ")
                && "\($0)".contains("it chooses the pictures to ")
        }
    }

    @Test("goes by the folder's recipe where the checkpoint is of an earlier version, and adds what it lacks")
    func earlierVersion() throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(), in: run, stopAfter: 2)
        try run.ageCheckpoint(without: ["recipe", "pictures"])
        try FileManager.default.removeItem(at: run.url.appending(path: "pictures.txt"))
        let recipe = try Self.edit(run, "learning-rate: 0.01", "learning-rate: 0.1")
        let notes = try ResumingTests.resumed(recipe, run).notes.map(\.text)
        #expect(notes.last == "resumed at step 2 of 6.", "\(notes)")
        #expect(try TrainerTests.train(recipe, in: run).0.isFinished)
        let progress = try Checkpoint.progress(run.url.appending(path: "last.checkpoint"))
        #expect(try progress.recipe == run.text("recipe.yaml"))
        #expect(progress.pictures?.map(\.count) == [6, 3])
        #expect(try run.text("pictures.txt").hasPrefix("training\t1\tstreet1\n"))
    }

    @Test("refuses a checkpoint whose new entries no training can have")
    func damaged() throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(), in: run, stopAfter: 2)
        var progress = try Checkpoint.progress(run.url.appending(path: "last.checkpoint"))
        #expect(progress.problem == nil)
        progress.pictures?[0].count = -1
        #expect(progress.problem == "'pictures' has -1 of data set 1")
        progress.pictures?[0].count = 6
        progress.recipe = String(repeating: "#", count: 16 << 20 + 1)
        #expect(progress.problem?.hasPrefix("'recipe' has ") == true)
    }
}

@Suite("A resumed training whose pictures have changed")
struct ChangedPicturesTests {
    /// A training of two steps on files.
    fileprivate struct Begun {
        let folder: RunFolder
        var recipe: TrainingConfiguration
        var run: URL { folder.url.appending(path: "run") }

        init() throws {
            folder = try RunFolder()
            let data = folder.url.appending(path: "data")
            try TwoClasses.write(to: data, pictures: 6)
            recipe = ResumingTests.recipe()
            recipe.dataset = .folder
            recipe.data = data.path
            recipe.size = nil
            var steps = 0
            try Trainer(recipe, output: run, threads: 1).run(
                shouldStop: { steps >= 2 },
                observe: { if case .step = $0 { steps += 1 } }
            )
        }

        func add(_ name: String) throws {
            for part in ["images", "labels"] {
                let data = URL(filePath: recipe.data).appending(path: part)
                try FileManager.default.copyItem(
                    at: data.appending(path: "picture0.png"),
                    to: data.appending(path: "\(name).png")
                )
            }
        }

        func age(without keys: [String]) throws {
            try RunFolder.ageCheckpoint(run.appending(path: "last.checkpoint"), without: keys)
        }

        func remove(_ name: String) throws {
            for part in ["images", "labels"] {
                try FileManager.default.removeItem(atPath: "\(recipe.data)/\(part)/\(name).png")
            }
        }

        /// What a trainer says that goes on.
        func error() -> String {
            do {
                _ = try Trainer(recipe, output: run, resume: true, threads: 1)
                return ""
            } catch { return "\(error)" }
        }
    }

    private static let start =
        ": the pictures have changed since the training there began, so it might be validated on pictures that it has learnt from, or see some "
        + "twice and others never: data set 'data': "

    @Test("is refused with both counts and the names, and goes on when they are as they were")
    func added() throws {
        let begun = try Begun()
        #expect(begun.error() == "")
        try begun.add("a")
        #expect(
            begun.error()
                == "\(begun.run.relativePath)\(Self.start)5 training pictures then, 6 now (new: 'a'). Put the pictures back as they were, or begin "
                + "a new run in another output folder."
        )
        try begun.remove("a")
        #expect(begun.error() == "")
    }

    @Test("names pictures that came into the other list, and the best model so far")
    func moved() throws {
        let begun = try Begun()
        try begun.add("picture9")
        let run = begun.run
        try Data().write(to: run.appending(path: "best.safetensors"))
        #expect(
            begun.error()
                == "\(run.relativePath)\(Self.start)5 training pictures then, 6 now (new: 'picture5'); data set 'data': 1 validation picture then, "
                + "1 now (new: 'picture9'; gone: 'picture5'). Put the pictures back as they were, or begin a new run in another output folder "
                + "from \(run.relativePath)/best.safetensors, the best model so far, as the model file."
        )
    }

    @Test("is refused also without the file of the names")
    func withoutNames() throws {
        let begun = try Begun()
        try FileManager.default.removeItem(at: begun.run.appending(path: "pictures.txt"))
        try begun.add("a")
        try begun.remove("picture0")
        #expect(begun.error().contains("5 training pictures then, 5 now (others, or in another order). Put"))
    }

    @Test("may lie in another folder")
    func otherFolder() throws {
        var begun = try Begun()
        let elsewhere = begun.folder.url.appending(path: "elsewhere")
        try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            at: URL(filePath: begun.recipe.data),
            to: elsewhere.appending(path: "data")
        )
        begun.recipe.data = elsewhere.appending(path: "data").path
        #expect(begun.error() == "")
    }
}

@Suite("A resumed training whose class table has changed")
struct ChangedClassesTests {
    /// What a training of grass and ball says of another table.
    private static func error(_ table: String, checkpointAge isOld: Bool = false) throws -> (error: String, run: String)
    {
        let begun = try ChangedPicturesTests.Begun()
        if isOld { try begun.age(without: ["classes"]) }
        try Data(table.utf8).write(to: URL(filePath: begun.recipe.data).appending(path: "classes.txt"))
        return (begun.error(), begun.run.relativePath)
    }

    @Test(
        "is refused with the first class that differs",
        arguments: [
            ("ball\ngrass\n", "class 0 was 'grass' and is 'ball' now"),
            ("grass\nsphere\n", "class 1 was 'ball' and is 'sphere' now"),
            ("grass\nball\nsky\n", "class 2, 'sky', is new"),
        ]
    )
    func refused(table: String, change: String) throws {
        let (error, run) = try Self.error(table)
        #expect(
            error
                == "\(run): the class table has changed since the training there began: \(change). Put it back as it was, or begin a "
                + "new run in another output folder."
        )
    }

    @Test("may have other colours; a checkpoint of an earlier version does not know the names")
    func accepted() throws {
        #expect(try Self.error("grass 1 2 3\nball 4 5 6\n").error == "")
        #expect(try Self.error("ball\ngrass\n", checkpointAge: true).error == "")
        #expect(throws: Never.self) { try Trainer.requireClasses(["a", "b"], ["a", "b"], in: URL(filePath: "run")) }
        #expect {
            try Trainer.requireClasses(["a", "b"], ["a"], in: URL(filePath: "run"))
        } throws: {
            "\($0)".contains("began: class 1, 'b', is gone. ")
        }
    }
}

@Suite("A training that was finished")
struct FinishedTrainingTests {
    private static let models = ["best.safetensors", "last.safetensors"]

    private static func store(in run: RunFolder) throws {
        for name in models { try SafetensorsFile.store(denseCRF: "3,8,30", in: run.url.appending(path: name)) }
    }

    private static func storedCRF(_ run: RunFolder) throws -> [String?] {
        try models.map { try SafetensorsFile.readModel(run.url.appending(path: $0)).metadata.denseCRF }
    }

    @Test("leaves its models alone when it is resumed, with the dense CRF that was stored in them")
    func resumed() throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(2), in: run)
        try Self.store(in: run)
        let before = try Self.models.map { try run.bytes($0) }
        let (result, events) = try TrainerTests.train(ResumingTests.recipe(2), in: run)
        #expect(result.isFinished && result.best != nil && result.last != nil)
        #expect(try Self.models.map { try run.bytes($0) } == before)
        let notes = events.compactMap { if case .note(let note) = $0 { note.text } else { nil } }
        #expect(notes == ["the training was already finished; its models stay as they are."])
    }

    @Test("keeps the dense CRF of a model whose numbers stay, and not that of one that has learnt more")
    func changed() throws {
        let run = try RunFolder()
        var recipe = ResumingTests.recipe(2)
        _ = try TrainerTests.train(recipe, in: run)
        try Self.store(in: run)
        // Written anew with the same numbers.
        recipe.learningRate = 0.02
        _ = try TrainerTests.train(recipe, in: run)
        #expect(try Self.storedCRF(run) == ["3,8,30", "3,8,30"])
        // The changed recipe is the run's own from then on.
        let (_, events) = try TrainerTests.train(recipe, in: run)
        let notes = events.compactMap { if case .note(let note) = $0 { note.text } else { nil } }
        #expect(notes == ["the training was already finished; its models stay as they are."])
        recipe.iterations = 3
        _ = try TrainerTests.train(recipe, in: run)
        #expect(try Self.storedCRF(run)[1] == nil)
    }

    @Test("writes models that are missing")
    func missing() throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(2), in: run)
        let last = try run.bytes("last.safetensors")
        try FileManager.default.removeItem(at: run.url.appending(path: "last.safetensors"))
        _ = try TrainerTests.train(ResumingTests.recipe(2), in: run)
        #expect(try run.bytes("last.safetensors") == last)
        try FileManager.default.removeItem(at: run.url.appending(path: "best.safetensors"))
        #expect(try TrainerTests.train(ResumingTests.recipe(2), in: run).0.best != nil)
        // The best one is that of the last step here.
        #expect(try run.bytes("best.safetensors") == last)
        var recipe = ResumingTests.recipe(4)
        recipe.learningRate = 1e-12
        _ = try TrainerTests.train(recipe, in: run)
        try FileManager.default.removeItem(at: run.url.appending(path: "best.safetensors"))
        let result = try TrainerTests.train(recipe, in: run).0
        #expect((result.best == nil) == (result.missingBestStep != nil))
        #expect(result.missingBestStep.map { $0 < 4 } ?? true)
    }

    @Test("does not take an old file for the best model of a training without a validation")
    func foreignBest() throws {
        let run = try RunFolder()
        var recipe = ResumingTests.recipe(2)
        recipe.validationSplit = "none"
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 1)
        try Data("of another training".utf8).write(to: run.url.appending(path: "best.safetensors"))
        let result = try TrainerTests.train(recipe, in: run).0
        #expect(result.isFinished && result.best == nil && result.last != nil)
    }
}

@Suite("A folder that an earlier training has left without its checkpoint")
struct LostCheckpointTests {
    private static func error(_ run: RunFolder, resume: Bool) -> String {
        do {
            let recipe = ResumingTests.recipe(2)
            _ = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, resume: resume, threads: 1)
            return ""
        } catch { return "\(error)" }
    }

    private static func message(_ run: RunFolder, _ names: String) -> String {
        "\(run.url.relativePath): holds \(names) of an earlier training, but no last.checkpoint to continue it from, and a new "
            + "training would overwrite them; put the checkpoint back, move the files away, or give another output folder."
    }

    @Test("is left as it is, whether the run is to go on or not", arguments: [false, true])
    func finished(resume: Bool) throws {
        let run = try RunFolder()
        _ = try TrainerTests.train(ResumingTests.recipe(2), in: run)
        try FileManager.default.removeItem(at: run.url.appending(path: "last.checkpoint"))
        let files = ["best.safetensors", "last.safetensors", "log.jsonl", "recipe.yaml"]
        let before = try files.map { try run.bytes($0) }
        #expect(
            Self.error(run, resume: resume) == Self.message(run, "best.safetensors, last.safetensors, log.jsonl")
        )
        for name in ["last.safetensors", "best.safetensors"] {
            try FileManager.default.moveItem(
                at: run.url.appending(path: name),
                to: run.url.appending(path: "kept-\(name)")
            )
        }
        #expect(Self.error(run, resume: resume) == Self.message(run, "log.jsonl"))
        #expect(try run.bytes("log.jsonl") == before[2] && run.bytes("recipe.yaml") == before[3])
        try FileManager.default.moveItem(
            at: run.url.appending(path: "kept-best.safetensors"),
            to: run.url.appending(path: "best.safetensors")
        )
        try FileManager.default.removeItem(at: run.url.appending(path: "log.jsonl"))
        #expect(Self.error(run, resume: resume) == Self.message(run, "best.safetensors"))
        #expect(try run.bytes("best.safetensors") == before[0])
    }

    @Test("by a kill before its first checkpoint is begun anew; a model in it only by a run that is to go on")
    func killed() throws {
        let run = try RunFolder()
        let log = run.url.appending(path: "log.jsonl")
        let lines = "{\"kind\":\"start\",\"step\":0}\n{\"kind\":\"step\",\"step\":1}\n"
        try Data("\(lines){\"kind\":\"valid".utf8).write(to: log)
        #expect(Self.error(run, resume: false) == "")
        try Data("\(lines){\"kind\":\"valid".utf8).write(to: log)
        #expect(Self.error(run, resume: true) == "")
        // At the first validation: its model is there, its checkpoint is not.
        try Data("\(lines){\"kind\":\"validation\",\"step\":1}\n".utf8).write(to: log)
        try Data("model".utf8).write(to: run.url.appending(path: "best.safetensors"))
        #expect(Self.error(run, resume: false) == Self.message(run, "best.safetensors, log.jsonl"))
        #expect(Self.error(run, resume: true) == "")
        // A step after a validation had a checkpoint before it.
        try Data("\(lines){\"kind\":\"validation\",\"step\":1}\n{\"kind\":\"step\",\"step\":2}\n".utf8).write(to: log)
        #expect(Self.error(run, resume: true) == Self.message(run, "best.safetensors, log.jsonl"))
    }
}
