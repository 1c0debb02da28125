import Foundation
import SegNetNetworks
import SegNetReference
import SegNetTensors
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
        var next = 0
        for blobs in reference.run(maps) {
            let scores = try #require(blobs[blob])
            let plane = scores.height * scores.width
            for pixel in 0..<plane {
                let label = setup.labels[next]
                next += 1
                guard label != UInt16.max else { continue }
                let values = (0..<scores.channels).map { scores.values[$0 * plane + pixel] }
                let greatest = values.max() ?? 0
                let total = values.reduce(0) { $0 + exp($1 - greatest) }
                sum += Double(setup.classWeights[Int(label)]) * (log(total) + greatest - values[Int(label)])
            }
        }
        return sum / setup.labelled
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
        let loss = learner.loss(classWeights: setup.classWeights, divisor: setup.labelled)
        learner.backward()
        return (loss.loss, try parameters.gradientTensors())
    }

    @Test(
        "agree with finite differences in float64",
        arguments: LayerCase.all.filter(\.learns),
        InstructionSet.available
    )
    func finiteDifferences(of test: LayerCase, instructionSet: InstructionSet) throws {
        let setup = try Self.setup(test.network)
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
