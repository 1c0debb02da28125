import SegNetCPU
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("Fine-tuning a finished model")
struct FineTuningRecipeTests {
    @Test("knows a network again at any width and class count, folded or not", arguments: Architecture.allCases)
    func recognition(_ architecture: Architecture) throws {
        // Widths are rounded up to 16 channels, so that 0.3 is known by what it makes.
        for (width, found) in [(0.25, 0.25), (0.5, 0.5), (1, 1), (0.3, nil)] {
            for statistics in [BatchNormalization.Statistics.folded, .batch] {
                var options = ArchitectureOptions()
                options.width = width
                options.statistics = statistics
                let network = architecture.network(classes: 7, options: options)
                let recognized = try #require(Architecture.recognized(network))
                #expect(recognized.architecture == architecture && recognized.fullyConnectedWidth == nil)
                if let found { #expect(recognized.width == found) }
                options.width = recognized.width
                #expect(architecture.network(classes: 7, options: options) == network)
            }
        }
    }

    @Test(
        "knows the width of fc6 and fc7 again, at any other width",
        arguments: Architecture.allCases.filter(\.hasFullyConnectedLayers),
        [0.25, 0.3, 1]
    )
    func fullyConnected(_ architecture: Architecture, width: Double) throws {
        for fc in [32, 1000] {
            var options = ArchitectureOptions()
            options.width = width
            options.fullyConnectedWidth = fc
            let network = architecture.network(classes: 7, options: options)
            let found = try #require(Architecture.recognized(network))
            #expect(found.architecture == architecture)
            options.width = found.width
            options.fullyConnectedWidth = found.fullyConnectedWidth
            #expect(architecture.network(classes: 7, options: options) == network)
        }
    }

    @Test("knows a network again whose scores become probabilities or classes, as the authors' files have it")
    func probabilities() throws {
        var network = Architectures.segNetBasic(classes: 3)
        network.name = "segnet"
        network.layers.append(Layer("prob", inputs: ["conv_classifier"], .softmax(Softmax())))
        #expect(Architecture.recognized(network)?.architecture == .segNetBasic)
        network.layers.append(Layer("argmax", inputs: ["prob"], .argmax(Argmax())))
        #expect(Architecture.recognized(network)?.architecture == .segNetBasic)
    }

    @Test("does not take another network for one that it knows, and says what differs from the nearest")
    func strangers() throws {
        var network = Architectures.segNetBasic(classes: 3)
        network.layers.removeAll { $0.name == "conv2" }
        #expect(Architecture.recognized(network) == nil)
        var nearest = try #require(Architecture.nearest(network))
        #expect(nearest.architecture == .segNetBasic)
        #expect(nearest.difference == "it lacks the layer 'conv2' (convolution of 64 channels) of segnet-basic")

        network = Architectures.segNetBasic(classes: 3)
        let index = try #require(network.layers.firstIndex { $0.name == "conv2" })
        network.layers[index].operation = .convolution(
            Convolution(outputChannels: 32, window: Window(7, padding: 3))
        )
        #expect(Architecture.recognized(network) == nil)
        nearest = try #require(Architecture.nearest(network))
        #expect(
            nearest.difference
                == "its layer 'conv2' is a convolution of 32 channels, that of segnet-basic a convolution of 64 channels"
        )
        network = Architectures.segNet(classes: 3, options: ArchitectureOptions(extraClassifier: true))
        nearest = try #require(Architecture.nearest(network))
        #expect(nearest.architecture == .segNet && nearest.difference.contains("layer"))

        let empty = Network(name: "empty", input: .bgr255(), layers: [])
        #expect(Architecture.recognized(empty) == nil && Architecture.nearest(empty) == nil)
    }

    @Test("the encoder is what ends in the last max pooling: VGG16's thirteen convolutions with their normalisation")
    func encoder() {
        var options = ArchitectureOptions()
        options.statistics = .batch
        let names = Architectures.segNet(classes: 3, options: options).encoderLayers
        #expect(names.count == 26 && names.first == "conv1_1" && names.last == "conv5_3_bn")
        #expect(!names.contains { $0.contains("_D") })
    }

