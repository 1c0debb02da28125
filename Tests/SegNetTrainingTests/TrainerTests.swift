import Foundation
import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// A folder that is removed with the last test that holds it.
final class RunFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "segnet-run-\(UInt64.random(in: 0 ... .max))")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }
}

/// A small recipe on rendered streets: seconds.
func smallRecipe() -> TrainingConfiguration {
    var recipe = TrainingConfiguration()
    recipe.width = 0.25
    recipe.dataset = .synthetic
    recipe.count = 6
    recipe.size = PictureSize(width: 48, height: 32)
    recipe.batchSize = 2
    recipe.iterations = 8
    recipe.learningRate = 0.01
    recipe.schedule = Schedule(.oneCycle)
    recipe.optimizer = OptimizerConfiguration(.adamw, weightDecay: 0.01)
    recipe.average = 0.9
    recipe.augmentation.flip = true
    recipe.augmentation.scale = [0.8, 1.4]
    recipe.augmentation.crop = PictureSize(width: 32, height: 24)
    recipe.augmentation.brightness = 0.2
    recipe.validateEvery = 1
    return recipe
}

@Suite("The trainer")
struct TrainerTests {
    /// Half of the validation streets are enough.
    static func data(_ recipe: TrainingConfiguration) throws -> Dataset {
        var dataset = try Trainer.dataset(recipe)
        dataset.splits["val"] = Array(try dataset.samples(of: "val").prefix(3))
        return dataset
    }

    static func train(
        _ recipe: TrainingConfiguration,
        in folder: RunFolder,
        stopAfter: Int = .max,
        threads: Int = 2
    ) throws -> (TrainingResult, [Trainer.Event]) {
        let trainer = try Trainer(
            recipe,
            dataset: data(recipe),
            output: folder.url,
            resume: Trainer.hasCheckpoint(folder.url),
            threads: threads
        )
        var events: [Trainer.Event] = []
        var steps = 0
        let result = try trainer.run(shouldStop: { steps >= stopAfter }) { event in
            if case .step = event { steps += 1 }
            events.append(event)
        }
        return (result, events)
    }

