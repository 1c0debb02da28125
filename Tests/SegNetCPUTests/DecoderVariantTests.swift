import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetCPU

/// No original exists for the paper's decoder variants: what must be equal is.
@Suite("Decoder variants")
struct DecoderVariantTests {
    private static let classes = 5
    private static let options = ArchitectureOptions(input: .bgr255(height: 45, width: 61), width: 0.3)

    private static func network(_ architecture: Architecture) -> Network {
        architecture.network(classes: classes, options: options)
    }

    /// Random weights and biases, scales and shifts that matter.
    private static func weights(_ network: Network) throws -> Weights {
        var weights = try Weights.initial(for: network, seed: 4)
        var random = RandomNumbers(seed: 8)
        for (_, name, parameter) in try network.parameters() where parameter.name != "weight" {
            let values = (0..<parameter.shape.count).map { _ in Float(random.uniform(in: 0.5...1.5)) }
            weights[name] = WeightTensor(shape: parameter.shape, values: values)
        }
        return weights
    }

    private static func scores(_ network: Network, _ weights: Weights) throws -> [Float] {
        let prepared = try PreparedNetwork(network, weights: weights, options: InferenceOptions(accuracy: .exact))
        let workspace = try Workspace(for: prepared.plan(height: 45, width: 61), threads: 2)
        var random = RandomNumbers(seed: 2)
        for index in 0..<45 * 61 * 3 { workspace.input[index] = Float(random.uniform(in: 0...255)) }
        workspace.plan.run(in: workspace)
        let blob = try #require(network.scoresBlob)
        return try #require(workspace.planar(blob))
    }

    /// Largest difference, relative to the largest score.
    private static func difference(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count, !a.isEmpty else { return .infinity }
        return (zip(a, b).map { abs($0 - $1) }.max() ?? .infinity) / (b.map(abs).max() ?? 0)
    }

    @Test("FCN-Basic without its reductions is FCN-Basic-NoAddition")
    func withoutReductions() throws {
        let (whole, part) = (Self.network(.fcnBasic), Self.network(.fcnBasicNoAddition))
        var weights = try Self.weights(whole)
        let complete = try Self.scores(whole, weights)
        for stage in 1...3 {
            for name in ["score_pool\(stage).weight", "score_pool\(stage).bias"] {
                let tensor = try #require(weights[name])
                weights[name] = WeightTensor(
                    shape: tensor.shape,
                    values: Array(repeating: 0, count: tensor.shape.count)
                )
            }
        }
        let names = Set(try part.parameters().map(\.name))
        let kept = Weights(weights.tensors.filter { names.contains($0.key) })
        let found = try Self.scores(whole, weights)
        #expect(Self.difference(found, try Self.scores(part, kept)) < 1e-6)
        #expect(Self.difference(complete, found) > 0.01)
    }

    @Test("EncoderAddition without the encoder's maps is SegNet-Basic")
    func withoutEncoder() throws {
        var whole = Self.network(.segNetBasicEncoderAddition)
        let weights = try Self.weights(whole)
        let basic = Self.network(.segNetBasic)
        let expected = try Self.scores(basic, weights)
        #expect(Self.difference(try Self.scores(whole, weights), expected) > 0.01)
        for index in whole.layers.indices where whole.layers[index].name.hasPrefix("add") {
            whole.layers[index].operation = .addition(Addition(coefficients: [1, 0]))
        }
        #expect(Self.difference(try Self.scores(whole, weights), expected) < 1e-6)
    }

    @Test("SingleChannelDecoder is SegNet-Basic with zeros off the diagonal")
    func depthwise() throws {
        let (whole, part) = (Self.network(.segNetBasic), Self.network(.segNetBasicSingleChannelDecoder))
        let weights = try Self.weights(part)
        var full = try Self.weights(whole)
        for (name, tensor) in weights.tensors { full[name] = tensor }
        for stage in 1...4 {
            let name = "conv_decode\(stage).weight"
            let kernels = try #require(weights[name]).floats()
            let width = kernels.count / 49
            var values = [Float](repeating: 0, count: width * width * 49)
            for channel in 0..<width {
                for tap in 0..<49 { values[(channel * width + channel) * 49 + tap] = kernels[channel * 49 + tap] }
            }
            full[name] = WeightTensor(shape: [width, width, 7, 7], values: values)
        }
        #expect(Self.difference(try Self.scores(part, weights), try Self.scores(whole, full)) < 1e-5)
    }

    @Test("Bilinear-Interpolation is FCN-Basic-NoAddition with the same kernels")
    func bilinear() throws {
        let (whole, part) = (Self.network(.fcnBasicNoAddition), Self.network(.bilinearInterpolation))
        let weights = try Self.weights(part)
        var full = try Self.weights(whole)
        for (name, tensor) in weights.tensors where full[name]?.shape == tensor.shape { full[name] = tensor }
        for stage in 1...4 {
            let name = "upscore\(stage).weight"
            let kernels = try #require(weights[name]).floats()
            var values = [Float](repeating: 0, count: Self.classes * Self.classes * 64)
            for channel in 0..<Self.classes {
                for tap in 0..<16 {
                    // The 4x4 kernel with padding 1 lies in the middle of the 8x8 kernel with padding 3.
                    let place = (tap / 4 + 2) * 8 + tap % 4 + 2
                    values[(channel * Self.classes + channel) * 64 + place] = kernels[channel * 16 + tap]
                }
            }
            full[name] = WeightTensor(shape: [Self.classes, Self.classes, 8, 8], values: values)
        }
        #expect(Self.difference(try Self.scores(part, weights), try Self.scores(whole, full)) < 1e-6)
    }
}
