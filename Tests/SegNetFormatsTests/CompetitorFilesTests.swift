import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf
import Testing

@testable import SegNetFormats

@Suite("Caffe files of FCN, DeepLab and DeconvNet")
struct CompetitorFilesTests {
    private static func read(_ text: String) throws -> CaffeNetworkDescription {
        try CaffeNetworkReader.read(try CaffeNetwork(bytes: Array(text.utf8), file: "net.prototxt"))
    }

    private static let input = "input: \"data\" input_dim: 1 input_dim: 3 input_dim: 40 input_dim: 48\n"

    private static func conv(_ name: String, _ bottom: String, _ words: String) -> String {
        "layers { name: '\(name)' type: CONVOLUTION bottom: '\(bottom)' top: '\(name)' convolution_param { \(words) } }\n"
    }

    // MARK: Offsets

    @Test(
        "offsets that follow from the layers are those that the authors wrote",
        arguments: [
            (Architecture.fcn32s, [19]), (.fcn16s, [5, 27]), (.fcn8s, [5, 9, 31]), (.fcn8sAtOnce, [5, 9, 31]),
            (.fcnBasic, [0, 0, 0, 0]), (.bilinearInterpolation, [0, 0, 0, 0]),
        ]
    )
    func offsets(architecture: Architecture, expected: [Int]) throws {
        let layers = architecture.network(classes: 4).layers
        var found: [Int] = []
        for (index, layer) in layers.enumerated() {
            guard case .crop = layer.operation else { continue }
            let offset = try CoordinateMaps(Array(layers[..<index])).cropOffset(
                of: layer.inputs[0],
                at: layer.inputs[1]
            )
            #expect(offset.top == offset.left)
            found.append(offset.top)
        }
        #expect(found == expected)
    }

    @Test("the old CROP has other offsets along each axis, and knows in-place layers and earlier crops")
    func automaticCrop() throws {
        let network = try Self.read(
            Self.input + Self.conv("a", "data", "num_output: 2 kernel_h: 3 kernel_w: 5 pad_h: 7 pad_w: 4")
                + "layers { name: 'r' type: RELU bottom: 'a' top: 'a' }\n"
                + "layers { name: 'c' type: CROP bottom: 'a' bottom: 'data' top: 'c' }\n"
                + "layers { name: 'c' type: CROP bottom: 'a' bottom: 'c' top: 'd' }\n"
        ).network
        #expect(network.layers.map(\.name) == ["a", "r", "c", "c_2"])
        #expect(network.layers[2].operation == .crop(Crop(top: 6, left: 2)))
        #expect(network.layers[3].operation == .crop(Crop(top: 6, left: 2)))
    }

    @Test(
        "an offset that does not follow is refused with its line",
        arguments: [
            (
                conv("a", "data", "num_output: 2 kernel_size: 2 stride: 2")
                    + "layers { name: 'c' type: CROP bottom: 'a' bottom: 'data' top: 'c' }",
                ":3: layer 'c' states no offset, and none follows from the layers before it: a step of 'a' is 2.0 steps of "
                    + "'data', where it must be 1. Write the offset: layer { type: \"Crop\" crop_param { axis: 2 offset: 19 } }."
            ),
            (
                conv("a", "data", "num_output: 2 kernel_size: 2 pad: 3")
                    + "layers { name: 'c' type: CROP bottom: 'a' bottom: 'data' top: 'c' }",
                ":3: layer 'c' states no offset, and none follows from the layers before it: the offset would be 2.5, where a "
                    + "whole number of at least 0 is needed. Write the offset: layer { type: \"Crop\" crop_param { axis: 2 offset: "
                    + "19 } }."
            ),
            (
                "layers { name: 'c' type: CROP bottom: 'data' top: 'c' }",
                ":2: layer 'c' needs two bottoms: the blob to crop, and one of the wanted size."
            ),
        ]
    )
    func noOffset(text: String, problem: String) {
        #expect(message { try Self.read(Self.input + text) } == "net.prototxt" + problem)
    }

    @Test("the new Crop without an offset begins at 0, as upstream's")
    func newCrop() throws {
        let network = try Self.read(
            Self.input + "layer { name: 'a' type: 'Convolution' bottom: 'data' top: 'a' "
                + "convolution_param { num_output: 2 kernel_size: 3 pad: 7 } }\n"
                + "layer { name: 'c' type: 'Crop' bottom: 'a' bottom: 'data' top: 'c' }"
        ).network
        #expect(network.layers[1].operation == .crop(Crop()))
    }

