import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

/// A 1x1 convolution that hands its input on: the scores are the input's channels, so a test sees what the network was given.
func mirror(channels: [InputChannel], mean: [Float] = [], scale: [Float] = [], height: Int = 4, width: Int = 5) -> Model
{
    let count = channels.count
    let network = Network(
        name: "mirror",
        input: InputDescription(channels: channels, height: height, width: width, mean: mean, scale: scale),
        layers: [
            Layer(
                "copy",
                inputs: ["data"],
                .convolution(Convolution(outputChannels: count, window: Window(1), hasBias: false))
            )
        ]
    )
    let identity = (0..<count * count).map { Float($0 / count == $0 % count ? 1 : 0) }
    return Model(
        network: network,
        weights: Weights(["copy.weight": WeightTensor(shape: [count, count, 1, 1], values: identity)])
    )
}

/// A small net of SegNet-Basic's kind with random weights.
func smallModel(classes: Int = 11, height: Int = 48, width: Int = 64) throws -> Model {
    let network = Architectures.segNetBasic(
        classes: classes,
        options: ArchitectureOptions(input: .bgr255(height: height, width: width), width: 0.25)
    )
    return Model(network: network, weights: try Weights.initial(for: network, seed: 7))
}

func noise(width: Int, height: Int, channels: Int = 3, seed: UInt64 = 1) throws -> Image {
    var random = RandomNumbers(seed: seed)
    return try Image(
        width: width,
        height: height,
        channels: channels,
        pixels: (0..<width * height * channels).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    )
}

@Suite("Segmenter: what the network is given")
struct SegmenterInputTests {
    private func scores(_ model: Model, _ image: Image) throws -> FloatMap {
        let segmenter = try Segmenter(
            LoadedModel(model, name: "mirror"),
            options: Segmenter.Options(accuracy: .exact, threads: 1)
        )
        return try #require(try segmenter.segment(image, Segmenter.Request(keeps: [.scores])).scores)
    }

    @Test(
        "channels come in the order that the network names",
        arguments: [
            .bgr, .rgb, [.green], [.red, .red, .blue, .green], .rgb + [.alpha], [.gray], [.gray, .red],
            [.alpha, .gray, .blue],
        ] as [[InputChannel]],
        [1, 3, 4]
    )
    func channelOrder(channels: [InputChannel], imageChannels: Int) throws {
        let image = try noise(width: 5, height: 4, channels: imageChannels)
        let found = try scores(mirror(channels: channels), image)
        let (rgb, gray) = (image.rgb(), image.gray())
        for (index, name) in channels.enumerated() {
            for y in 0..<4 {
                for x in 0..<5 {
                    let expected: UInt8 =
                        switch name {
                        case .red: rgb[x: x, y: y, channel: 0]
                        case .green: rgb[x: x, y: y, channel: 1]
                        case .blue: rgb[x: x, y: y, channel: 2]
                        case .gray: gray[x: x, y: y, channel: 0]
                        default: imageChannels == 4 ? image[x: x, y: y, channel: 3] : 255
                        }
                    #expect(found.values[(index * 4 + y) * 5 + x] == Float(expected), "\(name) at \(x), \(y)")
                }
            }
        }
    }

    @Test("the mean is subtracted, then the scale multiplied")
    func meanAndScale() throws {
        let image = try noise(width: 5, height: 4)
        let model = mirror(channels: ["red", "green", "blue"], mean: [10, 20, 30], scale: [2, 0.5, 1])
        let found = try scores(model, image)
        #expect(found.values[0] == (Float(image[x: 0, y: 0, channel: 0]) - 10) * 2)
        #expect(found.values[20 + 7] == (Float(image[x: 2, y: 1, channel: 1]) - 20) * 0.5)
        #expect(found.values[40 + 19] == Float(image[x: 4, y: 3, channel: 2]) - 30)
    }

    @Test("a picture of another size is resized bilinearly, before anything else")
    func resizing() throws {
        let image = try noise(width: 13, height: 9)
        let model = mirror(channels: ["red", "green", "blue"])
        #expect(try scores(model, image) == scores(model, image.resized(width: 5, height: 4)))
    }

