import CSegNetKernels
import SegNetGraph
import SegNetPlatform

extension Learner {
    /// Softmax cross-entropy of the class scores, and the gradient from which `backward` starts.
    /// - Parameters:
    ///   - classWeights: One per class; pixels of other labels are ignored.
    ///   - divisor: What the sums over pixels are divided by: the labelled pixels of the whole batch (the original), or the sum of their
    ///     weights. Source: docs/segnet.md, Loss.
    ///   - named: For each picture the classes that its labels can name, nil for all: the softmax runs over these and the class of the
    ///     pixel. Empty: all classes on every picture.
    ///   - smoothing: The share of each pixel's target that is spread evenly over the classes of its softmax, 0..<1.
    ///   - jaccardWeight: What 1 minus the soft Jaccard index of the batch (`ProbabilitySums`) is multiplied by before it is added.
    ///   - distillation: Filled with a teacher's scores of these pictures, whose divergence is added to the loss on every pixel.
    ///   - predictions: Where each pixel's class goes, if wanted: batchSize * H * W. On a picture that names some classes only, the
    ///     greatest score of those that its softmax runs over.
    package func loss(
        classWeights: [Float],
        divisor: Double,
        named: [ClassSet?] = [],
        smoothing: Double = 0,
        jaccardWeight: Double = 0,
        distillation: Distillation? = nil,
        predictions: UnsafeMutableBufferPointer<UInt16>? = nil
    ) -> LossResult {
        let scores = plan.values[plan.scores]
        precondition(plan.runsBackward)
        precondition(
            classWeights.count == scores.channels && labels.count == plan.batchSize * scores.height * scores.width
        )
        precondition(named.isEmpty || named.count == plan.batchSize)
        precondition(named.allSatisfy { $0.map { $0.words.count * 16 >= scores.channels } ?? true })
        precondition(
            distillation?.fits(
                pictures: plan.batchSize,
                channels: scores.channels,
                height: scores.height,
                width: scores.width
            ) ?? true
        )
        let run = run(shared: 0)
        let gradients = gradients(run)
        let pixels = scores.height * scores.width
        let rows = max(1, min(scores.height, 1024 / max(1, scores.width)))
        let items = (scores.height + rows - 1) / rows
        // Before any gradient takes the scores' place.
        let sums = jaccardWeight > 0 ? probabilitySums(run, rows: rows, named: named) : nil
        let slopes = sums?.slopes(weight: jaccardWeight)
        let scaled = classWeights.map { divisor > 0 ? Float(Double($0) / divisor) : 0 }
        var partial = [LossResult](repeating: LossResult(), count: items * plan.batchSize)
        partial.withUnsafeMutableBufferPointer { partial in
            labels.withUnsafeBufferPointer { labels in
                guard let labels = labels.baseAddress, let partial = partial.baseAddress else { return }
                pool.forEach(items * plan.batchSize) { _, index in
                    let (picture, item) = (index / items, index % items)
                    partial[index] = loss(
                        rows: item * rows..<min(scores.height, (item + 1) * rows),
                        scores: run.map(plan.scores, picture: picture),
                        gradient: scores.needsGradient ? gradients.map(plan.scores, picture: picture) : .none,
                        labels: labels + picture * pixels,
                        weights: scaled,
                        named: named.isEmpty ? nil : named[picture],
                        smoothing: Float(smoothing),
                        slopes: slopes,
                        distillation: distillation.map { ($0, $0.map(picture)) },
                        predictions: predictions?.baseAddress.map { $0 + picture * pixels }
                    )
                }
            }
        }
        var sum = partial.reduce(into: LossResult()) { $0.add($1) }
        if divisor.isFinite { sum.weightSum *= divisor }
        // Each rank has the same sums, and the ranks' losses are added up.
        if let sums { sum.loss += jaccardWeight * (1 - sums.jaccard) / Double(exchange?.group.count ?? 1) }
        return sum
    }

    /// The sums of probabilities over the batch of all ranks.
    private func probabilitySums(_ run: Run, rows: Int, named: [ClassSet?]) -> ProbabilitySums {
        let scores = plan.values[plan.scores]
        let items = (scores.height + rows - 1) / rows
        let pixels = scores.height * scores.width
        var partial = [ProbabilitySums](
            repeating: ProbabilitySums(classes: scores.channels),
            count: items * plan.batchSize
        )
        partial.withUnsafeMutableBufferPointer { partial in
            labels.withUnsafeBufferPointer { labels in
                guard let labels = labels.baseAddress, let partial = partial.baseAddress else { return }
                pool.forEach(items * plan.batchSize) { _, index in
                    let (picture, item) = (index / items, index % items)
                    kernels.addProbabilities(
                        run.map(plan.scores, picture: picture),
                        labels: labels + picture * pixels,
                        named: named.isEmpty ? nil : named[picture],
                        to: &partial[index],
                        item * rows..<min(scores.height, (item + 1) * rows)
                    )
                }
            }
        }
        let own = partial.reduce(into: ProbabilitySums(classes: scores.channels)) { $0.add($1) }
        var all = own
        exchange?.sumProbabilities(&all)
        // Where another rank has diverged, it is that rank that says so.
        return own.isFinite && !all.isFinite ? own : all
    }

    /// The loss of some rows of a picture, and its gradient.
    private func loss(
        rows: Range<Int>,
        scores: sn_map,
        gradient: sn_map,
        labels: UnsafePointer<UInt16>,
        weights: [Float],
        named: ClassSet?,
        smoothing: Float,
        slopes: [Float]?,
        distillation: (terms: Distillation, teacher: sn_map)?,
        predictions: UnsafeMutablePointer<UInt16>?
    ) -> LossResult {
        let channels = plan.values[plan.scores].channels
        // Before the gradient may take the scores' place. The teacher's scores become its part of the gradient.
        var result = LossResult()
        if let (terms, teacher) = distillation {
            result.loss = kernels.distill(
                scores,
                from: teacher,
                channels: channels,
                temperature: terms.temperature,
                factor: terms.factor,
                rows
            )
        }
        kernels.addCrossEntropy(
            scores,
            channels: channels,
            labels: labels,
            weights: weights,
            named: named,
            smoothing: smoothing,
            slopes: slopes,
            gradient: gradient,
            predictions: predictions,
            to: &result,
            rows
        )
        if let distillation, gradient.data != nil {
            for block in 0..<gradient.blocks { kernels.add(gradient, distillation.teacher, to: gradient, block, rows) }
        }
        return result
    }
}

/// Sums of a loss over the pixels of a batch.
public struct LossResult: Sendable, Hashable {
    /// The loss, divided by the divisor.
    public var loss = 0.0
    /// The sum of the class weights of the labelled pixels.
    public var weightSum = 0.0
    /// Pixels with a label.
    public var labelledPixels = 0
    /// Labelled pixels whose greatest score is the label's.
    public var correctPixels = 0

    public init() {}

    /// Adds the sums of other pixels.
    public mutating func add(_ other: LossResult) {
        loss += other.loss
        weightSum += other.weightSum
        labelledPixels += other.labelledPixels
        correctPixels += other.correctPixels
    }
}
