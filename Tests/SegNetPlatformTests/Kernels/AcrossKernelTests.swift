import CSegNetKernels
import SegNetPlatform
import Testing

@Suite("kernels across channels")
struct AcrossKernelTests {
    /// y_c = x_c * (k + alpha / size * sum)^-beta in double precision.
    private func normalised(_ x: [Float], _ c: Int, _ size: Int, _ alpha: Float, _ beta: Float, _ k: Float) -> Float {
        let first = c - (size - 1) / 2
        let sum = (first..<first + size).reduce(0.0) {
            $0 + (x.indices.contains($1) ? Double(x[$1]) * Double(x[$1]) : 0)
        }
        return Float(Double(x[c]) * pow(Double(k) + Double(alpha) / Double(size) * sum, -Double(beta)))
    }

    private func close(_ a: Float, _ b: Float) -> Bool { abs(a - b) <= 1e-6 * abs(b) + .leastNormalMagnitude }

    struct Normalisation {
        var size: Int, alpha: Float, beta: Float, k: Float
        static let cases = [
            Normalisation(size: 5, alpha: 1e-4, beta: 0.75, k: 1), Normalisation(size: 3, alpha: 0.02, beta: 0.6, k: 2),
            Normalisation(size: 1, alpha: 1, beta: 0.75, k: 0.5), Normalisation(size: 7, alpha: 2, beta: 1, k: 1),
            Normalisation(size: 17, alpha: 0.5, beta: 0.75, k: 1),
            Normalisation(size: 43, alpha: 0.1, beta: 0.75, k: 1),
            Normalisation(size: 4, alpha: 0.3, beta: 0.5, k: 1), Normalisation(size: 301, alpha: 1, beta: 0.75, k: 1),
        ]
    }

    @Test("local response normalisation of blocked maps", arguments: InstructionSet.available, Normalisation.cases)
    func lrn(set: InstructionSet, test: Normalisation) {
        for channels in [1, 3, 8, 15, 16, 17, 33, 50] {
            var random = TestRandom(channels)
            let input = BlockedOperand(channels, 3, 4) { _, _, _ in random.float(in: -200...200) }
            let output = BlockedOperand(channels: channels, height: 3, width: 4)
            set.kernels.lrn([input.map], channels, test.size, test.alpha, test.beta, test.k, [output.map], 0, 2)
            set.kernels.lrn([input.map], channels, test.size, test.alpha, test.beta, test.k, [output.map], 2, 3)
            let mismatch = output.mismatch(same: close) { c, y, x in
                normalised((0..<channels).map { input[$0, y, x] }, c, test.size, test.alpha, test.beta, test.k)
            }
            #expect(mismatch == nil, "\(channels) channels")
        }
    }

    @Test("local response normalisation of thin maps", arguments: InstructionSet.available, Normalisation.cases)
    func lrnThin(set: InstructionSet, test: Normalisation) {
        for (channels, width) in zip(1...15, [1, 2, 97, 5, 16, 7, 3, 11, 31, 2, 4, 6, 9, 19, 40]) {
            var random = TestRandom(channels)
            let input = ThinOperand(channels, 3, width) { _, _, _ in random.float(in: -200...200) }
            let output = ThinOperand(channels: channels, height: 3, width: width)
            set.kernels.lrn_thin([input.thin], channels, test.size, test.alpha, test.beta, test.k, [output.thin], 0, 1)
            set.kernels.lrn_thin([input.thin], channels, test.size, test.alpha, test.beta, test.k, [output.thin], 1, 3)
            let mismatch = output.mismatch(same: close) { c, y, x in
                normalised((0..<channels).map { input[$0, y, x] }, c, test.size, test.alpha, test.beta, test.k)
            }
            #expect(mismatch == nil, "\(channels) channels")
        }
    }

    @Test(
        "of a thin map's first channels alone: the others are copied, to the bit, and count for nothing",
        arguments: InstructionSet.available,
        Normalisation.cases
    )
    func lrnOfSome(set: InstructionSet, test: Normalisation) {
        for (channels, counted) in [(2, 1), (4, 3), (5, 3), (5, 4), (15, 7)] {
            var random = TestRandom(channels)
            let input = ThinOperand(channels, 2, 61) { _, _, _ in random.float(in: -200...200) }
            let output = ThinOperand(channels: channels, height: 2, width: 61)
            set.kernels.lrn_thin([input.thin], counted, test.size, test.alpha, test.beta, test.k, [output.thin], 0, 2)
            let mismatch = output.mismatch(same: { $0 == $1 || close($0, $1) }) { c, y, x in
                guard c < counted else { return input[c, y, x] }
                return normalised((0..<counted).map { input[$0, y, x] }, c, test.size, test.alpha, test.beta, test.k)
            }
            #expect(mismatch == nil, "\(counted) of \(channels) channels")
            for c in counted..<channels {
                for y in 0..<2 {
                    for x in 0..<61 where output[c, y, x] != input[c, y, x] { Issue.record("not copied") }
                }
            }
        }
    }

