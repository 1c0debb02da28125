import Foundation
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// Scores of a network for a picture of these planes, by name, each [H][W] in units of 0...255.
private func scores(_ network: Network, _ weights: Weights, _ channels: [InputChannel: [Float]]) throws -> [Float] {
    let prepared = try PreparedNetwork(
        network,
        weights: weights,
        options: InferenceOptions(accuracy: .exact, outputs: [network.scoresBlob].compactMap { $0 })
    )
    let workspace = try Workspace(
        for: prepared.plan(height: network.input.height, width: network.input.width),
        threads: 1
    )
    let count = network.input.channels.count
    for (c, name) in network.input.channels.enumerated() {
        for (pixel, value) in (channels[name] ?? []).enumerated() {
            workspace.input[pixel * count + c] = (value - network.input.mean[c]) * network.input.scale[c]
        }
    }
    workspace.plan.run(in: workspace)
    return workspace.planar(network.scoresBlob ?? "") ?? []
}

@Suite("Weights to begin with, from a network of other channels")
struct StartingWeightsTests {
    private static func network(_ channels: [InputChannel], _ architecture: Architecture, scale: [Float] = [])
        -> Network
    {
        var options = ArchitectureOptions(
            input: InputDescription(channels: channels, height: 16, width: 24, scale: scale),
            width: 0.25
        )
        options.statistics = .kept
        return architecture.network(classes: 3, options: options)
    }

    private static func noise(_ seed: UInt64) -> [Float] {
        var random = RandomNumbers(seed: seed)
        return (0..<16 * 24).map { _ in Float(random.next() % 256) }
    }

    private static func fit(_ weights: Weights, _ old: Network, _ new: Network) throws -> (Weights, String?) {
        let folder = try RunFolder()
        let file = folder.url.appending(path: "start.safetensors")
        try SafetensorsFile.write(Model(network: old, weights: weights), to: file)
        var source = try SafetensorsFile.readModel(file).weights
        let note = StartingWeights.fitChannels(of: &source, file: file.path, to: new)
        // Mapped weights end with their file.
        for (name, tensor) in source.tensors {
            source[name] = WeightTensor(shape: tensor.shape, values: tensor.floats())
        }
        return (source, note)
    }

    private static func differ(_ a: [Float], _ b: [Float]) -> Float {
        let size = a.reduce(0) { max($0, abs($1)) }
        return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(size, 1e-9)
    }

    @Test(
        "a new channel begins without a say: the start answers as the three-channel net, whatever the depth",
        arguments: [Architecture.segNet, .segNetBasic]
    )
    func wider(architecture: Architecture) throws {
        let old = Self.network(["blue", "green", "red"], architecture)
        let new = Self.network(["blue", "green", "red", "depth"], architecture)
        let weights = try Weights.initial(for: old, seed: 4)
        let (fitted, note) = try Self.fit(weights, old, new)
        let first = architecture == .segNet ? "conv1_1" : "conv1"
        #expect(note == "\(first) reads blue, green, red, depth in place of blue, green, red; depth from 0 on.")
        let picture: [InputChannel: [Float]] = [
            .blue: Self.noise(1), .green: Self.noise(2), .red: Self.noise(3), "depth": Self.noise(4),
        ]
        let (a, b) = try (scores(old, weights, picture), scores(new, fitted, picture))
        #expect(a.count == b.count && Self.differ(a, b) < 1e-5)
    }

    @Test(
        "gray sums the colours: a gray picture gives what it gave as equal red, green and blue; and back",
        arguments: [Architecture.segNet, .segNetBasic]
    )
    func gray(architecture: Architecture) throws {
        let color = Self.network(["blue", "green", "red"], architecture)
        let gray = Self.network(["gray"], architecture)
        let weights = try Weights.initial(for: color, seed: 4)
        let fitted = try Self.fit(weights, color, gray).0
        let x = Self.noise(9)
        let answer = try scores(color, weights, ["blue": x, "green": x, "red": x])
        #expect(try Self.differ(answer, scores(gray, fitted, ["gray": x])) < 1e-5)
        let back = try Self.fit(fitted, gray, color).0
        #expect(try Self.differ(answer, scores(color, back, ["blue": x, "green": x, "red": x])) < 1e-5)
    }

