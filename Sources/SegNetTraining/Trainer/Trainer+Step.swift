import SegNetCPU
import SegNetData
import SegNetEvaluation

extension Trainer {
    /// The learning rate of a step, counted from 0, before the factors of layers and kinds of parameters.
    func learningRate(_ step: Int) -> Double {
        configuration.learningRate * configuration.schedule.factor(step: step, of: totalSteps)
    }

    /// One step of the optimiser over one or several batches.
    func step(_ batches: [Batch], _ predictions: inout [UInt16]) throws -> (StepLoss, ConfusionMatrix) {
        let labels = batches.map { $0.examples.map { learner.labels(of: $0, stride: lossStride) } }
        var sums = StepSums(matrix: ConfusionMatrix(classCount: classWeights.count))
        let (labelled, weight) = try labelledPixels(labels)
        guard labelled > 0 || teacher != nil else { return (sums.loss, sums.matrix) }
        isExchanging = true
        let factors = lossFactors(batches: batches.count, labelled: labelled, weight: weight)
        parameters.clearGradients()
        for (index, batch) in batches.enumerated() {
            let part = StepPart(batch: batch, labels: labels[index], index: index, count: batches.count)
            try learn(part, factors, &sums, &predictions)
        }
        let hasDiverged = sums.diverged != nil
        let isDiverged = try putTogether(&sums.loss, &sums.matrix, &sums.statistics, isDiverged: hasDiverged)
        isExchanging = false
        if let diverged = sums.diverged { throw try divergence(diverged.batch, diverged.seed) }
        if isDiverged { throw OtherRankError() }
        if progress.step == 0, startingFile != nil { try Self.requireStorable(sums.statistics) }
        isStepping = true
        for batch in sums.statistics { learner.updateRunningStatistics(batch) }
        sums.loss.gradientNorm = try optimizer.step(parameters, learningRate: learningRate(progress.step), pool: pool)
        average?.update(parameters, pool: pool)
        return (sums.loss, sums.matrix)
    }

    /// The file whose weights the training begins with; nil where all are random.
    var startingFile: String? { configuration.model ?? configuration.encoder }

    /// Refuses statistics that no model could hold although they are numbers, as float64 has them: batch normalisation hides the size of the
    /// weights before it, and no step brings them back.
    private static func requireStorable(_ statistics: [[NormalizationStatistics]]) throws(DivergenceError) {
        for values in statistics.joined() {
            for (what, numbers) in [("mean", values.mean), ("variance", values.variance)]
            where !numbers.allSatisfy({ Float($0).isFinite }) {
                throw DivergenceError(layer: values.layer, what: what)
            }
        }
    }

    /// One of a step's batches.
    private struct StepPart {
        let batch: Batch
        /// By picture.
        let labels: [[UInt16]]
        let index: Int
        /// Batches of the step.
        let count: Int
    }

    /// What the batches of a step add up to, besides their gradients.
    private struct StepSums {
        var loss = StepLoss()
        var matrix: ConfusionMatrix
        var statistics: [[NormalizationStatistics]] = []
        /// The first batch whose loss is not finite.
        var diverged: (batch: Batch, seed: UInt64)?

        init(matrix: ConfusionMatrix) { self.matrix = matrix }
    }

    /// What a step's loss is divided by, and how much the Jaccard loss of each batch counts.
    private struct LossFactors {
        var divisor: Double
        var jaccardWeight: Double
        /// Pixels of all batches and ranks.
        var pixels: Int
    }

    /// The labelled pixels of all ranks and the sum of their classes' weights.
    ///
    /// The loss's divisor is known before the first batch runs, so that several batches add up to the gradient of all.
    private func labelledPixels(_ labels: [[[UInt16]]]) throws -> (count: Int, weight: Double) {
        var labelled = 0
        var weight = 0.0
        for labels in labels.lazy.joined() {
            for id in labels where Int(id) < classWeights.count {
                labelled += 1
                weight += Double(classWeights[Int(id)])
            }
        }
        let totals = try agree([Double(labelled), weight])
        return (Int(totals[0]), totals[1])
    }

    private func lossFactors(batches: Int, labelled: Int, weight: Double) -> LossFactors {
        let pictures = batches * configuration.batchSize
        let divisor =
            switch configuration.lossDivisor {
            case .labelledPixels: Double(labelled)
            case .weights: weight
            case .pictures: Double(pictures)
            }
        var factors = LossFactors(
            divisor: divisor,
            jaccardWeight: configuration.jaccardWeight / Double(batches),
            pixels: pictures * width * height
        )
        // The labels count what the teacher leaves.
        if let share = configuration.teacher?.share {
            factors.divisor /= 1 - share
            factors.jaccardWeight *= 1 - share
        }
        return factors
    }

    /// Forward, loss and backward of one batch: gradients are added to the parameters', the rest to `sums`.
    private func learn(
        _ part: StepPart,
        _ factors: LossFactors,
        _ sums: inout StepSums,
        _ predictions: inout [UInt16]
    ) throws {
        let batch = part.batch
        try learner.fill(batch, channels: dataset.channels, stride: lossStride)
        let seed = configuration.seed &* 0x9E37_79B9 &+ UInt64(progress.step * configuration.accumulate + part.index)
        learner.forward(dropoutSeed: seed)
        let named = batch.sources.map { namedClasses[$0] }
        let taught = try teacher?.teach(batch, channels: dataset.channels, pixels: factors.pixels)
        let result = predictions.withUnsafeMutableBufferPointer {
            learner.loss(
                classWeights: classWeights,
                divisor: factors.divisor,
                named: named,
                smoothing: configuration.labelSmoothing,
                jaccardWeight: factors.jaccardWeight,
                distillation: taught,
                predictions: $0
            )
        }
        if !result.loss.isFinite {
            sums.diverged = sums.diverged ?? (batch, seed)
            // The other ranks learn of it when the step's results are combined.
            if ranks == nil { throw try divergence(batch, seed) }
        }
        sums.loss.loss += result.loss
        sums.loss.labelledPixels += result.labelledPixels
        sums.statistics.append(learner.lastStatistics)
        sums.loss.beyondRange += learner.layersBeyondRange
        learner.backward(exchanging: part.index == part.count - 1)
        let area = learner.plan.scoreSize.height * learner.plan.scoreSize.width
        for number in batch.examples.indices where countsInScore(batch.sources[number]) {
            sums.matrix.add(
                truth: part.labels[number],
                prediction: Array(predictions[number * area..<(number + 1) * area])
            )
        }
    }

    /// Finds the layer in which a batch gave a number that is not finite.
    private func divergence(_ batch: Batch, _ seed: UInt64) throws -> DivergenceError {
        // Only this rank looks for it.
        learner.exchange?.stop()
        learner.exchange = nil
        try learner.fill(batch, channels: dataset.channels, stride: lossStride)
        return learner.divergence(dropoutSeed: seed)
    }

    /// Whether a data set's pictures count in the score that is shown while training: where labels name some classes only, what was
    /// predicted falsely for the others cannot be told, so those pictures count only if no data set names all.
    private func countsInScore(_ source: Int) -> Bool {
        namedClasses[source] == nil || namedClasses.allSatisfy { $0 != nil }
    }

    struct StepLoss {
        var loss = 0.0
        var labelledPixels = 0
        var gradientNorm = 0.0
        /// Layers with numbers that were too large for their storage, and how many.
        var beyondRange: [(layer: String, count: Int)] = []
    }
}