    @Test("a recipe from a model begins with its weights, keeps its encoder to the bit and teaches its decoder")
    func training() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fine-tuning-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // A model as a training ends with it.
        var first = TrainingConfiguration()
        first.architecture = .segNetBasic
        first.width = 0.25
        first.dataset = .synthetic
        first.count = 8
        first.size = PictureSize(width: 64, height: 48)
        first.iterations = 4
        first.batchSize = 2
        first.learningRate = 0.01
        first.mean = [120, 110, 100]
        let base = folder.appending(path: "first")
        let trainer = try Trainer(first, output: base, threads: 1)
        let start = try #require(try trainer.run(observe: { _ in }).last)

        var recipe = try TrainingConfiguration.fineTuning(start)
        #expect(recipe.architecture == .segNetBasic && recipe.width == 0.25)
        #expect(recipe.augmentation.crop == PictureSize(width: 64, height: 48))
        #expect(recipe.freeze == ["conv1", "conv1_bn", "conv2", "conv2_bn", "conv3", "conv3_bn", "conv4", "conv4_bn"])
        recipe.dataset = .synthetic
        recipe.count = 8
        recipe.size = PictureSize(width: 64, height: 48)
        recipe.iterations = 6
        let tuned = try Trainer(recipe, output: folder.appending(path: "tuned"), threads: 1)
        #expect(tuned.configuration.mean == [120, 110, 100])
        // 6 steps of 4 of 8 pictures: one validation each.
        #expect(tuned.configuration.validateEvery == 0.5 && tuned.configuration.patience == 4)
        let before = try tuned.parameters.weights()
        _ = try tuned.run(observe: { _ in })
        let after = try tuned.parameters.weights()
        for layer in tuned.network.layers.map(\.name) {
            for part in ["weight", "bias", "scale", "shift"] {
                let name = "\(layer).\(part)"
                guard let values = before[name]?.floats() else { continue }
                let isFrozen = recipe.freeze.contains(layer)
                if isFrozen { #expect(after[name]?.floats() == values, "\(name)") }
                // A bias before a batch normalisation has no gradient.
                if part == "weight", !isFrozen { #expect(after[name]?.floats() != values, "\(name)") }
            }
        }
    }

    @Test("a network of its own kind is refused with what can be done")
    func refusal() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fine-tuning-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let network = Network("mine", input: .bgr255(height: 8, width: 8)) {
            Layer("score", .convolution(Convolution(outputChannels: 2, window: Window(1))))
        }
        let file = folder.appending(path: "mine.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 1)), to: file)
        let error = #expect(throws: ConfigurationError.self) { try TrainingConfiguration.fineTuning(file) }
        #expect(
            error?.description.contains("its network 'mine' is not one of the architectures that can be trained")
                == true
        )
    }

    @Test("a file whose network nearly is an architecture is refused with the first layer that differs")
    func nearRefusal() throws {
        let run = try RunFolder()
        var network = Architectures.segNetBasic(classes: 3, options: ArchitectureOptions(width: 0.25))
        network.layers.insert(Layer("more", inputs: ["norm"], .relu(ReLU())), at: 1)
        let file = run.url.appending(path: "near.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 1)), to: file)
        let error = #expect(throws: ConfigurationError.self) { try TrainingConfiguration.fineTuning(file) }
        let message = try #require(error?.description)
        #expect(
            message.contains(
                "its network 'segnet-basic' is nearly the architecture segnet-basic, but it has a layer 'more' (relu), which "
                    + "segnet-basic lacks, so it cannot be trained as it is; to use its weights in another network"
            ),
            "\(message)"
        )
    }

