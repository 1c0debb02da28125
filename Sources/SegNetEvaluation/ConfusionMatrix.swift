/// How many pixels of each true class were predicted as each class: one matrix of whole numbers over a set of pictures,
/// from which all region scores are computed.
public struct ConfusionMatrix: Sendable, Hashable, Codable {
    /// The number of classes, K.
    public let classCount: Int
    /// [true class][predicted class], K x K.
    public private(set) var counts: [Int]
    /// Pixels of each true class whose prediction is not a class below K: wrong predictions of other programs. They
    /// count in the divisors of accuracy and IoU, and in no column. (The original's script counts them in global
    /// accuracy alone.)
    public private(set) var strays: [Int]

    public init(classCount: Int) {
        self.classCount = classCount
        counts = Array(repeating: 0, count: classCount * classCount)
        strays = Array(repeating: 0, count: classCount)
    }

    /// Takes counts from elsewhere.
    package init(classCount: Int, counts: [Int], strays: [Int]) {
        precondition(counts.count == classCount * classCount && strays.count == classCount)
        (self.classCount, self.counts, self.strays) = (classCount, counts, strays)
    }

    /// Adds a picture. Pixels whose truth is not below K have no ground truth and do not count.
    /// - Precondition: Both have the same number of pixels.
    public mutating func add(truth: [UInt16], prediction: [UInt16]) {
        precondition(truth.count == prediction.count)
        let k = classCount
        counts.withUnsafeMutableBufferPointer { counts in
            for (t, p) in zip(truth, prediction) where Int(t) < k {
                if Int(p) < k { counts[Int(t) * k + Int(p)] += 1 } else { strays[Int(t)] += 1 }
            }
        }
    }

    /// Adds the counts of other pictures.
    public mutating func add(_ other: ConfusionMatrix) {
        precondition(classCount == other.classCount)
        for i in counts.indices { counts[i] += other.counts[i] }
        for i in strays.indices { strays[i] += other.strays[i] }
    }

    /// How many pixels of class `truth` were predicted as `prediction`.
    public subscript(truth: Int, prediction: Int) -> Int { counts[truth * classCount + prediction] }

    /// Pixels whose true class is this.
    public func truePixels(_ id: Int) -> Int {
        counts[id * classCount..<(id + 1) * classCount].reduce(0, +) + strays[id]
    }

    /// Labelled pixels that were predicted as this class.
    public func givenPixels(_ id: Int) -> Int { (0..<classCount).reduce(0) { $0 + self[$1, id] } }
}

/// Region scores of a confusion matrix: fractions 0...1. Source: docs/segnet.md, Scores.
public struct Scores: Sendable, Hashable {
    /// How absent classes count.
    public enum Rule: String, Sendable, CaseIterable, Codable {
        /// Means are taken over the classes that occur in truth or prediction.
        case present
        /// Means are always divided by K, or by the number of classes that they are over; an absent class counts as 0: the original's
        /// `compute_test_results.m`.
        case original
    }

    /// The scores of one class; nil where the class occurs in neither truth nor prediction.
    public struct Class: Sendable, Hashable {
        /// Correct pixels / (true + predicted - correct).
        public var iou: Double?
        /// Correct pixels / true pixels.
        public var accuracy: Double?
        /// True pixels.
        public var pixels: Int
    }

    /// G: correct pixels / labelled pixels; nil where nothing is labelled.
    public var globalAccuracy: Double?
    /// C: the mean of the classes' accuracies.
    public var classAverageAccuracy: Double?
    /// The mean of the classes' IoU.
    public var meanIoU: Double?
    /// By class id.
    public var classes: [Class]
    /// How absent classes count.
    public var rule: Rule

    /// - Parameters:
    ///   - rule: How absent classes count.
    ///   - ids: The classes that means are over, where the labels can name these only: of the others, each of which would count as 0 as
    ///     soon as one pixel is predicted as it, nothing is known. Such a pixel is an error of its true class. Nil: all.
    public init(_ matrix: ConfusionMatrix, rule: Rule = .present, over ids: [Int]? = nil) {
        self.rule = rule
        let k = matrix.classCount
        var right = 0
        var all = 0
        classes = (0..<k).map { id in
            let (hits, truth, given) = (matrix[id, id], matrix.truePixels(id), matrix.givenPixels(id))
            right += hits
            all += truth
            let union = truth + given - hits
            return Class(
                iou: union > 0 ? Double(hits) / Double(union) : nil,
                // A class that is only predicted has no true pixels: its accuracy counts as 0, as its IoU does.
                accuracy: union > 0 ? (truth > 0 ? Double(hits) / Double(truth) : 0) : nil,
                pixels: truth
            )
        }
        globalAccuracy = all > 0 ? Double(right) / Double(all) : nil
        func mean(_ values: [Double?]) -> Double? {
            let counted = ids.map { $0.map { values[$0] } } ?? values
            let present = counted.compactMap { $0 }
            let divisor = rule == .original ? counted.count : present.count
            return divisor > 0 && all > 0 ? present.reduce(0, +) / Double(divisor) : nil
        }
        classAverageAccuracy = mean(classes.map(\.accuracy))
        meanIoU = mean(classes.map(\.iou))
    }
}
