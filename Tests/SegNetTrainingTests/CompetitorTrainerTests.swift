import Foundation
import SegNetData
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("Training the competitors")
struct CompetitorTrainerTests {
    /// A few steps at a tenth of the width on two rendered streets.
    private static func recipe(_ architecture: Architecture) -> TrainingConfiguration {
        var recipe = TrainingConfiguration()
        recipe.architecture = architecture
        recipe.width = 0.1
        recipe.batchNormalization = true
        recipe.dataset = .synthetic
        recipe.count = 2
        recipe.size =
            architecture == .deconvNet ? PictureSize(width: 208, height: 200) : PictureSize(width: 68, height: 52)
        recipe.batchSize = 2
        recipe.iterations = 12
        recipe.classWeights = "none"
        recipe.learningRate = 0.003
        recipe.optimizer = OptimizerConfiguration(.adamw, weightDecay: 0.01)
        recipe.validateEvery = 100
        recipe.tensorboard = false
        return recipe
    }

    private static func losses(_ folder: RunFolder) throws -> [Double] {
        String(decoding: try folder.bytes("log.jsonl"), as: UTF8.self).split(separator: "\n").compactMap { line in
            guard line.contains("\"kind\":\"step\"") else { return nil }
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["loss"] as? Double
        }
    }

    @Test("each learns: the loss falls", arguments: Architecture.allCases)
    func learns(architecture: Architecture) throws {
        let recipe = Self.recipe(architecture)
        let folder = try RunFolder()
        let result = try TrainerTests.train(recipe, in: folder).0
        #expect(result.isFinished)
        let losses = try Self.losses(folder)
        #expect(losses.count == 12)
        let (start, end) = (losses.prefix(2).reduce(0, +) / 2, losses.suffix(2).reduce(0, +) / 2)
        #expect(end < 0.9 * start, "\(losses)")
        // The finished model is the whole network, at the picture's resolution, with the authors' mean.
        let model = try SafetensorsFile.readModel(folder.url.appending(path: "last.safetensors"))
        let names = architecture.network(classes: 11, options: ArchitectureOptions(batchNormalization: true)).layers
        #expect(model.network.layers.map(\.name) == names.map(\.name))
        #expect(model.network.input.mean == architecture.mean)
        let blob = try #require(model.network.scoresBlob)
        let scores = try #require(model.network.shapes().blobs[blob]).shape
        #expect(PictureSize(width: scores.width, height: scores.height) == recipe.size)
        // Fixed weights stayed bilinear.
        let fixed = architecture.fixedLayers(of: model.network)
        let initial = try Weights.initial(for: model.network, seed: 9, starts: architecture.starts)
        for layer in fixed {
            for name in ["\(layer).weight", "\(layer).scale"] {
                #expect(model.weights[name]?.floats() == initial[name]?.floats())
            }
        }
    }