    @Test("NaN and huge values stay within their window; padding stays 0", arguments: InstructionSet.available)
    func lrnOfNaN(set: InstructionSet) {
        let input = BlockedOperand(20, 1, 2) { c, _, x in x == 0 && c == 19 ? .nan : c == 4 ? 1e18 : 1 }
        let output = BlockedOperand(channels: 20, height: 1, width: 2)
        set.kernels.lrn([input.map], 20, 5, 1, 0.75, 1, [output.map], 0, 1)
        let mismatch = output.mismatch(same: { close($0, $1) || $0.isNaN && $1.isNaN }) { c, _, x in
            x == 0 && c >= 17 ? .nan : normalised((0..<20).map { input[$0, 0, 1] }, c, 5, 1, 0.75, 1)
        }
        #expect(mismatch == nil)
    }

    @Test(
        "local response normalisation equals the original",
        .enabled(if: Oracle.isAvailable, "\(Oracle.whySkipped)"),
        arguments: InstructionSet.available,
        ["image_3ch", "wide_8ch", "other_params_6ch"]
    )
    func lrnAsTheOriginal(set: InstructionSet, name: String) throws {
        let x = try Oracle.array("lrn_\(name).x"), y = try Oracle.array("lrn_\(name).y")
        let test = Normalisation.cases[name == "other_params_6ch" ? 1 : 0]
        for n in 0..<x.count {
            let original = x.blocked(n)
            let blocked = BlockedOperand(channels: x.channels, height: x.height, width: x.width)
            set.kernels.lrn(
                [original.map],
                x.channels,
                test.size,
                test.alpha,
                test.beta,
                test.k,
                [blocked.map],
                0,
                x.height
            )
            #expect(blocked.mismatch(same: close) { y[n, $0, $1, $2] } == nil)
            let input = ThinOperand(x.channels, x.height, x.width) { x[n, $0, $1, $2] }
            let thin = ThinOperand(channels: x.channels, height: x.height, width: x.width)
            set.kernels.lrn_thin(
                [input.thin],
                x.channels,
                test.size,
                test.alpha,
                test.beta,
                test.k,
                [thin.thin],
                0,
                x.height
            )
            #expect(thin.mismatch(same: close) { y[n, $0, $1, $2] } == nil)
        }
    }

    // ---- softmax, argmax, confidence

    private func probabilities(_ scores: [Float]) -> [Float] {
        let greatest = scores.max() ?? 0
        let terms = scores.map { exp(Double($0 - greatest)) }  // the kernels, too, subtract in float32
        let sum = terms.reduce(0, +)
        return terms.map { Float($0 / sum) }
    }

