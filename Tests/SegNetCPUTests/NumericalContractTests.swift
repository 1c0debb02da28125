import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

/// The figures of `docs/numerics.md` for a whole network. (Per layer: `WinogradTests` and `ConvolutionKernelTests`.)
@Suite("The numerical contract")
struct NumericalContractTests {
    /// Root mean square over the deviation of the scores, pooling indices forced to the plan's.
    static let bars: [InferenceOptions.Accuracy: Double] = [.fast: 2e-4, .accurate: 5e-5, .exact: 2e-5]

    @Test(
        "holds for the whole SegNet with forced indices",
        arguments: InstructionSet.available,
        InferenceOptions.Accuracy.allCases
    )
    func wholeSegNet(set: InstructionSet, accuracy: InferenceOptions.Accuracy) throws {
        let network = Architectures.segNet(
            classes: 11,
            options: ArchitectureOptions(input: .bgr255(height: 36, width: 50), width: 0.5)
        )
        let weights = try livelyWeights(for: network, seed: 21)
        let input = randomMap(3, 36, 50, seed: 22)
        let masks = (1...5).map { "pool\($0)_mask" }
        let found = try runPlan(
            network,
            weights,
            input,
            options: InferenceOptions(accuracy: accuracy, instructionSet: set, outputs: ["conv1_1_D"] + masks)
        )
        var reference = ReferenceNetwork(network: network, weights: weights)
        let shapes = try network.shapes()
        for mask in masks {
            let shape = try #require(shapes.blobs[mask]).shape
            var forced = ReferenceMap(shape.channels, shape.height, shape.width)
            forced.values = try #require(found[mask]).map(Double.init)
            reference.forcedIndices[mask] = forced
        }
        let expected = try #require(reference.run(input)["conv1_1_D"])
        let error = relativeError(try #require(found["conv1_1_D"]), expected.values)
        print("whole SegNet, \(set), \(accuracy): rms error \(error) of the deviation")
        #expect(error < (try #require(Self.bars[accuracy])))
    }
}
