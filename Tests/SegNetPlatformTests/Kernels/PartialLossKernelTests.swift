import CSegNetKernels
import Foundation
import SegNetPlatform
import Testing

@Suite("softmax cross-entropy over some classes, with smoothed targets")
struct PartialLossKernelTests {
    /// Which classes are named: none, one, every second, all but one in the middle, all.
    static let sets: [@Sendable (Int, Int) -> Bool] = [
        { _, _ in false }, { c, k in c == k - 1 }, { c, _ in c % 2 == 0 }, { c, k in c != k / 2 }, { _, _ in true },
    ]

    @Test(
        "equals the definition in float64: loss, gradient, predictions, counts",
        arguments: InstructionSet.available,
        [2, 11, 15, 16, 17, 32, 37]
    )
    func definition(set: InstructionSet, channels: Int) {
        var combinations: [(range: Float, smoothing: Double, which: Int)] = []
        for range in [Float(0), 1, 10] {
            for smoothing in [0, 0.05, 0.5] {
                for which in Self.sets.indices { combinations.append((range, smoothing, which)) }
            }
        }
        for (range, smoothing, which) in combinations {
            let test = LossCase(channels, range: range, smoothing: smoothing) { Self.sets[which]($0, channels) }
            let comment = Comment("range \(range), smoothing \(smoothing), set \(which)")
            test.expectDefinition(set, lossError: 2e-6, gradientError: 3e-6, comment)
        }
    }

    @Test("gives with all classes named the bits of NULL", arguments: InstructionSet.available, [2, 11, 16, 17, 37])
    func all(set: InstructionSet, channels: Int) {
        for (range, smoothing) in [(Float(0), 0), (1, 0), (10, 0), (40, 0), (1, 0.1), (10, 0.1)] {
            let test = LossCase(channels, range: range, smoothing: smoothing) { _ in true }
            let plain = LossCase(channels, range: range, smoothing: smoothing)
            let (some, all) = (
                BlockedOperand(channels: channels, height: 3, width: 7),
                BlockedOperand(channels: channels, height: 3, width: 7)
            )
            let (a, b) = (GuardedMemory<UInt16>(count: 21), GuardedMemory<UInt16>(count: 21))
            let first = test.run(set, gradient: some, predictions: a)
            let second = plain.run(set, gradient: all, predictions: b)
            #expect(first.loss == second.loss && first.counts == second.counts)
            #expect(some.mismatch { all[$0, $1, $2] } == nil)
            #expect((0..<21).allSatisfy { a.pointer[$0] == b.pointer[$0] })
        }
    }

    @Test(
        "does not read the scores of classes that take no part",
        arguments: InstructionSet.available,
        [false, true]
    )
    func others(set: InstructionSet, hasSlopes: Bool) {
        let test = LossCase(17, range: 1, smoothing: 0.1, hasSlopes: hasSlopes) { $0 < 3 }
        for pixel in 0..<21 {
            test.labels.pointer[pixel] = UInt16(pixel % 3)
            for c in 3..<17 { test.scores[c, pixel / 7, pixel % 7] = c % 2 == 0 ? .nan : .infinity }
        }
        let gradient = BlockedOperand(channels: 17, height: 3, width: 7)
        let predictions = GuardedMemory<UInt16>(count: 21)
        let result = test.run(set, gradient: gradient, predictions: predictions)
        #expect(result.loss.isFinite)
        for pixel in 0..<21 {
            #expect(predictions.pointer[pixel] < 3)
            for c in 0..<17 { #expect(gradient[c, pixel / 7, pixel % 7].isFinite) }
        }
    }
}
