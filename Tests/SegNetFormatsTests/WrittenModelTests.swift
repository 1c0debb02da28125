import Foundation
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("What files say of a model")
struct WrittenModelTests {
    /// Convolution and batch normalisation with statistics, and another layer between them or not.
    private static func model(isApart: Bool) throws -> Model {
        let network = Network("t", input: .channels(2, height: 4, width: 4)) {
            Layer("conv", .convolution(Convolution(outputChannels: 2, window: Window(1))))
            if isApart { Layer("pool", .averagePooling(AveragePooling(window: Window(2, stride: 2)))) }
            Layer("bn", .batchNormalization(BatchNormalization(statistics: .kept, epsilon: 0.5)))
        }
        var weights = Weights()
        for (_, name, parameter) in try network.parameters() {
            weights[name] = WeightTensor(
                shape: parameter.shape,
                values: Array(repeating: 1, count: parameter.shape.count)
            )
        }
        return Model(network: network, weights: weights)
    }

    @Test(
        "batch normalisation that cannot be folded keeps its statistics, and the file says so",
        arguments: [
            (true, ElementType.float16, "statistics"), (false, .float16, "none"), (true, .float32, "statistics"),
            (false, .float32, "statistics"),
        ]
    )
    func normalization(isApart: Bool, elementType: ElementType, word: String) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(try Self.model(isApart: isApart), elementType: elementType, to: url)
            let file = try SafetensorsFile(url)
            #expect(file.metadata["batchNormalization"] == word)
            #expect((file.weights["bn.mean"] != nil) == (word == "statistics"))
            #expect(file.metadata["epsilon"] == (word == "statistics" ? "0.5" : nil))
        }
    }

    @Test("class names with commas and quotes stay apart in ONNX files")
    func classNames() throws {
        var model = try SampleModels.basic()
        model.metadata.classNames = ["Sky, clouds", "Road \"A\"", "道路"]
        let file = try ONNXTests.read(model, .indices)
        let text = try #require(file.metadataProps.first { $0.key == "class_names" }?.value)
        #expect(try JSONDecoder().decode([String].self, from: Data(text.utf8)) == model.metadata.classNames)
    }

    @Test("no new weights stand next to an old description that could not be replaced")
    func both() throws {
        try withTemporaryFolder { folder in
            let weights = try folder.write("old", as: "a.caffemodel")
            let network = folder.appendingPathComponent("a.prototxt")
            try FileManager.default.createDirectory(at: network, withIntermediateDirectories: true)
            #expect(throws: FormatError.self) {
                try Caffe.write(try SampleModels.basic(), weights: weights, network: network)
            }
            #expect(try Data(contentsOf: weights) == Data("old".utf8))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                    "a.caffemodel", "a.prototxt",
                ]
            )
        }
    }
}
