import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf
import Testing

@testable import SegNetFormats

@Suite("prototxt text")
struct CaffeNetworkTests {
    static func read(_ text: String) throws -> CaffeNetwork {
        try CaffeNetwork(bytes: Array(text.utf8), file: "net.prototxt")
    }

    @Test("every spelling that real files use is read")
    func spellings() throws {
        let net = try Self.read(
            """
            name: 'quotes' # one picture\r
            input: "data" input_shape { dim: 4 # samples
            dim: 3, dim: 0x168; dim: [480] }
            layer { bottom: 'a' top: "b" bottom: "c" name: "l" type: "Convolution"
              convolution_param: { num_output: 64 weight_filler { type: "msra" } engine: CAFFE unknown { a: [1, "]"] b < c: -1e-5 > } }
              include: { phase: TEST } param { lr_mult: 1.f } propagate_down: false
            }
            layers { name: "old" type: CONVOLUTION blobs_lr: 1 blobs_lr: 2 convolution_param { kernel_size: 3 bias_term: false } }
            force_backward: true
            """
        )
        #expect(net.name == "quotes")
        #expect(net.header.input == ["data"])
        #expect(net.header.inputShape.map(\.dim) == [[4, 3, 360, 480]])
        #expect(net.layers.map(\.parameter.name) == ["l", "old"])
        #expect(net.layers.map(\.parameter.type) == ["Convolution", "Convolution"])
        #expect(net.layers.map(\.line) == [4, 8])
        #expect(net.layers[0].parameter.bottom == ["a", "c"])
        #expect(net.layers[0].parameter.convolutionParam.numOutput == 64)
        #expect(net.layers[0].parameter.include.map(\.phase) == [.test])
        #expect(net.layers[1].parameter.convolutionParam.kernelSize == [3])
        #expect(!net.layers[1].parameter.convolutionParam.biasTerm)
    }

    @Test("several quoted texts in a row are one, as in protobuf")
    func quotedTexts() throws {
        let net = try Self.read(
            """
            layer { name: "co" 'nv' # the "first"
                "1_1" type: "Convo" "lution"
              convolution_param { num_output: 4 } }
            layer { name: "next" type: "ReLU" }
            """
        )
        #expect(net.layers.map(\.parameter.name) == ["conv1_1", "next"])
        #expect(net.layers.map(\.parameter.type) == ["Convolution", "ReLU"])
        #expect(net.layers.map(\.line) == [1, 4])
        let old = try Self.read("layers { name: 'a' 'b' type: CONVOLUTION }")
        #expect(old.layers[0].parameter.name == "ab")
    }

    @Test("a byte order mark and a comment that is not UTF-8 do no harm")
    func encodings() throws {
        let text = Array("layer { name: \"a\" type: \"ReLU\" } # ".utf8)
        let net = try CaffeNetwork(bytes: [0xef, 0xbb, 0xbf] + text + [0xe4, 0xff, 10], file: "net.prototxt")
        #expect(net.layers.count == 1)
    }

    @Test(
        "errors name the line",
        arguments: [
            ("", ": has no layers. A .prototxt is needed that describes a network with 'layer { ... }'."),
            ("layer {\n  name: \"a\"\n", ":1: the brace that opens here is never closed."),
            ("layer {\n  type \"x\"\n}", ":2: found '\"' after 'type', where ':' or '{' was needed."),
            ("layer {\n  type:\n}", ":3: found '}' where the value of 'type' was needed."),
            ("layer {\n  type: \"x\n}", ":2: a quoted text does not end on its line."),
            ("name: \"x\" }\n", ":1: found '}' where a field's name was needed."),
            ("layer {\n a: [1, 2\n }", ":2: the list that opens here is never closed."),
            ("layer { name: \"a\" }", ":1: layer 'a' has no type."),
            ("\nlayer: 3", ":2: 'layer' needs braces: layer { ... }."),
            (
                "layer { name: \"a\" type: \"Convolution\"\nconvolution_param {\n num_output: 6x4\n} }",
                ":3: layer 'a' has num_output: 6x4, which is not a valid value of 'num_output'. "
                    + "Correct the value, or delete the field if it does not matter for running the network."
            ),
            (
                "layer { name: \"a\" type: \"BN\"\nbn_param {\n bn_mode: SOMETIMES\n} }",
                ":3: layer 'a' has bn_mode: SOMETIMES, which is not a valid value of 'bn_mode'. "
                    + "Correct the value, or delete the field if it does not matter for running the network."
            ),
            (
                "layers { name: \"a\"\n type: CONVOLUTON }",
                ":2: layer 'a' is of type CONVOLUTON, which no known Caffe has. Check the spelling."
            ),
            (
                "net: \"models/net.prototxt\"\nbase_lr: 0.1",
                ":1: this is a solver's file, not a network. Give the network that it names: models/net.prototxt."
            ),
            ("\u{1}\u{2}", ": is not a text file. A .prototxt is needed here; a .caffemodel is a model file."),
            (String(repeating: "a {", count: 40_000), ":1: braces are nested more than 32 deep."),
        ]
    )
    func errors(text: String, problem: String) {
        #expect(message { try Self.read(text) } == "net.prototxt" + problem)
    }

    @Test("a text cut anywhere gives a network or an error, never a crash", .needsOracle)
    func truncated() throws {
        let bytes = [UInt8](try Data(contentsOf: Oracle.file("v1/vgg_v1.prototxt")))
        var errorCount = 0
        let counts = stride(from: 0, to: bytes.count, by: 7)
        for count in counts {
            do { _ = try CaffeNetwork(bytes: Array(bytes.prefix(count)), file: "cut") } catch { errorCount += 1 }
        }
        #expect(errorCount * 2 > bytes.count / 7)
    }