    @Test("a channel that pictures do not have comes from a plane of its own; without it, it is refused by name")
    func furtherChannel() throws {
        let model = mirror(channels: ["red", "depth"], mean: [0, 2], scale: [1, 10])
        let image = try noise(width: 5, height: 4)
        let plane = try Plane(width: 5, height: 4, samples: (0..<20).map { UInt16(500 + $0) })
        let picture = try MultichannelImage(image, ["depth": plane])
        let segmenter = try Segmenter(LoadedModel(model, name: "mirror"), options: Segmenter.Options(accuracy: .exact))
        #expect(segmenter.inputs.words == ["rgb", "depth"])
        let scores = try #require(try segmenter.segment(picture, Segmenter.Request(keeps: [.scores])).scores).values
        #expect(Array(scores[..<20]) == (0..<20).map { Float(image.pixels[3 * $0]) })
        // A step of 16 bits is not lost.
        #expect(Array(scores[20...]) == plane.samples.map { (Float($0) / 257 - 2) * 10 })
        let error = #expect(throws: SegmenterError.self) { try segmenter.segment(image) }
        #expect(
            error?.description
                == "network 'mirror': its input has the channel 'depth', which a picture alone does not have; give it with the "
                + "picture: as a plane of a MultichannelImage, or in a list file with a line \"rgb depth\" for each."
        )
        let only = #expect(throws: SegmenterError.self) {
            try segmenter.segment(MultichannelImage(nil, ["depth": plane, "heat": plane]))
        }
        #expect(
            only?.description.hasPrefix(
                "network 'mirror': its input has the channel 'red', which the picture with depth, heat does not have"
            ) == true
        )
    }
}

