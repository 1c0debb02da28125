import Foundation
import SegNetCPU
import SegNetData
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("A resumed training")
struct ResumingTests {
    /// Small enough for a second, without a validation on the way.
    static func recipe(_ iterations: Int = 6) -> TrainingConfiguration {
        var recipe = smallRecipe()
        recipe.iterations = iterations
        recipe.validateEvery = 1000
        recipe.tensorboard = false
        recipe.statistics = .running
        return recipe
    }

    static func resumed(_ recipe: TrainingConfiguration, _ run: RunFolder) throws -> Trainer {
        try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, resume: true, threads: 1)
    }

    @Test("names every setting that has changed, takes it, and keeps the recipe of before")
    func changes() throws {
        let run = try RunFolder()
        var recipe = Self.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        let before = try run.bytes("recipe.yaml")
        let same = try Self.resumed(recipe, run).notes
        #expect(
            same == [
                .information("class weights: median frequency over the 11 classes that occur in 6 pictures."),
                .information("resumed at step 2 of 6."),
            ]
        )
        #expect(try run.bytes("recipe.yaml") == before)
        recipe.learningRate = 0.1
        recipe.optimizer.weightDecay = 0.5
        recipe.rates = ["conv1": 0.5]
        recipe.iterations = 9
        recipe.batchSize = 1
        recipe.accumulate = 2
        let changed = try Self.resumed(recipe, run).notes.map(\.description).drop { !$0.hasPrefix("resumed") }
        #expect(
            changed.prefix(7) == [
                "resumed at step 2 of 9.", "warning: changed: rates.conv1 unset -> 0.5",
                "warning: changed: batch-size 2 -> 1", "warning: changed: accumulate 1 -> 2",
                "warning: changed: iterations 6 -> 9", "warning: changed: learning-rate 0.01 -> 0.1",
                "warning: changed: optimizer.weight-decay 0.01 -> 0.5",
            ],
            "\(changed)"
        )
        #expect(try run.bytes("recipe-until-step-2.yaml") == before)
        var saved = recipe
        // Decided when the run began.
        saved.accuracy = try .chosen()
        #expect(try Trainer.recipe(of: run.url) == saved)
        // Changed again before a step: what was used until step 2 stays.
        recipe.learningRate = 0.2
        _ = try Self.resumed(recipe, run)
        #expect(try run.bytes("recipe-until-step-2.yaml") == before)
    }

    @Test(
        "refuses what cannot change, and says why",
        arguments: [
            (
                "architecture", "bayesian-segnet-basic",
                "architecture segnet-basic -> bayesian-segnet-basic (the checkpoint holds the weights of"
            ),
            ("width", "0.5", "width 0.25 -> 0.5 (the checkpoint holds the weights of the other network)"),
            (
                "seed", "7",
                "seed 1 -> 7 (the order of the pictures comes from it, and would show some twice and others never)"
            ),
            (
                "batch-size", "3",
                "batch-size 2 -> 3 (batch-size times accumulate has to stay 2, by which steps count; it would be 3)"
            ),
            (
                "optimizer.kind", "sgd",
                "optimizer.kind adamw -> sgd (the checkpoint holds what the other optimiser remembers)"
            ),
            (
                "augmentation.crop", "32x16",
                "augmentation.crop [32, 24] -> [32, 16] (it sets the size of the pictures that the network trains on)"
            ),
            (
                "metric", "global-accuracy",
                "metric mean-iou -> global-accuracy (the best score so far is of the other kind)"
            ),
            (
                "initialization", "xavier",
                "initialization he -> xavier (it chooses the weights to begin with, and training has begun)"
            ),
        ]
    )
    func refusals(key: String, value: String, message: String) throws {
        let run = try RunFolder()
        var recipe = Self.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        let files = ["recipe.yaml", "log.jsonl", "last.checkpoint"]
        let before = try files.map { try run.bytes($0) }
        try recipe.set(key, to: value)
        #expect {
            try Self.resumed(recipe, run)
        } throws: {
            "\($0)".hasPrefix(
                "\(run.url.relativePath): the training there cannot go on after this change: \(message)"
            )
                && "\($0)".hasSuffix(". Leave it as it was, or begin a new run in another output folder.")
        }
        #expect(try files.map { try run.bytes($0) } == before)
    }

    @Test("refuses another architecture with the same parameters also where the recipe is gone, and says that it is")
    func architectureWithoutRecipe() throws {
        let run = try RunFolder()
        var recipe = Self.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        try FileManager.default.removeItem(at: run.url.appending(path: "recipe.yaml"))
        recipe.architecture = .bayesianSegNetBasic
        #expect {
            try Self.resumed(recipe, run)
        } throws: {
            "\($0)".contains("cannot go on after this change: architecture segnet-basic -> bayesian-segnet-basic")
        }
        // Checkpoints of earlier versions have no recipe.
        try run.ageCheckpoint(without: ["recipe"])
        #expect {
            try Self.resumed(recipe, run)
        } throws: {
            "\($0)".contains(
                "is of a training of segnet-basic 'segnet-basic 11 0.25 32x24', this is one of bayesian-segnet-basic '"
            )
        }
        recipe.architecture = .segNetBasic
        #expect(
            try Self.resumed(recipe, run).notes.contains(
                .warning("\(run.url.relativePath)/recipe.yaml is missing: it is unknown whether settings have changed.")
            )
        )
    }

    @Test("refuses an average that was not kept so far")
    func newAverage() throws {
        let run = try RunFolder()
        var recipe = Self.recipe()
        recipe.average = 0
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        recipe.average = 0.5
        #expect {
            try Self.resumed(recipe, run)
        } throws: {
            "\($0)".contains("average 0.0 -> 0.5 (the checkpoint has no average of the weights)")
        }
    }

    @Test("refuses an end that lies before what was done")
    func earlierEnd() throws {
        let run = try RunFolder()
        var recipe = Self.recipe()
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 4)
        recipe.iterations = 3
        #expect {
            try Self.resumed(recipe, run)
        } throws: {
            "\($0)"
                == "\(run.url.relativePath): the training there has already done 4 steps, more than 'iterations' 3. Give a larger number, or leave "
                + "the setting as it was."
        }
        #expect(try Trainer.recipe(of: run.url)?.iterations == 6)
    }

    @Test("shows the same running score as one without a break")
    func runningScore() throws {
        let (whole, parts) = (try RunFolder(), try RunFolder())
        _ = try TrainerTests.train(Self.recipe(), in: whole)
        _ = try TrainerTests.train(Self.recipe(), in: parts, stopAfter: 2)
        _ = try TrainerTests.train(Self.recipe(), in: parts)
        func scores(_ run: RunFolder) throws -> [String] {
            String(decoding: try run.bytes("log.jsonl"), as: UTF8.self).split(separator: "\n").filter {
                $0.contains("\"kind\":\"step\"")
            }
            .compactMap { $0.firstMatch(of: #/"runningMeanIoU":[0-9.e-]+/#).map { String($0.0) } }
        }
        #expect(try scores(whole).count == 6)
        #expect(try scores(whole) == scores(parts))
    }
}

@Suite("An error in the middle of a training")
struct InterruptedTrainingTests {
    /// Files that are read anew for each batch, a validation every nine steps.
    private static func recipe(_ folder: RunFolder) throws -> TrainingConfiguration {
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 10)
        var recipe = ResumingTests.recipe(20)
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.cacheMegabytes = 0
        recipe.checkpointMinutes = 1000
        recipe.validateEvery = 2
        return recipe
    }

    /// Trains, and takes a file away when a step is done.
    private static func train(_ recipe: TrainingConfiguration, _ run: URL, removing path: String, at step: Int) throws {
        let trainer = try Trainer(recipe, output: run, resume: true, threads: 1)
        try trainer.run(observe: {
            if case .step(let report) = $0, report.step == step {
                try? FileManager.default.moveItem(atPath: path, toPath: path + ".gone")
            }
        })
    }

    private static func message(_ error: any Error, _ name: String, step: Int, _ run: URL) -> Bool {
        "\(error)".contains(name)
            && "\(error)".hasSuffix(
                " The training is saved at step \(step) of 20 (\(run.relativePath)/last.checkpoint): fix this, then resume the training."
            )
    }

    @Test("that lies in the data is told after everything learnt was saved, and the training goes on from there")
    func missingPicture() throws {
        let folder = try RunFolder()
        let recipe = try Self.recipe(folder)
        let (whole, run) = (folder.url.appending(path: "whole"), folder.url.appending(path: "run"))
        let reference = try Trainer(recipe, output: whole, threads: 1)
        try reference.run()
        guard case .files(let images, _) = reference.data.sources[0].samples[2].source else { return }
        var saved = 0
        #expect {
            try Self.train(recipe, run, removing: images[0], at: 5)
        } throws: {
            saved = (try? Checkpoint.progress(run.appending(path: "last.checkpoint")).step) ?? 0
            return Self.message($0, images[0], step: saved, run)
        }
        // A step on the batches that were made before the file was gone.
        #expect(saved >= 5 && saved < 20)
        try FileManager.default.moveItem(atPath: images[0] + ".gone", toPath: images[0])
        try Trainer(recipe, output: run, resume: true, threads: 1).run()
        for name in ["last.safetensors", "best.safetensors"] {
            #expect(
                try Data(contentsOf: whole.appending(path: name)) == Data(contentsOf: run.appending(path: name)),
                "\(name)"
            )
        }
    }

    @Test("between a step and its validation does not lose the validation", arguments: [9, 20])
    func missingValidationPicture(step: Int) throws {
        let folder = try RunFolder()
        let recipe = try Self.recipe(folder)
        let (whole, run) = (folder.url.appending(path: "whole"), folder.url.appending(path: "run"))
        let reference = try Trainer(recipe, output: whole, threads: 1)
        try reference.run()
        guard case .files(let images, _) = reference.validationItems[0].sample.source else { return }
        #expect {
            try Self.train(recipe, run, removing: images[0], at: step)
        } throws: {
            Self.message($0, images[0], step: step, run)
        }
        try FileManager.default.moveItem(atPath: images[0] + ".gone", toPath: images[0])
        try Trainer(recipe, output: run, resume: true, threads: 1).run()
        for name in ["last.safetensors", "best.safetensors"] {
            #expect(
                try Data(contentsOf: whole.appending(path: name)) == Data(contentsOf: run.appending(path: name)),
                "\(name)"
            )
        }
        func validations(_ run: URL) throws -> [Substring] {
            try String(contentsOf: run.appending(path: "log.jsonl"), encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("\"kind\":\"validation\"") }
        }
        #expect(try validations(run) == validations(whole))
    }
}

