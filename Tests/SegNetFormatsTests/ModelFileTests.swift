import Foundation
import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf
import Testing

@testable import SegNetFormats

/// Small models for the tests of whole files.
enum SampleModels {
    /// A SegNet-Basic of 16 channels and three classes, 24x20.
    static func basic(precision: ElementType = .float32) throws -> Model {
        var options = ArchitectureOptions(input: .bgr255(height: 24, width: 20), width: 0.25)
        options.dropout = .sampled
        let network = Architectures.segNetBasic(classes: 3, options: options)
        var metadata = ModelMetadata(
            name: "small",
            classNames: ["Sky \"blue\"", "Straße", "道路"],
            palette: [[128, 128, 128], [128, 64, 128], [0, 0, 255]],
            ignoredClasses: [2]
        )
        metadata.notes = ["licence": "CC BY 4.0", "trained on": "nothing"]
        return Model(network: network, weights: try Weights.initial(for: network, seed: 1), metadata: metadata)
    }
}

@Suite("models in safetensors files")
struct SafetensorsModelTests {
    @Test("network, weights and metadata come back")
    func roundTrip() throws {
        let model = try SampleModels.basic()
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(model, to: url)
            let read = try SafetensorsFile.readModel(url)
            #expect(read.network == model.network)
            #expect(read.metadata == model.metadata)
            #expect(read.weights.tensors.keys.sorted() == model.weights.tensors.keys.sorted())
            for (name, tensor) in model.weights.tensors {
                #expect(bits(read.weights[name]) == bits(tensor), "\(name)")
            }
            let texts = try SafetensorsFile(url).metadata
            #expect(texts["batchNormalization"] == "folded")
            #expect(texts["epsilon"] == "1e-09")
        }
    }

    @Test("a missing tensor is named before anything is written")
    func missing() throws {
        var model = try SampleModels.basic()
        model.weights["conv2.bias"] = nil
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            #expect(
                message { try SafetensorsFile.write(model, to: url) }
                    == "a.safetensors: tensor 'conv2.bias' is missing, the network needs it."
            )
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files == [])
        }
    }

    @Test("a tensor that is there but cannot be read is not called missing")
    func unread() throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            let other = URL(fileURLWithPath: "b.safetensors", relativeTo: folder)
            try SafetensorsFile.write(try SampleModels.basic(), elementType: .int8, to: url)
            let bytes = try Data(contentsOf: url)
            // The header stays as long as it is.
            for (old, new, problem) in [
                (":scale\"", ":other\"", "is I8 without 'conv1.weight:scale', its scales"),
                ("\"I8\"", "\"C4\"", "is C4; F32, F16 and BF16 are read, and I8 and U8 with scales"),
            ] {
                var changed = bytes
                while let range = changed.range(of: Data(old.utf8)) {
                    changed.replaceSubrange(range, with: Data(new.utf8))
                }
                try changed.write(to: other)
                let found = message { try SafetensorsFile.readModel(other) }
                #expect(found == "b.safetensors: tensor 'conv1.weight' \(problem). Convert the model again.")
            }
        }
    }

    @Test(
        "texts that make no model are explained",
        arguments: [
            (
                [:],
                "holds tensors but no network description. Give a file that 'segnet convert' or 'segnet train' has written."
            ),
            (
                ["format": "segnet", "format_version": "7", "network": "{}"],
                "has format_version '7', this program reads up to 1. Use a newer version of SegNet."
            ),
            (
                ["format": "segnet", "format_version": "1", "network": #"{"name":"x","input":3}"#],
                "its metadata 'network' cannot be read (input: is not a group of names and values).",
            ),
            (
                [
                    "format": "segnet", "format_version": "1",
                    "network":
                        #"{"name":"x","input":{"name":"data","channels":["gray"],"height":1,"width":1,"mean":[0],"scale":[1]},"layers":[{"name":"a","kind":"magic","inputs":["data"],"outputs":["a"],"parameters":{}}]}"#,
                ],
                "its metadata 'network' cannot be read (layers.0.kind: layer 'a' is of the unknown kind 'magic'; "
                    + "a newer version may know it). Convert the model again, or use a newer version of SegNet."
            ),
        ] as [([String: String], String)]
    )
    func badTexts(texts: [String: String], problem: String) throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            try SafetensorsFile.write(Weights(), metadata: texts, to: url)
            #expect(message { try SafetensorsFile.readModel(url) }.hasPrefix("a.safetensors: " + problem))
        }
    }

    @Test("an epsilon that is no number is refused", arguments: ["garbage", "", "nan"])
    func epsilon(text: String) throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            try SafetensorsFile.write(try SampleModels.basic(), to: url)
            let file = try SafetensorsFile(url)
            let other = URL(fileURLWithPath: "b.safetensors", relativeTo: folder)
            let texts = file.metadata.merging(["epsilon": text]) { $1 }
            try SafetensorsFile.write(file.weights, metadata: texts, to: other)
            #expect(
                message { try SafetensorsFile.readModel(other) }
                    == "b.safetensors: its metadata 'epsilon' is '\(text)', which is not a number. Convert the model again."
            )
        }
    }

    @Test("as many class names as classes are needed")
    func classNames() throws {
        var model = try SampleModels.basic()
        model.metadata.classNames = ["one"]
        model.metadata.palette = nil
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a.safetensors", relativeTo: folder)
            try SafetensorsFile.write(model, to: url)
            #expect(
                message { try SafetensorsFile.readModel(url) }
                    == "a.safetensors: its class_names has 1 entries, but the network has 3 classes. Convert the model again."
            )
        }
    }
}

