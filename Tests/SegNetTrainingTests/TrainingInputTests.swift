import Foundation
import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("What a network in training reads")
struct TrainingInputTests {
    /// Colours that say nothing, and a depth in 16 bits that tells the classes apart, in steps that 8 bits do not have.
    static func write(to folder: URL, pictures: Int) throws {
        for part in ["rgb", "depth", "labels"] {
            try FileManager.default.createDirectory(at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        try Data("near 0 200 0\nfar 200 0 0\n".utf8).write(to: folder.appending(path: "classes.txt"))
        var random = RandomNumbers(seed: 8)
        var lines = ""
        for number in 0..<pictures {
            let (width, height) = (48, 32)
            let cut = 12 + Int(random.next() % 24)
            var pixels: [UInt8] = []
            var depth: [UInt16] = []
            var ids: [UInt16] = []
            for _ in 0..<height {
                for x in 0..<width {
                    pixels += (0..<3).map { _ in UInt8(100 + random.next() % 40) }
                    depth.append(x < cut ? 1000 : 1100)
                    ids.append(x < cut ? 0 : 1)
                }
            }
            try Image(width: width, height: height, channels: 3, pixels: pixels).write(
                path: folder.path + "/rgb/\(number).png"
            )
            try Plane(width: width, height: height, samples: depth).write(path: folder.path + "/depth/\(number).png")
            try LabelMap(width: width, height: height, ids: ids).write(path: folder.path + "/labels/\(number).png")
            lines += "rgb/\(number).png depth/\(number).png labels/\(number).png\n"
        }
        try Data(lines.utf8).write(to: folder.appending(path: "train.txt"))
    }

    static func recipe(_ folder: RunFolder) throws -> TrainingConfiguration {
        try write(to: folder.url, pictures: 8)
        var recipe = smallRecipe()
        recipe.dataset = .list
        recipe.data = folder.url.path
        recipe.inputs = ["rgb", "depth"]
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.augmentation.flip = true
        return recipe
    }

    @Test("channels in the released nets' order, mean and scale by channel, 16 bits in full")
    func fill() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.mean = [1, 2, 3, 4]
        recipe.scale = [1, 1, 0.5, 10]
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 2)
        let input = trainer.network.input
        #expect(input.channels == ["blue", "green", "red", "depth"])
        #expect(input.mean == [3, 2, 1, 4] && input.scale == [0.5, 1, 1, 10])
        let example = try trainer.dataset.example(trainer.data.sources[0].samples[0])
        let learner = trainer.learner
        try learner.fill(Batch(examples: [example, example], epoch: 0), channels: trainer.dataset.channels)
        for pixel in [0, 47, 700] {
            let expected: [Float] = [
                (Float(example.pixels[3 * pixel + 2]) - 3) * 0.5, Float(example.pixels[3 * pixel + 1]) - 2,
                Float(example.pixels[3 * pixel]) - 1, (Float(example.planes[0][pixel]) / 257 - 4) * 10,
            ]
            #expect(learner.inputValues(picture: 1, pixel: pixel) == expected)
        }
    }

