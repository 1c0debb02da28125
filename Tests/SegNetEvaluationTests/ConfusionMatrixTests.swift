import Testing

@testable import SegNetEvaluation

@Suite("Region scores")
struct ConfusionMatrixTests {
    /// Truth and answer of ten pixels, three classes; one pixel has no truth, one answer is no class.
    static let truth: [UInt16] = [0, 0, 0, 0, 1, 1, 1, 2, 2, 255]
    static let given: [UInt16] = [0, 0, 1, 7, 1, 1, 0, 2, 1, 2]

    @Test("agree with a calculation by hand")
    func byHand() {
        var matrix = ConfusionMatrix(classCount: 3)
        matrix.add(truth: Self.truth, prediction: Self.given)
        #expect(matrix.counts == [2, 1, 0, 1, 2, 0, 0, 1, 1] && matrix.strays == [1, 0, 0])
        let scores = Scores(matrix)
        // Right: 2 + 2 + 1 of 9 labelled pixels.
        #expect(abs((scores.globalAccuracy ?? 0) - 5.0 / 9) < 1e-12)
        #expect(abs((scores.classAverageAccuracy ?? 0) - (2.0 / 4 + 2.0 / 3 + 1.0 / 2) / 3) < 1e-12)
        // Unions: 4 + 3 - 2, 3 + 4 - 2, 2 + 1 - 1.
        #expect(abs((scores.meanIoU ?? 0) - (2.0 / 5 + 2.0 / 5 + 1.0 / 2) / 3) < 1e-12)
        #expect(scores.classes.map(\.pixels) == [4, 3, 2])
    }

    @Test("leave classes out that occur nowhere; the original's rule counts them as 0")
    func absent() {
        var matrix = ConfusionMatrix(classCount: 4)
        matrix.add(truth: [0, 0, 1, 1], prediction: [0, 0, 1, 2])
        let scores = Scores(matrix)
        #expect(scores.classes[3].iou == nil && scores.classes[3].accuracy == nil)
        // Class 2 is predicted but never true: it counts, as 0.
        #expect(scores.classes[2].iou == 0)
        #expect(abs((scores.meanIoU ?? 0) - (1 + 0.5 + 0) / 3) < 1e-12)
        let original = Scores(matrix, rule: .original)
        #expect(abs((original.meanIoU ?? 0) - (1 + 0.5 + 0) / 4) < 1e-12)
        #expect(original.globalAccuracy == scores.globalAccuracy)
    }

    @Test("of nothing are nothing")
    func empty() {
        var matrix = ConfusionMatrix(classCount: 2)
        matrix.add(truth: [9, 9], prediction: [0, 1])
        let scores = Scores(matrix)
        #expect(scores.globalAccuracy == nil && scores.meanIoU == nil && scores.classAverageAccuracy == nil)
    }

    @Test("of parts add up to those of the whole")
    func parts() {
        var whole = ConfusionMatrix(classCount: 3)
        whole.add(truth: Self.truth, prediction: Self.given)
        var first = ConfusionMatrix(classCount: 3)
        first.add(truth: Array(Self.truth[..<4]), prediction: Array(Self.given[..<4]))
        var second = ConfusionMatrix(classCount: 3)
        second.add(truth: Array(Self.truth[4...]), prediction: Array(Self.given[4...]))
        first.add(second)
        #expect(first == whole)
    }
}
