import Foundation
import SegNetNetworks
import SegNetReference
import SegNetTensors
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// A small network whose gradients are checked.
struct GradientCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var network: Network
    /// Relative to the rms of a tensor's gradient.
    var bound = 2e-4

    init(_ name: String, size: (Int, Int) = (9, 11), channels: Int = 3, _ layers: [Layer]) {
        testDescription = name
        var previous = "data"
        var complete: [Layer] = []
        for var layer in layers {
            if layer.inputs.isEmpty { layer.inputs = [previous] }
            previous = layer.outputs[0]
            complete.append(layer)
        }
        network = Network(
            name: name,
            input: InputDescription(
                channels: (0..<channels).map { "c\($0)" },
                height: size.0,
                width: size.1
            ),
            layers: complete
        )
    }

    static func conv(
        _ name: String,
        _ out: Int,
        _ window: Window = Window(3, padding: 1),
        groups: Int = 1,
        from: [String] = []
    )
        -> Layer
    {
        Layer(
            name,
            inputs: from,
            .convolution(Convolution(outputChannels: out, window: window, groups: groups, hasBias: true))
        )
    }

    static func bn(_ name: String, _ statistics: BatchNormalization.Statistics = .batch) -> Layer {
        Layer(name, .batchNormalization(BatchNormalization(statistics: statistics, epsilon: 1e-5)))
    }

    static func relu(_ name: String) -> Layer { Layer(name, .relu(ReLU())) }
    static func pool(_ name: String) -> Layer {
        Layer(name, outputs: [name, "\(name)_mask"], .maxPooling(MaxPooling()))
    }
    static func unpool(_ name: String, _ pool: String, from: String) -> Layer {
        Layer(name, inputs: [from, "\(pool)_mask"], .unpooling(Unpooling()))
    }

    static let all: [GradientCase] = [
        GradientCase("3x3 convolutions", [conv("a", 20), relu("r"), conv("b", 5)]),
        GradientCase("7x7 convolutions", [conv("a", 18, Window(7, padding: 3)), conv("b", 5, Window(7, padding: 3))]),
        GradientCase(
            "5x5 and 1x1",
            [conv("a", 16, Window(5, padding: 2)), conv("b", 34, Window(1)), conv("c", 4, Window(5, padding: 2))]
        ),
        GradientCase("no padding, even window", [conv("a", 16, Window(4)), conv("b", 4, Window(2, padding: 1))]),
        GradientCase("stride 2", [conv("a", 17), conv("b", 16, Window(3, stride: 2, padding: 1)), conv("c", 4)]),
        GradientCase("dilation 2", [conv("a", 16), conv("b", 18, Window(3, padding: 2, dilation: 2)), conv("c", 4)]),
        GradientCase("groups that fill blocks", [conv("a", 32), conv("b", 32, groups: 2), conv("c", 4)]),
        GradientCase("groups that do not", [conv("a", 12), conv("b", 12, groups: 3), conv("c", 4)]),
        GradientCase(
            "one channel each",
            [conv("a", 20), conv("b", 20, Window(7, padding: 3), groups: 20), conv("c", 4)]
        ),
        GradientCase(
            "one channel each, stride 2",
            [conv("a", 16), conv("b", 16, Window(3, stride: 2, padding: 1), groups: 16), conv("c", 4)]
        ),
        GradientCase(
            "transposed convolution",
            [
                conv("a", 17),
                Layer(
                    "t",
                    .transposedConvolution(
                        TransposedConvolution(outputChannels: 18, window: Window(4, stride: 2, padding: 1))
                    )
                ),
                conv("c", 4),
            ]
        ),
        GradientCase("batch statistics", [conv("a", 20), bn("n"), relu("r"), conv("b", 18), bn("m"), conv("c", 4)]),
        GradientCase("stored statistics", [conv("a", 20), bn("n", .kept), relu("r"), conv("b", 4)]),
        GradientCase("folded statistics", [conv("a", 20), bn("n", .folded), relu("r"), conv("b", 4)]),
        GradientCase(
            "pooling and unpooling",
            [
                conv("a", 20), bn("n"), relu("r"), pool("p"), conv("b", 18), bn("m"), relu("s"), pool("q"),
                conv("d", 18), unpool("v", "q", from: "d"), conv("e", 20), bn("o"), unpool("u", "p", from: "o"),
                conv("c", 4),
            ]
        ),
        GradientCase(
            "7x7, pooling without normalisation",
            [
                conv("a", 16, Window(7, padding: 3)), relu("r"), pool("p"), conv("b", 16, Window(7, padding: 3)),
                unpool("u", "p", from: "b"), conv("c", 4, Window(7, padding: 3)),
            ]
        ),
        GradientCase(
            "pooling alone, unpooling that nobody fuses",
            [conv("a", 16), pool("p"), unpool("u", "p", from: "p"), relu("r"), conv("c", 4)]
        ),
        GradientCase(
            "overlapping pooling",
            [
                conv("a", 17),
                Layer("p", .maxPooling(MaxPooling(window: Window(3, stride: 2, padding: 1), givesIndices: false))),
                conv("c", 4),
            ]
        ),
        GradientCase(
            "local response normalisation",
            [
                conv("a", 18),
                Layer(
                    "l",
                    .localResponseNormalization(LocalResponseNormalization(size: 5, alpha: 0.5, beta: 0.75, k: 1))
                ),
                conv("c", 4),
            ]
        ),
        GradientCase(
            "sums and joins",
            [
                conv("a", 18), conv("b", 18), Layer("sum", inputs: ["a", "b", "a"], .addition(Addition())), relu("r"),
                conv("d", 7), Layer("join", inputs: ["d", "sum"], .concatenation(Concatenation())), conv("c", 4),
            ]
        ),
        GradientCase(
            "crop and bilinear",
            [
                conv("a", 18), Layer("up", .bilinearUpsampling(BilinearUpsampling(factor: 2))),
                Layer("cut", inputs: ["up", "a"], .crop(Crop(top: 3, left: 2))), conv("c", 4),
            ]
        ),
        GradientCase(
            "normalised picture",
            [
                Layer("l", .localResponseNormalization(LocalResponseNormalization(alpha: 0.1))), conv("a", 16), bn("n"),
                relu("r"),
                conv("c", 4),
            ]
        ),
        GradientCase("twenty input channels", channels: 20, [conv("a", 18), relu("r"), conv("c", 4)]),
        GradientCase(
            "one row",
            size: (1, 13),
            [conv("a", 16), bn("n"), relu("r"), pool("p"), unpool("u", "p", from: "p"), conv("c", 4)]
        ),
    ]
}

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

    @Test("agree with finite differences in float64", arguments: GradientCase.all, InstructionSet.available)
    func finiteDifferences(of test: GradientCase, instructionSet: InstructionSet) throws {
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
        let network = GradientCase.all[14].network
        let setup = try Self.setup(network)
        let one = try Self.ours(network, setup, accuracy: .fast, instructionSet: .best, threads: 1)
        let three = try Self.ours(network, setup, accuracy: .fast, instructionSet: .best, threads: 3)
        #expect(one.loss == three.loss)
        for (name, tensor) in one.gradients.tensors {
            #expect(tensor.floats() == three.gradients[name]?.floats(), "\(name)")
        }
    }
}
