import Foundation
import SegNetCPU
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("A picture that is replaced while a training reads it")
struct ReplacedPictureTests {
    /// Trains on files that are read anew for each batch, and changes the third picture at step 5.
    /// - Returns: Its file, the error, and the step that was saved.
    private static func train(
        _ change: (_ image: String, _ label: String) throws -> Void
    ) throws -> (file: String, error: String, saved: Int) {
        let folder = try RunFolder()
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 10)
        var recipe = ResumingTests.recipe(40)
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation.crop = nil
        recipe.cacheMegabytes = 0
        recipe.checkpointMinutes = 1000
        let run = folder.url.appending(path: "run")
        let trainer = try Trainer(recipe, output: run, threads: 1)
        guard case .files(let images, let label) = trainer.data.sources[0].samples[2].source else { return ("", "", 0) }
        var error = ""
        do {
            try trainer.run(observe: {
                if case .step(let report) = $0, report.step == 5 { try? change(images[0], label) }
            })
        } catch let problem { error = "\(problem)" }
        return (images[0], error, try Checkpoint.progress(run.appending(path: "last.checkpoint")).step)
    }

    @Test("by a pipe is an error that names it, where reading would wait for ever")
    func pipe() throws {
        let (file, error, saved) = try Self.train { image, _ in
            #expect(mkfifo(image + ".new", 0o600) == 0)
            #expect(rename(image + ".new", image) == 0)
        }
        #expect(
            error.hasPrefix(
                "\(file): is a pipe or a device; pictures and labels must be files. Put the file back. The training is saved at step \(saved) "
            ),
            "\(error)"
        )
        #expect(saved >= 5)
    }

    @Test("by one of another size, with its labels, is named after everything was saved")
    func otherSize() throws {
        let (file, error, saved) = try Self.train { image, label in
            let pixels = [UInt8](repeating: 9, count: 3 * 64 * 48)
            try Image(width: 64, height: 48, channels: 3, pixels: pixels).write(path: image + ".new.png")
            try LabelMap(width: 64, height: 48, ids: Array(repeating: 0, count: 64 * 48)).write(
                path: label + ".new.png"
            )
            // At once, so that no batch sees one without the other.
            #expect(rename(image + ".new.png", image) == 0 && rename(label + ".new.png", label) == 0)
        }
        #expect(
            error.hasPrefix(
                "\(file): is 64x48 now; the pictures were 48x32 when the training began, and pictures of different sizes cannot share a batch. Put "
                    + "it and its labels back as they were. The training is saved at step \(saved) "
            ),
            "\(error)"
        )
        #expect(saved >= 5)
    }
}

@Suite("A new training in a folder that has a recipe")
struct EarlierRecipeTests {
    private static func begin(_ recipe: TrainingConfiguration, _ run: RunFolder) throws -> [String] {
        try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, resume: false, threads: 1).notes.map(
            \.text
        )
    }

    @Test("keeps it under another name, and says so; one that it would write again is left")
    func kept() throws {
        let run = try RunFolder()
        var recipe = ResumingTests.recipe(2)
        let file = run.url.appending(path: "recipe.yaml")
        let own = Data("# Why this rate: docs/notes.txt\n\(try recipe.yaml())".utf8)
        try own.write(to: file)
        let note = "\(file.relativePath) was there already; it is kept as recipe~1.yaml."
        #expect(try Self.begin(recipe, run).contains(note))
        #expect(try run.bytes("recipe~1.yaml") == own)
        let written = try run.bytes("recipe.yaml")
        #expect(written != own)
        // Begun anew before the first checkpoint.
        #expect(try !Self.begin(recipe, run).contains { $0.contains("kept as") })
        #expect(try run.bytes("recipe.yaml") == written)
        recipe.learningRate = 0.02
        #expect(try Self.begin(recipe, run).contains(note.replacing("~1", with: "~2")))
        #expect(try run.bytes("recipe~1.yaml") == own && run.bytes("recipe~2.yaml") == written)
    }
}