@Suite("Segmenter: what comes out")
struct SegmenterOutputTests {
    @Test(
        "classes are those of the greatest score, at the picture's own size",
        arguments: [(64, 48), (150, 97), (20, 31)]
    )
    func classes(width: Int, height: Int) throws {
        let segmenter = try Segmenter(
            LoadedModel(try smallModel(), name: "small"),
            options: Segmenter.Options(threads: 2)
        )
        let result = try segmenter.segment(try noise(width: width, height: height), Segmenter.Request(keeps: [.scores]))
        let scores = try #require(result.scores)
        #expect(scores.shape == [11, 48, 64])
        #expect(result.networkClasses.width == 64 && result.networkClasses.height == 48)
        for pixel in 0..<48 * 64 {
            let values = (0..<11).map { scores.values[$0 * 48 * 64 + pixel] }
            // Among equals the highest id.
            let best = values.lastIndex(of: try #require(values.max()))
            #expect(Int(result.networkClasses.ids[pixel]) == best)
        }
        #expect(result.classes.width == width && result.classes.height == height)
        for y in 0..<height {
            for x in 0..<width {
                let source = result.networkClasses[
                    x: (2 * x + 1) * 64 / (2 * width),
                    y: (2 * y + 1) * 48 / (2 * height)
                ]
                #expect(result.classes[x: x, y: y] == source)
            }
        }
    }

    @Test("probabilities add up to 1, confidence is the greatest, scores and blobs are untouched by them")
    func probabilities() throws {
        let model = try smallModel()
        let image = try noise(width: 64, height: 48)
        let request = Segmenter.Request(
            keeps: [.scores, .confidence, .probabilities],
            blobs: ["pool2", "conv_classifier"]
        )
        let all = try Segmenter(
            LoadedModel(model, name: "small"),
            options: Segmenter.Options().serving(only: request)
        ).segment(image, request)
        let plain = try Segmenter(LoadedModel(model, name: "small"))
            .segment(image, Segmenter.Request(keeps: [.scores]))
        let probabilities = try #require(all.probabilities)
        let confidence = try #require(all.confidence)
        let scores = try #require(all.scores)
        #expect(confidence.shape == [48, 64])
        for pixel in 0..<48 * 64 {
            let values = (0..<11).map { probabilities.values[$0 * 48 * 64 + pixel] }
            #expect(abs(values.reduce(0, +) - 1) < 1e-5)
            #expect(abs(try #require(values.max()) - confidence.values[pixel]) < 1e-6)
            let logits = (0..<11).map { Double(scores.values[$0 * 48 * 64 + pixel]) }
            let sum = logits.reduce(0) { $0 + exp($1 - logits[0]) }
            #expect(abs(1 / sum - Double(values[0])) < 1e-5)
        }
        #expect(all.blobs["conv_classifier"] == scores)
        #expect(all.blobs["pool2"]?.shape == [16, 12, 16])
        #expect(all.classes == plain.classes)
        #expect(plain.probabilities == nil && plain.confidence == nil && plain.blobs.isEmpty)
    }

    @Test("shares count every pixel once, the greatest first")
    func shares() throws {
        let result = try Segmenter(LoadedModel(try smallModel(), name: "small")).segment(
            try noise(width: 77, height: 50)
        )
        #expect(result.shares.reduce(0) { $0 + $1.pixels } == 77 * 50)
        #expect(abs(result.shares.reduce(0) { $0 + $1.share } - 1) < 1e-9)
        #expect(result.shares.map(\.pixels) == result.shares.map(\.pixels).sorted(by: >))
        for share in result.shares {
            #expect(result.classes.ids.count { Int($0) == share.id } == share.pixels)
            #expect(share.name == ClassTable.camVid11.classes[share.id].name)
        }
    }

    @Test("the overlay lies between the picture and the colours")
    func overlay() throws {
        let image = try noise(width: 40, height: 30)
        let result = try Segmenter(LoadedModel(try smallModel(), name: "small")).segment(image)
        #expect(result.overlay(opacity: 0) == image)
        #expect(result.overlay(opacity: 1) == result.colored())
    }

    @Test("at its own size a picture is not resized")
    func nativeSize() throws {
        let image = try noise(width: 37, height: 53)
        let result = try Segmenter(LoadedModel(try smallModel(), name: "small"))
            .segment(image, Segmenter.Request(size: .picture))
        #expect(result.networkClasses == result.classes)
        #expect(result.classes.width == 37 && result.classes.height == 53)
    }

    @Test("concurrent callers of several sizes get what a single caller gets", arguments: [1, 2, 3])
    func concurrency(limit: Int) async throws {
        let images = try (0..<12).map { try noise(width: 30 + 7 * ($0 % 3), height: 40, seed: UInt64($0)) }
        let options = Segmenter.Options(threads: 2, maximumConcurrency: limit)
        let request = Segmenter.Request(size: .picture)
        let segmenter = try Segmenter(LoadedModel(try smallModel(), name: "small"), options: options)
        let alone = try images.map { try segmenter.segment($0, request).classes }
        let together = try await withThrowingTaskGroup(of: (Int, LabelMap).self) { group in
            for (index, image) in images.enumerated() {
                group.addTask { (index, try await segmenter.segment(image, request).classes) }
            }
            var results: [Int: LabelMap] = [:]
            for try await (index, classes) in group { results[index] = classes }
            return results
        }
        for (index, classes) in alone.enumerated() { #expect(together[index] == classes) }
    }

    @Test("a size that does not fit is an error, and the segmenter lives on")
    func recovers() throws {
        let network = Network("tight", input: .bgr255(height: 9, width: 9)) {
            Layer("conv", .convolution(Convolution(outputChannels: 2, window: Window(7))))
        }
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        let segmenter = try Segmenter(LoadedModel(model, name: "tight"))
        let request = Segmenter.Request(size: .picture)
        for _ in 0..<3 {
            #expect(throws: NetworkError.self) { try segmenter.segment(try noise(width: 5, height: 5), request) }
        }
        #expect(try segmenter.segment(try noise(width: 12, height: 10), request).networkClasses.width == 6)
    }
}

@Suite("Class names of a model")
struct ModelClassTableTests {
    @Test("without names the known table of the same number is taken, and said", arguments: [11, 12, 19, 21, 37, 38])
    func known(count: Int) {
        let (table, note) = ClassTable.of(ModelMetadata(), classCount: count)
        #expect(table.classes.count == count)
        #expect(
            note
                == "the model does not name its \(count) classes; those of '\(table.name)' are assumed from their number "
                + "(convert the model with a table of class names to store names)."
        )
    }

    @Test("an unknown number gives generic names without a word")
    func generic() {
        let (table, note) = ClassTable.of(ModelMetadata(), classCount: 5)
        #expect(table.classes.map(\.name) == ["class 0", "class 1", "class 2", "class 3", "class 4"])
        #expect(note == nil)
    }

    @Test("the model's own names and colours come first")
    func own() {
        let metadata = ModelMetadata(
            name: "mine",
            classNames: ["background", "dog"],
            palette: [[1, 2, 3], [4, 5, 6]],
            ignoredClasses: [0]
        )
        let (table, note) = ClassTable.of(metadata, classCount: 2)
        #expect(
            table.classes == [ClassTable.Entry("background", Color(1, 2, 3)), ClassTable.Entry("dog", Color(4, 5, 6))]
        )
        #expect(table.ignoredIDs == [0] && table.backgroundID == 0 && table.name == "mine" && note == nil)
    }
}

