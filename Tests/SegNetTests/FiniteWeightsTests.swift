import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A model with numbers that are none")
struct FiniteWeightsTests {
    /// What loading the model of a file says.
    private static func message(_ model: Model, as type: ElementType, _ name: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-finite-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "\(name).safetensors")
        try SafetensorsFile.write(model, elementType: type, to: file)
        do {
            _ = try Segmenter(LoadedModel(file), options: Segmenter.Options(threads: 1))
            return ""
        } catch {
            return "\(error)".replacing("\(folder.relativePath)/", with: "")
        }
    }

    private static func damaged(_ tensor: String, _ index: Int, _ value: Float) throws -> Model {
        var model = try smallModel()
        let whole = try #require(model.weights[tensor])
        var values = whole.floats()
        values[index] = value
        model.weights[tensor] = WeightTensor(shape: whole.shape, values: values)
        return model
    }

    @Test(
        "is refused when it is loaded, with the tensor",
        arguments: [
            ("conv1.weight", 5, Float.nan, "nan"), ("conv_classifier.bias", 3, -.infinity, "-inf"),
            ("conv_decode1.weight", 5000, .infinity, "inf"),
        ],
        [ElementType.float32, .float16, .bfloat16]
    )
    func refused(damage: (tensor: String, index: Int, value: Float, text: String), type: ElementType) throws {
        let model = try Self.damaged(damage.tensor, damage.index, damage.value)
        #expect(
            try Self.message(model, as: type, "m")
                == "m.safetensors: tensor '\(damage.tensor)' holds \(damage.text) at index \(damage.index); use another model, or train this one "
                + "again."
        )
    }

    @Test("a model of finite numbers is not", arguments: ElementType.allCases)
    func accepted(type: ElementType) throws {
        #expect(try Self.message(try Self.damaged("conv1.weight", 5, 60_000), as: type, "m") == "")
    }

    @Test("so is a scale of a batch normalisation")
    func scale() throws {
        #expect(
            try Self.message(try Self.damaged("conv2_bn.scale", 0, .infinity), as: .float32, "m")
                == "m.safetensors: tensor 'conv2_bn.scale' holds inf at index 0; use another model, or train this one again."
        )
    }

    @Test("a negative variance is refused, and a tensor that the network does not need is not looked at")
    func variance() throws {
        var model = try smallModel()
        for index in model.network.layers.indices {
            guard case .batchNormalization(var kind) = model.network.layers[index].operation else { continue }
            kind.statistics = .kept
            model.network.layers[index].operation = .batchNormalization(kind)
        }
        model.weights = try Weights.initial(for: model.network, seed: 7)
        model.weights["spare"] = WeightTensor(shape: [1], values: [.nan])
        #expect(try Self.message(model, as: .float32, "m") == "")
        model.weights["conv3_bn.variance"] = WeightTensor(shape: [16], values: Array(repeating: 1, count: 15) + [-0.5])
        #expect(
            try Self.message(model, as: .float32, "m")
                == "m.safetensors: tensor 'conv3_bn.variance' holds -0.5 at index 15, a variance is 0 or more; use another model, or convert this "
                + "one again."
        )
    }

    @Test(
        "finite numbers that are so large that the scores are not fail at the first picture, with the file",
        arguments: [
            Segmenter.Request(), .init(keeps: [.confidence]), .init(edges: .smooth), .init(.views(.init(flip: true))),
            .init(size: .picture, tiles: .init(width: 64, height: 64)),
        ]
    )
    func scores(request: Segmenter.Request) throws {
        var model = try smallModel()
        for name in ["conv_decode1.weight", "conv_classifier.weight"] {
            let shape = try #require(model.weights[name]).shape
            model.weights[name] = WeightTensor(
                shape: shape,
                values: [Float](repeating: 3e38, count: shape.count)
            )
        }
        let options = Segmenter.Options(threads: 1).serving(only: request)
        let segmenter = try Segmenter(LoadedModel(model, name: "huge.safetensors"), options: options)
        let image = try noise(width: 100, height: 80)
        do {
            _ = try segmenter.segment(image, request)
            Issue.record("classes without scores")
        } catch {
            #expect(
                "\(error)"
                    == "network 'segnet-basic': the scores 'conv_classifier' are NaN or infinite, so there are no classes; some weights of "
                    + "huge.safetensors are far too large. Use another model file, or train this one again."
            )
        }
    }
}