    @Test(
        "a run that was stopped and resumed ends bit for bit as one that was not, with any number of threads",
        arguments: [1, 3, 7]
    )
    func resume(stop: Int) throws {
        let recipe = smallRecipe()
        let (whole, parts) = (try RunFolder(), try RunFolder())
        #expect(try Self.train(recipe, in: whole).0.isFinished)
        #expect(try !Self.train(recipe, in: parts, stopAfter: stop, threads: 1).0.isFinished)
        #expect(try Self.train(recipe, in: parts).0.isFinished)
        #expect(try whole.bytes("last.safetensors") == parts.bytes("last.safetensors"))
        #expect(try whole.bytes("best.safetensors") == parts.bytes("best.safetensors"))
        // The log has each step once.
        let lines = String(decoding: try parts.bytes("log.jsonl"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count { $0.contains("\"kind\":\"step\"") } == 8)
    }

    @Test("a run that is stopped tells the best model so far, if there is one")
    func stoppedBest() throws {
        let recipe = smallRecipe()
        let run = try RunFolder()
        // The first validation comes after three steps.
        let early = try Self.train(recipe, in: run, stopAfter: 2).0
        #expect(!early.isFinished && early.best == nil && early.missingBestStep == nil && early.last == nil)
        let later = try Self.train(recipe, in: run, stopAfter: 2).0
        let best = run.url.appending(path: "best.safetensors")
        #expect(!later.isFinished && later.best?.path == best.path && later.missingBestStep == nil && later.last == nil)
        try FileManager.default.removeItem(at: best)
        let missing = try Self.train(recipe, in: run, stopAfter: 1).0
        #expect(!missing.isFinished && missing.best == nil && missing.missingBestStep == 3 && missing.last == nil)
    }

    @Test("the same for SGD without an average, accumulating batches")
    func resumeSGD() throws {
        var recipe = smallRecipe()
        recipe.optimizer = OptimizerConfiguration(.sgd)
        recipe.average = 0
        recipe.accumulate = 2
        recipe.iterations = 4
        let (whole, parts) = (try RunFolder(), try RunFolder())
        _ = try Self.train(recipe, in: whole)
        _ = try Self.train(recipe, in: parts, stopAfter: 2)
        _ = try Self.train(recipe, in: parts)
        #expect(try whole.bytes("last.safetensors") == parts.bytes("last.safetensors"))
    }

    @Test("learns two classes from files of its user, labels as numbers or painted", arguments: [false, true])
    func learns(colored: Bool) throws {
        let folder = try RunFolder()
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 12, isColored: colored)
        var recipe = smallRecipe()
        recipe.colored = colored
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.augmentation.flip = true
        recipe.iterations = 60
        recipe.validateEvery = 10
        recipe.average = 0.8
        let run = try RunFolder()
        let trainer = try Trainer(recipe, output: run.url, threads: 2)
        var last: ValidationReport?
        let result = try trainer.run(observe: { if case .validation(let report) = $0 { last = report } })
        let scores = try #require(last).scores
        #expect((scores.meanIoU ?? 0) > 0.8, "\(scores)")
        // The model's own statistics serve as well as the trainer's.
        let model = try SafetensorsFile.readModel(try #require(result.last))
        #expect(model.metadata.classNames == ["grass", "ball"])
        let matrix = try Trainer.score(
            model,
            trainer.dataset,
            trainer.validationItems.map(\.sample),
            options: InferenceOptions(),
            threads: 2
        )
        #expect(Double(matrix[0, 0] + matrix[1, 1]) / Double(matrix.counts.reduce(0, +)) > 0.9)
    }

    @Test("validates with statistics as the finished model has them, since running ones lag behind quick steps")
    func validationStatistics() throws {
        let folder = try RunFolder()
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 12)
        var recipe = smallRecipe()
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.average = 0
        recipe.optimizer = OptimizerConfiguration(.sgd)
        recipe.learningRate = 0.1
        recipe.iterations = 6
        func run(_ rule: TrainingConfiguration.StatisticsRule) throws -> (
            validated: ConfusionMatrix, finished: ConfusionMatrix
        ) {
            recipe.statistics = rule
            let output = try RunFolder()
            let trainer = try Trainer(recipe, output: output.url, threads: 2)
            var last: ValidationReport?
            let result = try trainer.run(observe: { if case .validation(let report) = $0 { last = report } })
            let finished = try Trainer.score(
                try SafetensorsFile.readModel(try #require(result.last)),
                trainer.dataset,
                trainer.validationItems.map(\.sample),
                options: trainer.parameters.options.inference,
                threads: 2
            )
            let report = try #require(last)
            #expect(report.step == 6)
            return (report.matrix, finished)
        }
        let exact = try run(.exact)
        #expect(exact.validated == exact.finished)
        let running = try run(.running)
        #expect(running.validated == running.finished && running.validated != exact.validated)
        // The running statistics are not those of averaged weights.
        recipe.average = 0.9
        let averaged = try run(.running)
        #expect(averaged.validated == averaged.finished)
    }

    @Test("a batch without a labelled pixel changes nothing and is said")
    func unlabelled() throws {
        let folder = try RunFolder()
        // One picture of ten can be learnt from; the first batch has it not.
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 10, isLabelled: false)
        let ids = (0..<48 * 32).map { UInt16($0 % 2) }
        try LabelMap(width: 48, height: 32, ids: ids).write(to: folder.url.appending(path: "data/labels/picture0.png"))
        var recipe = smallRecipe()
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.classWeights = "none"
        recipe.iterations = 1
        recipe.statistics = .running
        let run = try RunFolder()
        let trainer = try Trainer(recipe, output: run.url, threads: 1)
        let before = try trainer.parameters.weights()
        var notes: [String] = []
        try trainer.run(observe: { if case .note(let note) = $0 { notes.append(note.text) } })
        #expect(notes.contains("step 1: no pixel of the batch has a label; it changed nothing."))
        for (name, tensor) in try trainer.parameters.weights().tensors {
            #expect(tensor.floats() == before[name]?.floats(), "\(name)")
        }
    }

