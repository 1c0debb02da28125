import Foundation
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// A small network with every kind of parameter, and the optimisers' formulas in float64, a number at a time.
private struct OptimizerCase {
    let parameters: Parameters
    let pool = ThreadPool(threadCount: 2)
    /// For each step, one per parameter in the layout's order.
    var gradients: [[Float]]
    var values: [Double]
    var first: [Double]
    var second: [Double]

    init(
        frozen: Set<String> = [],
        layerRates: [String: Double] = [:],
        instructionSet: InstructionSet = .best,
        steps: Int = 6
    ) throws {
        let network = LayerCase(
            "optimised",
            [LayerCase.conv("a", 18), LayerCase.bn("n"), LayerCase.relu("r"), LayerCase.conv("b", 4)]
        ).network
        var multipliers = ParameterMultipliers()
        multipliers.scale = ParameterMultipliers.Pair(learningRate: 0.5, decay: 3)
        parameters = try Parameters(
            network,
            options: TrainingOptions(
                instructionSet: instructionSet,
                frozenLayers: frozen,
                multipliers: multipliers,
                layerRates: layerRates
            )
        )
        try parameters.load(Weights.initial(for: network, seed: 1))
        var random = RandomNumbers(seed: 2)
        let count = parameters.layout.count
        gradients = (0..<steps).map { _ in (0..<count).map { _ in Float(random.gaussian()) } }
        values = parameters.valueBuffer.map(Double.init)
        first = Array(repeating: 0, count: count)
        second = first
    }

    /// `body(index of a number, its range)` for all numbers that learn.
    func forEach(_ body: (Int, ParameterRange) -> Void) {
        for range in parameters.layout.ranges where range.learningRateMultiplier > 0 {
            for i in range.range { body(i, range) }
        }
    }

    func give(_ step: Int) {
        for (i, gradient) in gradients[step].enumerated() { parameters.gradientBuffer[i] = gradient }
    }

    /// The greatest difference to the formula, of values of about 1.
    var error: Double { zip(parameters.valueBuffer, values).map { abs(Double($0) - $1) }.max() ?? 0 }
}

@Suite("Optimisers")
struct OptimizerTests {
    static let rates = [0.1, 0.1, 0.05, 0.2, 0.01, 0.1]

    @Test(
        "SGD follows Caffe's formula over several steps, with multipliers and rates by layer",
        arguments: InstructionSet.available
    )
    func sgd(instructionSet: InstructionSet) throws {
        var test = try OptimizerCase(layerRates: ["b": 0.1], instructionSet: instructionSet)
        let optimizer = try Optimizer(
            OptimizerConfiguration(.sgd, momentum: 0.9, weightDecay: 0.0005),
            layout: test.parameters.layout
        )
        for (step, rate) in Self.rates.enumerated() {
            test.give(step)
            try optimizer.step(test.parameters, learningRate: rate, pool: test.pool)
            var (velocity, values) = (test.first, test.values)
            test.forEach { i, range in
                let g = Double(test.gradients[step][i]) + 0.0005 * Double(range.decayMultiplier) * values[i]
                let local = rate * (range.layer == "b" ? 0.1 : 1) * Double(range.learningRateMultiplier)
                velocity[i] = 0.9 * velocity[i] + local * g
                values[i] -= velocity[i]
            }
            (test.first, test.values) = (velocity, values)
            #expect(test.error < 2e-6, "step \(step)")
        }
        #expect(optimizer.steps == Self.rates.count)
    }

    @Test(
        "AdamW follows its formula over several steps: corrected moments, separate decay",
        arguments: InstructionSet.available
    )
    func adamw(instructionSet: InstructionSet) throws {
        var test = try OptimizerCase(layerRates: ["a": 2], instructionSet: instructionSet)
        let configuration = OptimizerConfiguration(.adamw, beta1: 0.9, beta2: 0.99, epsilon: 1e-4, weightDecay: 0.1)
        let optimizer = try Optimizer(configuration, layout: test.parameters.layout)
        for (step, rate) in Self.rates.enumerated() {
            test.give(step)
            try optimizer.step(test.parameters, learningRate: rate, pool: test.pool)
            var (first, second, values) = (test.first, test.second, test.values)
            let t = Double(step + 1)
            test.forEach { i, range in
                let g = Double(test.gradients[step][i])
                first[i] = 0.9 * first[i] + 0.1 * g
                second[i] = 0.99 * second[i] + 0.01 * g * g
                let direction = first[i] / (1 - pow(0.9, t)) / ((second[i] / (1 - pow(0.99, t))).squareRoot() + 1e-4)
                let local = rate * (range.layer == "a" ? 2 : 1) * Double(range.learningRateMultiplier)
                values[i] -= local * (direction + 0.1 * Double(range.decayMultiplier) * values[i])
            }
            (test.first, test.second, test.values) = (first, second, values)
            // beta 2 is 0.99 rounded to float32: 1 - beta 2 errs by 1e-6 of itself.
            #expect(test.error < 1e-5, "step \(step)")
        }
    }

