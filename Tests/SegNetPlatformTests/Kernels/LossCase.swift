import CSegNetKernels
import Foundation
import SegNetPlatform
import Testing

/// Scores, labels, weights and the classes that take part, and what the definition of softmax cross-entropy makes of them in float64.
final class LossCase {
    let channels: Int, height = 3, width = 7
    let scores: BlockedOperand
    let labels: GuardedMemory<UInt16>
    let weights: GuardedMemory<Float>
    let smoothing: Double
    /// The derivatives of another loss; nil: there is none, and the kernel is given none.
    private let slopes: GuardedMemory<Float>?
    private let isNamed: [Bool]
    /// Nil: all classes, and the kernel is given no set.
    private let named: GuardedMemory<UInt32>?

    init(
        _ channels: Int,
        range: Float,
        smoothing: Double = 0,
        hasSlopes: Bool = false,
        isNamed: ((Int) -> Bool)? = nil
    ) {
        self.channels = channels
        self.smoothing = smoothing
        var random = TestRandom(channels * 7 + 1)
        scores = BlockedOperand(channels, 3, 7) { _, _, _ in random.float(in: -range...range) }
        // Every label, some that are not a class, the last id below and the first beyond K.
        labels = GuardedMemory(
            (0..<21).map { i in i % 5 == 4 ? [.max, UInt16(channels)][i % 2] : UInt16(i * 3 % channels) }
        )
        weights = GuardedMemory((0..<channels).map { 0.5 + Float($0 % 4) })
        let flags = (0..<channels).map { isNamed?($0) ?? true }
        self.isNamed = flags
        let padded = (channels + 15) / 16 * 16
        slopes =
            hasSlopes
            ? GuardedMemory((0..<2 * padded).map { $0 % padded < channels ? random.float(in: -1...1) : 0 }) : nil
        var words = [UInt32](repeating: 0, count: (channels + 15) / 16)
        for c in 0..<channels where flags[c] { words[c / 16] |= 1 << UInt32(c % 16) }
        named = isNamed == nil ? nil : GuardedMemory(words)
    }

    /// The classes of a pixel's softmax.
    private func parts(_ y: Int, _ x: Int) -> [Int] {
        (0..<channels).filter { isNamed[$0] || $0 == Int(labels.pointer[y * width + x]) }
    }

    private func probability(_ c: Int, _ y: Int, _ x: Int) -> Double {
        let parts = parts(y, x)
        guard parts.contains(c) else { return 0 }
        let greatest = parts.map { Double(scores[$0, y, x]) }.max() ?? 0
        return exp(Double(scores[c, y, x]) - greatest)
            / parts.reduce(0) { $0 + exp(Double(scores[$1, y, x]) - greatest) }
    }

    private func target(_ c: Int, _ y: Int, _ x: Int) -> Double {
        let parts = parts(y, x)
        guard parts.contains(c) else { return 0 }
        let own = c == Int(labels.pointer[y * width + x]) ? 1 - smoothing : 0
        return own + smoothing / Double(parts.count)
    }

    /// What the other loss gives a class's score.
    private func slope(_ c: Int, _ y: Int, _ x: Int) -> Double {
        guard let slopes else { return 0 }
        let label = Int(labels.pointer[y * width + x])
        func slope(_ c: Int) -> Double { Double(slopes.pointer[c == label ? slopes.count / 2 + c : c]) }
        let mean = parts(y, x).reduce(0) { $0 + probability($1, y, x) * slope($1) }
        return probability(c, y, x) * (slope(c) - mean)
    }

    /// The highest id among the greatest scores of the softmax.
    private func best(_ y: Int, _ x: Int) -> Int {
        let parts = parts(y, x)
        return parts.reduce(parts.first ?? 0) { scores[$1, y, x] >= scores[$0, y, x] ? $1 : $0 }
    }

    struct Result {
        var loss = 0.0, weightSum = 0.0
        var counts: [Int64] = []
    }

