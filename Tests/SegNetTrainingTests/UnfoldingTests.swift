import Foundation
import SegNetData
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("Training that goes on from a finished model")
struct UnfoldingTests {
    /// A finished small SegNet-Basic whose batch normalisation matters: statistics, scales and shifts far from 0 and 1.
    static func finished(_ trainer: Trainer, seed: UInt64 = 3) throws -> Model {
        var model = try trainer.model(averaged: false)
        var random = RandomNumbers(seed: seed)
        func values(_ count: Int, _ range: ClosedRange<Float>) -> [Float] {
            (0..<count).map { _ in range.lowerBound + (range.upperBound - range.lowerBound) * Float(random.uniform()) }
        }
        for name in model.weights.tensors.keys.sorted() {
            guard let tensor = model.weights[name] else { continue }
            let count = tensor.shape.count
            let range: ClosedRange<Float>
            switch name.split(separator: ".").last {
            case "scale": range = 0.2...3
            case "shift", "mean": range = -1...1
            case "variance": range = 0.5...40
            case "bias": range = -0.5...0.5
            default: continue
            }
            model.weights[name] = WeightTensor(shape: tensor.shape, values: values(count, range))
        }
        return model
    }

    static func recipe(classes: Int? = nil) -> TrainingConfiguration {
        var recipe = smallRecipe()
        recipe.average = 0
        recipe.accuracy = .exact
        return recipe
    }

    static func trainer(_ recipe: TrainingConfiguration, _ folder: RunFolder) throws -> Trainer {
        try Trainer(recipe, dataset: TrainerTests.data(recipe), output: folder.url, threads: 2)
    }

    /// The scores of a model for a picture.
    static func scores(_ model: Model, _ trainer: Trainer) throws -> [Float] {
        var options = InferenceOptions()
        options.accuracy = .exact
        let example = try trainer.dataset.example(trainer.data.sources[0].samples[0])
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        let workspace = try Workspace(for: prepared.plan(height: example.height, width: example.width), threads: 1)
        try workspace.fillInput(example, channels: trainer.dataset.channels)
        workspace.plan.run(in: workspace)
        return workspace.planar(model.network.scoresBlob ?? "") ?? []
    }

    @Test(
        "begins with the very function that the model is, whether its statistics are kept or folded",
        arguments: ["kept", "folded into convolutions", "folded into scale and shift"]
    )
    func sameFunction(form: String) throws {
        let folder = try RunFolder()
        let model = try Self.finished(try Self.trainer(Self.recipe(), try RunFolder()))
        var stored = model
        switch form {
        case "folded into convolutions": stored = try model.foldingBatchNormalization()
        case "folded into scale and shift": stored = try Self.scaleAndShift(model)
        default: break
        }
        let file = folder.url.appending(path: "finished.safetensors")
        try SafetensorsFile.write(stored, to: file)
        var recipe = Self.recipe()
        recipe.model = file.path
        let trainer = try Self.trainer(recipe, try RunFolder())
        #expect(trainer.notes.map(\.text).contains { $0.hasPrefix("model: ") && !$0.contains("new:") })
        let expected = try Self.scores(model, trainer)
        let found = try Self.scores(trainer.model(averaged: false), trainer)
        let deviation = (expected.reduce(0) { $0 + $1 * $1 } / Float(expected.count)).squareRoot()
        let greatest = zip(expected, found).map { abs($0 - $1) }.max() ?? .infinity
        #expect(greatest < 1e-3 * deviation, "\(greatest) of \(deviation)")
    }

    @Test(
        "another encoder takes the place of the model's, and the training begins with the function of the two together",
        arguments: [true, false]
    )
    func otherEncoder(isFolded: Bool) throws {
        let folder = try RunFolder()
        let model = try Self.finished(try Self.trainer(Self.recipe(), try RunFolder()))
        let other = try Self.finished(try Self.trainer(Self.recipe(), try RunFolder()), seed: 8)
        let (file, encoder) = (folder.url.appending(path: "a.safetensors"), folder.url.appending(path: "b.safetensors"))
        try SafetensorsFile.write(isFolded ? model.foldingBatchNormalization() : model, to: file)
        try SafetensorsFile.write(isFolded ? other.foldingBatchNormalization() : other, to: encoder)
        var expected = try model.foldingBatchNormalization()
        let source = try other.foldingBatchNormalization().weights
        for layer in expected.network.encoder.map(\.name) {
            for role in [LayerParameter.Role.weight, .bias] { expected.weights[layer, role] = source[layer, role] }
        }
        var recipe = Self.recipe()
        (recipe.model, recipe.encoder) = (file.path, encoder.path)
        let trainer = try Self.trainer(recipe, try RunFolder())
        let note = try #require(trainer.notes.map(\.text).first { $0.hasPrefix("model: ") })
        #expect(note.contains(" In place of its encoder: 4 layers from \(encoder.path)."))
        let (a, b) = (try Self.scores(expected, trainer), try Self.scores(trainer.model(averaged: false), trainer))
        let deviation = (a.reduce(0) { $0 + $1 * $1 } / Float(a.count)).squareRoot()
        let greatest = zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
        #expect(greatest < 1e-3 * deviation, "\(greatest) of \(deviation)")
        #expect(try Self.scores(model, trainer) != a)
    }