    @Test("gray in place of colours with other means gives the same too, except next to the border; and back")
    func grayMeans() throws {
        func network(_ channels: [InputChannel], mean: [Float], scale: [Float]) -> Network {
            let input = InputDescription(channels: channels, height: 16, width: 24, mean: mean, scale: scale)
            return Network("one", input: input) {
                Layer("scores", .convolution(Convolution(outputChannels: 3, window: Window(3, padding: 1))))
            }
        }
        let color = network(["blue", "green", "red"], mean: [104, 117, 124], scale: [1, 2, 1])
        let gray = network(["gray"], mean: [115], scale: [0.5])
        let weights = try Weights.initial(for: color, seed: 4)
        let x = Self.noise(9)
        let answer = try scores(color, weights, ["blue": x, "green": x, "red": x])
        let fitted = try Self.fit(weights, color, gray).0
        let back = try Self.fit(fitted, gray, color).0
        let answers = try [
            scores(gray, fitted, ["gray": x]), scores(color, back, ["blue": x, "green": x, "red": x]),
        ]
        let inside = answer.indices.filter { 1..<23 ~= $0 % 24 && 1..<15 ~= $0 / 24 % 16 }
        for other in answers {
            #expect(Self.differ(inside.map { answer[$0] }, inside.map { other[$0] }) < 1e-5)
        }
    }

    @Test("channels go by their names, not by their places; another scale is made up for")
    func names() throws {
        let old = Self.network(["red", "green", "blue"], .segNet, scale: [0.5, 0.25, 1])
        let new = Self.network(["blue", "green", "red"], .segNet)
        let weights = try Weights.initial(for: old, seed: 4)
        let fitted = try Self.fit(weights, old, new).0
        let picture: [InputChannel: [Float]] = [.blue: Self.noise(1), .green: Self.noise(2), .red: Self.noise(3)]
        #expect(try Self.differ(scores(old, weights, picture), scores(new, fitted, picture)) < 1e-5)
    }

    @Test("nothing is touched where the channels are the same, nothing is guessed where none has a known name")
    func others() throws {
        let same = Self.network(["blue", "green", "red"], .segNet)
        let weights = try Weights.initial(for: same, seed: 4)
        #expect(try Self.fit(weights, same, same).1 == nil)
        let heat = Self.network(["heat", "height"], .segNet)
        let (fitted, note) = try Self.fit(weights, same, heat)
        #expect(note == nil && fitted["conv1_1.weight"] == nil)
    }

    @Test("VGG16's encoder, a file without a description, is blue, green, red")
    func encoder() throws {
        let folder = try RunFolder()
        let file = folder.url.appending(path: "vgg.safetensors")
        var random = RandomNumbers(seed: 2)
        let values = (0..<16 * 3 * 9).map { _ in Float(random.uniform()) }
        try SafetensorsFile.write(
            Weights(["conv1_1.weight": WeightTensor(shape: [16, 3, 3, 3], values: values)]),
            metadata: [:],
            elementType: .float32,
            to: file
        )
        var options = ArchitectureOptions(
            input: InputDescription(channels: ["blue", "green", "red", "depth"], height: 16, width: 24),
            width: 0.25
        )
        options.statistics = .batch
        let parameters = try Parameters(Architecture.segNet.network(classes: 2, options: options))
        let note = try StartingWeights.load(encoder: file.path, into: parameters).note
        #expect(
            note
                == "encoder: 1 layer from \(file.path). conv1_1 reads blue, green, red, depth in place of blue, green, red; "
                + "depth from 0 on."
        )
        let found = try #require(try parameters.weights()["conv1_1.weight"]).floats()
        for output in 0..<16 {
            #expect(Array(found[output * 36..<output * 36 + 27]) == Array(values[output * 27..<output * 27 + 27]))
            #expect(found[output * 36 + 27..<output * 36 + 36].allSatisfy { $0 == 0 })
        }
    }
}

@Suite("Fine-tuning")
struct FineTuningTests {
    /// A model of four classes that a short training left.
    private static func start(_ folder: RunFolder, classes: [String] = ["a", "b", "c", "d"]) throws -> URL {
        var options = ArchitectureOptions(input: .bgr255(height: 32, width: 48), width: 0.25)
        options.statistics = .kept
        let network = Architecture.segNetBasic.network(classes: classes.count, options: options)
        let file = folder.url.appending(path: "start.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 77)), to: file)
        return file
    }

    private static func recipe(_ folder: RunFolder) throws -> TrainingConfiguration {
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 4)
        var recipe = smallRecipe()
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation = Augmentation()
        recipe.iterations = 3
        return recipe
    }

