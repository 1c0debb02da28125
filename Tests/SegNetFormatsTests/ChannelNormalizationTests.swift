import Foundation
import SegNetNetworks
import SwiftProtobuf
import Testing

@testable import SegNetFormats

@Suite("Normalisation of a picture's colours alone")
struct ChannelNormalizationTests {
    private static func model(_ channels: [InputChannel]) throws -> Model {
        let network = Architectures.segNetBasic(
            classes: 2,
            options: ArchitectureOptions(
                input: InputDescription(
                    channels: channels,
                    height: 16,
                    width: 16,
                    mean: [3, 2, 1, 0.5],
                    scale: [1, 1, 1, 5]
                ),
                width: 0.25
            )
        )
        return Model(network: network, weights: try Weights.initial(for: network, seed: 1))
    }

    @Test(
        "SegNet-Basic leaves depth and alpha unlike the colours; gray counts three times; without colours there is none"
    )
    func architecture() throws {
        func normalization(_ channels: [InputChannel]) -> LocalResponseNormalization? {
            let input = InputDescription(channels: channels, height: 16, width: 16)
            let first = Architectures.segNetBasic(classes: 2, options: ArchitectureOptions(input: input)).layers[0]
            if case .localResponseNormalization(let kind) = first.operation { return kind }
            return nil
        }
        #expect(normalization(["blue", "green", "red"]) == LocalResponseNormalization())
        #expect(normalization(["blue", "green", "red", "alpha"])?.channels == 3)
        #expect(normalization(["gray", "depth"]) == LocalResponseNormalization(alpha: 3 * 1e-4, channels: 1))
        #expect(normalization(["gray"]) == LocalResponseNormalization(alpha: 3 * 1e-4))
        #expect(normalization(["thermal"]) == nil)
    }

    @Test("in ONNX the colours are cut off, normalised and joined again; mean and scale are metadata")
    func onnx() throws {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "segnet-\(UInt64.random(in: 0 ... .max)).onnx"
        )
        defer { try? FileManager.default.removeItem(at: file) }
        try ONNX.write(try Self.model(["blue", "green", "red", "depth"]), to: file)
        let proto = try Onnx_ModelProto(serializedBytes: [UInt8](try Data(contentsOf: file)))
        #expect(Array(proto.graph.node.prefix(4).map(\.opType)) == ["Slice", "LRN", "Slice", "Concat"])
        #expect(proto.graph.node[3].input == ["norm_normalized", "norm_others"])
        let texts = Dictionary(uniqueKeysWithValues: proto.metadataProps.map { ($0.key, $0.value) })
        #expect(texts["channels"] == "blue,green,red,depth")
        #expect(texts["mean"] == "3.0,2.0,1.0,0.5" && texts["scale"] == "1.0,1.0,1.0,5.0")
    }

    @Test("safetensors keeps it, with mean and scale")
    func safetensors() throws {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "segnet-\(UInt64.random(in: 0 ... .max)).safetensors"
        )
        defer { try? FileManager.default.removeItem(at: file) }
        let model = try Self.model(["blue", "green", "red", "depth"])
        try SafetensorsFile.write(model, to: file)
        #expect(try SafetensorsFile.readModel(file).network == model.network)
    }

    @Test("Caffe has no layer for it, and that is said")
    func caffe() throws {
        let model = try Self.model(["blue", "green", "red", "depth"])
        let error = #expect(throws: FormatError.self) {
            var notes: [String] = []
            _ = try CaffeWriter(model: model, file: "a.prototxt").description(&notes)
        }
        #expect(
            "\(try #require(error))"
                == "a.prototxt: layer 'norm' normalises the colours of a picture and leaves its other channels, which Caffe has no layer "
                + "for. Use safetensors or ONNX."
        )
    }

    @Test("elsewhere than at the input, or of more channels than there are, it is refused")
    func refusals() {
        func text(_ channels: Int, inside: Bool) -> String {
            var layers = [
                Layer(
                    "norm",
                    inputs: ["data"],
                    outputs: ["norm"],
                    .localResponseNormalization(LocalResponseNormalization(channels: channels))
                )
            ]
            if inside { layers.insert(Layer("relu", inputs: ["data"], outputs: ["data"], .relu(ReLU())), at: 0) }
            let network = Network(name: "n", input: .bgr255(height: 4, width: 4), layers: layers)
            do {
                _ = try network.shapes()
                return ""
            } catch { return "\(error)" }
        }
        #expect(text(2, inside: false) == "")
        #expect(
            text(4, inside: false).hasSuffix(
                "normalises the first 4 channels of a picture of 3; needs 1 or more, no more than there are, and a picture of fewer than 16."
            )
        )
        #expect(
            text(2, inside: true).hasSuffix(
                "it normalises some channels and copies the others, which is for the network's input; move it to the front."
            )
        )
    }
}
