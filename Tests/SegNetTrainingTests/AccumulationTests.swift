import Foundation
import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing
@testable import SegNetCPU
@testable import SegNetTraining

@Suite("Accumulated batches")
struct AccumulationTests {
    @Test(
        "give the gradient of all their pictures together, also when they have different numbers of labels, or none",
        arguments: [0, 0.5, 1]
    )
    func sameGradient(unlabelledPart: Double) throws {
        let test = LayerCase(
            "plain",
            [LayerCase.conv("a", 16), LayerCase.relu("r"), LayerCase.conv("b", 4)]
        )
        var setup = try GradientTests.setup(test.network)
        let pixels = test.network.input.height * test.network.input.width
        for i in 0..<Int(unlabelledPart * Double(pixels)) { setup.labels[i] = .max }
        setup.labelled = Double(setup.labels.count { $0 != .max })
        let together = try GradientTests.ours(test.network, setup, accuracy: .exact, instructionSet: .best).gradients
        let parameters = try Parameters(test.network, options: TrainingOptions(accuracy: .exact))
        try parameters.load(setup.weights)
        let learner = try Learner(
            parameters,
            batchSize: 1,
            height: test.network.input.height,
            width: test.network.input.width,
            pool: ThreadPool(threadCount: 1)
        )
        for picture in 0..<2 {
            learner.fill(
                [setup.inputs[picture]],
                labels: Array(setup.labels[picture * pixels..<(picture + 1) * pixels])
            )
            learner.forward()
            _ = learner.loss(classWeights: setup.classWeights, divisor: setup.labelled)
            learner.backward()
        }
        for (name, tensor) in try parameters.gradientTensors().tensors {
            for (a, b) in zip(tensor.floats(), together[name]?.floats() ?? []) {
                #expect(abs(a - b) <= 1e-5 * max(abs(a), abs(b)) + 1e-6, "\(name)")
            }
        }
    }
}