@Suite("models in the original's files")
struct CaffeWriterTests {
    @Test("what is written is read back as the same network with the same numbers")
    func roundTrip() throws {
        let model = try SampleModels.basic()
        try withTemporaryFolder { folder in
            let weights = folder.appendingPathComponent("a.caffemodel")
            let network = folder.appendingPathComponent("a.prototxt")
            let notes = try Caffe.write(model, weights: weights, network: network)
            #expect(notes == [])
            let read = try Caffe.readModel(weights: weights, network: network)
            #expect(read.model.network.input == model.network.input)
            #expect(read.model.network.layers.map(\.name) == model.network.layers.map(\.name))
            for (layer, original) in zip(read.model.network.layers, model.network.layers) {
                // The sizes of unpooled maps are spelled out for the original.
                if case .unpooling = layer.operation { continue }
                #expect(layer == original)
            }
            #expect(try read.model.network.unpoolingNotes() == [])
            for (name, tensor) in model.weights.tensors {
                #expect(bits(read.model.weights[name]) == bits(tensor), "\(name)")
            }
        }
    }

    @Test("caffemodel -> safetensors -> caffemodel keeps every bit", .needsOracle)
    func bitEqual() throws {
        let (network, weights) = (Oracle.file("segnet_basic.prototxt"), Oracle.file("segnet_basic.caffemodel"))
        let original = try Caffe.readModel(weights: weights, network: network).model
        try withTemporaryFolder { folder in
            let middle = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(original, to: middle)
            let copy = folder.appendingPathComponent("a.caffemodel")
            let copyNetwork = folder.appendingPathComponent("a.prototxt")
            try Caffe.write(try SafetensorsFile.readModel(middle), weights: copy, network: copyNetwork)
            let read = try Caffe.readModel(weights: copy, network: copyNetwork).model
            #expect(try read.network.shapes().blobs == original.network.shapes().blobs)
            #expect(read.weights.tensors.count == original.weights.tensors.count)
            for (name, tensor) in original.weights.tensors {
                #expect(bits(read.weights[name]) == bits(tensor), "\(name)")
            }
            // The original checks the shapes of blobs: batch normalisation keeps [1, C, 1, 1].
            let shapes = { (file: CaffeModelFile) in
                Dictionary(uniqueKeysWithValues: file.layers.map { ($0.name, $0.blobs.map(\.shape)) })
                    .filter { !$0.value.isEmpty }
            }
            #expect(shapes(try CaffeModelFile(copy)) == shapes(try CaffeModelFile(weights)))
        }
    }

