import Foundation
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("Channel pruning")
struct ChannelPruningTests {
    private static func network(_ architecture: Architecture, width: Double, classes: Int = 3) -> Network {
        // DeconvNet's seven poolings and windows need 193 pixels.
        let size = architecture == .deconvNet ? 200 : 32
        var options = ArchitectureOptions(input: .bgr255(height: size, width: size + 16), width: width)
        options.fullyConnectedWidth = architecture == .deconvNet ? 64 : nil
        options.statistics = .kept
        return architecture.network(classes: classes, options: options)
    }

    /// Every third channel is read, and some after them: as many as the narrow network has.
    private static func chosen(_ count: Int, of total: Int) -> [Int] {
        let order = (0..<total).filter { $0 % 3 == 1 } + (0..<total).filter { $0 % 3 != 1 }
        return order.prefix(count).sorted()
    }

    /// A wide network of which only as many channels are read as a narrow one has.
    private static func wide(_ architecture: Architecture, like narrow: Network) throws -> Model {
        let network = network(architecture, width: 0.5)
        var weights = try Weights.initial(for: network, seed: 11)
        let parameters = try zip(network.parameters(), narrow.parameters())
        for (wide, narrow) in parameters where wide.parameter.role == .weight {
            guard let tensor = weights[wide.name] else { continue }
            let isTransposed = if case .transposedConvolution = wide.layer.operation { true } else { false }
            let axis = isTransposed ? 0 : 1
            let (total, count) = (tensor.shape[axis], narrow.parameter.shape[axis])
            guard count < total else { continue }
            let read = Set(chosen(count, of: total))
            let inner = tensor.shape.extents[(axis + 1)...].reduce(1, *)
            let values = tensor.floats().enumerated().map { read.contains($0.offset / inner % total) ? $0.element : 0 }
            weights[wide.name] = WeightTensor(shape: tensor.shape, values: values)
        }
        return Model(network: network, weights: weights)
    }

    private static func scores(_ network: Network, _ weights: Weights) throws -> [Float] {
        let prepared = try PreparedNetwork(network, weights: weights, options: InferenceOptions(accuracy: .exact))
        let (height, width) = (network.input.height, network.input.width)
        let workspace = try Workspace(for: prepared.plan(height: height, width: width), threads: 1)
        var random = RandomNumbers(seed: 5)
        for index in 0..<height * width * 3 { workspace.input[index] = Float(random.gaussian()) }
        workspace.plan.run(in: workspace)
        return workspace.planar(network.scoresBlob ?? "") ?? []
    }

    @Test(
        "the channels that nothing reads go, and the network computes the same",
        arguments: [
            Architecture.segNet, .segNetBasic, .segNetBasicEncoderAddition, .segNetBasicSingleChannelDecoder, .fcnBasic,
            .fcnBasicNoDimReduction, .deepLabLargeFOV, .deconvNet,
        ]
    )
    func unread(architecture: Architecture) throws {
        let narrow = Self.network(architecture, width: 0.25)
        let wide = try Self.wide(architecture, like: narrow)
        let pruning = try #require(try ChannelPruning(wide, to: narrow))
        var weights = pruning.weights()
        // Initial statistics are the same for every channel.
        for (name, tensor) in try Weights.initial(for: narrow, seed: 1).tensors where weights[name] == nil {
            weights[name] = tensor
        }
        try weights.check(for: narrow, file: "pruned")
        let (expected, found) = try (Self.scores(wide.network, wide.weights), Self.scores(narrow, weights))
        let size = expected.reduce(0) { max($0, abs($1)) }
        #expect(size > 0 && expected.count == found.count)
        #expect(zip(expected, found).allSatisfy { abs($0 - $1) <= 1e-5 * size })
    }

    @Test("a channel matters by what normalisation lets through and by the weights that read it")
    func importance() throws {
        let narrow = Self.network(.segNet, width: 0.25)
        var wide = Model(network: Self.network(.segNet, width: 0.5), weights: Weights())
        wide.weights = try Weights.initial(for: wide.network, seed: 3)
        // Of conv1_1's 32 channels, 16 are loud.
        let loud = Self.chosen(16, of: 32)
        wide.weights["conv1_1_bn", .scale] = WeightTensor(
            shape: [32],
            values: (0..<32).map { loud.contains($0) ? -4 : 0.1 }
        )
        let weights = try #require(try ChannelPruning(wide, to: narrow)).weights()
        let own = try #require(wide.weights["conv1_1", .weight]).floats()
        let found = try #require(weights["conv1_1", .weight]).floats()
        #expect(found == loud.flatMap { Array(own[$0 * 27..<($0 + 1) * 27]) })
        #expect(weights["conv1_1_bn", .scale]?.floats() == Array(repeating: -4, count: 16))
        #expect(weights["conv1_1_bn", .mean] == nil)
    }

