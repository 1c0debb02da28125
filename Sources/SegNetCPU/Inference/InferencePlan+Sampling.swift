import SegNetGraph
import SegNetPlatform

extension InferencePlan {
    /// Where the mean and the summed squares of the samples lie, and the scores that they are made from.
    struct Accumulators: Sendable {
        var scores: ValueID
        var mean: ValueID
        var squares: ValueID
    }

    /// Whether `sample` may be called.
    public var canSample: Bool { accumulators != nil }

    /// Runs the network on what lies in the workspace's input with `count` sets of dropout masks, and accumulates the softmax
    /// probabilities of its scores. What no dropout reaches is computed once. `Workspace.samples` gives the result.
    ///
    /// Mean and variance are accumulated by Welford's recurrence, which does not cancel: each number by one thread in the order of the
    /// samples, so results do not depend on the number of threads. Inner blobs that are kept are those of the last sample; the
    /// scores are overwritten by its probabilities.
    ///
    /// - Parameters:
    ///   - count: At least 1.
    ///   - seed: Sample i is a function of (seed, i) alone: more samples begin with the same ones.
    public func sample(in workspace: Workspace, count: Int, seed: UInt64) {
        sample(in: workspace, count: count, seed: seed) { _, _ in }
    }

    /// Samples the network, and reports each step; otherwise as `sample(in:count:seed:)`.
    /// - Parameter observe: Called after each step with the sample, nil for what is shared, and the name of its layer. What it throws ends
    ///   the run; the workspace can be used again.
    public func sample(
        in workspace: Workspace,
        count: Int,
        seed: UInt64,
        observe: (_ sample: Int?, _ name: String) throws -> Void
    ) rethrows {
        precondition(workspace.plan === self, "a workspace belongs to the plan it was made for")
        guard let accumulators, count > 0 else { return }
        let first = firstSampledStep
        for index in 0..<first {
            steps[index].step.forward(workspace.run(step: index))
            try observe(nil, steps[index].name)
        }
        for sample in 0..<count {
            var random = RandomNumbers(seed: seed, stream: UInt64(sample))
            let sampleSeed = random.next()
            for index in first..<steps.count {
                steps[index].step.forward(workspace.run(step: index, dropoutSeed: sampleSeed))
                try observe(sample, steps[index].name)
            }
            let run = workspace.run()
            SoftmaxStep(input: accumulators.scores, output: accumulators.scores).forward(run)
            accumulate(accumulators, sample: sample, of: count, run)
        }
    }

    /// Adds one sample's probabilities; after the last one the squares become the population variance.
    private func accumulate(_ accumulators: Accumulators, sample: Int, of count: Int, _ run: Run) {
        func lines(_ value: ValueID) -> UnsafeMutablePointer<SIMD16<Float>> {
            run.data(value).assumingMemoryBound(to: SIMD16<Float>.self)
        }
        let (numbers, means, squares) = (
            lines(accumulators.scores), lines(accumulators.mean), lines(accumulators.squares)
        )
        let place = values[accumulators.scores]
        let weight = 1 / Float(sample + 1)
        let scale: Float = sample == count - 1 ? 1 / Float(count) : 1
        let isFirst = sample == 0
        run.forEachItem(accumulators.scores) { block, _, rows in
            let start = block * place.height
            for line in (start + rows.lowerBound) * place.width..<(start + rows.upperBound) * place.width {
                let value = numbers[line]
                let before = isFirst ? SIMD16<Float>() : means[line]
                let difference = value - before
                let mean = isFirst ? value : before + difference * weight
                means[line] = mean
                squares[line] = isFirst ? SIMD16<Float>() : (squares[line] + difference * (value - mean)) * scale
            }
        }
    }
}

/// The summary of Monte-Carlo samples of the class probabilities, K classes on H x W pixels.
public struct SampledProbabilities: Sendable {
    /// The mean of the samples, [K, H, W]; empty if it was not asked for.
    public let mean: [Float]
    /// The population variance of the samples, [K, H, W]; empty if it was not asked for.
    public let variance: [Float]
    /// The class with the greatest mean of each pixel: the highest id among exactly equal ones.
    public let classIDs: [UInt16]
    /// The greatest mean of each pixel.
    public let confidence: [Float]
    /// The variance of each pixel, averaged over the classes. Source: docs/segnet.md, Dropout and sampling.
    public let uncertainty: [Float]
}

extension Workspace {
    /// The result of the last call of `InferencePlan.sample`; nil if the plan cannot sample.
    /// - Parameters:
    ///   - mean: Whether `mean` is wanted too; it takes 4 bytes for each class and pixel.
    ///   - variance: Likewise `variance`.
    public func samples(mean: Bool = true, variance: Bool = true) -> SampledProbabilities? {
        guard let accumulators = plan.accumulators else { return nil }
        let place = plan.values[accumulators.mean]
        let pixels = place.height * place.width
        let run = run()
        func lines(_ value: ValueID) -> UnsafeBufferPointer<SIMD16<Float>> {
            let lines = run.data(value).assumingMemoryBound(to: SIMD16<Float>.self)
            return UnsafeBufferPointer(start: lines, count: blockCount(place.channels) * pixels)
        }
        let (means, squares) = (lines(accumulators.mean), lines(accumulators.squares))
        var ids = [UInt16](repeating: 0, count: pixels)
        var confidence = [Float](repeating: -1, count: pixels)
        var uncertainty = [Float](repeating: 0, count: pixels)
        for channel in 0..<place.channels {
            let (block, lane) = (channel / 16 * pixels, channel % 16)
            for pixel in 0..<pixels {
                let value = means[block + pixel][lane]
                if value >= confidence[pixel] {
                    confidence[pixel] = value
                    ids[pixel] = UInt16(channel)
                }
                uncertainty[pixel] += squares[block + pixel][lane]
            }
        }
        let share = 1 / Float(place.channels)
        for pixel in 0..<pixels { uncertainty[pixel] *= share }
        return SampledProbabilities(
            mean: mean ? planar(accumulators.mean) ?? [] : [],
            variance: variance ? planar(accumulators.squares) ?? [] : [],
            classIDs: ids,
            confidence: confidence,
            uncertainty: uncertainty
        )
    }
}