    @Test("a model with the data's classes in another order is refused")
    func order() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        let file = try Self.start(folder, classes: ["a", "b"])
        recipe.model = file.path
        let names = try Trainer.dataset(recipe).classes.classes.map(\.name)
        var model = try SafetensorsFile.readModel(file)
        model.metadata.classNames = names.reversed()
        try SafetensorsFile.write(model, to: file)
        let error = #expect(throws: ConfigurationError.self) {
            try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        }
        #expect(
            error?.description
                == "\(file.path): has the classes \(names.reversed().joined(separator: ", ")), but the data have them in the order "
                + "\(names.joined(separator: ", ")); give the model's order as the data's table of classes."
        )
        model.metadata.classNames = names
        try SafetensorsFile.write(model, to: file)
        _ = try Trainer(recipe, output: folder.url.appending(path: "good"), threads: 1)
    }

    @Test("a model that has some of the data's classes at other numbers keeps all but its classifier, and that is said")
    func partlyOtherOrder() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        let file = try Self.start(folder, classes: ["a", "b"])
        recipe.model = file.path
        let names = try Trainer.dataset(recipe).classes.classes.map(\.name)
        var model = try SafetensorsFile.readModel(file)
        model.metadata.classNames = ["other", names[0]]
        try SafetensorsFile.write(model, to: file)
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        #expect(
            trainer.notes.map(\.text).contains {
                $0.hasSuffix(
                    "; new layers: conv_classifier. The last layer is learnt anew, because the model has other numbers for some of your "
                        + "classes."
                )
            },
            "\(trainer.notes)"
        )
        let new = try trainer.parameters.weights()
        #expect(new["conv_classifier.weight"]?.floats() != model.weights["conv_classifier.weight"]?.floats())
        #expect(new["conv1.weight"]?.floats() == model.weights["conv1.weight"]?.floats())
    }

    @Test("the classifier is made of layers that another number of classes changes", arguments: Architecture.allCases)
    func classifier(architecture: Architecture) throws {
        // Narrow, since some have hundreds of millions of weights.
        let options = ArchitectureOptions(input: .bgr255(height: 224, width: 224), width: 0.03)
        let (two, three) = (
            architecture.network(classes: 2, options: options), architecture.network(classes: 3, options: options)
        )
        let weights = (try Weights.initial(for: two, seed: 1), try Weights.initial(for: three, seed: 1))
        let layers = Set(two.classifier.map(\.name))
        #expect(!layers.isEmpty)
        for layer in layers {
            let shapes = (weights.0["\(layer).weight"]?.shape, weights.1["\(layer).weight"]?.shape)
            #expect(shapes.0 != nil && shapes.0 != shapes.1, "\(layer)")
        }
    }

    @Test("with another number of classes only the classifier is new, and that is said")
    func classes() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        let file = try Self.start(folder)
        recipe.model = file.path
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        #expect(
            trainer.notes.map(\.text).contains { $0.hasSuffix("; new layers: conv_classifier.") }
        )
        let old = try SafetensorsFile.readModel(file).weights
        let new = try trainer.parameters.weights()
        for (name, tensor) in new.tensors {
            #expect((tensor.floats() == old[name]?.floats()) == !name.hasPrefix("conv_classifier."), "\(name)")
        }
    }

    @Test("a model of another architecture is refused with what to give")
    func otherArchitecture() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        let file = try Self.start(folder)
        recipe.model = file.path
        recipe.architecture = .segNet
        #expect {
            try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        } throws: {
            "\($0)".hasSuffix(
                ": holds no weights of this network's layers; give the architecture that it was trained with, or another model file."
            )
        }
    }

    @Test("a checkpoint is answered with the model beside it")
    func checkpoint() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        let start = try Self.start(folder)
        let checkpoint = start.deletingLastPathComponent().appending(path: "last.checkpoint")
        try Data(contentsOf: start).write(to: checkpoint)
        recipe.model = checkpoint.path
        #expect {
            try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        } throws: {
            "\($0)".contains(
                "last.checkpoint: is a checkpoint, which training continues from, not a model. Give the file "
            )
                && "\($0)".hasSuffix(".safetensors.")
        }
    }

    @Test("a frozen layer that the model has no weights for is refused; without a model, a warning names it")
    func frozenAndRandom() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.freeze = ["conv1*", "conv_classifier"]
        let warned = try Trainer(recipe, output: folder.url.appending(path: "warned"), threads: 1)
        #expect(
            warned.notes.contains(
                .warning(
                    "2 frozen layers (conv1, conv_classifier) will keep random weights, because the training starts from no model file; name "
                        + "one, or take them out of 'freeze'."
                )
            ),
            "\(warned.notes)"
        )
        // The model has four classes, the pictures two.
        let file = try Self.start(folder)
        recipe.model = file.path
        let error = #expect(throws: ConfigurationError.self) {
            try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        }
        #expect(
            error?.description
                == "freeze: 1 frozen layer (conv_classifier) would keep random weights, because \(file.path) has none that fit them; take them out "
                + "of 'freeze', or start from a model file of the same architecture and width."
        )
        recipe.freeze = ["conv1*"]
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "good"), threads: 1)
        #expect(!trainer.notes.map(\.text).contains { $0.contains("random weights") }, "\(trainer.notes)")
    }

    @Test("frozen layers do not move a bit, averaged weights included; their statistics are those of the new pictures")
    func frozen() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        recipe.freeze = ["conv1*", "conv2*", "conv_decode*_bn"]
        recipe.average = 0.5
        let run = folder.url.appending(path: "run")
        let trainer = try Trainer(recipe, output: run, threads: 2)
        let before = try trainer.parameters.weights()
        let result = try trainer.run()
        let frozen: (String) -> Bool = {
            $0.hasPrefix("conv1") || $0.hasPrefix("conv2") || $0.hasPrefix("conv_decode") && $0.contains("_bn.")
        }
        let after = try trainer.parameters.weights()
        let last = try SafetensorsFile.readModel(try #require(result.last)).weights
        for (name, tensor) in before.tensors where frozen(name) {
            #expect(after[name]?.floats() == tensor.floats(), "\(name)")
            #expect(last[name]?.floats() == tensor.floats(), "\(name), averaged")
        }
        #expect(after["conv3.weight"]?.floats() != before["conv3.weight"]?.floats())
        // Means began at 0.
        #expect(last["conv1_bn.mean"]?.floats().contains { $0 != 0 } == true)
        #expect(trainer.parameters.statistics.first { $0.layer == "conv1_bn" }?.mean.contains { $0 != 0 } == true)
    }

    @Test("layers have learning rates of their own: twice the rate, twice the first step; 0 stays")
    func rates() throws {
        func firstStep(_ rates: [String: Double]) throws -> (Weights, Weights) {
            let folder = try RunFolder()
            var recipe = try Self.recipe(folder)
            recipe.iterations = 1
            recipe.average = 0
            recipe.statistics = .running
            recipe.schedule = Schedule(.constant)
            recipe.optimizer = OptimizerConfiguration(.sgd, weightDecay: 0)
            recipe.rates = rates
            let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
            let before = try trainer.parameters.weights()
            try trainer.run()
            return (before, try trainer.parameters.weights())
        }
        let (before, once) = try firstStep([:])
        let twice = try firstStep(["conv3": 2, "conv_decode*": 0]).1
        func moved(_ weights: Weights, _ name: String) -> [Float] {
            zip(weights[name]?.floats() ?? [], before[name]?.floats() ?? []).map { $0 - $1 }
        }
        for (a, b) in zip(moved(once, "conv3.weight"), moved(twice, "conv3.weight")) {
            #expect(abs(2 * a - b) <= 1e-6 + 1e-3 * abs(b))
        }
        #expect(moved(once, "conv3.weight").contains { $0 != 0 })
        #expect(moved(twice, "conv_decode2.weight").allSatisfy { $0 == 0 })
        #expect(moved(once, "conv_decode2.weight").contains { $0 != 0 })
    }

    @Test("a model's mean and scale come along, by channel; a recipe's own go before")
    func meanOfModel() throws {
        let folder = try RunFolder()
        var recipe = try Self.recipe(folder)
        var model = try SafetensorsFile.readModel(try Self.start(folder))
        model.network.input.mean = [10, 20, 30]
        model.network.input.scale = [0.5, 0.5, 0.5]
        let file = folder.url.appending(path: "mean.safetensors")
        try SafetensorsFile.write(model, to: file)
        recipe.model = file.path
        let trainer = try Trainer(recipe, output: folder.url.appending(path: "run"), threads: 1)
        #expect(trainer.network.input.mean == [10, 20, 30] && trainer.network.input.scale == [0.5, 0.5, 0.5])
        // Saved in the order of the inputs: red, green, blue.
        #expect(trainer.configuration.mean == [30, 20, 10])
        recipe.mean = [1]
        recipe.scale = [1, 2, 4]
        let own = try Trainer(recipe, output: folder.url.appending(path: "own"), threads: 1)
        #expect(own.network.input.mean == [1, 1, 1] && own.network.input.scale == [4, 2, 1])
    }
}