    @Test("encoder and decoder maps with common pooling indices lose the same channels")
    func indices() throws {
        let narrow = Self.network(.segNet, width: 0.25)
        var wide = Model(network: Self.network(.segNet, width: 0.5), weights: Weights())
        wide.weights = try Weights.initial(for: wide.network, seed: 3)
        // Marks each filter with its channel, which normalisation is to ignore.
        for layer in ["conv2_2", "conv3_1_D"] {
            let tensor = try #require(wide.weights[layer, .bias])
            wide.weights[layer, .bias] = WeightTensor(
                shape: tensor.shape,
                values: (0..<tensor.shape.count).map(Float.init)
            )
        }
        let weights = try #require(try ChannelPruning(wide, to: narrow)).weights()
        let (encoder, decoder) = (weights["conv2_2", .bias]?.floats(), weights["conv3_1_D", .bias]?.floats())
        #expect(encoder == decoder && encoder?.count == 32)
        #expect(encoder != (0..<32).map(Float.init))
    }

    @Test("a classifier of other classes is left out; a wider network and one with other layers are refused")
    func refused() throws {
        var wide = Model(network: Self.network(.segNet, width: 0.5, classes: 5), weights: Weights())
        wide.weights = try Weights.initial(for: wide.network, seed: 3)
        let weights = try #require(try ChannelPruning(wide, to: Self.network(.segNet, width: 0.25))).weights()
        #expect(weights["conv1_1_D", .weight] == nil && weights["conv1_2_D", .weight] != nil)
        #expect(try ChannelPruning(wide, to: Self.network(.segNet, width: 1)) == nil)
        #expect(try ChannelPruning(wide, to: Self.network(.segNetBasic, width: 0.25)) == nil)
    }