    @Test("ten validations whatever the number of pictures, with patience where ten validate; what the user says wins")
    func validations() throws {
        let run = try RunFolder()
        let network = Architectures.segNetBasic(classes: 3, options: ArchitectureOptions(width: 0.25))
        let file = run.url.appending(path: "start.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 1)), to: file)
        let recipe = try TrainingConfiguration.fineTuning(file)
        for (pictures, epochs) in [(1, 40.0), (5, 32), (20, 8), (60, 2.67), (367, 0.44), (100_000, 0.0016)] {
            let scheduled = recipe.scheduled(pictures: pictures, validating: 10)
            #expect(scheduled.validateEvery == epochs && scheduled.patience == 4, "\(pictures)")
            let steps = (scheduled.validateEvery * max(1, Double(pictures) / 4)).rounded()
            #expect(steps == 40, "\(pictures)")
            // The run's recipe says what runs, and a run that goes on by it does the same.
            let saved = try TrainingConfiguration(yaml: scheduled.yaml(), file: "recipe.yaml")
            #expect(saved == scheduled)
            #expect(saved.scheduled(pictures: pictures + 1, validating: 0) == saved)
        }
        for few in [0, 1, 5, 9] {
            let scheduled = recipe.scheduled(pictures: 20, validating: few)
            #expect(scheduled.patience == nil && scheduled.validateEvery == 8)
            // A run that goes on keeps it, whatever validates by then.
            let saved = try TrainingConfiguration(yaml: scheduled.yaml(), file: "recipe.yaml")
            #expect(saved.scheduled(pictures: 20, validating: 10) == scheduled)
        }
        var longer = recipe
        longer.iterations = 1000
        #expect(longer.scheduled(pictures: 20, validating: 10).validateEvery == 20)
        var own = recipe
        try own.set("validate-every", to: "3")
        try own.set("patience", to: "null")
        #expect(own.scheduled(pictures: 20, validating: 10) == own)
        #expect(own.validateEvery == 3 && own.patience == nil)
        try own.set("patience", to: "2")
        #expect(own.scheduled(pictures: 20, validating: 1).patience == 2)
    }

    @Test("the recipe has the width of fc6 and fc7")
    func fullyConnectedRecipe() throws {
        let run = try RunFolder()
        let options = ArchitectureOptions(width: 0.25, fullyConnectedWidth: 128)
        let network = Architectures.fcn8s(classes: 3, options: options)
        let file = run.url.appending(path: "fcn.safetensors")
        try SafetensorsFile.write(Model(network: network, weights: Weights.initial(for: network, seed: 1)), to: file)
        let recipe = try TrainingConfiguration.fineTuning(file)
        #expect(recipe.architecture == .fcn8s && recipe.width == 0.25 && recipe.fullyConnectedWidth == 128)
    }

    @Test(
        "a file of another format is refused with what to do",
        arguments: [
            (
                "net.caffemodel",
                "a .caffemodel holds weights only; its network is missing. Turn it and its .prototxt into a .safetensors file with "
                    + "'segnet convert', and give that."
            ),
            (
                "net.prototxt",
                "a .prototxt describes a network; its weights are missing. Turn it and its .caffemodel into a .safetensors file with "
                    + "'segnet convert', and give that."
            ),
            ("net.onnx", "does not have the file extension of a model. Give a .safetensors file."),
        ]
    )
    func otherFormats(file: String, problem: String) {
        let error = #expect(throws: FormatError.self) { try TrainingConfiguration.fineTuning(URL(filePath: file)) }
        #expect(error?.description == "\(file): \(problem)")
    }

    @Test("a training in which no layer learns is refused")
    func nothingLearns() throws {
        let run = try RunFolder()
        func message(_ change: (inout TrainingConfiguration) -> Void) -> String {
            var recipe = smallRecipe()
            change(&recipe)
            do {
                _ = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: run.url, threads: 1)
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message { $0.freeze = ["*"] }
                == "freeze: every layer is frozen, so nothing would be learnt; leave out those that are to learn, at least the last, "
                + "'conv_classifier'."
        )
        #expect(
            message { $0.rates = ["*": 0] }
                == "rates: no layer learns at a rate above 0 ('freeze', 'rates' and 'multipliers' together), so nothing would be "
                + "learnt; give a rate above 0 to those that are to learn, at least the last, 'conv_classifier'."
        )
        #expect(message { $0.rates = ["conv1*": 0] } == "")
    }

