import Foundation
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

@Suite("Gradients")
struct GradientTests {
    static let pictures = 2

    struct Setup {
        var weights: Weights
        var inputs: [[Float]]
        var labels: [UInt16]
        var classWeights: [Float]
        var labelled: Double
        /// For each picture, the classes that its labels can name; nil: all.
        var named: [Set<Int>?] = [nil, nil]
        var smoothing = 0.0
        var jaccardWeight = 0.0
        /// A teacher's scores of each picture, planar, its temperature, and what the divergence of a pixel counts.
        var teacher: (scores: [[Float]], temperature: Double, factor: Double)?
    }

    /// Random weights, pictures and labels; every seventh pixel has no label.
    static func setup(_ network: Network) throws -> Setup {
        var random = RandomNumbers(seed: 7)
        var weights = try Weights.initial(for: network, seed: 3)
        for (name, tensor) in weights.tensors.sorted(by: { $0.key < $1.key }) where !name.hasSuffix(".weight") {
            let base: Double = name.hasSuffix("scale") || name.hasSuffix("variance") ? 1 : 0
            weights[name] = WeightTensor(
                shape: tensor.shape,
                values: (0..<tensor.shape.count).map { _ in Float(base + 0.3 * (random.uniform() - 0.5)) }
            )
        }
        let shapes = try network.shapes()
        let blob = try #require(network.scoresBlob)
        let scores = try #require(shapes.blobs[blob]).shape
        let pixels = network.input.height * network.input.width
        let count = network.input.channels.count
        let inputs = (0..<pictures).map { _ in (0..<pixels * count).map { _ in Float(random.gaussian()) } }
        let labels = (0..<pictures * scores.height * scores.width).map { index in
            index % 7 == 3 ? UInt16.max : UInt16(random.next() % UInt64(scores.channels))
        }
        return Setup(
            weights: weights,
            inputs: inputs,
            labels: labels,
            classWeights: (0..<scores.channels).map { 0.5 + Float($0) },
            labelled: Double(labels.count { $0 != UInt16.max })
        )
    }

    /// The loss by its definition, in float64.
    static func loss(_ reference: ReferenceNetwork, _ setup: Setup) throws -> Double {
        let input = reference.network.input
        let maps = setup.inputs.map { values in
            var map = ReferenceMap(input.channels.count, input.height, input.width)
            for (index, value) in values.enumerated() {
                let (pixel, c) = index.quotientAndRemainder(dividingBy: input.channels.count)
                map[c, pixel / input.width, pixel % input.width] = Double(value)
            }
            return map
        }
        let blob = try #require(reference.network.scoresBlob)
        var sum = 0.0
        var taught = 0.0
        var next = 0
        var (predicted, correct, labelled) = ([Int: Double](), [Int: Double](), [Int: Double]())
        for (picture, blobs) in reference.run(maps).enumerated() {
            let scores = try #require(blobs[blob])
            let plane = scores.height * scores.width
            for pixel in 0..<plane {
                let label = setup.labels[next]
                next += 1
                if let teacher = setup.teacher {
                    func softmax(_ values: [Double]) -> [Double] {
                        let powers = values.map { exp($0 / teacher.temperature) }
                        return powers.map { $0 / powers.reduce(0, +) }
                    }
                    let own = softmax((0..<scores.channels).map { scores.values[$0 * plane + pixel] })
                    let other = softmax(
                        (0..<scores.channels).map { Double(teacher.scores[picture][$0 * plane + pixel]) }
                    )
                    for (p, q) in zip(own, other) { taught += teacher.factor * q * (log(q) - log(p)) }
                }
                guard label != UInt16.max else { continue }
                let parts = (0..<scores.channels).filter {
                    setup.named[picture]?.contains($0) ?? true || $0 == Int(label)
                }
                let values = parts.map { scores.values[$0 * plane + pixel] }
                let greatest = values.max() ?? 0
                let total = values.reduce(0) { $0 + exp($1 - greatest) }
                let own = scores.values[Int(label) * plane + pixel]
                for (c, value) in zip(parts, values) { predicted[c, default: 0] += exp(value - greatest) / total }
                correct[Int(label), default: 0] += exp(own - greatest) / total
                labelled[Int(label), default: 0] += 1
                let target = (1 - setup.smoothing) * own + setup.smoothing * values.reduce(0, +) / Double(parts.count)
                sum += Double(setup.classWeights[Int(label)]) * (log(total) + greatest - target)
            }
        }
        let indices = labelled.map { c, count in
            let correct = correct[c] ?? 0
            return correct / ((predicted[c] ?? 0) + count - correct)
        }
        let jaccard = indices.isEmpty ? 1 : indices.reduce(0, +) / Double(indices.count)
        return sum / setup.labelled + taught + setup.jaccardWeight * (1 - jaccard)
    }

