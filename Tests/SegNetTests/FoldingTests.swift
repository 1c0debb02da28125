import Foundation
import SegNetCPU
import SegNetFormats
import SegNetNetworks
import SegNetToolkit
import Testing

@Suite("Half-precision models")
struct FoldingTests {
    /// Random weights whose batch normalisation has all of scale, shift and, if asked, statistics.
    static func model(statistics: BatchNormalization.Statistics, bias: Bool) throws -> Model {
        let options = ArchitectureOptions(
            input: .bgr255(height: 19, width: 26),
            width: 0.25,
            convolutionBias: bias,
            statistics: statistics
        )
        let network = Architectures.segNet(classes: 5, options: options)
        var weights = try Weights.initial(for: network, seed: 3)
        var random = RandomNumbers(seed: 4)
        for (_, name, parameter) in try network.parameters() where parameter.name != "weight" {
            weights[name] = WeightTensor(
                shape: parameter.shape,
                values: (0..<parameter.shape.count).map { _ in Float(random.uniform(in: 0.2...1)) }
            )
        }
        return Model(network: network, weights: weights)
    }

    static func scores(_ model: Model, _ precision: InferenceOptions.Precision) throws -> [Float] {
        let options = InferenceOptions(accuracy: .exact, precision: precision)
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        let workspace = try Workspace(for: try prepared.plan(height: 19, width: 26), threads: 2)
        for i in workspace.input.indices { workspace.input[i] = Float(i * 7 % 256) }
        workspace.plan.run(in: workspace)
        return try #require(workspace.planar("conv1_1_D"))
    }

    @Test(
        "folded batch normalisation is the same function",
        arguments: [BatchNormalization.Statistics.folded, .kept],
        [true, false]
    )
    func folding(statistics: BatchNormalization.Statistics, bias: Bool) throws {
        let model = try Self.model(statistics: statistics, bias: bias)
        let folded = try model.foldingBatchNormalization()
        #expect(folded.network.layers.count == model.network.layers.count - 25)
        #expect(folded.network.layers.allSatisfy { $0.operation.kindName != "batchNormalization" })
        // The engine folds with the same arithmetic, so the bits are the same.
        #expect(try Self.scores(folded, .float32) == Self.scores(model, .float32))
    }

    @Test("a float16 file gives what float16 storage of the original gives, bit for bit")
    func file() throws {
        let model = try Self.model(statistics: .folded, bias: true)
        let url = FileManager.default.temporaryDirectory.appending(
            path: "folding-\(ProcessInfo.processInfo.processIdentifier).safetensors"
        )
        defer { try? FileManager.default.removeItem(at: url) }
        try SafetensorsFile.write(model, elementType: .float16, to: url)
        let read = try SafetensorsFile.readModel(url)
        #expect(read.weights["conv1_1.weight"]?.elementType == .float16)
        #expect(read.weights["conv1_1.bias"]?.elementType == .float32)
        #expect(try SafetensorsFile(url).metadata["batchNormalization"] == "none")
        let expected = try Self.scores(model, .float16)
        #expect(try Self.scores(read, .float16) == expected)
        #expect(try Self.scores(read, .float32) == expected)
    }
}
