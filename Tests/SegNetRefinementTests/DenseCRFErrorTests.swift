import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetRefinement

@Suite("dense CRF: what it refuses")
struct DenseCRFErrorTests {
    private static func refuses(
        _ crf: DenseCRF,
        classCount: Int = 2,
        numbers: Int? = nil,
        width: Int = 4,
        _ message: String
    ) throws {
        let picture = try Image(width: width, height: 3, channels: 3)
        let values = [Float](repeating: 0.5, count: numbers ?? classCount * 3 * width)
        #expect(
            performing: { try crf.refine(probabilities: values, classCount: classCount, picture: picture) },
            throws: { "\($0)" == message }
        )
    }

    @Test("parameters out of range")
    func parameters() throws {
        try Self.refuses(DenseCRF(w1: .nan), "dense CRF: w1 is nan; give a number in 0...1000.")
        try Self.refuses(
            DenseCRF(sigmaAlpha: .infinity),
            "dense CRF: sigma-alpha is inf; give a number in 0.1...10000."
        )
        try Self.refuses(DenseCRF(iterations: 1001), "dense CRF: iterations is 1001; give a whole number in 0...1000.")
    }

    @Test("sizes that do not fit together")
    func sizes() throws {
        try Self.refuses(
            DenseCRF(),
            numbers: 23,
            "dense CRF: 23 numbers were given for 2 classes and a picture of 4x3; give classes x height x width of them."
        )
        try Self.refuses(DenseCRF(), classCount: 0, numbers: 0, "dense CRF: there are 0 classes; give 1...65535.")
    }

    @Test("deviations too small for the picture")
    func deviations() throws {
        try Self.refuses(
            DenseCRF(sigmaAlpha: 0.1),
            width: 2000,
            "dense CRF: sigma-alpha 0.1 and sigma-beta 5 are too small for a picture of 2000x3; choose larger ones."
        )
    }

    @Test("no memory is asked for that does not exist")
    func memory() {
        #expect(DenseCRF.leastBytes(width: 480, height: 360, classCount: 11) == 172_800 * (16 * 12 + 152))
        #expect(DenseCRF.leastBytes(width: Int.max / 2, height: 3, classCount: 11) == nil)
        #expect(DenseCRF.leastBytes(width: 1 << 40, height: 1 << 20, classCount: 65535) == nil)
    }
}