    @Test("a class that occurs in the truth and is never predicted is named")
    func neverPredicted() throws {
        let folder = try RunFolder()
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 10)
        var recipe = smallRecipe()
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.average = 0
        recipe.iterations = 1
        // Nearly no step, and a classifier that says grass everywhere.
        recipe.learningRate = 1e-12
        let run = try RunFolder()
        let trainer = try Trainer(recipe, output: run.url, threads: 1)
        let range = try #require(trainer.parameters.layout.ranges.first { $0.name == "conv_classifier.bias" })
        trainer.parameters.valueBuffer[range.range.lowerBound] = 1e6
        var reports: [ValidationReport] = []
        try trainer.run(observe: { if case .validation(let report) = $0 { reports.append(report) } })
        #expect(reports.map(\.neverPredicted) == [["ball"]])
        #expect(String(decoding: try run.bytes("log.jsonl"), as: UTF8.self).contains("\"neverPredicted\":[\"ball\"]"))
    }

    @Test(
        "a loss that is not a number stops with the first layer that broke, and what to try",
        arguments: [
            ("conv1.weight", Float.nan, "output in layer 'conv1'"),
            ("conv2_bn.scale", .infinity, "output in layer 'conv2_bn'"),
            ("conv_decode2.weight", 3e38, "output in layer 'conv_decode2'"),
            ("conv_classifier.bias", .nan, "output in layer 'conv_classifier'"),
        ]
    )
    func divergence(parameter: String, value: Float, place: String) throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.iterations = 2
        let trainer = try Trainer(recipe, dataset: Self.data(recipe), output: run.url, threads: 2)
        let range = try #require(
            trainer.parameters.layout.ranges.first { $0.name == parameter },
            "\(trainer.parameters.layout.ranges.map(\.name))"
        )
        for i in range.range { trainer.parameters.valueBuffer[i] = value }
        #expect {
            try trainer.run()
        } throws: {
            "\($0)"
                == "training diverged: the \(place) is not a finite number. Try a lower learning rate, a warm-up, or gradient clipping."
        }
    }

    @Test("a step that diverged leaves the checkpoint and the best model as they were", arguments: [1, 3])
    func divergenceKeepsCheckpoint(validateEvery: Double) throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.count = 2
        _ = try Self.train(recipe, in: run, stopAfter: 2)
        let files = ["last.checkpoint", "best.safetensors"]
        let saved = try files.map { try run.bytes($0) }
        // Beyond float32: the first step makes infinities. A validation follows it, or does not.
        recipe.learningRate = 1e39
        recipe.validateEvery = validateEvery
        let error = #expect(throws: DivergenceError.self) { try Self.train(recipe, in: run) }
        #expect(error?.description.hasSuffix(" The checkpoint of step 2 is kept.") == true)
        #expect(try files.map { try run.bytes($0) } == saved)
    }

    @Test("the log says how many pictures run together and how many make a step, at the start of each session")
    func batchSizes() throws {
        var recipe = smallRecipe()
        recipe.accumulate = 3
        recipe.iterations = 2
        let run = try RunFolder()
        _ = try Self.train(recipe, in: run, stopAfter: 1)
        _ = try Self.train(recipe, in: run)
        let starts = String(decoding: try run.bytes("log.jsonl"), as: UTF8.self).split(separator: "\n")
            .filter { $0.contains("\"kind\":\"start\"") }
        #expect(
            starts
                == [0, 1].map {
                    "{\"accumulate\":3,\"batchSize\":2,\"kind\":\"start\",\"picturesPerStep\":6,\"step\":\($0),\"totalSteps\":2}"
                }.map { $0[...] }
        )
    }

    @Test("frozen layers stay, the others learn")
    func freezing() throws {
        var recipe = smallRecipe()
        recipe.freeze = ["conv1*", "conv2"]
        recipe.iterations = 2
        recipe.statistics = .running
        let run = try RunFolder()
        let trainer = try Trainer(recipe, dataset: Self.data(recipe), output: run.url, threads: 1)
        let before = try trainer.parameters.weights()
        try trainer.run()
        let after = try trainer.parameters.weights()
        for (name, tensor) in after.tensors {
            let isFrozen = name.hasPrefix("conv1") || name.hasPrefix("conv2.")
            // Biases in front of a normalisation have no gradient.
            if name.hasSuffix(".bias"), name != "conv_classifier.bias" { continue }
            #expect((tensor.floats() == before[name]?.floats()) == isFrozen, "\(name)")
        }
    }

    @Test("says what is wrong before the first step")
    func errors() throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.freeze = ["conf1"]
        #expect {
            try Trainer(recipe, dataset: Self.data(recipe), output: run.url)
        } throws: {
            "\($0)" == "freeze: no layer is called 'conf1'. Did you mean 'conv1'? See the network's layers."
        }
        recipe = smallRecipe()
        #expect {
            try Trainer(recipe, dataset: Self.data(recipe), output: run.url, memoryLimit: 400_000)
        } throws: {
            "\($0)".hasPrefix("a training with batches of 2 pictures of 32x24, and with validation")
                && "\($0)".hasSuffix(
                    " MiB, but only 0 MiB are available; not even one picture fits; use a smaller picture size."
                )
        }
        recipe.classWeights = "authors"
        recipe.dataset = .folder
        recipe.data = run.url.path
        #expect {
            try Trainer(recipe, output: run.url)
        } throws: {
            "\($0)".hasPrefix("\(run.url.path): holds no folders images/ and labels/")
        }
    }

    @Test("does not write over a training, and refuses a checkpoint of another network")
    func otherRun() throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.iterations = 1
        _ = try Self.train(recipe, in: run)
        #expect {
            try Trainer(recipe, dataset: Self.data(recipe), output: run.url)
        } throws: {
            "\($0)".contains(
                "already holds a training (last.checkpoint); resume the training, or give another output folder."
            )
        }
        recipe.width = 0.5
        #expect {
            try Trainer(recipe, dataset: Self.data(recipe), output: run.url, resume: true)
        } throws: {
            "\($0)".contains("cannot go on after this change: width 0.25 -> 0.5")
        }
        try Data("nonsense".utf8).write(to: run.url.appending(path: "last.checkpoint"))
        #expect(throws: (any Error).self) {
            try Trainer(smallRecipe(), dataset: Self.data(recipe), output: run.url, resume: true)
        }
    }
}

