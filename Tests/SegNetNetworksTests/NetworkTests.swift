import Foundation
import SegNetPlatform
import Testing

@testable import SegNetNetworks

@Suite("Networks")
struct NetworkTests {
    static func conv(_ name: String, _ channels: Int, _ window: Window, inputs: [String]) -> Layer {
        Layer(name, inputs: inputs, .convolution(Convolution(outputChannels: channels, window: window)))
    }

    static func network(_ layers: [Layer], height: Int = 8, width: Int = 6) -> Network {
        Network(name: "n", input: .bgr255(height: height, width: width), layers: layers)
    }

    @Test("survive being written to JSON and read back", arguments: Architecture.allCases)
    func coding(architecture: Architecture) throws {
        let network = architecture.network(classes: 12)
        let data = try JSONEncoder().encode(network)
        #expect(try JSONDecoder().decode(Network.self, from: data) == network)
    }

    @Test("name their input's channels in files as words")
    func channelNames() throws {
        let input = InputDescription(channels: .bgr + ["depth"], height: 3, width: 4)
        let text = String(decoding: try JSONEncoder().encode(input), as: UTF8.self)
        #expect(text.contains("\"channels\":[\"blue\",\"green\",\"red\",\"depth\"]"), "\(text)")
    }

    @Test("code every kind of layer")
    func everyKind() throws {
        let kinds: [SegNetNetworks.Operation] = [
            .convolution(Convolution(outputChannels: 3, window: Window(3), groups: 3, hasBias: false)),
            .transposedConvolution(TransposedConvolution(outputChannels: 2, window: Window(4, stride: 2, padding: 1))),
            .batchNormalization(BatchNormalization(statistics: .kept, epsilon: 1e-5)), .relu(ReLU()),
            .elu(ELU(alpha: 0.5)), .scale(Scale(hasShift: true)),
            .maxPooling(MaxPooling(window: Window(3, stride: 2), givesIndices: false)),
            .averagePooling(AveragePooling(window: Window(3, stride: 2))), .averagePooling(AveragePooling(window: nil)),
            .unpooling(Unpooling(declaredHeight: 3, declaredWidth: nil)),
            .localResponseNormalization(LocalResponseNormalization()),
            .localContrastNormalization(LocalContrastNormalization()),
            .dropout(Dropout(ratio: 0.3, samplesAtTest: true)),
            .addition(Addition()), .concatenation(Concatenation()), .crop(Crop(top: 1, left: 2)),
            .padding(Padding(multiple: 8)), .bilinearUpsampling(BilinearUpsampling(factor: 4)),
            .resize(Resize(to: .size(height: 3, width: 4))),
            .resize(Resize(to: .reference)), .softmax(Softmax()), .argmax(Argmax()),
            .innerProduct(InnerProduct(outputChannels: 5)),
        ]
        #expect(Set(kinds.map(\.kindName)) == Set(SegNetNetworks.Operation.Name.allCases.map(\.rawValue)))
        for kind in kinds {
            let layer = Layer("l", inputs: ["a"], kind)
            let data = try JSONEncoder().encode(layer)
            #expect(try JSONDecoder().decode(Layer.self, from: data) == layer)
        }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                Layer.self,
                from: Data(#"{"name":"x","kind":"magic","inputs":[],"outputs":[],"parameters":{}}"#.utf8)
            )
        }
    }

    @Test(
        "name the layer, both shapes and the next step",
        arguments: [
            (
                network([conv("c", 4, Window(9), inputs: ["data"])]),
                "network 'n', layer 'c': its 9x9 window does not fit its input [1, 3, 8, 6] with padding 0x0; use a larger picture size."
            ),
            (
                network([conv("c", 4, Window(3), inputs: ["dota"])]),
                "network 'n', layer 'c': no layer before it writes its input 'dota'; correct the name or the order of the layers."
            ),
            (
                network([conv("c", 4, Window(1), inputs: ["data"]), conv("c", 4, Window(1), inputs: ["c"])]),
                "network 'n', layer 'c': two layers have this name; weights are matched by name, so rename one."
            ),
            (
                network([
                    Layer("p", inputs: ["data"], outputs: ["p", "m"], .maxPooling(MaxPooling())),
                    conv("c", 4, Window(3), inputs: ["p"]), Layer("u", inputs: ["c", "m"], .unpooling(Unpooling())),
                ]),
                "network 'n', layer 'u': its map is [1, 4, 2, 1], its pooling indices are [1, 3, 4, 3]; they must have the same shape."
            ),
            (
                network([
                    Layer("p", inputs: ["data"], outputs: ["p", "m"], .maxPooling(MaxPooling())),
                    conv("c", 4, Window(1), inputs: ["m"]),
                ]),
                "network 'n', layer 'c': 'm' holds pooling indices, which only unpooling can read, as its second input."
            ),
            (
                network([
                    conv("a", 4, Window(1), inputs: ["data"]),
                    Layer("s", inputs: ["a", "data"], .addition(Addition())),
                ]),
                "network 'n', layer 's': adds [1, 4, 8, 6] and [1, 3, 8, 6]; all its inputs must have the same shape."
            ),
            (
                network([
                    Layer(
                        "p",
                        inputs: ["data"],
                        .maxPooling(MaxPooling(window: Window(3, dilation: 2), givesIndices: false))
                    )
                ]),
                "network 'n', layer 'p': pools with dilation 2x2, but only 1x1 is supported; "
                    + "remove it, or use a convolution, whose window can have gaps."
            ),
            (
                network([
                    Layer("p", inputs: ["data"], .averagePooling(AveragePooling(window: Window(2, dilation: 3))))
                ]),
                "network 'n', layer 'p': pools with dilation 3x3, but only 1x1 is supported; "
                    + "remove it, or use a convolution, whose window can have gaps."
            ),
            (
                network([], height: 0),
                "network 'n': the input [1, 3, 0, 6] must have at least one channel, row and column, and at most 1048576 of each; "
                    + "use another picture size."
            ),
            (
                network([Layer("s", inputs: ["data"], .addition(Addition()))]),
                "network 'n', layer 's': its kind, addition, reads 2 or more blobs; found 1."
            ),
            (
                network([
                    Layer("r", inputs: ["data"], .resize(Resize(to: .factor(2), cut: Resize.Margins(begin: .min))))
                ]),
                "network 'n', layer 'r': cannot cut -9223372036854775808 and 0 rows and columns off its input [1, 3, 8, 6]."
            ),
            (
                network([Layer("b", inputs: ["data"], .batchNormalization(BatchNormalization(epsilon: -100)))]),
                "network 'n', layer 'b': its epsilon is -100.0; a finite number of at least 0 is needed."
            ),
            (
                network([Layer("b", inputs: ["data"], .batchNormalization(BatchNormalization(epsilon: .nan)))]),
                "network 'n', layer 'b': its epsilon is nan; a finite number of at least 0 is needed."
            ),
        ]
    )
    func errors(network: Network, text: String) {
        #expect { try network.shapes() } throws: { "\($0)" == text }
    }

    @Test("let a pooling's stride exceed its window only where the last window lies in the map")
    func stridesBeyondWindows() throws {
        func pool(_ kind: SegNetNetworks.Operation, height: Int = 8, width: Int = 6) -> Network {
            Self.network([Layer("p", inputs: ["data"], kind)], height: height, width: width)
        }
        let sparse = Window(1, stride: 3)
        for kind: SegNetNetworks.Operation in [
            .averagePooling(AveragePooling(window: sparse)),
            .maxPooling(MaxPooling(window: sparse, givesIndices: false)),
        ] {
            #expect(try pool(kind, height: 7, width: 4).shapes().blobs["p"]?.shape == [1, 3, 3, 2])
        }
        let remedy = "another picture size."
        #expect {
            try pool(.averagePooling(AveragePooling(window: Window(2, stride: 5)))).shapes()
        } throws: {
            "\($0)"
                == "network 'n', layer 'p': its last window would begin at row 10 of a map with 8, because the stride "
                + "5 exceeds the window 2; take a stride of at most 2, or \(remedy)"
        }
        let columns = Window(height: 8, width: 1, strideX: 2)
        #expect {
            try pool(.maxPooling(MaxPooling(window: columns, givesIndices: false))).shapes()
        } throws: {
            "\($0)"
                == "network 'n', layer 'p': its last window would begin at column 6 of a map with 6, because the stride "
                + "2 exceeds the window 1; take a stride of at most 1, or \(remedy)"
        }
    }

    @Test("refuse to compute with class ids, and with pooling indices as a map")
    func notMaps() {
        let ids = Self.network([
            Layer("ids", inputs: ["data"], .argmax(Argmax())), Self.conv("c", 4, Window(1), inputs: ["ids"]),
        ])
        #expect { try ids.shapes() } throws: {
            "\($0)" == "network 'n', layer 'c': 'ids' holds class ids, with which no layer can compute; "
                + "let it read the scores instead."
        }
        let indices = Self.network([
            Layer("p", inputs: ["data"], outputs: ["p", "m"], .maxPooling(MaxPooling())),
            Layer("u", inputs: ["m", "m"], .unpooling(Unpooling())),
        ])
        #expect(throws: NetworkError.self) { try indices.shapes() }
    }

    @Test("refuse strides of transposed convolutions that no net has")
    func transposedStride() {
        let window = Window(1, stride: 1500)
        let layer = Layer(
            "d",
            inputs: ["data"],
            .transposedConvolution(TransposedConvolution(outputChannels: 4, window: window))
        )
        #expect { try Self.network([layer]).shapes() } throws: {
            "\($0)" == "network 'n', layer 'd': needs strides of at most 64; found 1500x1500."
        }
    }

    @Test("sum up receptive fields beyond all numbers without a trap")
    func hugeStrides() throws {
        let layers = (0..<7).map {
            Self.conv("c\($0)", 1, Window(1, stride: 4096), inputs: [$0 == 0 ? "data" : "c\($0 - 1)"])
        }
        #expect(try Self.network(layers).summary().rows.count == 7)
    }

    @Test("refuse absurd sizes without a trap")
    func absurd() {
        let huge = Self.conv("c", Int.max / 2, Window(3, padding: 1), inputs: ["data"])
        #expect(throws: NetworkError.self) { try Self.network([huge]).shapes() }
        let wide = Self.conv("c", 1 << 20, Window(4096, padding: 4096), inputs: ["data"])
        #expect(throws: Never.self) { _ = try Self.network([wide]).summary() }
        #expect((try? Self.network([wide]).summary().multiplyAccumulates) == Int.max)
    }

    @Test("are refused if softmax or argmax writes over the scores; their outputs can be told apart")
    func scoresInPlace() throws {
        let conv = Self.conv("c", 4, Window(1), inputs: ["data"])
        let softmax = Layer("s", inputs: ["c"], outputs: ["c"], .softmax(Softmax()))
        let argmax = Layer("m", inputs: ["c"], outputs: ["c"], .argmax(Argmax()))
        let dropout = Layer("d", inputs: ["c"], outputs: ["c"], .dropout(Dropout(ratio: 0.5)))
        let taken = Layer("s_", inputs: ["data"], outputs: ["s"], .relu(ReLU()))
        for (layers, writer, outputs) in [
            ([conv, softmax], "s", [["c"], ["s"]]),
            ([conv, argmax], "m", [["c"], ["m"]]),
            ([conv, dropout, softmax, argmax], "s", [["c"], ["c"], ["s"], ["s"]]),
            ([conv, softmax, dropout], "s", [["c"], ["s"], ["s"]]),
            ([taken, conv, softmax], "s", [["s"], ["c"], ["s_2"]]),
            // Not in place, but what comes later takes the name.
            (
                [
                    conv, Layer("p", inputs: ["c"], .softmax(Softmax())),
                    Layer("r", inputs: ["data"], outputs: ["c"], .relu(ReLU())),
                    Layer("i", inputs: ["p"], .argmax(Argmax())),
                ],
                "r", [["c"], ["p"], ["r"], ["i"]]
            ),
        ] as [([Layer], String, [[String]])] {
            var network = Self.network(layers)
            #expect { try network.shapes() } throws: {
                "\($0)"
                    == "network 'n', layer '\(writer)': it overwrites the scores 'c', which softmax or argmax has read and which "
                    + "would be lost; give its output another name."
            }
            #expect(network.separateScores().map(\.layer) == [writer])
            #expect(network.layers.map(\.outputs) == outputs)
            #expect(network.scoresBlob == "c" && network.classCount == 4)
        }
        // Nothing to do where the scores stay, or where softmax is not at the end.
        for layers in [
            [conv, dropout, Layer("p", inputs: ["c"], .softmax(Softmax()))],
            [conv, softmax, Self.conv("e", 2, Window(1), inputs: ["c"])],
        ] {
            var network = Self.network(layers)
            #expect(throws: Never.self) { try network.shapes() }
            #expect(network.separateScores().isEmpty)
            #expect(network.layers == layers)
        }
    }

    @Test("trace the scores back through softmax and argmax")
    func scores() {
        let layers = [
            Self.conv("c", 4, Window(1), inputs: ["data"]), Layer("prob", inputs: ["c"], .softmax(Softmax())),
            Layer("ids", inputs: ["prob"], .argmax(Argmax())),
        ]
        #expect(Self.network(layers).scoresBlob == "c")
        #expect(Self.network(layers).classCount == 4)
        #expect(Self.network([]).scoresBlob == nil)
    }

    /// Caffe's rule: sizes round up, and with padding the last window must begin inside the picture.
    @Test(
        "pool to Caffe's sizes",
        arguments: [
            (45, 2, 2, 0, 23), (23, 2, 2, 0, 12), (1, 2, 2, 0, 1), (7, 3, 2, 0, 3), (7, 3, 2, 1, 4), (8, 3, 2, 1, 5),
            (4, 3, 1, 1, 4),
        ]
    )
    func poolSizes(size: Int, window: Int, stride: Int, padding: Int, expected: Int) throws {
        let pooling = MaxPooling(window: Window(window, stride: stride, padding: padding), givesIndices: false)
        let out = try pooling.outputs(of: [BlobShape([1, 2, size, size])])
        #expect(out[0].shape == [1, 2, expected, expected])
    }
}

