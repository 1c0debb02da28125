import CSegNetKernels
import Foundation
import SegNetPlatform
import Testing

@Suite("softmax cross-entropy over some classes, with smoothed targets")
struct PartialLossKernelTests {
    /// Scores, labels, weights, the classes that are named, and what the definition makes of them in float64.
    final class Case {
        let channels: Int, height = 3, width = 7
        let scores: BlockedOperand
        let labels: GuardedMemory<UInt16>
        let weights: GuardedMemory<Float>
        let isNamed: [Bool]
        let named: GuardedMemory<UInt32>
        let smoothing: Double

        init(_ channels: Int, range: Float, smoothing: Double, isNamed: (Int) -> Bool) {
            self.channels = channels
            self.smoothing = smoothing
            var random = TestRandom(channels * 7 + 1)
            scores = BlockedOperand(channels, 3, 7) { _, _, _ in random.float(in: -range...range) }
            // Every label, some that are no class, the last id below and the first beyond K.
            labels = GuardedMemory(
                (0..<21).map { i in i % 5 == 4 ? [.max, UInt16(channels)][i % 2] : UInt16(i * 3 % channels) }
            )
            weights = GuardedMemory((0..<channels).map { 0.5 + Float($0 % 4) })
            let flags = (0..<channels).map(isNamed)
            self.isNamed = flags
            var words = [UInt32](repeating: 0, count: (channels + 15) / 16)
            for c in 0..<channels where flags[c] { words[c / 16] |= 1 << UInt32(c % 16) }
            named = GuardedMemory(words)
        }

        /// The classes of a pixel's softmax.
        func parts(_ y: Int, _ x: Int) -> [Int] {
            (0..<channels).filter { isNamed[$0] || $0 == Int(labels.pointer[y * width + x]) }
        }

        func probability(_ c: Int, _ y: Int, _ x: Int) -> Double {
            let parts = parts(y, x)
            guard parts.contains(c) else { return 0 }
            let greatest = parts.map { Double(scores[$0, y, x]) }.max() ?? 0
            return exp(Double(scores[c, y, x]) - greatest)
                / parts.reduce(0) { $0 + exp(Double(scores[$1, y, x]) - greatest) }
        }

        func target(_ c: Int, _ y: Int, _ x: Int) -> Double {
            let parts = parts(y, x)
            guard parts.contains(c) else { return 0 }
            let own = c == Int(labels.pointer[y * width + x]) ? 1 - smoothing : 0
            return own + smoothing / Double(parts.count)
        }

        /// The highest id among the greatest scores of the softmax.
        func best(_ y: Int, _ x: Int) -> Int {
            let parts = parts(y, x)
            return parts.reduce(parts.first ?? 0) { scores[$1, y, x] >= scores[$0, y, x] ? $1 : $0 }
        }
    }

    typealias Result = LossKernelTests.Result