    @Test(
        "softmax and confidence, in place too",
        arguments: InstructionSet.available,
        [1, 2, 11, 12, 16, 17, 21, 37, 200]
    )
    func softmax(set: InstructionSet, channels: Int) {
        for range in [Float(1), 10, 90, 1000] {
            var random = TestRandom(channels)
            let input = BlockedOperand(channels, 3, 5) { _, _, _ in random.float(in: -range...range) }
            let output = BlockedOperand(channels: channels, height: 3, width: 5)
            set.kernels.softmax([input.map], channels, [output.map], 0, 3)
            func expected(_ y: Int, _ x: Int) -> [Float] { probabilities((0..<channels).map { input[$0, y, x] }) }
            #expect(output.mismatch(same: close) { expected($1, $2)[$0] } == nil, "range \(range)")

            let confidence = GuardedMemory<Float>(count: 15)
            set.kernels.confidence([input.map], channels, confidence.pointer, 0, 1)
            set.kernels.confidence([input.map], channels, confidence.pointer, 1, 3)
            for i in 0..<15 { #expect(close(confidence.pointer[i], expected(i / 5, i % 5).max() ?? .nan)) }
            #expect(confidence.isIntact)

            set.kernels.softmax([input.map], channels, [input.map], 0, 3)
            #expect(input.mismatch { output[$0, $1, $2] } == nil, "in place")
        }
    }

    @Test("softmax's exponential is within 2 ulp where it matters", arguments: InstructionSet.available)
    func exponential(set: InstructionSet) {
        // Scores [0, x] with x so low that the sum rounds to 1 give e^x itself, down to where it vanishes.
        let count = 20_000
        let input = BlockedOperand(2, 1, count) { c, _, x in c == 0 ? 0 : -17.5 - 87 * Float(x) / Float(count) }
        let output = BlockedOperand(channels: 2, height: 1, width: count)
        set.kernels.softmax([input.map], 2, [output.map], 0, 1)
        let mismatch = output.mismatch(same: { abs($0 - $1) <= 2 * $1.ulp }) { c, _, x in
            c == 0 ? 1 : Float(exp(Double(input[1, 0, x])))
        }
        #expect(mismatch == nil)
    }

    @Test("softmax of infinities and NaN is what IEEE arithmetic gives", arguments: InstructionSet.available)
    func softmaxOfInfinities(set: InstructionSet) {
        let scores: [[Float]] = [
            [1, .nan, 2], [.infinity, 0, 0], [-.infinity, 0, 0], [-.infinity, -.infinity, -.infinity],
            [3e38, -3e38, 0],
        ]
        let expected: [[Float]] = [[.nan, .nan, .nan], [.nan, 0, 0], [0, 0.5, 0.5], [.nan, .nan, .nan], [1, 0, 0]]
        let input = BlockedOperand(3, 1, 5) { c, _, x in scores[x][c] }
        let output = BlockedOperand(channels: 3, height: 1, width: 5)
        set.kernels.softmax([input.map], 3, [output.map], 0, 1)
        // infinity - infinity is NaN and so is the sum: all of that pixel's probabilities.
        #expect(output.mismatch { c, _, x in x == 1 ? .nan : expected[x][c] } == nil)
        let confidence = GuardedMemory<Float>(count: 5)
        set.kernels.confidence([input.map], 3, confidence.pointer, 0, 1)
        #expect(zip(confidence.elements, [.nan, .nan, 0.5, .nan, 1]).allSatisfy(identical))
    }

    @Test("argmax: the highest of equals, never NaN", arguments: InstructionSet.available, Array(1...40) + [300])
    func argmax(set: InstructionSet, channels: Int) {
        var random = TestRandom(channels)
        let input = BlockedOperand(channels, 9, 11) { _, y, x in
            // All NaN, all but a few NaN, awkward, ordinary.
            let kind = (y * 11 + x) % 4
            return kind == 0
                ? .nan : kind == 1 && random.float() < 0.8 ? .nan : kind < 3 ? random.awkward() : random.float()
        }
        let ids = GuardedMemory<UInt16>(count: 99)
        set.kernels.argmax([input.map], channels, ids.pointer, 0, 4)
        set.kernels.argmax([input.map], channels, ids.pointer, 4, 9)
        for i in 0..<99 {
            let numbers = (0..<channels).filter { !input[$0, i / 11, i % 11].isNaN }
            let greatest = numbers.map { input[$0, i / 11, i % 11] }.max()
            let expected = numbers.last { input[$0, i / 11, i % 11] == greatest } ?? 0
            #expect(Int(ids.pointer[i]) == expected, "pixel \(i)")
        }
        #expect(ids.isIntact)
    }

    @Test("argmax of negative scores looks at no padding lane", arguments: InstructionSet.available)
    func argmaxOfNegatives(set: InstructionSet) {
        let input = BlockedOperand(3, 1, 2) { c, _, x in x == 0 ? -Float(c) - 1 : -.infinity }
        let ids = GuardedMemory<UInt16>(count: 2)
        set.kernels.argmax([input.map], 3, ids.pointer, 0, 1)
        #expect(ids.elements == [0, 2])
    }

    @Test(
        "softmax and argmax equal the original",
        .enabled(if: Oracle.isAvailable, "\(Oracle.whySkipped)"),
        arguments: InstructionSet.available
    )
    func asTheOriginal(set: InstructionSet) throws {
        let x = try Oracle.array("softmax.x"), y = try Oracle.array("softmax.y")
        for n in 0..<x.count {
            let input = x.blocked(n)
            let output = BlockedOperand(channels: x.channels, height: x.height, width: x.width)
            set.kernels.softmax([input.map], x.channels, [output.map], 0, x.height)
            #expect(output.mismatch(same: close) { y[n, $0, $1, $2] } == nil)
        }
        let scores = try Oracle.array("argmax_ties.x"), expected = try Oracle.array("argmax_ties.y")
        let ids = GuardedMemory<UInt16>(count: scores.height * scores.width)
        let input = scores.blocked(0)
        set.kernels.argmax([input.map], scores.channels, ids.pointer, 0, scores.height)
        #expect(ids.elements.map(Float.init) == expected.values)
    }
}
