import CSegNetKernels
import Foundation
import SegNetPlatform
import Testing

@Suite("softmax cross-entropy")
struct LossKernelTests {
    @Test(
        "equals the definition in float64: loss, gradient, predictions, counts",
        arguments: InstructionSet.available,
        [2, 11, 12, 15, 16, 17, 32, 37]
    )
    func definition(set: InstructionSet, channels: Int) {
        for range in [Float(0), 1, 10, 40] {
            let test = LossCase(channels, range: range)
            test.expectDefinition(set, lossError: 1e-6, gradientError: 2e-6, "range \(range)")
        }
    }

    @Test(
        "takes another loss's derivatives by probabilities to its gradient",
        arguments: InstructionSet.available,
        [2, 11, 15, 16, 17, 37]
    )
    func slopes(set: InstructionSet, channels: Int) {
        for (range, smoothing) in [(Float(0), 0), (1, 0), (10, 0.1)] {
            let test = LossCase(channels, range: range, smoothing: smoothing, hasSlopes: true)
            test.expectDefinition(set, lossError: 2e-6, gradientError: 3e-6, "range \(range)")
            let some = LossCase(channels, range: range, smoothing: smoothing, hasSlopes: true) { $0 % 3 != 1 }
            some.expectDefinition(set, lossError: 2e-6, gradientError: 3e-6, "some classes, range \(range)")
        }
    }

    @Test(
        "sums of probabilities equal their definition in float64",
        arguments: InstructionSet.available,
        [2, 11, 15, 16, 17, 37]
    )
    func sums(set: InstructionSet, channels: Int) {
        for range in [Float(0), 1, 10, 40] {
            LossCase(channels, range: range).expectSums(set, "range \(range)")
            LossCase(channels, range: range) { $0 % 3 != 1 }.expectSums(set, "some classes, range \(range)")
        }
    }

    @Test(
        "a pixel's loss is at most that of the smallest normal number, as the original's is",
        arguments: InstructionSet.available
    )
    func clamp(set: InstructionSet) {
        let test = LossCase(2, range: 0)
        for pixel in 0..<21 {
            test.labels.pointer[pixel] = pixel == 0 ? 0 : .max
            test.scores[1, pixel / 7, pixel % 7] = 1000
        }
        let gradient = BlockedOperand(channels: 2, height: 3, width: 7)
        let result = test.run(set, gradient: gradient)
        #expect(abs(result.loss - 0.5 * -log(Double(Float.leastNormalMagnitude))) < 1e-6)
        // The gradient has no clamp: weight (p - 1) and weight p.
        #expect(gradient[0, 0, 0] == -0.5 && gradient[1, 0, 0] == 0.5)
    }

    @Test(
        "NaN in a labelled pixel's scores makes the loss NaN, in another's it does not",
        arguments: InstructionSet.available
    )
    func nan(set: InstructionSet) {
        let test = LossCase(3, range: 1)
        test.scores[1, 0, 4] = .nan  // has no label
        #expect(test.run(set).loss.isFinite)
        test.scores[1, 0, 0] = .nan
        #expect(test.run(set).loss.isNaN)
    }
}
