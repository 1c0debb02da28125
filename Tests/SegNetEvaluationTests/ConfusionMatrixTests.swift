import SegNetPlatform
import Testing

@testable import SegNetEvaluation

@Suite("Region scores")
struct ConfusionMatrixTests {
    /// Truth and answer of ten pixels, three classes; one pixel has no truth, one answer is not a class.
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

    @Test("by the definitions, of random maps with void and answers that are not a class", arguments: 0..<20)
    func definitions(seed: UInt64) throws {
        var random = RandomNumbers(seed: seed)
        let k = 2 + Int(random.uniform() * 5)
        let size = 1 + Int(random.uniform() * 300)
        func some(_ stray: UInt16) -> [UInt16] {
            (0..<size).map { _ in random.uniform() < 0.1 ? stray : UInt16(random.uniform() * Double(k)) }
        }
        let (truth, given) = (some(255), some(200))
        var matrix = ConfusionMatrix(classCount: k)
        matrix.add(truth: truth, prediction: given)
        let scores = Scores(matrix)
        // Counted class by class over the pixels, without a matrix.
        let labelled = truth.indices.filter { Int(truth[$0]) < k }
        let right = labelled.count { truth[$0] == given[$0] }
        var (ious, accuracies): ([Double], [Double]) = ([], [])
        for id in 0..<UInt16(k) {
            let both = labelled.count { truth[$0] == id && given[$0] == id }
            let either = labelled.count { truth[$0] == id || given[$0] == id }
            let real = labelled.count { truth[$0] == id }
            #expect(scores.classes[Int(id)].pixels == real)
            guard either > 0 else {
                #expect(scores.classes[Int(id)].iou == nil)
                continue
            }
            ious.append(Double(both) / Double(either))
            accuracies.append(real > 0 ? Double(both) / Double(real) : 0)
        }
        guard !labelled.isEmpty else { return }
        func differs(_ found: Double?, _ expected: Double) -> Double { abs((found ?? .infinity) - expected) }
        #expect(differs(scores.globalAccuracy, Double(right) / Double(labelled.count)) < 1e-9)
        #expect(differs(scores.meanIoU, ious.reduce(0, +) / Double(ious.count)) < 1e-9)
        #expect(differs(scores.classAverageAccuracy, accuracies.reduce(0, +) / Double(accuracies.count)) < 1e-9)
        let original = Scores(matrix, rule: .original)
        #expect(differs(original.meanIoU, ious.reduce(0, +) / Double(k)) < 1e-9)
        #expect(differs(original.classAverageAccuracy, accuracies.reduce(0, +) / Double(k)) < 1e-9)
    }

    @Test("do not look at what was given where there is no ground truth", arguments: [0, 1, 7, 65535] as [UInt16])
    func void(given: UInt16) {
        var matrix = ConfusionMatrix(classCount: 2)
        matrix.add(truth: [0, 1, 2, 255, 65535], prediction: [0, 1, given, given, given])
        #expect(matrix.counts == [1, 0, 0, 1] && matrix.strays == [0, 0])
        #expect(Scores(matrix).meanIoU == 1)
    }

    @Test("count an answer that is not a class as wrong, in no class's union but the true one's")
    func strays() {
        var matrix = ConfusionMatrix(classCount: 2)
        matrix.add(truth: [0, 0, 1, 1], prediction: [0, 2, 1, 65535])
        let scores = Scores(matrix)
        #expect(scores.globalAccuracy == 0.5 && scores.meanIoU == 0.5 && scores.classAverageAccuracy == 0.5)
        #expect(matrix.givenPixels(0) == 1 && matrix.truePixels(0) == 2)
    }

    @Test("of a class that fills the picture are 1, and of one that is never met 0")
    func whole() {
        var matrix = ConfusionMatrix(classCount: 2)
        matrix.add(truth: [1, 1, 1], prediction: [1, 1, 1])
        #expect(Scores(matrix).meanIoU == 1 && Scores(matrix).classes[0].iou == nil)
        #expect(Scores(matrix, rule: .original).meanIoU == 0.5)
        matrix = ConfusionMatrix(classCount: 2)
        matrix.add(truth: [1, 1, 1], prediction: [0, 0, 0])
        #expect(Scores(matrix).meanIoU == 0 && Scores(matrix).globalAccuracy == 0)
    }

    @Test("over some classes, the others are in no mean, and what is given to them is an error")
    func someClasses() {
        var matrix = ConfusionMatrix(classCount: 4)
        matrix.add(truth: [0, 0, 0, 1, 1], prediction: [0, 0, 2, 1, 2])
        let (all, some) = (Scores(matrix), Scores(matrix, over: [0, 1]))
        #expect(abs((all.meanIoU ?? 0) - (2.0 / 3 + 1.0 / 2) / 3) < 1e-12)
        #expect(abs((some.meanIoU ?? 0) - (2.0 / 3 + 1.0 / 2) / 2) < 1e-12)
        #expect(abs((some.classAverageAccuracy ?? 0) - (2.0 / 3 + 1.0 / 2) / 2) < 1e-12)
        #expect(some.globalAccuracy == all.globalAccuracy && some.globalAccuracy == 0.6 && some.classes == all.classes)
        // One that is absent counts by the rule, among those.
        #expect(Scores(matrix, over: [0, 3]).meanIoU == all.classes[0].iou)
        #expect(abs((Scores(matrix, rule: .original, over: [0, 3]).meanIoU ?? 0) - 1.0 / 3) < 1e-12)
        #expect(Scores(matrix, over: [3]).meanIoU == nil)
    }
}