    @Test("gradients of a greater norm are scaled down to the clip, smaller ones are left", arguments: [0.5, 1e6])
    func clipping(clip: Double) throws {
        var test = try OptimizerCase(steps: 1)
        let optimizer = try Optimizer(
            OptimizerConfiguration(.sgd, momentum: 0, weightDecay: 0, clipNorm: clip),
            layout: test.parameters.layout
        )
        test.give(0)
        var squares = 0.0
        test.forEach { i, _ in squares += Double(test.gradients[0][i]) * Double(test.gradients[0][i]) }
        let norm = squares.squareRoot()
        let found = try optimizer.step(test.parameters, learningRate: 1, pool: test.pool)
        #expect(abs(found - norm) < 1e-9 * norm, "the norm before the clip")
        var values = test.values
        test.forEach { i, range in
            values[i] -= Double(range.learningRateMultiplier) * Double(test.gradients[0][i]) * min(1, clip / norm)
        }
        test.values = values
        #expect(test.error < 2e-6)
    }

    @Test("frozen layers stay to the bit and do not count in the norm", arguments: OptimizerConfiguration.Kind.allCases)
    func frozen(kind: OptimizerConfiguration.Kind) throws {
        let test = try OptimizerCase(frozen: ["a"], steps: 1)
        let before = Array(test.parameters.valueBuffer)
        test.give(0)
        let optimizer = try Optimizer(OptimizerConfiguration(kind), layout: test.parameters.layout)
        let norm = try optimizer.step(test.parameters, learningRate: 0.1, pool: test.pool)
        var squares = 0.0
        for range in test.parameters.layout.ranges {
            let after = Array(test.parameters.valueBuffer[range.range])
            if range.layer == "a" {
                #expect(after == Array(before[range.range]), "\(range.name)")
            } else {
                #expect(after != Array(before[range.range]), "\(range.name)")
                squares += range.range.reduce(0) { $0 + Double(test.gradients[0][$1]) * Double(test.gradients[0][$1]) }
            }
        }
        #expect(abs(norm - squares.squareRoot()) < 1e-9 * norm)
    }

    @Test("a gradient that is not finite names its layer and changes nothing", arguments: [Float.nan, .infinity])
    func divergence(value: Float) throws {
        let test = try OptimizerCase(steps: 1)
        test.give(0)
        let range = try #require(test.parameters.layout.ranges.first { $0.name == "b.weight" })
        test.parameters.gradientBuffer[range.range.upperBound - 1] = value
        let before = Array(test.parameters.valueBuffer)
        let optimizer = try Optimizer(OptimizerConfiguration(.adamw), layout: test.parameters.layout)
        #expect {
            try optimizer.step(test.parameters, learningRate: 0.1, pool: test.pool)
        } throws: {
            "\($0)"
                == "training diverged: the gradient of b.weight in layer 'b' is not a finite number. Try a lower learning rate, "
                + "a warm-up, or gradient clipping."
        }
        #expect(Array(test.parameters.valueBuffer) == before)
        #expect(optimizer.steps == 0)
    }

    @Test("the average keeps min(decay, (1 + t) / (10 + t)) of itself", arguments: [0.2, 0.998])
    func average(decay: Double) throws {
        let test = try OptimizerCase()
        let average = try WeightAverage(decay: decay, test.parameters)
        var expected = test.values
        for (step, numbers) in test.gradients.enumerated() {
            for (i, number) in numbers.enumerated() { test.parameters.valueBuffer[i] = number }
            average.update(test.parameters, pool: test.pool)
            let t = Double(step + 1)
            let keep = min(decay, (1 + t) / (10 + t))
            for i in expected.indices { expected[i] = keep * expected[i] + (1 - keep) * Double(numbers[i]) }
        }
        let found = UnsafeBufferPointer(start: average.memory.floats(), count: expected.count)
        #expect((zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 1) < 2e-6)
    }
}

