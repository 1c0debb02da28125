import SegNetNetworks
import SegNetPlatform
import Testing

@Suite("Architectures")
struct ArchitectureTests {
    /// Figures of the fact sheet, section 1.3, computed there from the released prototxts.
    @Test(
        "have the released nets' parameter counts",
        arguments: [
            (Architecture.segNet, 11, false, 29_449_355), (.segNet, 12, false, 29_449_932),
            (.segNet, 21, false, 29_455_125), (.segNet, 37, false, 29_464_357), (.segNet, 38, false, 29_464_934),
            (.bayesianSegNet, 38, false, 29_464_934), (.segNet, 11, true, 29_486_411),
            (.segNetBasic, 11, false, 1_416_587), (.bayesianSegNetBasic, 11, false, 1_416_587),
        ]
    )
    func parameters(architecture: Architecture, classes: Int, extraClassifier: Bool, expected: Int) throws {
        let options = ArchitectureOptions(extraClassifier: extraClassifier)
        let summary = try architecture.network(classes: classes, options: options).summary()
        #expect(summary.parameters == expected)
        #expect(summary.weightBytes == expected * 4)
        #expect(summary.classes == classes)
    }

    /// GMAC of the fact sheet, section 1.3, to the three decimals given there.
    @Test(
        "have the released nets' multiply-accumulates",
        arguments: [
            (Architecture.segNet, 11, 224, 224, 30.924), (.segNet, 11, 240, 320, 47.333),
            (.segNet, 11, 360, 480, 106.712),
            (.segNet, 11, 480, 640, 189.334), (.segNet, 11, 720, 960, 426.000), (.segNet, 11, 512, 1024, 323.129),
            (.segNet, 12, 360, 480, 106.812), (.segNet, 37, 360, 480, 109.300), (.segNetBasic, 11, 360, 480, 59.189),
            (.segNetBasic, 11, 224, 224, 17.187), (.segNetBasic, 11, 720, 960, 236.755),
        ]
    )
    func multiplyAccumulates(architecture: Architecture, classes: Int, height: Int, width: Int, expected: Double) throws
    {
        let summary = try architecture.network(classes: classes).resized(height: height, width: width).summary()
        #expect(abs(Double(summary.multiplyAccumulates) / 1e9 - expected) < 0.0005)
    }

    @Test("take pictures of the size at which their training is measured", arguments: Architecture.allCases)
    func measuredBatch(architecture: Architecture) throws {
        let (pictures, size) = architecture.measuredBatch
        let network = architecture.network(classes: 11).resized(height: size.height, width: size.width)
        #expect(pictures >= 2 && size.width > size.height)
        #expect(try network.summary().classes == 11)
    }