    static func ours(
        _ network: Network,
        _ setup: Setup,
        accuracy: InferenceOptions.Accuracy,
        instructionSet: InstructionSet,
        threads: Int = 2
    ) throws -> (loss: Double, gradients: Weights) {
        let parameters = try Parameters(
            network,
            options: TrainingOptions(accuracy: accuracy, instructionSet: instructionSet)
        )
        try parameters.load(setup.weights)
        let learner = try Learner(
            parameters,
            batchSize: pictures,
            height: network.input.height,
            width: network.input.width,
            pool: ThreadPool(threadCount: threads)
        )
        learner.fill(setup.inputs, labels: setup.labels)
        learner.forward()
        var distillation: Distillation?
        if let teacher = setup.teacher {
            let made = try Distillation(
                pictures: pictures,
                channels: setup.classWeights.count,
                height: network.input.height,
                width: network.input.width,
                temperature: teacher.temperature,
                instructionSet: instructionSet
            )
            for picture in 0..<pictures { made.fill(teacher.scores[picture], picture: picture) }
            made.factor = teacher.factor
            distillation = made
        }
        let loss = learner.loss(
            classWeights: setup.classWeights,
            divisor: setup.labelled,
            named: setup.named.map { $0.map { ClassSet($0, of: setup.classWeights.count) } },
            smoothing: setup.smoothing,
            jaccardWeight: setup.jaccardWeight,
            distillation: distillation
        )
        learner.backward()
        return (loss.loss, try parameters.gradientTensors())
    }

    @Test(
        "agree with finite differences in float64",
        arguments: LayerCase.all.filter(\.learns),
        InstructionSet.available
    )
    func finiteDifferences(of test: LayerCase, instructionSet: InstructionSet) throws {
        try Self.check(test, Self.setup(test.network), instructionSet)
    }

    @Test(
        "agree where one picture's labels name some classes only, and targets are smoothed",
        arguments: InstructionSet.available
    )
    func partlyNamed(instructionSet: InstructionSet) throws {
        let test = LayerCase(
            "nineteen classes",
            [LayerCase.conv("a", 20), LayerCase.bn("n"), LayerCase.relu("r"), LayerCase.conv("b", 19)]
        )
        for (named, smoothing) in [([nil, [0, 3, 17]], 0), ([[2], nil], 0.1), ([nil, nil], 0.3)]
            as [([Set<Int>?], Double)]
        {
            var setup = try Self.setup(test.network)
            (setup.named, setup.smoothing) = (named, smoothing)
            try Self.check(test, setup, instructionSet)
        }
    }

    @Test(
        "agree with the soft Jaccard index in the loss, also where a class has no pixel and labels name some classes",
        arguments: InstructionSet.available
    )
    func jaccard(instructionSet: InstructionSet) throws {
        let test = LayerCase(
            "nineteen classes, by their overlap",
            [LayerCase.conv("a", 20), LayerCase.bn("n"), LayerCase.relu("r"), LayerCase.conv("b", 19)]
        )
        for (named, smoothing, weight) in [([nil, nil], 0, 20), ([nil, [0, 3, 17]], 0.1, 3)]
            as [([Set<Int>?], Double, Double)]
        {
            var setup = try Self.setup(test.network)
            setup.labels = setup.labels.map { $0 == 4 ? .max : $0 }
            setup.labelled = Double(setup.labels.count { $0 != .max })
            (setup.named, setup.smoothing, setup.jaccardWeight) = (named, smoothing, weight)
            try Self.check(test, setup, instructionSet)
        }
    }