@Suite("A new training in a folder with a list of pictures")
struct OwnListTests {
    @Test("does not replace it where it is somebody's own", arguments: [false, true])
    func ownList(resume: Bool) throws {
        let run = try RunFolder()
        let recipe = ResumingTests.recipe(2)
        let list = run.url.appending(path: "pictures.txt")
        func begin() throws {
            _ = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, resume: resume, threads: 1)
        }
        try Data("a.jpg\nb.jpg\n".utf8).write(to: list)
        #expect {
            try begin()
        } throws: {
            "\($0)"
                == "\(run.url.relativePath): holds a pictures.txt that does not list a training's pictures, and a training would "
                + "overwrite it; move it away, or give another output folder."
        }
        #expect(try run.bytes("pictures.txt") == Data("a.jpg\nb.jpg\n".utf8))
        // Empty, or of a training that ended before its first checkpoint.
        try Data().write(to: list)
        try begin()
        try begin()
    }
}

@Suite("A resumed training that finds other numbers behind the same recipe")
struct ChangedContentsTests {
    private static func changes(_ recipe: TrainingConfiguration, _ run: RunFolder, _ set: InstructionSet? = nil) throws
        -> [String]
    {
        let trainer = try Trainer(
            recipe,
            dataset: TrainerTests.data(recipe),
            output: run.url,
            resume: true,
            threads: 1,
            instructionSet: set
        )
        return trainer.notes.map(\.text).filter { $0.hasPrefix("changed") }
    }

    @Test("names a teacher and class weights that were replaced under their names")
    func files() throws {
        let (teacher, run) = (try RunFolder(), try RunFolder())
        var recipe = ResumingTests.recipe(2)
        _ = try TrainerTests.train(recipe, in: teacher)
        let (model, weights) = (teacher.url.appending(path: "last.safetensors"), run.url.appending(path: "weights.txt"))
        let names = ClassTable.camVid11.classes.map(\.name)
        try Data(names.map { "\($0) 1\n" }.joined().utf8).write(to: weights)
        recipe.iterations = 6
        recipe.teacher = TeacherConfiguration(model: model.path)
        recipe.classWeights = weights.path
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        #expect(try Self.changes(recipe, run) == [])
        try Data(names.map { "\($0) 2\n" }.joined().utf8).write(to: weights)
        try FileManager.default.removeItem(at: model)
        try FileManager.default.copyItem(at: teacher.url.appending(path: "best.safetensors"), to: model)
        try SafetensorsFile.store(denseCRF: "3,8,30", in: model)
        #expect(
            try Self.changes(recipe, run) == [
                "changed: teacher.model: \(model.path) has different contents than at step 2.",
                "changed: class-weights: \(weights.path) has different contents than at step 2.",
            ]
        )
        // A checkpoint of an earlier version does not know them.
        try run.ageCheckpoint(without: ["files", "instructionSet"])
        #expect(try Self.changes(recipe, run) == [])
    }

    @Test("names another instruction set")
    func instructions() throws {
        let run = try RunFolder()
        let recipe = ResumingTests.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        let own = try InstructionSet.chosen()
        #expect(try Self.changes(recipe, run, own) == [])
        for other in InstructionSet.available where other != own {
            #expect(
                try Self.changes(recipe, run, other) == [
                    "changed: instruction set \(own) -> \(other); numbers are rounded differently from here on."
                ]
            )
        }
    }

    @Test("says that the accuracy of its beginning stays, where the environment asks for another")
    func accuracy() {
        var recipe = ResumingTests.recipe()
        recipe.accuracy = .fast
        #expect(recipe.unusedAccuracy(nil) == nil && recipe.unusedAccuracy(.fast) == nil)
        #expect(
            recipe.unusedAccuracy(.accurate)
                == "SEGNET_ACCURACY accurate is not used: the training keeps the accuracy with which it began, fast, unless its recipe is changed."
        )
    }
}