    @Test("have the released nets' layers in their order")
    func layers() throws {
        let names = Architectures.segNet(classes: 11).layers.map(\.name)
        #expect(names.count == 26 + 25 + 25 + 10)
        #expect(
            names.prefix(8) == [
                "conv1_1", "conv1_1_bn", "relu1_1", "conv1_2", "conv1_2_bn", "relu1_2", "pool1", "conv2_1",
            ]
        )
        #expect(names.suffix(6) == ["relu2_1_D", "upsample1", "conv1_2_D", "conv1_2_D_bn", "relu1_2_D", "conv1_1_D"])
        let basic = Architectures.segNetBasic(classes: 11).layers.map(\.name)
        #expect(basic.first == "norm")
        #expect(basic.suffix(4) == ["upsample1", "conv_decode1", "conv_decode1_bn", "conv_classifier"])
        #expect(!basic.contains("relu_decode1"))
    }

    /// Fact sheet 1.1: 212 pixels after pool5, and 106 for SegNet-Basic after pool4, as the paper says.
    @Test("see as much of the picture as the paper says")
    func receptiveField() throws {
        let segNet = try Architectures.segNet(classes: 11).summary().rows
        #expect(segNet.first { $0.name == "pool5" }?.receptiveField == 212)
        let basic = try Architectures.segNetBasic(classes: 11).summary().rows
        #expect(basic.first { $0.name == "pool4" }?.receptiveField == 106)
    }

    @Test("return to the exact size of any input", arguments: [1, 2, 17, 45, 64], [1, 3, 31, 60])
    func anySize(height: Int, width: Int) throws {
        for architecture in Architecture.allCases where architecture != .deconvNet {
            let options = ArchitectureOptions(input: .bgr255(height: height, width: width), width: 0.1)
            let network = architecture.network(classes: 7, options: options)
            let shapes = try network.shapes()
            let scores = try #require(network.scoresBlob)
            #expect(shapes.blobs[scores]?.shape == [1, 7, height, width])
        }
    }

    @Test(
        "round multiplied widths up to multiples of 16",
        arguments: [
            (0.25, [16, 32, 64, 128]), (0.1, [16, 16, 32, 64]), (1.5, [96, 192, 384, 768]), (0.3, [32, 48, 80, 160]),
        ]
    )
    func width(multiplier: Double, widths: [Int]) throws {
        let network = Architectures.segNet(classes: 11, options: ArchitectureOptions(width: multiplier))
        let shapes = try network.shapes()
        for (stage, expected) in zip(["pool1", "pool2", "pool3", "pool4"], widths) {
            #expect(shapes.blobs[stage]?.shape.channels == expected)
        }
    }

    @Test("take any number of input channels", arguments: [1, 2, 3, 4, 9, 20])
    func inputChannels(count: Int) throws {
        let options = ArchitectureOptions(input: .channels(count, height: 32, width: 32), width: 0.25)
        let parameters = try Architectures.segNet(classes: 2, options: options).parameters()
        #expect(parameters.first?.parameter.shape == [16, count, 3, 3])
    }

    @Test("follow the options of the fact sheet's section 0")
    func options() throws {
        func names(_ options: ArchitectureOptions, _ architecture: Architecture = .segNetBasic) -> [String] {
            architecture.network(classes: 11, options: options).layers.map(\.name)
        }
        let unbiased = Architectures.segNetBasic(classes: 11, options: ArchitectureOptions(convolutionBias: false))
        #expect(try !unbiased.parameters().contains { $0.name == "conv1.bias" })
        #expect(!names(ArchitectureOptions(inputNormalization: .none)).contains("norm"))
        let contrast = Architectures.segNetBasic(classes: 11, options: ArchitectureOptions(inputNormalization: .lcn))
        #expect(contrast.layers.first?.operation == .localContrastNormalization(LocalContrastNormalization()))
        #expect(names(ArchitectureOptions(inputNormalization: .lrn), .segNet).first == "norm")
        #expect(names(ArchitectureOptions(decoderReLU: true)).contains("relu_decode1"))
        #expect(!names(ArchitectureOptions(decoderReLU: false), .segNet).contains("relu1_2_D"))
        let dropouts = names(ArchitectureOptions(), .bayesianSegNet).filter { $0.contains("drop") }
        #expect(dropouts == ["encdrop3", "encdrop4", "encdrop5", "decdrop5", "decdrop4", "decdrop3"])
        let basicDropouts = names(ArchitectureOptions(), .bayesianSegNetBasic).filter { $0.contains("drop") }
        #expect(basicDropouts == ["encdrop3", "encdrop4", "decdrop4", "decdrop3"])
    }

    @Test(
        "have an encoder down to the smallest map and a decoder from there",
        arguments: [
            (Architecture.segNet, "conv1_1", "pool5", "upsample5"),
            (.segNetBasic, "norm", "pool4", "upsample4"),
        ]
    )
    func parts(architecture: Architecture, first: String, last: String, decoder: String) {
        let network = architecture.network(classes: 11)
        #expect(network.encoder.first?.name == first && network.encoder.last?.name == last)
        #expect(network.decoder.first?.name == decoder)
        #expect(network.encoder.count + network.decoder.count == network.layers.count)
        #expect(Network(name: "pooled", input: network.input, layers: Array(network.encoder)).decoder.isEmpty)
    }
}