    @Test("depth that 8 bits would lose is learnt, validated and stored with its mean and scale")
    func learns() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.iterations = 60
        recipe.validateEvery = 20
        recipe.average = 0.8
        // 1000 and 1100 of 65535 lie 0.4 of 255 apart.
        recipe.mean = [120, 120, 120, 4]
        recipe.scale = [0.02, 0.02, 0.02, 5]
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 2)
        var last: ValidationReport?
        let result = try trainer.run(observe: { if case .validation(let report) = $0 { last = report } })
        #expect(try #require(last).scores.meanIoU ?? 0 > 0.9)
        let stored = try SafetensorsFile.readModel(try #require(result.last)).network.input
        #expect(stored.channels == ["blue", "green", "red", "depth"])
        #expect(stored.mean == [120, 120, 120, 4] && stored.scale == [0.02, 0.02, 0.02, 5])
    }

    @Test("numbers that do not fit the channels are refused with the channels")
    func refusals() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        func text(_ recipe: TrainingConfiguration) -> String {
            do {
                _ = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
                return "nothing was thrown"
            } catch { return "\(error)" }
        }
        recipe.mean = [1, 2, 3]
        #expect(
            text(recipe)
                == "mean: has 3 numbers, but the inputs have 4 channels; give one number for all, or one each for red, green, blue, depth."
        )
        recipe.mean = [.nan]
        #expect(text(recipe) == "mean, entry 1: needs a finite number; found nan.")
        recipe.mean = nil
        recipe.scale = [1, 1, 0, 1]
        #expect(text(recipe) == "scale, entry 3: needs a finite number other than 0; found 0.0.")
        recipe.scale = nil
        recipe.rates = ["conv1": -1]
        #expect(text(recipe) == "rates.conv1: needs a number of at least 0; found -1.0.")
        recipe.rates = [:]
        recipe.cacheMegabytes = -1
        #expect(text(recipe) == "cache-megabytes: needs a whole number in 0...1000000; found -1.")
    }

    @Test("a run of another mean is not gone on with")
    func resume() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.iterations = 2
        recipe.mean = [7]
        let run = folder.url.appending(path: "run")
        try Trainer(recipe, output: run, threads: 1).run()
        // Settings that are left open are the run's own.
        recipe.mean = nil
        recipe.iterations = 3
        #expect(try Trainer(recipe, output: run, resume: true, threads: 1).network.input.mean == [7, 7, 7, 7])
        recipe.mean = [8]
        #expect {
            try Trainer(recipe, output: run, resume: true, threads: 1)
        } throws: {
            "\($0)".contains("after this change: mean [7.0] -> [8.0] (the network has learnt from other inputs)")
        }
    }

    @Test("settings of a recipe reach the data set: classes, map, ignore, colours")
    func recipe() throws {
        let recipe = try TrainingConfiguration(
            yaml: """
                dataset: folder
                classes: camvid12
                colored: true
                map: {14: Road, Car: 2, 9: void}
                ignore: [30, 31]
                inputs: [gray, depth]
                mean: [100, 3.5]
                scale: [0.5, 2]
                cache-megabytes: 64
                """,
            file: "recipe.yaml"
        )
        #expect(recipe.map == ["14": "Road", "Car": "2", "9": "void"])
        #expect(recipe.ignore == [30, 31] && recipe.classes == "camvid12" && recipe.colored)
        #expect(recipe.inputs == ["gray", "depth"] && recipe.mean == [100, 3.5] && recipe.scale == [0.5, 2])
        #expect(recipe.cacheMegabytes == 64)
        #expect(try TrainingConfiguration(yaml: recipe.yaml(), file: "again") == recipe)
    }
}

@Suite("Memory of a training")
struct TrainerMemoryTests {
    @Test(
        "counts decoded pictures, batches made ahead and validation; the cache is as large as is wanted, needed and free"
    )
    func cache() throws {
        var recipe = smallRecipe()
        recipe.cacheMegabytes = 1
        let folder = try RunFolder()
        func trainer(_ name: String, limit: Int? = nil) throws -> Trainer {
            try Trainer(
                recipe,
                dataset: TrainerTests.data(recipe),
                output: folder.url.appending(path: name),
                threads: 1,
                memoryLimit: limit
            )
        }
        // Six streets of 48x32, three bytes and two of the label.
        let all = try trainer("all")
        #expect(all.cacheBytes == 6 * 48 * 32 * 5)
        recipe.cacheMegabytes = 0
        let none = try trainer("none")
        #expect(none.cacheBytes == 0 && none.plannedBytes == all.plannedBytes - all.cacheBytes)
        #expect(none.plannedBytes > none.learner.plan.workspaceBytes(threads: 1))
        // Short of memory, the cache gives way first.
        recipe.cacheMegabytes = 1
        let short = try trainer("short", limit: none.plannedBytes + 1000)
        #expect(short.cacheBytes == 1000 && short.plannedBytes == none.plannedBytes + 1000)
        // Then the batch is too large, and the one that fits is named and does fit.
        let error = #expect(throws: TrainingMemoryError.self) { try trainer("less", limit: none.plannedBytes - 1) }
        let fitting = try #require(error).fittingBatchSize
        #expect(fitting == 1)
        #expect(
            "\(try #require(error))"
                == "a training with batches of 2 pictures of 32x24, and with validation and statistics on whole pictures of 48x32, takes "
                + "\(none.plannedBytes >> 20) MiB, but only \((none.plannedBytes - 1) >> 20) MiB are available; a batch size of 1 would fit."
        )
        recipe.batchSize = fitting
        _ = try trainer("fits", limit: none.plannedBytes - 1)
    }

    @Test("results do not depend on the cache")
    func results() throws {
        var recipe = smallRecipe()
        let (with, without) = (try RunFolder(), try RunFolder())
        _ = try TrainerTests.train(recipe, in: with)
        recipe.cacheMegabytes = 0
        _ = try TrainerTests.train(recipe, in: without)
        #expect(try with.bytes("last.safetensors") == without.bytes("last.safetensors"))
    }
}
