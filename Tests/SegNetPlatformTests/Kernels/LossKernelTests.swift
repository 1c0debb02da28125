import CSegNetKernels
import Foundation
import SegNetPlatform
import Testing

@Suite("softmax cross-entropy")
struct LossKernelTests {
    /// Scores, labels and weights, and what the definition makes of them in float64.
    struct Case {
        let channels: Int, height = 3, width = 7
        let scores: BlockedOperand
        let labels: GuardedMemory<UInt16>
        let weights: GuardedMemory<Float>

        init(_ channels: Int, range: Float) {
            self.channels = channels
            var random = TestRandom(channels * 7)
            scores = BlockedOperand(channels, 3, 7) { _, _, _ in random.float(in: -range...range) }
            // Every label, some that are no class, the last id below and the first beyond K.
            labels = GuardedMemory(
                (0..<21).map { i in i % 5 == 4 ? [.max, UInt16(channels)][i % 2] : UInt16(i % channels) }
            )
            weights = GuardedMemory((0..<channels).map { 0.5 + Float($0 % 4) })
        }

        /// softmax(scores)[c] - 1 at the label, times the label's weight; nil where there is no label.
        func gradient(_ c: Int, _ y: Int, _ x: Int) -> Double? {
            let label = Int(labels.pointer[y * width + x])
            guard label < channels else { return nil }
            return Double(weights.pointer[label]) * (probability(c, y, x) - (c == label ? 1 : 0))
        }

        func probability(_ c: Int, _ y: Int, _ x: Int) -> Double {
            let values = (0..<channels).map { Double(scores[$0, y, x]) }
            let greatest = values.max() ?? 0
            return exp(values[c] - greatest) / values.reduce(0) { $0 + exp($1 - greatest) }
        }

        /// The highest id among the greatest scores.
        func best(_ y: Int, _ x: Int) -> Int {
            (0..<channels).reduce(0) { scores[$1, y, x] >= scores[$0, y, x] ? $1 : $0 }
        }
    }

    struct Result {
        var loss = 0.0, weightSum = 0.0
        var counts: [Int64] = []
    }

    static func run(
        _ set: InstructionSet,
        _ test: Case,
        gradient: BlockedOperand?,
        predictions: GuardedMemory<UInt16>?
    ) -> Result {
        let (loss, weightSum) = (GuardedMemory<Double>([0.5]), GuardedMemory<Double>([0.25]))
        let counts = GuardedMemory<Int64>([10, 20])
        for rows in [0..<1, 1..<3] {
            set.kernels.cross_entropy(
                [test.scores.map],
                test.channels,
                test.labels.pointer,
                test.weights.pointer,
                nil,
                0,
                [gradient?.map ?? .none],
                predictions?.pointer,
                rows.lowerBound,
                rows.upperBound,
                loss.pointer,
                weightSum.pointer,
                counts.pointer
            )
        }
        #expect(loss.isIntact && weightSum.isIntact && counts.isIntact)
        // It adds to what was there.
        return Result(
            loss: loss.pointer[0] - 0.5,
            weightSum: weightSum.pointer[0] - 0.25,
            counts: [counts.pointer[0] - 10, counts.pointer[1] - 20]
        )
    }

    @Test(
        "equals the definition in float64: loss, gradient, predictions, counts",
        arguments: InstructionSet.available,
        [2, 11, 12, 15, 16, 17, 32, 37]
    )
    func definition(set: InstructionSet, channels: Int) {
        for range in [Float(0), 1, 10, 40] {
            let test = Case(channels, range: range)
            let gradient = BlockedOperand(channels: channels, height: 3, width: 7)
            let predictions = GuardedMemory<UInt16>(count: 21)
            let result = Self.run(set, test, gradient: gradient, predictions: predictions)
            var (loss, weightSum) = (0.0, 0.0)
            var counts: [Int64] = [0, 0]
            for pixel in 0..<21 {
                let (y, x) = (pixel / 7, pixel % 7)
                #expect(Int(predictions.pointer[pixel]) == test.best(y, x))
                let label = Int(test.labels.pointer[pixel])
                guard label < channels else { continue }
                let weight = Double(test.weights.pointer[label])
                loss -= weight * log(test.probability(label, y, x))
                weightSum += weight
                counts[0] += 1
                if test.best(y, x) == label { counts[1] += 1 }
            }
            #expect(abs(result.loss - loss) <= 1e-6 * loss, "range \(range)")
            #expect(result.weightSum == weightSum && result.counts == counts)
            let near = { (found: Float, needed: Float) in abs(found - needed) <= 2e-6 }
            let mismatch = gradient.mismatch(same: near) { Float(test.gradient($0, $1, $2) ?? 0) }
            #expect(mismatch == nil, "range \(range)")
            #expect(predictions.isIntact)
            // Where there is no label the gradient is exactly 0.
            for pixel in 0..<21 where Int(test.labels.pointer[pixel]) >= channels {
                #expect(gradient[0, pixel / 7, pixel % 7] == 0)
            }

            // Without predictions, and in the place of the scores.
            let alone = Self.run(set, test, gradient: nil, predictions: nil)
            #expect(alone.loss == result.loss && alone.counts == result.counts)
            _ = Self.run(set, test, gradient: test.scores, predictions: nil)
            #expect(test.scores.mismatch { gradient[$0, $1, $2] } == nil, "in place, range \(range)")
        }
    }

    @Test(
        "a pixel's loss is at most that of the smallest normal number, as the original's is",
        arguments: InstructionSet.available
    )
    func clamp(set: InstructionSet) {
        let test = Case(2, range: 0)
        for pixel in 0..<21 {
            test.labels.pointer[pixel] = pixel == 0 ? 0 : .max
            test.scores[1, pixel / 7, pixel % 7] = 1000
        }
        let gradient = BlockedOperand(channels: 2, height: 3, width: 7)
        let result = Self.run(set, test, gradient: gradient, predictions: nil)
        #expect(abs(result.loss - 0.5 * -log(Double(Float.leastNormalMagnitude))) < 1e-6)
        // The gradient has no clamp: weight (p - 1) and weight p.
        #expect(gradient[0, 0, 0] == -0.5 && gradient[1, 0, 0] == 0.5)
    }

    @Test(
        "NaN in a labelled pixel's scores makes the loss NaN, in another's it does not",
        arguments: InstructionSet.available
    )
    func nan(set: InstructionSet) {
        let test = Case(3, range: 1)
        test.scores[1, 0, 4] = .nan  // has no label
        #expect(Self.run(set, test, gradient: nil, predictions: nil).loss.isFinite)
        test.scores[1, 0, 0] = .nan
        #expect(Self.run(set, test, gradient: nil, predictions: nil).loss.isNaN)
    }
}