@Suite("Weights")
struct WeightsTests {
    static let network = Architectures.segNetBasic(
        classes: 3,
        options: ArchitectureOptions(input: .bgr255(height: 8, width: 8), width: 0.25)
    )

    @Test("are the same for the same seed and have He's deviation")
    func initial() throws {
        let (a, b) = (try Weights.initial(for: Self.network, seed: 4), try Weights.initial(for: Self.network, seed: 4))
        let c = try Weights.initial(for: Self.network, seed: 5)
        let name = "conv2.weight"
        let values = try #require(a[name]).floats()
        #expect(values == (try #require(b[name]).floats()))
        #expect(values != (try #require(c[name]).floats()))
        let variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(values.count)
        #expect(abs(variance * Double(16 * 49) / 2 - 1) < 0.05)
        try a.check(for: Self.network, file: "f")
    }

    @Test("name file, tensor, both shapes and the closest name")
    func errors() throws {
        var weights = try Weights.initial(for: Self.network, seed: 4)
        weights["conv1.weight"] = WeightTensor(shape: [64, 3, 7, 7], values: Array(repeating: 0, count: 64 * 3 * 49))
        #expect { try weights.check(for: Self.network, file: "m.safetensors") } throws: {
            "\($0)" == "m.safetensors: tensor 'conv1.weight' has shape [64, 3, 7, 7], the network needs [16, 3, 7, 7]."
        }
        weights["conv1.weight"] = nil
        weights["conv1.weigth"] = WeightTensor(shape: [1], values: [0])
        #expect { try weights.check(for: Self.network, file: "m.safetensors") } throws: {
            "\($0)" == "m.safetensors: tensor 'conv1.weight' is missing, the network needs it. "
                + "The closest name in the file is 'conv1.weigth'."
        }
    }

    @Test("suggest only names that could be meant")
    func closest() {
        #expect(closestName(to: "conv_classifier", among: ["conv1", "conv_clasifier", "pool"]) == "conv_clasifier")
        #expect(closestName(to: "conv_classifier", among: ["x", "y"]) == nil)
        #expect(closestName(to: "a", among: []) == nil)
        // A third of the letters may differ, or one, but not all.
        #expect(closestName(to: "abcdef", among: ["abcdxy"]) == "abcdxy")
        #expect(closestName(to: "abcdef", among: ["abcxyz"]) == nil)
        #expect(closestName(to: "ab", among: ["ac"]) == "ac")
        #expect(closestName(to: "Raod", among: ["Car", "Road"]) == "Road")
        #expect(closestName(to: "Bicycle", among: ["Bicyclist", "Building"]) == "Bicyclist")
        #expect(closestName(to: "a", among: ["b"]) == nil)
    }

    /// Every one of the 65536 half-precision numbers, there and back.
    @Test("convert float16 exactly")
    func half() {
        for bits in UInt16.min...UInt16.max {
            let value = float32(float16Bits: bits)
            let isNaN = bits & 0x7C00 == 0x7C00 && bits & 0x3FF != 0
            #expect(value.isNaN == isNaN)
            if !isNaN { #expect(float16Bits(value) == bits) }
        }
        #expect(float16Bits(65504) == 0x7BFF)
        #expect(float16Bits(65519) == 0x7BFF)
        #expect(float16Bits(65520) == 0x7C00)
        #expect(float16Bits(-1e9) == 0xFC00)
        #expect(float16Bits(0x1p-25) == 0)
        #expect(float16Bits(0x1.8p-25) == 1)
        #expect(float16Bits(1 + 0x1p-11) == 0x3C00)
        #expect(float16Bits(1 + 0x1.8p-10) == 0x3C02)
    }

    @Test(
        "have names for all layers and blobs, as many layers as can be prepared, and ratios of dropout that mean something"
    )
    func limits() {
        func message(_ layers: [Layer]) -> String {
            do {
                _ = try NetworkTests.network(layers).shapes()
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message([Layer("", inputs: ["data"], .relu(ReLU()))])
                == "network 'n': layer 1, a relu, or a blob of it has an empty name; name it."
        )
        #expect(message([Layer("a", inputs: ["data"], outputs: [""], .relu(ReLU()))]).contains("layer 1, a relu"))
        #expect(
            message((0...10_000).map { Layer("l\($0)", inputs: ["data"], outputs: ["data"], .relu(ReLU())) })
                == "network 'n': it has 10001 layers; at most 10000 can be read."
        )
        for ratio in [1, -0.1, Double.nan, .infinity] {
            #expect(
                message([Layer("d", inputs: ["data"], .dropout(Dropout(ratio: ratio)))]).contains(
                    "at least 0 and below 1"
                )
            )
        }
        #expect(message([Layer("d", inputs: ["data"], .dropout(Dropout(ratio: 0)))]) == "")
    }
}
