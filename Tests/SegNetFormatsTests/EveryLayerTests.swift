import FoundationEssentials
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetFormats

@Suite("Every kind of layer in files")
struct EveryLayerTests {
    /// Weights, biases, scales and statistics that matter.
    static func model(_ test: LayerCase) throws -> Model {
        var weights = try Weights.initial(for: test.network, seed: 3)
        var random = RandomNumbers(seed: 5)
        for (_, name, parameter) in try test.network.parameters() where parameter.name != "weight" {
            let values = (0..<parameter.shape.count).map { _ in Float(random.uniform(in: 0.5...1.5)) }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        return Model(network: test.network, weights: weights)
    }

    static func result(_ model: Model) -> [Double] {
        let input = model.network.input
        var random = RandomNumbers(seed: 7)
        var picture = ReferenceMap(input.channels.count, input.height, input.width)
        for index in picture.values.indices { picture.values[index] = random.gaussian() }
        let blobs = ReferenceNetwork(network: model.network, weights: model.weights).run(picture)
        return blobs[model.network.layers.last?.outputs.first ?? ""]?.values ?? []
    }

    @Test("safetensors give back the network and every number", arguments: LayerCase.all)
    func safetensors(test: LayerCase) throws {
        let model = try Self.model(test)
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.safetensors")
            try SafetensorsFile.write(model, to: url)
            let read = try SafetensorsFile.readModel(url)
            #expect(read.network == model.network)
            for (name, tensor) in model.weights.tensors { #expect(bits(read.weights[name]) == bits(tensor), "\(name)") }
        }
    }

    @Test("Caffe's files give back the same function, or are refused", arguments: LayerCase.all.filter(\.runs))
    func caffe(test: LayerCase) throws {
        let model = try Self.model(test)
        try withTemporaryFolder { folder in
            let (weights, network) = (
                folder.appendingPathComponent("a.caffemodel"), folder.appendingPathComponent("a.prototxt")
            )
            guard test.isInCaffe else {
                #expect(throws: FormatError.self) { try Caffe.write(model, weights: weights, network: network) }
                return
            }
            try Caffe.write(model, weights: weights, network: network)
            guard !model.weights.tensors.isEmpty else { return }
            let (expected, found) = (
                Self.result(model), Self.result(try Caffe.readModel(weights: weights, network: network).model)
            )
            #expect(found.count == expected.count)
            let largest = expected.map(abs).max() ?? 0
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
        }
    }
}