    @Test("the description is text that the original's parser knows")
    func text() throws {
        let network = Network("t", input: .bgr255(height: 5, width: 4)) {
            Layer("conv", .convolution(Convolution(outputChannels: 2, window: Window(3, padding: 1))))
            Layer("bn", outputs: [], .batchNormalization(BatchNormalization()))
            Layer("pool", outputs: ["pool", "pool_mask"], .maxPooling(MaxPooling()))
            Layer("up", inputs: ["pool_mask"], .unpooling(Unpooling()))
        }
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("a.prototxt")
            try Caffe.write(model, weights: folder.appendingPathComponent("a.caffemodel"), network: file)
            let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            #expect(
                text == """
                    # the input is expected as (value - mean) * scale; channels blue, green, red, mean 0.0, 0.0, 0.0, scale 1.0, 1.0, 1.0: subtract and scale before you pass it in.
                    name: "t"
                    input: "data"
                    input_dim: 1
                    input_dim: 3
                    input_dim: 5
                    input_dim: 4
                    layer {
                      name: "conv"
                      type: "Convolution"
                      bottom: "data"
                      top: "conv"
                      convolution_param {
                        num_output: 2
                        pad: 1
                        kernel_size: 3
                      }
                    }
                    layer {
                      name: "bn"
                      type: "BN"
                      bottom: "conv"
                      top: "conv"
                      bn_param {
                        bn_mode: INFERENCE
                      }
                    }
                    layer {
                      name: "pool"
                      type: "Pooling"
                      bottom: "conv"
                      top: "pool"
                      top: "pool_mask"
                      pooling_param {
                        pool: MAX
                        kernel_size: 2
                        stride: 2
                      }
                    }
                    layer {
                      name: "up"
                      type: "Upsample"
                      bottom: "pool"
                      bottom: "pool_mask"
                      top: "up"
                      upsample_param {
                        scale: 2
                        upsample_h: 5
                        upsample_w: 4
                      }
                    }

                    """
            )
        }
    }

    @Test("statistics that are kept apart are folded in")
    func folding() throws {
        let network = Network("t", input: .channels(2, height: 1, width: 1)) {
            Layer("bn", .batchNormalization(BatchNormalization(statistics: .kept, epsilon: 0.25)))
        }
        let weights = Weights([
            "bn.scale": WeightTensor(shape: [2], values: [3, 1]), "bn.shift": WeightTensor(shape: [2], values: [1, 2]),
            "bn.mean": WeightTensor(shape: [2], values: [4, 0]),
            "bn.variance": WeightTensor(shape: [2], values: [2, 0.75]),
        ])
        try withTemporaryFolder { folder in
            let (file, text) = (
                folder.appendingPathComponent("a.caffemodel"), folder.appendingPathComponent("a.prototxt")
            )
            try Caffe.write(Model(network: network, weights: weights), weights: file, network: text)
            let read = try Caffe.readModel(weights: file, network: text).model.weights
            // 3 / sqrt(2 + 1/4) = 2, 1 - 4 * 2 = -7; 1 / sqrt(1) = 1, 2 - 0.
            #expect(read["bn.scale"]?.floats() == [2, 1])
            #expect(read["bn.shift"]?.floats() == [-7, 2])
        }
    }

    @Test("layers that Caffe lacks are refused")
    func unknownLayers() throws {
        let network = Network("t", input: .bgr255(height: 9, width: 9)) {
            Layer("norm", .localContrastNormalization(LocalContrastNormalization()))
        }
        try withTemporaryFolder { folder in
            let file = URL(fileURLWithPath: "a.prototxt", relativeTo: folder)
            #expect(
                message {
                    try Caffe.write(
                        Model(network: network, weights: Weights()),
                        weights: folder.appendingPathComponent("a.caffemodel"),
                        network: file
                    )
                }
                    == "a.prototxt: layer 'norm' is of the kind localContrastNormalization, which Caffe does not have. "
                    + "Convert to .onnx or .safetensors instead."
            )
        }
    }
}