@Suite("Schedules")
struct ScheduleTests {
    /// (schedule, step of 100, factor)
    static let corners: [(Schedule, Int, Double)] = [
        (Schedule(.constant), 0, 1), (Schedule(.constant), 50, 1), (Schedule(.constant), 99, 1),
        // Falls with step `every`, not before.
        (Schedule(.step, gamma: 0.1, every: 30), 0, 1), (Schedule(.step, gamma: 0.1, every: 30), 29, 1),
        (Schedule(.step, gamma: 0.1, every: 30), 30, 0.1), (Schedule(.step, gamma: 0.1, every: 30), 59, 0.1),
        (Schedule(.step, gamma: 0.1, every: 30), 60, 0.01), (Schedule(.step, gamma: 0.5, every: 1), 3, 0.125),
        (Schedule(.step, gamma: 0.5, every: 0), 3, 0.125),
        (Schedule(.poly, power: 0.9), 0, 1), (Schedule(.poly, power: 2), 50, 0.25),
        (Schedule(.poly, power: 1), 99, 0.01), (Schedule(.poly, power: 1), 100, 0), (Schedule(.poly, power: 1), 150, 0),
        (Schedule(.cosine, final: 0.2), 0, 1), (Schedule(.cosine, final: 0.2), 50, 0.6),
        (Schedule(.cosine, final: 0.2), 100, 0.2), (Schedule(.cosine, final: 0.2), 130, 0.2),
        (Schedule(.cosine), 25, 0.5 + 0.5 * 0.5.squareRoot()),
        (Schedule(.oneCycle, start: 0.1, peak: 0.5), 0, 0.1), (Schedule(.oneCycle, start: 0.1, peak: 0.5), 25, 0.55),
        (Schedule(.oneCycle, start: 0.1, peak: 0.5), 50, 1), (Schedule(.oneCycle, start: 0.1, peak: 0.5), 75, 0.5),
        (Schedule(.oneCycle, final: 0.05, start: 0.1, peak: 0.5), 100, 0.05),
        // A top at the very beginning or at the very end.
        (Schedule(.oneCycle, start: 0.1, peak: 0), 0, 1), (Schedule(.oneCycle, start: 0.1, peak: 0), 50, 0.5),
        (Schedule(.oneCycle, start: 0.1, peak: 1), 50, 0.55), (Schedule(.oneCycle, start: 0.1, peak: 1), 100, 1),
        // A warm-up of 10 reaches the whole with its tenth step; the schedule itself begins behind it.
        (Schedule(.constant, warmUp: 10), 0, 0.1), (Schedule(.constant, warmUp: 10), 4, 0.5),
        (Schedule(.constant, warmUp: 10), 9, 1), (Schedule(.constant, warmUp: 10), 10, 1),
        (Schedule(.step, gamma: 0.1, every: 30, warmUp: 10), 39, 1),
        (Schedule(.step, gamma: 0.1, every: 30, warmUp: 10), 40, 0.1), (Schedule(.poly, power: 1, warmUp: 20), 19, 1),
        (Schedule(.poly, power: 1, warmUp: 20), 60, 0.5), (Schedule(.cosine, warmUp: 20), 60, 0.5),
        // A warm-up as long as the training, or longer.
        (Schedule(.cosine, warmUp: 100), 99, 1), (Schedule(.constant, warmUp: 200), 99, 0.5),
    ]

    @Test("have the values of their formulas, at the corners too", arguments: corners)
    func values(schedule: Schedule, step: Int, factor: Double) {
        #expect(abs(schedule.factor(step: step, of: 100) - factor) < 1e-12)
    }

    @Test("of a single step are finite", arguments: Schedule.Kind.allCases, [0, 1, 5])
    func single(kind: Schedule.Kind, warmUp: Int) {
        let factor = Schedule(kind, warmUp: warmUp).factor(step: 0, of: 1)
        #expect(factor.isFinite && factor > 0 && factor <= 1)
    }
}
