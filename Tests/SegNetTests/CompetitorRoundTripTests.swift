import Foundation
import SegNetCPU
import SegNetFormats
import SegNetNetworks
import SegNetPlatform
import Testing

@Suite("Every architecture in files")
struct CompetitorRoundTripTests {
    @Test("Caffe's files give back the same function", arguments: Architecture.allCases, [false, true])
    func caffe(architecture: Architecture, isNormalized: Bool) throws {
        let options = ArchitectureOptions(
            input: Self.input(architecture, isNormalized: isNormalized),
            width: 0.1,
            batchNormalization: isNormalized ? true : nil,
            statistics: .kept
        )
        let network = architecture.network(classes: 3, options: options)
        var weights = try Weights.initial(for: network, seed: 3)
        var random = RandomNumbers(seed: 5)
        for (_, name, parameter) in try network.parameters() where parameter.name != "weight" {
            let values = (0..<parameter.shape.count).map { _ in Float(random.uniform(in: 0.5...1.5)) }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        let model = Model(network: network, weights: weights)
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, description) = (folder.appending(path: "a.caffemodel"), folder.appending(path: "a.prototxt"))
        try Caffe.write(model, weights: file, network: description)
        let back = try Caffe.readModel(weights: file, network: description).model
        let (found, expected) = (try Self.scores(back), try Self.scores(model))
        #expect(found.count == expected.count)
        let largest = expected.map(abs).max() ?? 0
        let error = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(error <= 2e-5 * largest, "\(error) of \(largest)")
        // Caffe's files say it in a comment, whether the net is recognised or not.
        #expect(back.network.input.mean == network.input.mean)
        let tensors = folder.appending(path: "a.safetensors")
        try SafetensorsFile.write(model, to: tensors)
        #expect(try SafetensorsFile.readModel(tensors).network == network)
    }

    /// The authors' mean, and for the other half of the cases one that nobody would assume.
    private static func input(_ architecture: Architecture, isNormalized: Bool) -> InputDescription {
        var input = architecture.input(height: 201, width: 209)
        if isNormalized { input.mean = [1, 2, 3] }
        return input
    }

    private static func scores(_ model: Model) throws -> [Float] {
        let options = InferenceOptions(accuracy: .exact)
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        let workspace = try Workspace(for: prepared.plan(height: 201, width: 209), threads: 2)
        var random = RandomNumbers(seed: 2)
        for index in 0..<201 * 209 * 3 { workspace.input[index] = Float(random.uniform(in: -128...128)) }
        workspace.plan.run(in: workspace)
        let blob = try #require(model.network.scoresBlob)
        return try #require(workspace.planar(blob))
    }
}
