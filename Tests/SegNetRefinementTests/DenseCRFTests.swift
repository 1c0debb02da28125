import Foundation
import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetRefinement

@Suite("dense CRF")
struct DenseCRFTests {
    private static let crf = DenseCRF(w1: 2, sigmaAlpha: 6, sigmaBeta: 12, w2: 1, sigmaGamma: 2, iterations: 2)

    private static func reference(
        _ case: RefinementCase,
        _ crf: DenseCRF,
        _ filter: ([[Double]]) -> Reference.Filter
    ) -> [[Double]] {
        Reference.refine(
            `case`.rows,
            filters: [
                (crf.w1, filter(Reference.features(`case`.picture, position: crf.sigmaAlpha, color: crf.sigmaBeta))),
                (crf.w2, filter(Reference.features(`case`.picture, position: crf.sigmaGamma, color: nil))),
            ],
            isSymmetric: crf.normalization == .symmetric,
            iterations: crf.iterations
        )
    }

    @Test(
        "equals splat, blur and slice by their definitions, at any size, class count and instruction set",
        arguments: InstructionSet.available,
        [
            (1, 1, 2), (1, 9, 3), (23, 1, 1), (17, 13, 1), (16, 4, 2), (19, 11, 11), (9, 8, 37), (7, 9, 41), (6, 7, 64),
            (5, 5, 90), (70, 61, 3),
        ]
    )
    func equalsDefinition(set: InstructionSet, size: (width: Int, height: Int, classes: Int)) throws {
        let example = try RefinementCase(width: size.width, height: size.height, classCount: size.classes)
        for normalization in DenseCRF.Normalization.allCases {
            var crf = Self.crf
            crf.normalization = normalization
            let found = try crf.refine(
                probabilities: example.probabilities,
                classCount: size.classes,
                picture: example.picture,
                threads: 2,
                instructionSet: set
            )
            let rows = example.rows(of: found.probabilities)
            let difference = differences(rows, Self.reference(example, crf, Reference.lattice))
            #expect(difference.greatest < 2e-5, "\(set) \(normalization)")
            #expect(rows.map { row in UInt16(row.firstIndex(of: row.max() ?? 0) ?? 0) } == found.classes.ids)
        }
    }

    @Test("is near the exact sums", arguments: DenseCRF.Normalization.allCases)
    func nearExact(normalization: DenseCRF.Normalization) throws {
        let example = try RefinementCase(width: 24, height: 18, classCount: 4)
        var crf = DenseCRF(w1: 0.8, sigmaAlpha: 15, sigmaBeta: 8, w2: 0.4, sigmaGamma: 2, iterations: 1)
        crf.normalization = normalization
        let found = try crf.refine(probabilities: example.probabilities, classCount: 4, picture: example.picture)
        let exact = Self.reference(example, crf, Reference.exact)
        let difference = differences(example.rows(of: found.probabilities), exact)
        // The lattice's own error, 0.0003 and 0.0007 here; 0.0002 to 0.010 in the original program.
        #expect(difference.mean < 0.002)
        // The result that it must be near is far from the one it began with.
        let before = differences(example.rows.map { row in row.map { $0 / row.reduce(0, +) } }, exact)
        #expect(before.mean > 0.02)
    }