    @Test("FCN is trained in stages: what a stage adds begins at 0, the rest goes on")
    func stages() throws {
        let (first, second, third) = (try RunFolder(), try RunFolder(), try RunFolder())
        var recipe = Self.recipe(.fcn32s)
        recipe.iterations = 2
        _ = try TrainerTests.train(recipe, in: first)
        recipe.architecture = .fcn16s
        recipe.model = first.url.appending(path: "last.safetensors").path
        let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: second.url)
        let note = try #require(trainer.notes.map(\.text).first { $0.hasPrefix("model: ") })
        #expect(note.hasSuffix("; new layers: score_pool4, upscore16, upscore2."), "\(note)")
        let started = try trainer.parameters.weights()
        let before = try SafetensorsFile.readModel(first.url.appending(path: "last.safetensors"))
        #expect(started["fc6.weight"]?.floats() == before.weights["fc6.weight"]?.floats())
        #expect(started["score_fr.weight"]?.floats() == before.weights["score_fr.weight"]?.floats())
        #expect(started["score_pool4.weight"]?.floats().allSatisfy { $0 == 0 } == true)
        try trainer.run()
        recipe.architecture = .fcn8s
        recipe.model = second.url.appending(path: "last.safetensors").path
        let last = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: third.url)
        #expect(last.notes.map(\.text).contains { $0.hasSuffix("; new layers: score_pool3, upscore8, upscore_pool4.") })
        try last.run()
    }

    @Test("the loss summed over pictures is the mean times the labelled pixels of a picture")
    func summed() throws {
        var recipe = Self.recipe(.fcn8s)
        recipe.iterations = 1
        let (mean, sum) = (try RunFolder(), try RunFolder())
        _ = try TrainerTests.train(recipe, in: mean)
        recipe.lossDivisor = .pictures
        _ = try TrainerTests.train(recipe, in: sum)
        let ratio = try Self.losses(sum)[0] / Self.losses(mean)[0]
        #expect(ratio > 0.8 * 68 * 52 && ratio <= 68 * 52 * 1.0001, "\(ratio)")
    }

    @Test("DeepLab's loss is taken at every eighth pixel, or at every one")
    func resolution() throws {
        var recipe = Self.recipe(.deepLabLargeFOV)
        let folder = try RunFolder()
        let coarse = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: folder.url)
        #expect(coarse.learner.plan.scoreSize == (8, 10))
        #expect(coarse.lossStride == 8)
        let example = try TrainerTests.data(recipe).example(TrainerTests.data(recipe).samples(of: "train")[0])
        let labels = coarse.learner.labels(of: example, stride: 8)
        #expect(labels.count == 80)
        #expect(labels[11] == example.labels[8 * 68 + 8])
        // 52 = 6 * 8 + 4 rows: the eighth row of scores lies beyond the picture.
        #expect(labels[70...].allSatisfy { $0 == Example.ignored })
        recipe.lossResolution = .full
        let full = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: RunFolder().url)
        #expect(full.learner.plan.scoreSize == (52, 68))
    }

    @Test("a teacher speaks at every pixel, which DeepLab's coarse loss does not hear")
    func teacher() throws {
        var recipe = Self.recipe(.deepLabLargeFOV)
        recipe.teacher = TeacherConfiguration(model: "any.safetensors")
        let error = #expect(throws: ConfigurationError.self) {
            try Trainer(recipe, dataset: TrainerTests.data(recipe), output: RunFolder().url)
        }
        #expect(
            error?.description
                == "teacher: teaches scores at every pixel, but the loss of deeplab-largefov is taken at every 8th; "
                + "set loss-resolution to full, or leave the teacher out."
        )
    }

    @Test("the mean is the recipe's, the model's or the authors'")
    func mean() throws {
        var recipe = Self.recipe(.deepLabLargeFOV)
        let folder = try RunFolder()
        let trainer = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: folder.url)
        #expect(trainer.network.input.mean == [104.008, 116.669, 122.675])
        // As people write them, not as the nearest Double of a Float (122.6750030517578).
        #expect(trainer.configuration.mean == [122.675, 116.669, 104.008])
        // What a recipe leaves open is decided once, and saved.
        #expect(try recipe.accuracy == nil && trainer.configuration.accuracy == .chosen())
        // In training as its authors trained, not as they run the released weights.
        let deconvNet = try Self.recipe(.deconvNet).network(classes: 3, channels: .rgb, height: 200, width: 200)
        #expect(deconvNet.input.mean == [104.008, 116.669, 122.675])
        recipe.mean = [0]
        let other = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: RunFolder().url)
        #expect(other.network.input.mean == [0, 0, 0])
    }

    @Test("layers that enlarge maps and are frozen keep random weights, and are said, unless they begin bilinear")
    func frozenUpsampling() throws {
        func warning(_ architecture: Architecture, _ frozen: String, _ upsampling: Architecture.Upsampling) throws
            -> String?
        {
            var recipe = Self.recipe(architecture)
            (recipe.freeze, recipe.upsampling) = ([frozen], upsampling)
            let size = try #require(recipe.size)
            let network = try recipe.network(classes: 3, channels: .rgb, height: size.height, width: size.width)
            return try recipe.checkFrozen(Trainer.parameters(recipe, network, .best), loaded: [])
        }
        let found = try #require(try warning(.deconvNet, "deconv*", .released))
        #expect(found.contains("frozen layers (deconv") && found.contains("will keep random weights"), "\(found)")
        #expect(try warning(.fcn8s, "upscore*", .released) == nil)
        #expect(try warning(.fcn8s, "upscore*", .learnt) == nil)
    }
}