@Suite("models in ONNX files")
struct ONNXTests {
    static func read(_ model: Model, _ unpooling: ONNX.Unpooling, _ type: ElementType = .float32) throws
        -> Onnx_ModelProto
    {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.onnx")
            try ONNX.write(model, unpooling: unpooling, elementType: type, to: url)
            return try Onnx_ModelProto(serializedBytes: [UInt8](try Data(contentsOf: url)))
        }
    }

    static func counts(_ model: Onnx_ModelProto) -> [String: Int] {
        Dictionary(model.graph.node.map { ($0.opType, 1) }, uniquingKeysWith: +)
    }

    @Test("at even sizes pooling needs no padding and unpooling no slice")
    func even() throws {
        var model = try SampleModels.basic()
        model.network = model.network.resized(height: 32, width: 16)
        let file = try Self.read(model, .indices)
        #expect(Self.counts(file) == ["LRN": 1, "Conv": 9, "Relu": 4, "MaxPool": 4, "MaxUnpool": 4])
        #expect(file.graph.output.map(\.name) == ["conv_classifier"])
        #expect(file.graph.output[0].type.tensorType.shape.dim.map(\.dimValue) == [1, 3, 32, 16])
    }

    @Test("at odd sizes maps are padded before pooling and cut after unpooling")
    func odd() throws {
        // 24x20 -> 12x10 -> 6x5 (odd) -> 3x3 (odd) -> 2x2
        let file = try Self.read(try SampleModels.basic(), .indices)
        #expect(
            Self.counts(file) == ["LRN": 1, "Conv": 9, "Relu": 4, "MaxPool": 4, "MaxUnpool": 4, "Pad": 2, "Slice": 2]
        )
    }

    @Test("the standard form has no unpooling operator")
    func standard() throws {
        let file = try Self.read(try SampleModels.basic(), .standard)
        #expect(
            Set(Self.counts(file).keys)
                == ["LRN", "Conv", "Relu", "MaxPool", "Pad", "Slice", "Equal", "Where", "Concat", "DepthToSpace"]
        )
    }

    @Test("every value has one name and is made before it is used", arguments: ONNX.Unpooling.allCases)
    func names(unpooling: ONNX.Unpooling) throws {
        let graph = try Self.read(try SampleModels.basic(), unpooling, .float16).graph
        var known = Set(graph.input.map(\.name))
        for name in graph.initializer.map(\.name) { #expect(known.insert(name).inserted, "\(name)") }
        for node in graph.node {
            for input in node.input { #expect(known.contains(input), "\(node.name) reads \(input)") }
            for output in node.output { #expect(known.insert(output).inserted, "\(output)") }
        }
        for output in graph.output { #expect(known.contains(output.name)) }
    }

    @Test("float16 halves the weights")
    func float16() throws {
        let file = try Self.read(try SampleModels.basic(), .indices, .float16)
        let weight = try #require(file.graph.initializer.first { $0.name == "conv1.weight_float16" })
        #expect(weight.dataType == 10)
        #expect(weight.rawData.count == 2 * 16 * 3 * 7 * 7)
        #expect(Self.counts(file)["Cast"] == 9)
    }

    @Test("batch normalisation is folded as everywhere, bit for bit; only what follows no convolution stays")
    func folding() throws {
        let network = Network("t", input: .channels(2, height: 3, width: 4)) {
            Layer("first", .batchNormalization(BatchNormalization(statistics: .kept)))
            Layer("conv", .convolution(Convolution(outputChannels: 3, window: Window(3))))
            Layer("bn", .batchNormalization(BatchNormalization(statistics: .kept)))
        }
        var random = RandomNumbers(seed: 2)
        var weights = Weights()
        for (_, name, parameter) in try network.parameters() {
            let values = (0..<parameter.shape.count).map { _ in Float(random.uniform(in: 0.2...1)) }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        let model = Model(network: network, weights: weights)
        let folded = try model.foldingBatchNormalization().weights
        let file = try Self.read(model, .indices)
        #expect(file.graph.node.map(\.name) == ["first_scaled", "first", "conv"])
        for name in ["conv.weight", "conv.bias"] {
            let found = try #require(file.graph.initializer.first { $0.name == name })
            #expect(Data(found.rawData) == folded[name]?.withBytes { Data($0) }, "\(name)")
        }
    }

    @Test("a network without statistics is refused")
    func batchStatistics() throws {
        var options = ArchitectureOptions(input: .bgr255(height: 8, width: 8), width: 0.25)
        options.statistics = .batch
        let network = Architectures.segNetBasic(classes: 2, options: options)
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        #expect(
            message { try Self.read(model, .indices) }.hasSuffix(
                "layer 'conv1_bn' normalises by the statistics of each batch, which cannot be exported. "
                    + "Compute its statistics first."
            )
        )
    }
}