    @Test("an encoder that is wider than the network is refused: a whole model can be cut")
    func widerEncoder() throws {
        let folder = try RunFolder()
        let file = folder.url.appending(path: "encoder.safetensors")
        try SafetensorsFile.write(
            Weights([
                "conv1_1.weight": WeightTensor(shape: [64, 3, 3, 3], values: Array(repeating: 0.1, count: 64 * 27))
            ]),
            metadata: [:],
            elementType: .float32,
            to: file
        )
        let parameters = try Parameters(Self.network(.segNet, width: 0.5))
        let error = #expect(throws: ConfigurationError.self) {
            try StartingWeights.load(encoder: file.path, into: parameters)
        }
        #expect(
            "\(try #require(error))"
                == "\(file.path): its 'conv1_1.weight' is [64, 3, 3, 3], this network's is [32, 3, 3, 3]. An encoder cannot be cut to a narrower "
                + "network, only a whole model can: give one as \(UserChoice.model), and its most important channels are kept."
        )
    }

    @Test("a wider model together with an encoder is refused")
    func widerModelWithEncoder() throws {
        let folder = try RunFolder()
        let network = Self.network(.segNet, width: 0.5)
        let file = folder.url.appending(path: "model.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 1)), to: file)
        var recipe = UnfoldingTests.recipe()
        (recipe.architecture, recipe.width) = (.segNet, 0.25)
        (recipe.model, recipe.encoder) = (file.path, file.path)
        let error = #expect(throws: ConfigurationError.self) { try UnfoldingTests.trainer(recipe, try RunFolder()) }
        #expect(
            "\(try #require(error))"
                == "\(file.path) is wider than this network, and the encoder of \(file.path) cannot be cut to fit; give a model of this network's "
                + "width, or one of the two alone."
        )
    }

    @Test("a model with more classes, but no more channels before its scores, is not cut")
    func moreClasses() throws {
        let folder = try RunFolder()
        let network = Self.network(.fcnBasicNoAddition, width: 0.25, classes: 20)
        let file = folder.url.appending(path: "model.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 1)), to: file)
        var recipe = UnfoldingTests.recipe()
        recipe.architecture = .fcnBasicNoAddition
        recipe.model = file.path
        let trainer = try UnfoldingTests.trainer(recipe, try RunFolder())
        #expect(
            trainer.notes.map(\.text).contains { $0.contains("; new layers: ") && !$0.contains("wider") },
            "\(trainer.notes)"
        )
    }

    @Test("what a wider model takes until it is cut is part of the memory plan", arguments: [false, true])
    func memory(isFolded: Bool) throws {
        let folder = try RunFolder()
        let network = Self.network(.segNetBasic, width: 1, classes: 11)
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        let file = folder.url.appending(path: "wide.safetensors")
        try SafetensorsFile.write(isFolded ? model.foldingBatchNormalization() : model, to: file)
        var recipe = UnfoldingTests.recipe()
        (recipe.width, recipe.cacheMegabytes) = (0.125, 0)
        let plain = try UnfoldingTests.trainer(recipe, try RunFolder()).plannedBytes
        recipe.model = file.path
        let planned = try UnfoldingTests.trainer(recipe, try RunFolder()).plannedBytes
        #expect(try planned > max(plain, 2 * network.summary().weightBytes))
        func trainer(_ run: RunFolder, limit: Int) throws -> Trainer {
            try Trainer(
                recipe,
                dataset: TrainerTests.data(recipe),
                output: run.url,
                resume: true,
                threads: 2,
                memoryLimit: limit
            )
        }
        let run = try RunFolder()
        let error = #expect(throws: TrainingMemoryError.self) { try trainer(run, limit: planned - 1) }
        #expect(
            error?.description
                == "a training that starts from a wider model takes \(planned >> 20) MiB while that is cut, but only \((planned - 1) >> 20) MiB are "
                + "available; start from a narrower model file, or close other programs."
        )
        try trainer(run, limit: planned).run(shouldStop: { true })
        // A training that goes on no longer needs it.
        #expect(try trainer(run, limit: plain).plannedBytes == plain)
    }

    @Test("a normal variable's mean square above 0")
    func rectifiedSquare() {
        #expect(Importance.rectifiedSquare(mean: 0, deviation: 2) == 2)
        #expect(Importance.rectifiedSquare(mean: 3, deviation: 0) == 9)
        #expect(Importance.rectifiedSquare(mean: -3, deviation: 0) == 0)
        var random = RandomNumbers(seed: 1)
        let samples = (0..<200_000).map { _ in max(0, -0.5 + 1.5 * random.gaussian()) }
        let mean = samples.reduce(0) { $0 + $1 * $1 } / 200_000
        #expect(abs(Importance.rectifiedSquare(mean: -0.5, deviation: 1.5) / mean - 1) < 0.03)
    }

    @Test(
        "a training takes the channels that matter of a wider model, folded or not, and says so",
        arguments: [true, false]
    )
    func training(isFolded: Bool) throws {
        let folder = try RunFolder()
        var recipe = UnfoldingTests.recipe()
        recipe.width = 0.5
        let model = try UnfoldingTests.finished(try UnfoldingTests.trainer(recipe, try RunFolder()))
        let file = folder.url.appending(path: "wide.safetensors")
        try SafetensorsFile.write(isFolded ? model.foldingBatchNormalization() : model, to: file)
        recipe.width = 0.25
        recipe.model = file.path
        let run = try RunFolder()
        let trainer = try UnfoldingTests.trainer(recipe, run)
        #expect(
            trainer.notes.map(\.text).contains {
                $0.hasSuffix(
                    "It is wider than this network, so its most important channels were kept: 16 of 32 of conv1, ...; 16 of 32 of conv_decode1, ..."
                )
            },
            "\(trainer.notes)"
        )
        // Its filters are some of the model's, in their order.
        let wide = try #require(model.weights["conv1", .weight]).floats()
        let narrow = try #require(try trainer.parameters.weights()["conv1", .weight]).floats()
        let (row, wideRow) = (narrow.count / 16, wide.count / 32)
        #expect(row == wideRow)
        if !isFolded {
            var next = 0
            for channel in 0..<16 {
                let filter = Array(narrow[channel * row..<(channel + 1) * row])
                let place = (next..<32).first { Array(wide[$0 * row..<($0 + 1) * row]) == filter }
                next = try #require(place, "channel \(channel)") + 1
            }
        }
        try withExtendedLifetime(run) { _ = try trainer.run() }
        recipe.freeze = ["conv1"]
        let error = #expect(throws: ConfigurationError.self) { try UnfoldingTests.trainer(recipe, try RunFolder()) }
        #expect(
            error?.description
                == "\(file.path) is wider than this network, so 'conv1' would lose some of its channels, and a layer that does not learn "
                + "cannot make up for them; let it learn ('freeze', 'rates'), or use the model's own width."
        )
    }
}