    @Test("a rate of 0 freezes a layer too: without a model's weights it would stay random")
    func frozenByRate() throws {
        var recipe = smallRecipe()
        recipe.rates = ["conv1": 0]
        let network = try recipe.network(classes: 3, channels: .rgb, height: 24, width: 32)
        let parameters = try Trainer.parameters(recipe, network, .best)
        let remedy = "give them a rate above 0 ('freeze', 'rates' and 'multipliers' together)"
        let warning = try recipe.checkFrozen(parameters, loaded: [])
        #expect(
            warning
                == "1 frozen layer (conv1) will keep random weights, because the training starts from no model file; name one, or "
                + "\(remedy)."
        )
        #expect(try recipe.checkFrozen(parameters, loaded: ["conv1"]) == nil)
        recipe.model = "m.safetensors"
        let error = #expect(throws: ConfigurationError.self) { try recipe.checkFrozen(parameters, loaded: []) }
        #expect(
            error?.description
                == "rates: 1 frozen layer (conv1) would keep random weights, because m.safetensors has none that fit them; \(remedy), "
                + "or start from a model file of the same architecture and width."
        )
    }

    @Test("of several rates for a layer, that of the closest pattern counts, in every process")
    func overlappingRates() throws {
        let network = Architectures.segNetBasic(classes: 3)
        let rates = [
            "*": 0.1, "conv*": 0.2, "conv_decode*": 0.3, "conv_classifier": 0.4, "conv1": 0.5, "conv_decode1": 0.6,
        ]
        // Even within one process, dictionaries with the same keys differ in their order.
        for _ in 0..<20 {
            var recipe = TrainingConfiguration()
            for (pattern, rate) in rates.shuffled() { recipe.rates[pattern] = rate }
            let found = try recipe.layerRates(of: network)
            #expect(["conv1", "conv2", "conv_decode1", "conv_decode2"].map { found[$0] } == [0.5, 0.2, 0.6, 0.3])
            #expect(found["conv_classifier"] == 0.4 && found["pool1"] == 0.1)
        }
    }

    @Test("a share of the training pictures becomes the validation where there is no split for it")
    func validationShare() throws {
        var recipe = TrainingConfiguration()
        recipe.validationShare = 0.25
        let folder = FileManager.default.temporaryDirectory.appending(path: "share-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["images", "labels"] {
            try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        try "a\nb\n".write(to: folder.appending(path: "classes.txt"), atomically: true, encoding: .utf8)
        for index in 0..<8 {
            let path = folder.path(percentEncoded: false)
            try Image(width: 4, height: 4, channels: 3, filledWith: UInt8(index)).write(
                path: "\(path)/images/\(index).png"
            )
            try LabelMap(width: 4, height: 4, ids: [UInt16](repeating: 0, count: 16))
                .write(path: "\(path)/labels/\(index).png")
        }
        recipe.dataset = .folder
        recipe.data = folder.path(percentEncoded: false)
        #expect(try recipe.sources().validation.count == 2)
        // As many as the share says, above a half too, but never all.
        for (share, count) in [(0.125, 1), (0.3, 2), (0.4, 3), (0.5, 4), (0.75, 6), (0.9, 7), (0.9999999, 7)] {
            recipe.validationShare = share
            let sources = try recipe.sources()
            #expect(sources.validation.count == count && sources.pool.count == 8 - count, "\(share)")
        }
        // Less than a picture of any data set: one.
        for share in [1e-19, 1e-300] {
            recipe.validationShare = share
            #expect(try recipe.sources().validation.count == 1)
        }
        recipe.validationShare = 0
        #expect(try recipe.sources().validation.isEmpty)
        #expect(throws: ConfigurationError.self) { try recipe.set("validation-share", to: "1") }
    }
}
