import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

/// Layers whose weights are larger than 16 MiB, whose panels `GatherConvolution` shares out among items.
@Suite("Layers with large weights")
struct HeavyWeightsTests {
    /// 2048 x 2064 floats are 16.1 MiB; with panels of 32 outputs the last one is half.
    private static func network(height: Int, width: Int) -> Network {
        let make = LayerFactory(kernel: 1)
        return Network("heavy", input: .bgr255(height: height, width: width)) {
            make.convBNReLU("few", 2048)
            make.conv("heavy", 2064)
        }
    }

    private static func run(
        _ network: Network,
        _ weights: Weights,
        _ input: ReferenceMap,
        _ set: InstructionSet,
        threads: Int
    ) throws -> [Float] {
        let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: ["heavy"])
        return try #require(try runPlan(network, weights, input, options: options, threads: threads)["heavy"])
    }

    @Test("equal the reference", arguments: InstructionSet.available)
    func reference(set: InstructionSet) throws {
        for (height, width) in [(1, 1), (3, 5)] {
            let network = Self.network(height: height, width: width)
            let weights = try livelyWeights(for: network, seed: 5)
            let input = randomMap(3, height, width, seed: 11)
            let found = try Self.run(network, weights, input, set, threads: 2)
            let expected = try #require(ReferenceNetwork(network: network, weights: weights).run(input)["heavy"]).values
            #expect(found.count == expected.count)
            let error = relativeError(found, expected)
            #expect(error < 1e-6, "\(height)x\(width): \(error)")
        }
    }

    @Test("give each pixel of several rectangles the bits that it has alone, by any number of threads")
    func rectangles() throws {
        let set = try InstructionSet.chosen()
        let (height, width) = (13, 20)
        let network = Self.network(height: height, width: width)
        let weights = try livelyWeights(for: network, seed: 5)
        let input = randomMap(3, height, width, seed: 11)
        let whole = try Self.run(network, weights, input, set, threads: 1)
        #expect(try Self.run(network, weights, input, set, threads: 3) == whole)
        for (y, x) in [(0, 0), (6, 13), (11, 19), (12, 0), (12, 19)] {
            var pixel = ReferenceMap(3, 1, 1)
            for channel in 0..<3 { pixel[channel, 0, 0] = input[channel, y, x] }
            let alone = try Self.run(Self.network(height: 1, width: 1), weights, pixel, set, threads: 2)
            let place = y * width + x
            #expect(alone == stride(from: place, to: whole.count, by: height * width).map { whole[$0] }, "\(y), \(x)")
        }
    }
}
