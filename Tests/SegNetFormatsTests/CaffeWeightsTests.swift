import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf
import Testing

@testable import SegNetFormats

@Suite("Caffe weights")
struct CaffeWeightsTests {
    @Test(
        "every encoding of the weights fits every encoding of the network",
        .needsOracle,
        arguments: ["tiny_new", "tiny_v1", "tiny_v1_unpacked_with_diff"],
        ["vgg_new", "vgg_v1"]
    )
    func pairings(weights: String, network: String) throws {
        let result = try Caffe.readModel(
            weights: Oracle.file("v1/\(weights).caffemodel"),
            network: Oracle.file("v1/\(network).prototxt")
        )
        #expect(result.report.loaded == ["conv1_1", "conv1_2", "conv2_1", "fc6"])
        #expect(result.report.initial == [])
        #expect(result.report.unused == [])
        for layer in result.report.loaded {
            for part in ["weight", "bias"] {
                let expected = try NPYFile(Oracle.file("v1/\(layer).\(part).npy"))
                let tensor = try #require(result.model.weights["\(layer).\(part)"])
                #expect(tensor.shape == expected.shape)
                #expect(tensor.floats() == expected.floats())
            }
        }
    }

    @Test("SegNet-Basic's weights are found by name, folded statistics not taken for missing ones", .needsOracle)
    func segNetBasic() throws {
        let result = try Caffe.readModel(
            weights: Oracle.file("segnet_basic.caffemodel"),
            network: Oracle.file("segnet_basic.prototxt")
        )
        #expect(result.report.loaded.count == 17)
        #expect(result.notes == [])
        try result.model.weights.check(for: result.model.network, file: "segnet_basic.caffemodel")
    }

