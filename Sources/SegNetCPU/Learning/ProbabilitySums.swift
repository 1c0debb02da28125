/// What the soft Jaccard index of a batch is made of: the mean IoU with probabilities in place of decisions, so that it has a gradient
/// (Rahman and Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation", ISVC 2016).
///
/// Over the labelled pixels, for each class: its index is correct / (predicted + labelled - correct). The index of the batch is the mean
/// over the classes that some pixel's label names.
package struct ProbabilitySums: Sendable, Hashable {
    /// The sum of a class's probabilities.
    var predicted: [Double]
    /// The same over the pixels whose label it is.
    var correct: [Double]
    /// The number of those pixels.
    var labelled: [Double]

    init(classes: Int) {
        predicted = Array(repeating: 0, count: classes)
        correct = predicted
        labelled = predicted
    }

    /// Adds the sums of other pixels.
    mutating func add(_ other: ProbabilitySums) {
        for c in predicted.indices {
            predicted[c] += other.predicted[c]
            correct[c] += other.correct[c]
            labelled[c] += other.labelled[c]
        }
    }

    var isFinite: Bool { (predicted + correct).allSatisfy(\.isFinite) }

    private var classes: [Int] { labelled.indices.filter { labelled[$0] > 0 } }

    /// The sum over all pixels that have the class or are given it; at least 1 where a label names the class, since a correct probability
    /// is at most 1.
    private func union(_ c: Int) -> Double { max(1, predicted[c] + labelled[c] - correct[c]) }

    /// The soft Jaccard index, 0...1; 1 where nothing is labelled.
    var jaccard: Double {
        let classes = classes
        guard !classes.isEmpty else { return 1 }
        return classes.reduce(0) { $0 + correct[$1] / union($1) } / Double(classes.count)
    }

    /// The derivatives of weight * (1 - index) with respect to a pixel's probabilities, as the loss's kernel reads them: [2][blocks * 16],
    /// first of the classes that are not the pixel's label, then of the one that is.
    func slopes(weight: Double) -> [Float] {
        let classes = classes
        let padded = (labelled.count + 15) / 16 * 16
        var slopes = [Float](repeating: 0, count: 2 * padded)
        for c in classes {
            // A false probability enlarges the union alone; a correct one the intersection alone.
            let (union, each) = (union(c), weight / Double(classes.count))
            slopes[c] = Float(each * correct[c] / (union * union))
            slopes[padded + c] = Float(-each / union)
        }
        return slopes
    }
}