    @Test("gives the same bits for any number of threads", arguments: InstructionSet.available)
    func threads(set: InstructionSet) throws {
        let example = try RefinementCase(width: 150, height: 97, classCount: 11)
        func refined(_ threads: Int) throws -> [Float] {
            try Self.crf.refine(
                probabilities: example.probabilities,
                classCount: 11,
                picture: example.picture,
                threads: threads,
                instructionSet: set
            ).probabilities
        }
        let one = try refined(1)
        for threads in [2, 3, 7] { #expect(try refined(threads) == one) }
    }

    @Test("scores and their softmax give the same")
    func scores() throws {
        let example = try RefinementCase(width: 20, height: 15, classCount: 5)
        let scores = example.probabilities.map { 30 * $0 - 7 }
        let pixels = 300
        var probabilities = scores
        for pixel in 0..<pixels {
            let row = Reference.softmax((0..<5).map { Double(scores[$0 * pixels + pixel]) })
            for k in 0..<5 { probabilities[k * pixels + pixel] = Float(row[k]) }
        }
        let fromScores = try Self.crf.refine(scores: scores, classCount: 5, picture: example.picture)
        let other = try Self.crf.refine(probabilities: probabilities, classCount: 5, picture: example.picture)
        let difference = differences(
            [fromScores.probabilities.map(Double.init)],
            [other.probabilities.map(Double.init)]
        )
        #expect(difference.greatest < 1e-5)
    }

    @Test("NaN, infinity and 0 become probabilities all the same", arguments: InstructionSet.available, [false, true])
    func specialValues(set: InstructionSet, areScores: Bool) throws {
        var example = try RefinementCase(width: 21, height: 10, classCount: 3)
        let pixels = 210
        let special: [Float] = [.nan, .infinity, -.infinity, 0, -1, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
        for (index, value) in special.enumerated() {
            // In one class, and in all.
            example.probabilities[pixels + 20 * index] = value
            for k in 0..<3 { example.probabilities[k * pixels + 20 * index + 1] = value }
        }
        let refine = { (values: [Float], crf: DenseCRF) in
            areScores
                ? try crf.refine(scores: values, classCount: 3, picture: example.picture, instructionSet: set)
                : try crf.refine(probabilities: values, classCount: 3, picture: example.picture, instructionSet: set)
        }
        let found = try refine(example.probabilities, Self.crf)
        for row in example.rows(of: found.probabilities) {
            #expect(row.allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect(abs(row.reduce(0, +) - 1) < 1e-5)
        }
        // Without steps a pixel that says nothing says so.
        var still = Self.crf
        still.iterations = 0
        let unchanged = try refine(example.probabilities, still)
        for index in special.indices {
            for k in 0..<3 { #expect(abs(unchanged.probabilities[k * pixels + 20 * index + 1] - 1.0 / 3) < 1e-6) }
        }
        #expect(unchanged.probabilities[pixels] == (0 as Float).nextUp || unchanged.probabilities[pixels] < 1e-30)
    }

    @Test("among exactly equal classes the lowest id wins")
    func ties() throws {
        let picture = try Image(width: 9, height: 7, channels: 1)
        let found = try Self.crf.refine(
            probabilities: [Float](repeating: 0.25, count: 4 * 63),
            classCount: 4,
            picture: picture
        )
        #expect(found.classes.ids.allSatisfy { $0 == 0 })
    }

    @Test("alpha does not count, and gray stands for three equal colours")
    func channels() throws {
        let gray = try RefinementCase(width: 12, height: 9, classCount: 2, channels: 1)
        let rgb = try Image(width: 12, height: 9, channels: 3, pixels: gray.picture.pixels.flatMap { [$0, $0, $0] })
        let rgba = try Image(
            width: 12,
            height: 9,
            channels: 4,
            pixels: gray.picture.pixels.flatMap { [$0, $0, $0, 7] }
        )
        let found = try [gray.picture, rgb, rgba].map {
            try Self.crf.refine(probabilities: gray.probabilities, classCount: 2, picture: $0).probabilities
        }
        #expect(found[0] == found[1] && found[1] == found[2])
    }

    @Test("moves a border to the picture's edge")
    func border() throws {
        // Left half dark, right half bright; the probabilities put the border three pixels too far to the right, without much conviction.
        let (width, height) = (40, 20)
        var pixels: [UInt8] = []
        var road: [Float] = []
        for _ in 0..<height {
            for x in 0..<width {
                pixels.append(x < 20 ? 30 : 200)
                road.append(x < 23 ? 0.6 : 0.4)
            }
        }
        let picture = try Image(width: width, height: height, channels: 1, pixels: pixels)
        let found = try DenseCRF(w1: 6, sigmaAlpha: 20, sigmaBeta: 10, w2: 0, sigmaGamma: 3).refine(
            probabilities: road + road.map { 1 - $0 },
            classCount: 2,
            picture: picture
        )
        #expect((0..<width * height).allSatisfy { found.classes.ids[$0] == ($0 % width < 20 ? 0 : 1) })
    }

    @Test("ends when it is no longer wanted")
    func cancellation() throws {
        let example = try RefinementCase(width: 30, height: 30, classCount: 2)
        var asked = 0
        #expect(throws: CancellationError.self) {
            try Self.crf.refine(probabilities: example.probabilities, classCount: 2, picture: example.picture) {
                asked += 1
                return asked > 3
            }
        }
        #expect(asked == 4)
    }
}