@Suite("The lock of a run's folder")
struct RunLockTests {
    @Test("lets one trainer in at a time, and names the other")
    func twoTrainers() throws {
        let run = try RunFolder()
        let lock = try #require(try RunLock(run.url))
        #expect {
            try ResumingTests.resumed(ResumingTests.recipe(), run)
        } throws: {
            "\($0)" == "\(run.url.relativePath): this process trains in the folder already; use one trainer at a time."
        }
        withExtendedLifetime(lock) {}
    }

    @Test("is needed: where its file cannot be opened, nobody is let in")
    func unopened() throws {
        let run = try RunFolder()
        let file = run.url.appending(path: RunLock.fileName)
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        #expect {
            try ResumingTests.resumed(ResumingTests.recipe(), run)
        } throws: {
            "\($0)".contains(
                "/.lock: cannot be opened (Is a directory), so nothing would stop another process from working in the folder at the same "
                    + "time; "
            )
        }
    }

    @Test("lets one comparison in at a time, beside no other")
    func twoComparisons() throws {
        let run = try RunFolder()
        let lock = try #require(try RunLock(run.url, for: .comparing))
        #expect {
            _ = try RunLock(run.url, for: .comparing)
        } throws: {
            "\($0)"
                == "\(run.url.relativePath): this process compares in the folder already; use one comparison at a time."
        }
        withExtendedLifetime(lock) {}
    }

    @Test("goes with its holder, and is none where the folder is missing")
    func ends() throws {
        let run = try RunFolder()
        do {
            let lock = try RunLock(run.url)
            #expect(lock != nil)
        }
        #expect(try RunLock(run.url) != nil)
        #expect(try RunLock(run.url.appending(path: "missing")) == nil)
    }
}