    // MARK: Words

    @Test(
        "what the authors' scripts fill in is refused with its line and how to fill it in",
        arguments: [
            (
                "layers { name: 'fc8_${EXP}' type: RELU bottom: 'data' top: 'x' }",
                ":2: '${EXP}' stands for something that the authors' scripts fill in. Write the file with its value and read that, for "
                    + "example: sed 's/${EXP}/voc12/g' net.prototxt > filled.prototxt."
            ),
            (
                "# ${NOT} here\n"
                    + "layers { name: 'a' type: CONVOLUTION convolution_param { num_output: ${NUM_LABELS} } }",
                ":3: '${NUM_LABELS}' stands for something that the authors' scripts fill in. Write the file with its value and read "
                    + "that, for example: sed 's/${NUM_LABELS}/21/g' net.prototxt > filled.prototxt."
            ),
        ]
    )
    func placeholders(text: String, problem: String) {
        #expect(message { try Self.read(Self.input + text) } == "net.prototxt" + problem)
    }

    @Test("Interp shrinks, cuts, and enlarges to a size; Eltwise has coefficients")
    func interp() throws {
        func layer(_ words: String) throws -> SegNetNetworks.Operation {
            try Self.read(
                Self.input + "layers { name: 'x' type: INTERP bottom: 'data' top: 'x' interp_param { \(words) } }"
            ).network.layers[0].operation
        }
        #expect(try layer("zoom_factor: 8") == .resize(Resize(to: .factor(8))))
        #expect(try layer("shrink_factor: 8") == .resize(Resize(to: .shrunk(by: 8))))
        #expect(try layer("height: 3 width: 4") == .resize(Resize(to: .size(height: 3, width: 4))))
        #expect(
            try layer("zoom_factor: 2 pad_beg: -1 pad_end: -2")
                == .resize(Resize(to: .factor(2), cut: .init(begin: 1, end: 2)))
        )
        // One of several words that are there at once: the order of DeepLab's second Caffe.
        #expect(try layer("shrink_factor: 1") == .resize(Resize(to: .shrunk(by: 1))))
        #expect(try layer("shrink_factor: 2 zoom_factor: 3") == .resize(Resize(to: .ratio(shrink: 2, zoom: 3))))
        #expect(try layer("zoom_factor: 2 height: 7 width: 9") == .resize(Resize(to: .factor(2))))
        #expect(try layer("shrink_factor: 2 height: 7 width: 9") == .resize(Resize(to: .shrunk(by: 2))))
        #expect(
            try layer("shrink_factor: 2 zoom_factor: 3 height: 7 width: 9")
                == .resize(Resize(to: .size(height: 7, width: 9)))
        )
        // A second bottom lends its size only where nothing else says one.
        for (words, inputs) in [("zoom_factor: 2", ["data"]), ("", ["data", "data"])] {
            let text =
                "layers { name: 'x' type: INTERP bottom: 'data' bottom: 'data' top: 'x' interp_param { \(words) } }"
            let network = try Self.read(Self.input + text).network
            #expect(network.layers[0].inputs == inputs)
            _ = try network.shapes()
        }
        for words in ["", "height: 7"] {
            #expect(
                message { try layer(words) }
                    == "net.prototxt:2: layer 'x' needs a zoom_factor, a shrink_factor, a height and a width, or a second 'bottom'."
            )
        }
        #expect(
            message { try layer("zoom_factor: 0") }
                == "net.prototxt:2: layer 'x': needs a factor in 1...256; found 0."
        )
        #expect(
            message { try layer("zoom_factor: 2 pad_beg: 1") }
                == "net.prototxt:2: layer 'x' adds rows (pad_beg 1, pad_end 0), which DeepLab's Caffe refuses too. "
                + "Give 0, or the number of rows to cut off as a number below 0."
        )
        // 40 rows: every second one is 20, of which three times as many are (20 - 1) * 3 + 1.
        let ratio = Resize(to: .ratio(shrink: 2, zoom: 3))
        #expect(try ratio.outputs(of: [BlobShape([1, 3, 40, 48])])[0].shape == [1, 3, 58, 70])
        let sum = try Self.read(
            Self.input
                + "layers { name: 's' type: ELTWISE bottom: 'data' bottom: 'data' top: 's' eltwise_param { coeff: 1 coeff: -2 } }"
        )
        #expect(sum.network.layers[0].operation == .addition(Addition(coefficients: [1, -2])))
    }

    @Test("DeconvNet's unpooling states a square, or two sides; other rules than MAX are refused")
    func unpooling() throws {
        func read(_ words: String) throws -> CaffeNetworkDescription {
            try Self.read(
                Self.input
                    + "layers { name: 'p' type: POOLING bottom: 'data' top: 'p' top: 'm' pooling_param { pool: MAX kernel_size: 2 "
                    + "stride: 2 } }\nlayers { name: 'u' type: UNPOOLING bottom: 'p' bottom: 'm' top: 'u' unpooling_param { \(words) "
                    + "kernel_size: 2 stride: 2 } }"
            )
        }
        #expect(try read("unpool: MAX unpool_h: 40 unpool_w: 48").notes.isEmpty)
        let wrong = try read("unpool_size: 41")
        #expect(
            wrong.notes == [
                "layer 'u': the file declares 41x41, the encoder's map is 40x48; using the encoder's."
            ]
        )
        #expect(
            message { try read("unpool: AVE") }
                == "net.prototxt:3: layer 'u' has an unpool other than MAX, which is not supported."
        )
    }

    @Test("DeepLab's files for training and test lose what works on labels and files, and keep the net")
    func deepLabTraining() throws {
        let description = try Self.read(
            """
            layers { name: 'data' type: IMAGE_SEG_DATA top: 'data' top: 'label' image_data_param { source: '${LIST}' batch_size: 1 }
              transform_param { mean_value: 104.008 mean_value: 116.669 mean_value: 122.675 crop_size: 33 } }
            layers { name: 'shrink' type: INTERP bottom: 'label' top: 'small' interp_param { shrink_factor: 8 } }
            layers { name: 'fc8' type: CONVOLUTION bottom: 'data' top: 'fc8' strict_dim: false
              convolution_param { num_output: 4 kernel_size: 3 pad: 12 hole: 12 } }
            layers { name: 'crf' type: DENSE_CRF bottom: 'fc8' bottom: 'data' top: 'refined'
              dense_crf_param { max_iter: 7 pos_w: 3 pos_xy_std: 2.5 bi_w: 5 bi_xy_std: 50 bi_rgb_std: 10 } }
            layers { name: 'again' type: DENSE_CRF bottom: 'refined' bottom: 'data' top: 'twice' }
            layers { name: 'loss' type: SOFTMAX_LOSS bottom: 'fc8' bottom: 'small' softmaxloss_param { ignore_label: 255 } }
            layers { name: 'accuracy' type: SEG_ACCURACY bottom: 'fc8' bottom: 'small' top: 'accuracy' }
            layers { name: 'mat' type: MAT_WRITE bottom: 'refined' }
            """
        )
        #expect(description.network.layers.map(\.name) == ["fc8"])
        #expect(description.network.input.mean == [104.008, 116.669, 122.675])
        #expect(description.network.input.shape == [1, 3, 33, 33])
        #expect(
            description.notes == [
                "layer 'data' (ImageSegData) is read as the network's input 'data'.",
                "layer 'shrink' (Interp) is left out: it works on labels.",
                "layer 'crf' (DENSE_CRF) is left out: it works on the scores after the network. To refine them likewise, give "
                    + "crf:5,50,10,3,2.5,7 as the refinement of the result.",
                "layer 'again' (DENSE_CRF) is left out: it works on the scores after the network. To refine them likewise, give "
                    + "crf as the refinement of the result.",
                "layer 'loss' (SoftmaxWithLoss) is left out: it matters for training only.",
                "layer 'accuracy' (SegAccuracy) is left out: it matters for training only.",
                "layer 'mat' (MatWrite) is left out: it matters for training only.",
            ]
        )
    }

    // MARK: Weights

    @Test("VGG16's fully connected layers serve as convolutions, in both encodings", arguments: [true, false])
    func fullyConnected(isOld: Bool) throws {
        let values = (0..<2 * 3 * 4).map(Float.init)
        var net = Caffe_NetParameter()
        var blob = Caffe_BlobProto()
        blob.data = values
        if isOld {
            (blob.num, blob.channels, blob.height, blob.width) = (1, 1, 2, 12)
            var layer = Caffe_V1LayerParameter()
            layer.name = "fc6"
            layer.type = .innerProduct
            layer.blobs = [blob]
            net.layers = [layer]
        } else {
            blob.shape.dim = [2, 12]
            var layer = Caffe_LayerParameter()
            layer.name = "fc6"
            layer.type = "InnerProduct"
            layer.blobs = [blob]
            net.layer = [layer]
        }
        let description = try Self.read(
            Self.input + Self.conv("fc6", "data", "num_output: 2 kernel_size: 2 bias_term: false")
        )
        try withTemporaryFolder { folder in
            let bytes: [UInt8] = try net.serializedBytes()
            let file = try folder.write(bytes, as: "vgg.caffemodel")
            let (weights, report) = try Caffe.readWeights(file, for: description)
            #expect(report.loaded == ["fc6"])
            #expect(weights["fc6.weight"]?.floats() == values)
            #expect(weights["fc6.weight"]?.shape == [2, 3, 2, 2])
        }
    }

    @Test("with strict_dim: false weights of another shape will do if there are as many")
    func looseShapes() throws {
        func read(_ shape: [Int64], _ word: String) throws -> [Float]? {
            let description = try Self.read(
                Self.input + "layers { name: 'fc6' type: CONVOLUTION bottom: 'data' top: 'fc6' \(word) "
                    + "convolution_param { num_output: 4 kernel_size: 3 } }"
            )
            let count = Int(shape.reduce(1, *))
            let blobs: [([Int64], [Float])] = [(shape, (0..<count).map(Float.init)), ([2, 2], [1, 2, 3, 4])]
            return try withTemporaryFolder { folder in
                let bytes = try CaffeWeightsTests.file([("fc6", blobs)])
                let file = try folder.write(bytes, as: "w.caffemodel")
                return try Caffe.readWeights(file, for: description).0["fc6.weight"]?.floats()
            }
        }
        #expect(try read([2, 6, 3, 3], "strict_dim: false") == (0..<108).map(Float.init))
        let refused =
            "w.caffemodel: layer 'fc6' has a weight of shape [2, 6, 3, 3], the network needs [4, 3, 3, 3]. Check that the description "
            + "(net.prototxt) belongs to these weights."
        for word in ["", "strict_dim: true"] { #expect(message { try read([2, 6, 3, 3], word) } == refused) }
        #expect(
            message { try read([2, 6, 3, 4], "strict_dim: false") }
                == refused.replacing("[2, 6, 3, 3]", with: "[2, 6, 3, 4]")
        )
    }

    @Test("a Scale layer that the weights lack holds what its filler says")
    func filling() throws {
        func read(_ words: String) throws -> CaffeModel {
            try withTemporaryFolder { folder in
                let layers: [(String, [([Int64], [Float])])] = [("y", [([1, 3, 1, 1], [1, 2, 3])])]
                let text =
                    "input: 'data' input_dim: 1 input_dim: 3 input_dim: 5 input_dim: 6\n"
                    + "layer { name: 's' type: 'Scale' bottom: 'data' top: 's' scale_param { \(words) } }\n"
                    + "layer { name: 'y' type: 'Convolution' bottom: 's' top: 'y' "
                    + "convolution_param { num_output: 1 kernel_size: 1 bias_term: false } }"
                return try Caffe.readModel(
                    weights: try folder.write(try CaffeWeightsTests.file(layers), as: "w.caffemodel"),
                    network: try folder.write(text, as: "net.prototxt"),
                    options: Caffe.ReadingOptions(mean: [0])
                )
            }
        }
        let model = try read("filler { value: 0.01 }")
        #expect(model.model.weights["s.scale"]?.floats() == [0.01, 0.01, 0.01])
        #expect(model.report.loaded == ["y"] && model.report.initial == ["s"])
        #expect(
            model.notes == [
                "w.caffemodel has no weights for layer 's', so its filler's value is used: 0.01."
            ]
        )
        let both = try read("filler { value: 2 } bias_term: true bias_filler { value: -1 }").model.weights
        #expect(both["s.scale"]?.floats() == [2, 2, 2] && both["s.shift"]?.floats() == [-1, -1, -1])
        for words in ["", "filler { type: 'gaussian' std: 0.1 }"] {
            #expect(
                message { try read(words) }.hasPrefix("w.caffemodel: has no weights for layer 's', which would stay")
            )
        }
    }

    @Test("names of layers with weights are theirs, wherever others have the same")
    func repeatedNames() throws {
        let relu = "layers { name: 'c' type: RELU bottom: 'data' top: 'a' }\n"
        let before = try Self.read(
            Self.input + relu
                + "layers { name: 'c' type: CONVOLUTION bottom: 'a' top: 'b' convolution_param { num_output: 2 kernel_size: 1 } }\n"
        ).network
        #expect(before.layers.map(\.name) == ["c_2", "c"])
        #expect(before.layers.map(\.operation.kindName) == ["relu", "convolution"])
        let after = try Self.read(Self.input + Self.conv("c", "data", "num_output: 2 kernel_size: 1") + relu).network
        #expect(after.layers.map(\.name) == ["c", "c_2"])
        // The number that a repeated name gets is not one that weights have.
        let three = try Self.read(Self.input + relu + relu + Self.conv("c_2", "a", "num_output: 2 kernel_size: 1"))
            .network
        #expect(three.layers.map(\.name) == ["c", "c_3", "c_2"])
    }

    // MARK: Writing

    private static func written(_ network: Network) throws -> (text: String, file: CaffeModelFile, bytes: [UInt8]) {
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        return try withTemporaryFolder { folder in
            let (weights, description) = (
                folder.appendingPathComponent("a.caffemodel"), folder.appendingPathComponent("a.prototxt")
            )
            try Caffe.write(model, weights: weights, network: description)
            return (
                String(decoding: try Data(contentsOf: description), as: UTF8.self), try CaffeModelFile(weights),
                [UInt8](try Data(contentsOf: weights))
            )
        }
    }

    private static let narrow = ArchitectureOptions(input: .bgr255(height: 200, width: 208), width: 0.1)

    @Test("DeepLab is written in the words of DeepLab's Caffe")
    func writesDeepLab() throws {
        let (text, file, bytes) = try Self.written(Architectures.deepLabLargeFOV(classes: 3, options: Self.narrow))
        #expect(text.contains("layers {\n  type: INTERP\n"))
        #expect(text.contains("hole: 12"))
        #expect(!text.contains("dilation"))
        #expect(text.contains("input_dim: 201\ninput_dim: 209"))
        #expect(!text.contains("pad\"\n"))
        // Field 2 with old layers, four sizes a blob.
        let net = try Caffe_NetParameter(serializedBytes: bytes)
        #expect(net.layer.isEmpty)
        let bias = try #require(net.layers.first { $0.name == "fc7" }).blobs[1]
        #expect([bias.num, bias.channels, bias.height, bias.width] == [1, 1, 1, 112])
        #expect(file.layers.contains { $0.name == "fc8_voc12" })
    }

    @Test("DeconvNet is written in the words of DeconvNet's Caffe")
    func writesDeconvNet() throws {
        let (text, _, bytes) = try Self.written(Architectures.deconvNet(classes: 3, options: Self.narrow))
        #expect(text.contains("layers {\n  type: UNPOOLING\n"))
        #expect(text.contains("unpool: MAX"))
        #expect(text.contains("unpool_h: 200") && text.contains("unpool_w: 208"))
        #expect(text.contains("bn_mode: INFERENCE"))
        let net = try Caffe_NetParameter(serializedBytes: bytes)
        let scale = try #require(net.layers.first { $0.name == "bn1_1" }).blobs[0]
        #expect([scale.num, scale.channels, scale.height, scale.width] == [1, 16, 1, 1])
    }

    @Test("FCN is written for upstream's Caffe, with batch normalisation folded in")
    func writesFCN() throws {
        var options = Self.narrow
        options.batchNormalization = true
        let (text, file, _) = try Self.written(Architectures.fcn8s(classes: 3, options: options))
        #expect(text.contains("type: \"Crop\""))
        #expect(!text.contains("\"BN\""))
        #expect(text.contains("batch normalisation is folded into the convolutions"))
        #expect(file.layers.first { $0.name == "conv1_1" }?.blobs.count == 2)
    }

    @Test("ELU is written for later Caffes, with batch normalisation folded in")
    func writesELU() throws {
        var options = Self.narrow
        options.batchNormalization = true
        var network = Architectures.fcn32s(classes: 3, options: options)
        network.layers = Array(network.layers.prefix { $0.name != "conv1_2" })
        for index in network.layers.indices where network.layers[index].operation == .relu(ReLU()) {
            network.layers[index].operation = .elu(ELU())
        }
        let (text, file, _) = try Self.written(network)
        #expect(text.contains("type: \"ELU\"") && !text.contains("\"BN\""))
        #expect(file.layers.first { $0.name == "conv1_1" }?.blobs.count == 2)
    }
}
