import Testing

@testable import SegNetEvaluation

@Suite("The confidence curve")
struct ConfidenceCurveTests {
    @Test("is the accuracy of the surest part, counted by hand")
    func byHand() throws {
        var curve = ConfidenceCurve()
        // Ten labelled pixels, the two most uncertain are wrong, and so is the fourth; the last has no ground truth.
        curve.add(
            truth: [0, 1, 1, 0, 2, 2, 0, 1, 2, 0, 255],
            prediction: [0, 1, 1, 1, 2, 2, 0, 1, 0, 1, 0],
            uncertainty: [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0],
            classCount: 3
        )
        #expect(curve.accuracy(ofSurest: 0.3) == 1)
        #expect(curve.accuracy(ofSurest: 0.4) == 0.75)
        #expect(curve.accuracy(ofSurest: 0.8) == 7.0 / 8)
        #expect(curve.accuracy(ofSurest: 1) == 0.7)
    }

    @Test("pixels that are equally sure are taken in proportion")
    func ties() throws {
        var curve = ConfidenceCurve()
        curve.add(truth: [0, 0, 0, 0], prediction: [0, 0, 0, 1], uncertainty: [0, 0, 0, 0], classCount: 2)
        #expect(abs(try #require(curve.accuracy(ofSurest: 0.1)) - 0.75) < 1e-12)
        #expect(curve.accuracy(ofSurest: 1) == 0.75)
    }

    @Test("the order of pictures does not matter, values near each other are kept apart")
    func bins() throws {
        var curve = ConfidenceCurve()
        curve.add(truth: [0], prediction: [1], uncertainty: [1.01e-6], classCount: 2)
        curve.add(truth: [0], prediction: [0], uncertainty: [1.0e-6], classCount: 2)
        #expect(curve.accuracy(ofSurest: 0.5) == 1)
    }

    @Test("infinity and NaN are the least sure, negative numbers the surest, nothing gives nothing")
    func oddValues() throws {
        var curve = ConfidenceCurve()
        #expect(curve.accuracy(ofSurest: 0.5) == nil)
        curve.add(
            truth: [0, 0, 0, 0],
            prediction: [1, 1, 0, 0],
            uncertainty: [.nan, .infinity, -1, -0.0],
            classCount: 2
        )
        #expect(curve.accuracy(ofSurest: 0.5) == 1)
        #expect(curve.accuracy(ofSurest: 0) == nil)
        #expect(curve.accuracy(ofSurest: 2) == 0.5)
    }
}