@Suite("A training that diverges unseen by its loss")
struct UnseenDivergenceTests {
    @Test(
        "a step whose weights are numbers but whose statistics are not, leaves the checkpoint as it was too",
        arguments: ["val", "none"],
        [TrainingConfiguration.StatisticsRule.exact, .original]
    )
    func divergedStatisticsKeepCheckpoint(split: String, rule: TrainingConfiguration.StatisticsRule) throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.count = 2
        recipe.average = 0
        recipe.iterations = 3
        recipe.schedule = Schedule()
        recipe.validationSplit = split
        recipe.statistics = rule
        _ = try TrainerTests.train(recipe, in: run, stopAfter: 2)
        let files = ["last.checkpoint"] + (split == "val" ? ["best.safetensors"] : [])
        let saved = try files.map { try run.bytes($0) }
        // Weights of 1e30 are numbers; the variance of what they make of pictures is beyond float32.
        recipe.learningRate = 1e30
        let error = #expect(throws: DivergenceError.self) { try TrainerTests.train(recipe, in: run) }
        #expect(
            error?.description
                == "training diverged: the variance in layer 'conv1_bn' is not a finite number. Try a lower learning rate, a warm-up, or "
                + "gradient clipping. The checkpoint of step 2 is kept."
        )
        #expect(try files.map { try run.bytes($0) } == saved)
        // Back to the checkpoint's own recipe: the folder gets that one again.
        recipe.learningRate = 0.01
        #expect(try TrainerTests.train(recipe, in: run).0.isFinished)
        #expect(try Trainer.recipe(of: run.url)?.learningRate == 0.01)
    }

    @Test("running statistics that are not finite are no checkpoint's")
    func divergedRunningStatistics() throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        recipe.iterations = 2
        recipe.validationSplit = "none"
        let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
        trainer.parameters.statistics[1].variance[0] = .infinity
        let error = #expect(throws: DivergenceError.self) { try trainer.saveCheckpoint() }
        #expect(error?.what == "running mean or variance" && error?.layer == trainer.parameters.statistics[1].layer)
    }
}