@Suite("The choice of an instruction set")
struct InstructionSetChoiceTests {
    @Test("nothing and an empty word mean the fastest")
    func best() throws {
        #expect(try InstructionSet.chosen(nil) == .best)
        #expect(try InstructionSet.chosen("") == .best)
        #expect(try InstructionSet.chosen("portable").name == "portable")
    }

    @Test("an unknown word names the variable and what there is")
    func unknown() {
        let error = #expect(throws: InstructionSetChoiceError.self) { try InstructionSet.chosen("sse") }
        let names = InstructionSet.available.map(\.name).joined(separator: ", ")
        #expect(
            error?.description
                == "environment variable SEGNET_ISA: instruction set 'sse' is not available here; choose one of \(names)."
        )
    }
}

@Suite("The choice of an accuracy")
struct AccuracyChoiceTests {
    @Test("nothing and an empty word mean fast")
    func best() throws {
        #expect(try InferenceOptions.Accuracy.chosen(nil) == .fast)
        #expect(try InferenceOptions.Accuracy.chosen("") == .fast)
        #expect(try InferenceOptions.Accuracy.chosen("exact") == .exact)
    }

    @Test("an unknown word names the variable and what there is")
    func unknown() {
        let error = #expect(throws: AccuracyChoiceError.self) { try InferenceOptions.Accuracy.chosen("best") }
        #expect(
            error?.description
                == "environment variable SEGNET_ACCURACY: there is no accuracy 'best'; choose one of fast, accurate, exact."
        )
    }
}

@Suite("Reading models")
struct LoadedModelTests {
    @Test(
        "what is missing is said",
        arguments: [
            (
                "net.caffemodel",
                "net.caffemodel: a .caffemodel holds weights only; its network is missing. Give the network's .prototxt as the network file, too."
            ),
            (
                "net.prototxt",
                "net.prototxt: a .prototxt describes a network; its weights are missing. Give the .caffemodel as the model file and this file as the network file."
            ),
            (
                "net.pth",
                "net.pth: does not have the file extension of a model. Give a .safetensors file, or a .caffemodel with its network file."
            ),
        ]
    )
    func refusals(file: String, message: String) {
        let error = #expect(throws: FormatError.self) { try LoadedModel(URL(filePath: file)) }
        #expect(error?.description == message)
    }

    @Test("zeros for planning have the network's shapes")
    func zeros() throws {
        let network = try smallModel().network
        let weights = try Weights.zeros(for: network)
        try weights.check(for: network, file: "zeros")
        #expect(weights["conv2.weight"]?.floats().allSatisfy { $0 == 0 } == true)
    }
}