    /// The original's INFERENCE form: statistics inside scale and shift.
    static func scaleAndShift(_ model: Model) throws -> Model {
        var model = model
        for index in model.network.layers.indices {
            let name = model.network.layers[index].name
            guard case .batchNormalization(var kind) = model.network.layers[index].operation,
                let scale = model.weights[name, .scale], let shift = model.weights[name, .shift],
                let factors = kind.factors(
                    scale: scale.floats(),
                    shift: shift.floats(),
                    mean: model.weights[name, .mean]?.floats(),
                    variance: model.weights[name, .variance]?.floats()
                )
            else { continue }
            kind.statistics = .folded
            model.network.layers[index].operation = .batchNormalization(kind)
            model.weights[name, .scale] = WeightTensor(shape: scale.shape, values: factors.scale)
            model.weights[name, .shift] = WeightTensor(shape: scale.shape, values: factors.shift)
            model.weights[name, .mean] = nil
            model.weights[name, .variance] = nil
        }
        return model
    }

    @Test("filters that were folded get the size that new ones begin with, frozen ones stay to the bit")
    func sizesOfFilters() throws {
        let folder = try RunFolder()
        let finished = try Self.finished(try Self.trainer(Self.recipe(), try RunFolder())).foldingBatchNormalization()
        let file = folder.url.appending(path: "finished.safetensors")
        try SafetensorsFile.write(finished, to: file)
        var recipe = Self.recipe()
        recipe.model = file.path
        recipe.freeze = ["conv2"]
        let weights = try Self.trainer(recipe, try RunFolder()).model(averaged: false).weights
        func squares(_ weights: Weights, _ layer: String) throws -> [Float] {
            let tensor = try #require(weights[layer, .weight])
            let count = tensor.shape.count / tensor.shape[0]
            let values = tensor.floats()
            return (0..<tensor.shape[0]).map { values[$0 * count..<($0 + 1) * count].reduce(0) { $0 + $1 * $1 } }
        }
        for layer in ["conv1", "conv3", "conv4", "conv_decode4", "conv_decode1"] {
            #expect(try squares(finished.weights, layer).contains { abs($0 - 2) > 0.5 }, "\(layer)")
            #expect(try squares(weights, layer).allSatisfy { abs($0 - 2) < 1e-4 }, "\(layer)")
        }
        #expect(weights["conv2", .weight]?.floats() == finished.weights["conv2", .weight]?.floats())
        // No batch normalisation makes up for the classifier.
        #expect(weights["conv_classifier", .weight]?.floats() == finished.weights["conv_classifier", .weight]?.floats())
    }

    @Test("a layer that the model does not have is new, and what follows it keeps its initial scale")
    func newLayer() throws {
        let folder = try RunFolder()
        var model = try Self.finished(try Self.trainer(Self.recipe(), try RunFolder())).foldingBatchNormalization()
        // As if the model had another third convolution.
        for index in model.network.layers.indices where model.network.layers[index].name == "conv3" {
            model.network.layers[index].name = "other"
        }
        for kind in ["weight", "bias"] {
            model.weights["other.\(kind)"] = model.weights["conv3.\(kind)"]
            model.weights["conv3.\(kind)"] = nil
        }
        let file = folder.url.appending(path: "finished.safetensors")
        try SafetensorsFile.write(model, to: file)
        var recipe = Self.recipe()
        recipe.model = file.path
        let trainer = try Self.trainer(recipe, try RunFolder())
        #expect(
            trainer.notes.map(\.text).contains {
                $0.contains("; new layers: conv3. A finished model no longer has the means")
            }
        )
        let weights = try trainer.model(averaged: false).weights
        #expect(weights["conv2_bn.scale"]?.floats().contains { $0 != 1 } == true)
        for layer in ["conv3_bn", "conv4_bn", "conv_decode1_bn"] {
            #expect(weights[layer, .scale]?.floats().allSatisfy { $0 == 1 } == true, "\(layer)")
            #expect(weights[layer, .shift]?.floats().allSatisfy { $0 == 0 } == true, "\(layer)")
        }
    }
}