    /// Runs the kernel, in two parts of the rows. It adds to what was there.
    func run(
        _ set: InstructionSet,
        gradient: BlockedOperand? = nil,
        predictions: GuardedMemory<UInt16>? = nil
    ) -> Result {
        let (loss, weightSum) = (GuardedMemory<Double>([0.5]), GuardedMemory<Double>([0.25]))
        let counts = GuardedMemory<Int64>([10, 20])
        for rows in [0..<1, 1..<3] {
            set.kernels.cross_entropy(
                [scores.map],
                channels,
                labels.pointer,
                weights.pointer,
                named?.pointer,
                Float(smoothing),
                slopes?.pointer,
                [gradient?.map ?? .none],
                predictions?.pointer,
                rows.lowerBound,
                rows.upperBound,
                loss.pointer,
                weightSum.pointer,
                counts.pointer
            )
        }
        #expect(loss.isIntact && weightSum.isIntact && counts.isIntact && named?.isIntact ?? true)
        return Result(
            loss: loss.pointer[0] - 0.5,
            weightSum: weightSum.pointer[0] - 0.25,
            counts: [counts.pointer[0] - 10, counts.pointer[1] - 20]
        )
    }

    /// Compares the sums of probabilities with their definition.
    func expectSums(_ set: InstructionSet, _ comment: Comment) {
        let sums = (0..<3).map { _ in GuardedMemory<Double>(Array(repeating: 0.5, count: channels)) }
        for rows in [0..<1, 1..<3] {
            let scratch = GuardedMemory<Float>(count: 2 * ((channels + 15) / 16) * 16)
            set.kernels.probability_sums(
                [scores.map],
                channels,
                labels.pointer,
                named?.pointer,
                scratch.pointer,
                rows.lowerBound,
                rows.upperBound,
                sums[0].pointer,
                sums[1].pointer,
                sums[2].pointer
            )
            #expect(scratch.isIntact, comment)
        }
        for c in 0..<channels {
            var expected = [0.5, 0.5, 0.5]
            for pixel in 0..<21 where Int(labels.pointer[pixel]) < channels {
                let p = probability(c, pixel / 7, pixel % 7)
                expected[0] += p
                guard Int(labels.pointer[pixel]) == c else { continue }
                expected[1] += p
                expected[2] += 1
            }
            for (sum, expected) in zip(sums, expected) {
                #expect(abs(sum.pointer[c] - expected) <= 2e-6 * expected, comment)
            }
        }
        #expect(sums.allSatisfy(\.isIntact) && named?.isIntact ?? true, comment)
    }

    /// Compares everything that the kernel gives with the definition, also without predictions and with the gradient in the scores' place.
    func expectDefinition(_ set: InstructionSet, lossError: Double, gradientError: Float, _ comment: Comment) {
        let gradient = BlockedOperand(channels: channels, height: 3, width: 7)
        let predictions = GuardedMemory<UInt16>(count: 21)
        let result = run(set, gradient: gradient, predictions: predictions)
        var (loss, weightSum) = (0.0, 0.0)
        var counts: [Int64] = [0, 0]
        for pixel in 0..<21 {
            let (y, x) = (pixel / 7, pixel % 7)
            #expect(Int(predictions.pointer[pixel]) == best(y, x), comment)
            let label = Int(labels.pointer[pixel])
            guard label < channels else { continue }
            let weight = Double(weights.pointer[label])
            for c in parts(y, x) where target(c, y, x) > 0 {
                loss -= weight * target(c, y, x) * log(probability(c, y, x))
            }
            weightSum += weight
            counts[0] += 1
            if best(y, x) == label { counts[1] += 1 }
        }
        #expect(abs(result.loss - loss) <= lossError * loss + 1e-9, comment)
        #expect(result.weightSum == weightSum && result.counts == counts, comment)
        #expect(predictions.isIntact, comment)
        let mismatch = gradient.mismatch(same: { abs($0 - $1) <= gradientError }) { c, y, x in
            let label = Int(self.labels.pointer[y * 7 + x])
            guard label < self.channels else { return 0 }
            let weight = Double(self.weights.pointer[label])
            return Float(weight * (self.probability(c, y, x) - self.target(c, y, x)) + self.slope(c, y, x))
        }
        #expect(mismatch == nil, comment)
        // Exactly 0 where there is no label, and at classes that take no part.
        for pixel in 0..<21 {
            let (y, x) = (pixel / 7, pixel % 7)
            let isLabelled = Int(labels.pointer[pixel]) < channels
            let parts = isLabelled ? parts(y, x) : []
            for c in 0..<channels where !parts.contains(c) { #expect(gradient[c, y, x] == 0, comment) }
        }
        let alone = run(set)
        #expect(alone.loss == result.loss && alone.counts == result.counts, comment)
        _ = run(set, gradient: scores)
        #expect(scores.mismatch { gradient[$0, $1, $2] } == nil, comment)
    }
}