    @Test(
        "agree with a teacher in addition to labels, alone, and where labels name some classes",
        arguments: InstructionSet.available
    )
    func teacher(instructionSet: InstructionSet) throws {
        let test = LayerCase(
            "nineteen classes, taught",
            [LayerCase.conv("a", 20), LayerCase.bn("n"), LayerCase.relu("r"), LayerCase.conv("b", 19)]
        )
        var random = RandomNumbers(seed: 12)
        let pixels = test.network.input.height * test.network.input.width
        for (temperature, named) in [(1, [nil, nil]), (4, [nil, [1, 2]])] as [(Double, [Set<Int>?])] {
            var setup = try Self.setup(test.network)
            setup.named = named
            let scores = (0..<Self.pictures).map { _ in (0..<19 * pixels).map { _ in Float(2 * random.gaussian()) } }
            setup.teacher = (scores, temperature, 0.7 * temperature * temperature / Double(2 * pixels))
            setup.jaccardWeight = 0.3
            try Self.check(test, setup, instructionSet)
            // Without a label the teacher alone speaks.
            setup.labels = setup.labels.map { _ in .max }
            try Self.check(test, setup, instructionSet)
        }
    }

    /// Compares with finite differences of the definition.
    private static func check(_ test: LayerCase, _ setup: Setup, _ instructionSet: InstructionSet) throws {
        var reference = ReferenceNetwork(network: test.network, weights: setup.weights)
        let expectedLoss = try Self.loss(reference, setup)
        var random = RandomNumbers(seed: 11)
        // The same differences serve all accuracies.
        var differences: [(name: String, index: Int, value: Double)] = []
        for (_, name, parameter) in try test.network.parameters() where !parameter.isStatistic {
            for _ in 0..<5 {
                let index = Int(random.next() % UInt64(parameter.shape.count))
                let step = 1e-5
                reference.tensors[name]?[index] += step
                let above = try Self.loss(reference, setup)
                reference.tensors[name]?[index] -= 2 * step
                let below = try Self.loss(reference, setup)
                reference.tensors[name]?[index] += step
                differences.append((name, index, (above - below) / (2 * step)))
            }
        }
        for accuracy in InferenceOptions.Accuracy.allCases {
            let (loss, gradients) = try Self.ours(
                test.network,
                setup,
                accuracy: accuracy,
                instructionSet: instructionSet
            )
            #expect(abs(loss - expectedLoss) < 1e-5 * expectedLoss, "\(accuracy): loss \(loss), \(expectedLoss)")
            for (name, index, expected) in differences {
                let tensor = try #require(gradients[name]).floats()
                let rms = (tensor.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(tensor.count)).squareRoot()
                let found = Double(tensor[index])
                #expect(
                    abs(found - expected) <= test.bound * (rms + abs(expected)) + 1e-7,
                    "\(accuracy): \(name)[\(index)]: \(found), by differences \(expected), rms \(rms)"
                )
            }
        }
    }

    @Test("are not computed for what factors of 0 keep from learning; the others' are the same, to the bit")
    func factorsOfZero() throws {
        let network = TrainingMemoryTests.segNet.network
        let setup = try Self.setup(network)
        var multipliers = ParameterMultipliers()
        multipliers.bias.learningRate = 0
        let all = try MemoryRun(network, setup)
        let some = try MemoryRun(network, setup, multipliers: multipliers, layerRates: ["a": 0, "an": 0, "dn": 0])
        #expect(all.forward() == some.forward())
        let gradients = try all.backward()
        for (name, tensor) in try some.backward().tensors {
            let stays = name.hasSuffix(".bias") || ["a.", "an.", "dn."].contains { name.hasPrefix($0) }
            let expected = stays ? Array(repeating: 0, count: tensor.shape.count) : gradients[name]?.floats()
            #expect(tensor.floats() == expected, "\(name)")
        }
        #expect(gradients["h.bias"]?.floats().contains { $0 != 0 } == true)
    }

    @Test("do not depend on the number of threads")
    func threads() throws {
        let network = LayerCase.trained[14].network
        let setup = try Self.setup(network)
        let one = try Self.ours(network, setup, accuracy: .fast, instructionSet: .best, threads: 1)
        let three = try Self.ours(network, setup, accuracy: .fast, instructionSet: .best, threads: 3)
        #expect(one.loss == three.loss)
        for (name, tensor) in one.gradients.tensors {
            #expect(tensor.floats() == three.gradients[name]?.floats(), "\(name)")
        }
    }
}