    static func run(
        _ set: InstructionSet,
        _ test: Case,
        gradient: BlockedOperand?,
        predictions: GuardedMemory<UInt16>? = nil,
        isAll: Bool = false
    ) -> Result {
        let (loss, weightSum) = (GuardedMemory<Double>([0.5]), GuardedMemory<Double>([0.25]))
        let counts = GuardedMemory<Int64>([10, 20])
        for rows in [0..<1, 1..<3] {
            set.kernels.cross_entropy(
                [test.scores.map],
                test.channels,
                test.labels.pointer,
                test.weights.pointer,
                isAll ? nil : test.named.pointer,
                Float(test.smoothing),
                [gradient?.map ?? .none],
                predictions?.pointer,
                rows.lowerBound,
                rows.upperBound,
                loss.pointer,
                weightSum.pointer,
                counts.pointer
            )
        }
        #expect(loss.isIntact && weightSum.isIntact && counts.isIntact && test.named.isIntact)
        return Result(
            loss: loss.pointer[0] - 0.5,
            weightSum: weightSum.pointer[0] - 0.25,
            counts: [counts.pointer[0] - 10, counts.pointer[1] - 20]
        )
    }

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
            let test = Case(channels, range: range, smoothing: smoothing) { Self.sets[which]($0, channels) }
            let comment = Comment("range \(range), smoothing \(smoothing), set \(which)")
            let gradient = BlockedOperand(channels: channels, height: 3, width: 7)
            let predictions = GuardedMemory<UInt16>(count: 21)
            let result = Self.run(set, test, gradient: gradient, predictions: predictions)
            var (loss, weightSum) = (0.0, 0.0)
            var counts: [Int64] = [0, 0]
            for pixel in 0..<21 {
                let (y, x) = (pixel / 7, pixel % 7)
                #expect(Int(predictions.pointer[pixel]) == test.best(y, x), comment)
                let label = Int(test.labels.pointer[pixel])
                guard label < channels else { continue }
                let weight = Double(test.weights.pointer[label])
                for c in test.parts(y, x) where test.target(c, y, x) > 0 {
                    loss -= weight * test.target(c, y, x) * log(test.probability(c, y, x))
                }
                weightSum += weight
                counts[0] += 1
                if test.best(y, x) == label { counts[1] += 1 }
            }
            #expect(abs(result.loss - loss) <= 2e-6 * loss + 1e-9, comment)
            #expect(result.weightSum == weightSum && result.counts == counts, comment)
            let mismatch = gradient.mismatch(same: { abs($0 - $1) <= 3e-6 }) { c, y, x in
                let label = Int(test.labels.pointer[y * 7 + x])
                guard label < channels else { return 0 }
                let weight = Double(test.weights.pointer[label])
                return Float(weight * (test.probability(c, y, x) - test.target(c, y, x)))
            }
            #expect(mismatch == nil, comment)
            // Exactly 0 where there is no label, and at classes that take no part.
            for pixel in 0..<21 {
                let (y, x) = (pixel / 7, pixel % 7)
                let isLabelled = Int(test.labels.pointer[pixel]) < channels
                let parts = isLabelled ? test.parts(y, x) : []
                for c in 0..<channels where !parts.contains(c) { #expect(gradient[c, y, x] == 0, comment) }
            }

            let alone = Self.run(set, test, gradient: nil)
            #expect(alone.loss == result.loss && alone.counts == result.counts, comment)
            _ = Self.run(set, test, gradient: test.scores)
            #expect(test.scores.mismatch { gradient[$0, $1, $2] } == nil, comment)
        }
    }

    @Test("gives with all classes named the bits of NULL", arguments: InstructionSet.available, [2, 11, 16, 17, 37])
    func all(set: InstructionSet, channels: Int) {
        for (range, smoothing) in [(Float(0), 0), (1, 0), (10, 0), (40, 0), (1, 0.1), (10, 0.1)] {
            let test = Case(channels, range: range, smoothing: smoothing) { _ in true }
            let (some, all) = (
                BlockedOperand(channels: channels, height: 3, width: 7),
                BlockedOperand(channels: channels, height: 3, width: 7)
            )
            let (a, b) = (GuardedMemory<UInt16>(count: 21), GuardedMemory<UInt16>(count: 21))
            let first = Self.run(set, test, gradient: some, predictions: a)
            let second = Self.run(set, test, gradient: all, predictions: b, isAll: true)
            #expect(first.loss == second.loss && first.counts == second.counts)
            #expect(some.mismatch { all[$0, $1, $2] } == nil)
            #expect((0..<21).allSatisfy { a.pointer[$0] == b.pointer[$0] })
        }
    }

    @Test("does not read the scores of classes that take no part", arguments: InstructionSet.available)
    func others(set: InstructionSet) {
        let test = Case(17, range: 1, smoothing: 0.1) { $0 < 3 }
        for pixel in 0..<21 {
            test.labels.pointer[pixel] = UInt16(pixel % 3)
            for c in 3..<17 { test.scores[c, pixel / 7, pixel % 7] = c % 2 == 0 ? .nan : .infinity }
        }
        let gradient = BlockedOperand(channels: 17, height: 3, width: 7)
        let predictions = GuardedMemory<UInt16>(count: 21)
        let result = Self.run(set, test, gradient: gradient, predictions: predictions)
        #expect(result.loss.isFinite)
        for pixel in 0..<21 {
            #expect(predictions.pointer[pixel] < 3)
            for c in 0..<17 { #expect(gradient[c, pixel / 7, pixel % 7].isFinite) }
        }
    }
}
