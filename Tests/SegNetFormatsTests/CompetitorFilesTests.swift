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
                ":2: layer 'c' needs two bottoms: what is cut, and what lends its size."
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
        #expect(
            message { try layer("shrink_factor: 2 zoom_factor: 4") }
                == "net.prototxt:2: layer 'x' adds rows, or shrinks and enlarges at once, which is not supported."
        )
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
                == "net.prototxt:3: layer 'u' unpools by another rule than MAX, which is not supported."
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
            layers { name: 'crf' type: DENSE_CRF bottom: 'fc8' bottom: 'data' top: 'refined' }
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
                "layer 'crf' (DENSE_CRF) is left out: it works on the scores after the network.",
                "layer 'loss' (SoftmaxWithLoss) is left out: it matters for training only.",
                "layer 'accuracy' (SegAccuracy) is left out: it matters for training only.",
                "layer 'mat' (MatWrite) is left out: it matters for training only.",
            ]
        )
    }

    // MARK: The mean

    @Test("FCN's Python data layer and DeconvNet's windows state the mean")
    func statedMeans() throws {
        func input(_ layer: String) throws -> InputDescription {
            try Self.read(layer + "layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'r' }").network.input
        }
        let python = try input(
            "layer { name: 'data' type: 'Python' top: 'data' top: 'label' python_param { module: 'voc_layers' layer: "
                + "'SBDDSegDataLayer' param_str: \"{'seed': 1337, 'mean': (104.00699, 116.66877, 122.67892), 'split': 'train'}\" } }\n"
        )
        #expect(python.mean == [104.00699, 116.66877, 122.67892])
        let windows = try input(
            "layers { name: 'data' type: WINDOW_SEG_DATA top: 'data' top: 'label' window_data_param { batch_size: 1 crop_size: 224 } "
                + "transform_param { mean_value: 104.008 mean_value: 116.669 mean_value: 122.675 } }\n"
        )
        #expect(windows.mean == [104.008, 116.669, 122.675])
        #expect(windows.height == 224 && windows.width == 224)
        #expect(
            message {
                try input(
                    "layer { name: 'data' type: 'Python' top: 'data' python_param { param_str: \"{'mean': (1, 2)}\" } }\n"
                )
            }
                == "net.prototxt:1: layer 'data' has the mean (1, 2), where 3 numbers are needed. "
                + "Give one per channel in the order blue, green, red."
        )
    }

    @Test("deploy files of known nets get the authors' mean, unless another is given; others get none")
    func assumedMeans() throws {
        let fcn = Self.input + Self.conv("conv1_1", "data", "num_output: 2 kernel_size: 3 pad: 100")
        let deepLab = Self.input + Self.conv("fc6", "data", "num_output: 2 kernel_size: 3 pad: 12 hole: 12")
        let deconvNet =
            Self.input
            + "layers { name: 'fc6-deconv' type: DECONVOLUTION bottom: 'data' top: 'x' convolution_param { num_output: 2 "
            + "kernel_size: 7 } }"
        for (text, title, mean) in [
            (fcn, "FCN", [104.00699, 116.66877, 122.67892] as [Float]),
            (deepLab, "DeepLab", [104.008, 116.669, 122.675]),
            (deconvNet, "DeconvNet", [104.008, 116.669, 122.675]),
        ] {
            let description = try Self.read(text)
            #expect(description.network.input.mean == mean)
            #expect(
                description.notes == [
                    "the file does not say what is subtracted from pictures; it looks like \(title), so its authors' mean is assumed "
                        + "(blue \(mean[0]), green \(mean[1]), red \(mean[2])). mean of the pictures sets another."
                ]
            )
        }
        let plain = Self.input + Self.conv("conv1_1", "data", "num_output: 2 kernel_size: 3 pad: 1")
        #expect(try Self.read(plain).network.input.mean == [0, 0, 0])
        let source = try CaffeNetwork(bytes: Array(fcn.utf8), file: "net.prototxt")
        let given = try CaffeNetworkReader.read(source, mean: [7])
        #expect(given.network.input.mean == [7, 7, 7])
        #expect(given.notes.isEmpty)
        #expect(
            message { try CaffeNetworkReader.read(source, mean: [1, 2]) }
                == "net.prototxt: the mean of the pictures has 2 numbers, the network reads 3 channels (blue, green, red). "
                + "Give one number for all, or one for each in this order."
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
}