    @Test("a network in LEARN mode is refused, and told what its weights look like", .needsOracle)
    func learnMode() {
        let folder = Oracle.folder.path + "/training/segnet_two_stages"
        let base = URL(fileURLWithPath: folder, isDirectory: true)
        let network = URL(fileURLWithPath: "train.prototxt", relativeTo: base)
        let weights = URL(fileURLWithPath: "init.caffemodel", relativeTo: base)
        #expect(
            message { try Caffe.readModel(weights: weights, network: network) }
                == "train.prototxt:37: layer 'conv1_1_bn' has its batch normalisation in LEARN mode: it divides by statistics "
                + "of each batch, and there are none to use instead. The scales in init.caffemodel look as trained, without "
                + "statistics: convert the model with the training pictures as pictures for statistics."
        )
        let options = Caffe.ReadingOptions(allowsBatchStatistics: true)
        #expect(throws: Never.self) { try Caffe.readModel(weights: weights, network: network, options: options) }
    }

    // MARK: Small networks of our own

    static let network = """
        name: "tiny" input: "data" input_dim: 1 input_dim: 2 input_dim: 4 input_dim: 4
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 1 } }
        layer { name: "bn" type: "BN" bottom: "conv" top: "conv" bn_param { bn_mode: INFERENCE } }
        layer { name: "conv_classifier" type: "Convolution" bottom: "conv" top: "y" convolution_param { num_output: 2 kernel_size: 1 } }
        """

    /// A file of layers: names, and the shapes and numbers of their blobs.
    static func file(_ layers: [(String, [([Int64], [Float])])]) throws -> [UInt8] {
        var net = Caffe_NetParameter()
        net.layer = layers.map { name, blobs in
            var layer = Caffe_LayerParameter()
            layer.name = name
            layer.blobs = blobs.map { shape, values in
                var blob = Caffe_BlobProto()
                blob.shape.dim = shape
                blob.data = values
                return blob
            }
            return layer
        }
        return try net.serializedBytes()
    }

    static func read(
        _ layers: [(String, [([Int64], [Float])])],
        options: Caffe.ReadingOptions = Caffe.ReadingOptions()
    ) throws -> CaffeModel {
        try withTemporaryFolder { folder in
            try Caffe.readModel(
                weights: try folder.write(try file(layers), as: "w.caffemodel"),
                network: try folder.write(network, as: "net.prototxt"),
                options: options
            )
        }
    }

    static let conv: (String, [([Int64], [Float])]) = (
        "conv", [([3, 2, 1, 1], [1, 2, 3, 4, 5, 6]), ([3], [7, 8, 9])]
    )
    static let bn: (String, [([Int64], [Float])]) = (
        "bn", [([1, 3, 1, 1], [0.01, 20, 3]), ([1, 3, 1, 1], [4, 5, 6])]
    )
    static let classifier: (String, [([Int64], [Float])]) = (
        "conv_classifier", [([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), ([2], [7, 8])]
    )

    @Test("the BN of PSPNet, which has four blobs, is not taken for that of SegNet")
    func otherNormalization() {
        let four = ("bn", Array(repeating: Self.bn.1[0], count: 4))
        #expect(
            message { try Self.read([Self.conv, four, Self.classifier]) }
                == "w.caffemodel: layer 'bn' has 4 blobs. This is the BN of PSPNet's Caffe, with a mean and a variance for each channel; "
                + "SegNet's BN, which is supported, has only a scale and a shift. Write scale = slope / sqrt(variance + eps) and "
                + "shift = bias - mean * scale as the layer's two blobs, and bn_mode: INFERENCE in the description."
        )
    }

    @Test("blobs with ones around are the tensors that are meant; others in the file are named")
    func loads() throws {
        let result = try Self.read([Self.conv, Self.bn, Self.classifier, ("fc", [([1], [1])]), ("relu", [])])
        #expect(result.model.weights["bn.scale"]?.shape == [3])
        #expect(result.model.weights["bn.scale"]?.floats() == [0.01, 20, 3])
        #expect(
            result.report.description == """
                w.caffemodel:
                  loaded (3): conv, bn, conv_classifier
                  in the file but not used (1): fc
                """
        )
    }

    @Test("a layer without weights is refused with the name that was probably meant")
    func misspelled() {
        var renamed = Self.classifier
        renamed.0 = "dense_softmax_inner_prod"
        #expect(
            message { try Self.read([Self.conv, Self.bn, renamed, ("conv_other", [([1], [1])])]) }
                == "w.caffemodel: has no weights for layer 'conv_classifier', which would stay random. The closest name in "
                + "the file is 'dense_softmax_inner_prod': if it is meant, rename the layer in net.prototxt."
        )
        #expect(
            message { try Self.read([Self.conv]) }
                == "w.caffemodel: has no weights for layer 'bn' and 1 more layer, which would stay random. "
                + "Check that the description (net.prototxt) belongs to these weights."
        )
    }

    @Test("on request such a layer starts at random, the same for the same seed, and is reported")
    func initialised() throws {
        let options = Caffe.ReadingOptions(missingWeights: .initialize(seed: 7))
        let first = try Self.read([Self.conv, Self.bn], options: options)
        let second = try Self.read([Self.conv, Self.bn], options: options)
        #expect(first.report.initial == ["conv_classifier"])
        let weight = first.model.weights["conv_classifier.weight"]
        #expect(weight?.shape == [2, 3, 1, 1])
        #expect(bits(weight) == bits(second.model.weights["conv_classifier.weight"]))
        #expect(first.model.weights["conv.bias"]?.floats() == [7, 8, 9])
    }

    @Test("shapes and counts that do not fit are refused with both")
    func shapes() {
        var twelve = Self.classifier
        twelve.1 = [([3, 3, 1, 1], Array(repeating: 0, count: 9)), ([3], [0, 0, 0])]
        #expect(
            message { try Self.read([Self.conv, Self.bn, twelve]) }
                == "w.caffemodel: layer 'conv_classifier' has a weight of shape [3, 3, 1, 1], the network needs "
                + "[2, 3, 1, 1]. Check that the description (net.prototxt) belongs to these weights."
        )
        var bare = Self.conv
        bare.1.removeLast()
        #expect(
            message { try Self.read([bare, Self.bn, Self.classifier]) }
                == "w.caffemodel: layer 'conv' has 1 blobs, the network needs 2 (weight and bias). "
                + "Check that the description (net.prototxt) belongs to these weights."
        )
    }

    @Test("weights whose statistics seem not to be folded in are accepted with a warning")
    func unfolded() throws {
        let bn: (String, [([Int64], [Float])]) = (
            "bn", [([1, 3, 1, 1], [1, 0.9, 1.1]), ([1, 3, 1, 1], [0, 0.1, 0])]
        )
        let result = try Self.read([Self.conv, bn, Self.classifier])
        #expect(
            result.notes == [
                CaffeInputTests.zeroNote,
                "every batch normalisation in w.caffemodel has scales near 1 and shifts near 0, as training leaves them: if "
                    + "one or two classes cover the whole picture, the statistics were never folded in; "
                    + "convert the model with pictures for statistics and the description of the training.",
            ]
        )
        #expect(try Self.read([Self.conv, Self.bn, Self.classifier]).notes == [CaffeInputTests.zeroNote])
    }
}