/// Made-up pictures of a red ball on green grass, labels in colours.
enum TwoClasses {
    static func write(to folder: URL, pictures: Int, isLabelled: Bool = true, isColored: Bool = false) throws {
        for part in ["images", "labels"] {
            try FileManager.default.createDirectory(at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        try Data("grass 0 200 0\nball 200 0 0\n".utf8).write(to: folder.appending(path: "classes.txt"))
        var random = RandomNumbers(seed: 5)
        for number in 0..<pictures {
            let (width, height) = (48, 32)
            let (cx, cy, r) = (10 + random.uniform() * 28, 8 + random.uniform() * 16, 5 + random.uniform() * 6)
            var pixels: [UInt8] = []
            var ids: [UInt16] = []
            for y in 0..<height {
                for x in 0..<width {
                    let (dx, dy) = (Double(x) - cx, Double(y) - cy)
                    let isBall = dx * dx + dy * dy < r * r
                    let noise = Int(random.next() % 40)
                    pixels += isBall ? [UInt8(180 + noise), 60, 50] : [40, UInt8(110 + noise), 60]
                    ids.append(isLabelled ? (isBall ? 1 : 0) : 255)
                }
            }
            let name = "picture\(number).png"
            try Image(width: width, height: height, channels: 3, pixels: pixels)
                .write(to: folder.appending(path: "images/\(name)"))
            let map = try LabelMap(width: width, height: height, ids: ids)
            let label = folder.appending(path: "labels/\(name)")
            if isColored {
                let table = ClassTable(
                    name: "two",
                    classes: [ClassTable.Entry("grass", Color(0, 200, 0)), ClassTable.Entry("ball", Color(200, 0, 0))]
                )
                try map.colored(with: table).write(to: label)
            } else {
                try map.write(to: label)
            }
        }
    }
}