    @Test("the original's files are read", .needsOracle)
    func oracle() throws {
        let basic = try CaffeNetwork(Oracle.file("segnet_basic.prototxt"))
        #expect(basic.header.inputDim == [1, 3, 360, 480])
        #expect(basic.layers.filter { $0.parameter.type == "Convolution" }.count == 9)
        #expect(
            basic.layers.filter { $0.parameter.type == "BN" }.allSatisfy { $0.parameter.bnParam.bnMode == .inference }
        )
        let old = try CaffeNetwork(Oracle.file("v1/vgg_v1.prototxt"))
        let new = try CaffeNetwork(Oracle.file("v1/vgg_new.prototxt"))
        #expect(old.layers.map(\.parameter.type) == new.layers.map(\.parameter.type))
        #expect(old.layers.map(\.parameter.convolutionParam) == new.layers.map(\.parameter.convolutionParam))
    }
}

@Suite("caffemodel files")
struct CaffeModelFileTests {
    @Test(
        "both encodings, packed or not, hold the same tensors",
        .needsOracle,
        arguments: ["tiny_new", "tiny_v1", "tiny_v1_unpacked_with_diff"]
    )
    func encodings(name: String) throws {
        let file = try CaffeModelFile(Oracle.file("v1/\(name).caffemodel"))
        let weighted = file.layers.filter { !$0.blobs.isEmpty }
        #expect(weighted.map(\.name) == ["conv1_1", "conv1_2", "conv2_1", "fc6"])
        #expect(weighted.map(\.type) == ["Convolution", "Convolution", "Convolution", "InnerProduct"])
        for layer in weighted {
            for (blob, part) in zip(layer.blobs, ["weight", "bias"]) {
                let expected = try NPYFile(Oracle.file("v1/\(layer.name).\(part).npy"))
                #expect(blob.fits(expected.shape.extents), "\(layer.name) \(blob.shape)")
                #expect(file.tensor(blob, shape: expected.shape).floats() == expected.floats())
            }
        }
    }

    @Test("float64 blobs are read")
    func doubles() throws {
        var net = Caffe_NetParameter()
        var layer = Caffe_LayerParameter()
        layer.name = "a"
        var blob = Caffe_BlobProto()
        blob.shape.dim = [2]
        blob.doubleData = [0.5, -3]
        layer.blobs = [blob]
        net.layer = [layer]
        try withTemporaryFolder { folder in
            let url = try folder.write([UInt8](try net.serializedData()), as: "a.caffemodel")
            let file = try CaffeModelFile(url)
            #expect(file.tensor(file.layers[0].blobs[0], shape: [2]).floats() == [0.5, -3])
        }
    }

    @Test(
        "damage is named with its place",
        arguments: [
            ([], ": has no layers. A .caffemodel is needed, written by Caffe's training or by 'segnet convert'."),
            (
                [0xa2, 6, 5, 1],
                ": is not a whole .caffemodel: byte 0: field 100 says it has 5 bytes, 1 are left. "
                    + "Fetch the file again, or give another one."
            ),
            (
                [0xa2, 6, 6, 0x3a, 4, 0x3a, 2, 0x08, 0x05],
                ": is not a whole .caffemodel: byte 5: a blob of shape [5] needs 5 values and has 0. "
                    + "Fetch the file again, or give another one."
            ),
            (
                [0xff, 0xff],
                ": is not a whole .caffemodel: byte 0: a number is cut off. Fetch the file again, or give another one."
            ),
            (
                [0x0f],
                ": is not a whole .caffemodel: byte 0: wire type 7 does not exist. "
                    + "Fetch the file again, or give another one."
            ),
            (
                // A blob whose shape is 2^62 x 2^62 without a value.
                [0xa2, 6, 24, 0x3a, 22, 0x3a, 20, 0x0a, 18]
                    + [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]
                    + [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40],
                ": is not a whole .caffemodel: byte 5: a blob has the impossible shape "
                    + "[4611686018427387904, 4611686018427387904]. Fetch the file again, or give another one."
            ),
        ] as [([UInt8], String)]
    )
    func damaged(bytes: [UInt8], problem: String) throws {
        try withTemporaryFolder { folder in
            let url = try folder.write(bytes, as: "bad.caffemodel")
            #expect(message { try CaffeModelFile(url) } == "bad.caffemodel" + problem)
        }
    }

    @Test("a file cut or changed anywhere gives layers or an error, never a crash", .needsOracle)
    func hostile() throws {
        let bytes = [UInt8](try Data(contentsOf: Oracle.file("v1/tiny_v1.caffemodel")))
        try withTemporaryFolder { folder in
            for index in stride(from: 0, to: bytes.count, by: 25) {
                var changed = bytes
                changed[index] ^= UInt8(truncatingIfNeeded: 1 << (index % 8))
                for candidate in [changed, Array(bytes.prefix(index))] {
                    let url = try folder.write(candidate, as: "bad.caffemodel")
                    guard let file = try? CaffeModelFile(url) else { continue }
                    for blob in file.layers.flatMap(\.blobs) {
                        #expect(file.tensor(blob, shape: Shape(blob.shape)).floats().count == blob.count)
                    }
                }
            }
        }
    }

    @Test("a missing file is explained")
    func missing() {
        let url = URL(fileURLWithPath: "none.caffemodel", relativeTo: FileManager.default.temporaryDirectory)
        #expect(
            message { try CaffeModelFile(url) }
                == "none.caffemodel: cannot be opened (No such file or directory). Check the path."
        )
    }
}
