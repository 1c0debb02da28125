import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

/// Random numbers, rounded to a few bits so that sums of products are mostly exact and ties occur.
func randomMap(_ channels: Int, _ height: Int, _ width: Int, seed: UInt64) -> ReferenceMap {
    var random = RandomNumbers(seed: seed)
    var map = ReferenceMap(channels, height, width)
    for i in map.values.indices { map.values[i] = (random.uniform(in: 0...255)).rounded() }
    return map
}

/// Initial weights with biases, scales and shifts that matter.
func livelyWeights(for network: Network, seed: UInt64) throws -> Weights {
    var weights = try Weights.initial(for: network, seed: seed)
    var random = RandomNumbers(seed: seed, stream: 1 << 32)
    for (_, name, parameter) in try network.parameters() where parameter.name != "weight" {
        let values = (0..<parameter.shape.count).map { _ in
            parameter.name == "scale" || parameter.name == "variance"
                ? Float(random.uniform(in: 0.5...1.5)) : Float(0.3 * random.gaussian())
        }
        weights[name] = WeightTensor(shape: parameter.shape, values: values)
    }
    return weights
}

/// Runs a plan on a planar map and returns the outputs by name.
func runPlan(
    _ network: Network,
    _ weights: Weights,
    _ input: ReferenceMap,
    options: InferenceOptions,
    threads: Int = 2
) throws -> [String: [Float]] {
    let prepared = try PreparedNetwork(network, weights: weights, options: options)
    let plan = try prepared.plan(height: input.height, width: input.width)
    let workspace = try Workspace(for: plan, threads: threads)
    let target = workspace.input
    for c in 0..<input.channels {
        for p in 0..<input.height * input.width {
            target[p * input.channels + c] = Float(input.values[c * input.height * input.width + p])
        }
    }
    plan.run(in: workspace)
    var result: [String: [Float]] = [:]
    for name in prepared.outputNames { result[name] = workspace.planar(name) }
    return result
}

/// Root mean square of the difference over the deviation of the reference.
func relativeError(_ found: [Float], _ expected: [Double]) -> Double {
    let mean = expected.reduce(0, +) / Double(expected.count)
    let variance = expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = zip(found, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    return (error / max(variance, 1e-30)).squareRoot()
}

@Suite("Plans")
struct PlanTests {
    static let accuracies = InferenceOptions.Accuracy.allCases

    /// A two-stage SegNet with every fusion in it: thin first layer, pooling and unpooling inside convolutions, odd sizes.
    static func smallSegNet(classes: Int, kernel: Int = 3, input: InputDescription) -> Network {
        let make = LayerFactory(kernel: kernel)
        return Network("small", input: input) {
            make.convBNReLU("conv1_1", 32)
            make.convBNReLU("conv1_2", 16)
            make.maxPool("pool1")
            make.convBNReLU("conv2_1", 48)
            make.maxPool("pool2")
            make.dropout("drop", samplesAtTest: true)
            make.unpool("upsample2", indices: "pool2", output: "pool2_D")
            make.convBNReLU("conv2_1_D", 16)
            make.unpool("upsample1", indices: "pool1", output: "pool1_D")
            make.convBNReLU("conv1_2_D", 16)
            make.conv("conv1_1_D", classes)
        }
    }

    @Test("equal the reference on a small SegNet at odd sizes", arguments: InstructionSet.available, accuracies)
    func smallSegNet(set: InstructionSet, accuracy: InferenceOptions.Accuracy) throws {
        for (height, width, classes, kernel) in [
            (13, 22, 11, 3), (7, 5, 21, 3), (1, 1, 2, 3), (19, 18, 37, 7), (30, 9, 12, 5),
        ] {
            let network = Self.smallSegNet(
                classes: classes,
                kernel: kernel,
                input: .bgr255(height: height, width: width)
            )
            let weights = try livelyWeights(for: network, seed: 7)
            let input = randomMap(3, height, width, seed: 3)
            let masks = ["pool1_mask", "pool2_mask"]
            let found = try runPlan(
                network,
                weights,
                input,
                options: InferenceOptions(
                    accuracy: accuracy,
                    instructionSet: set,
                    outputs: ["conv1_1_D", "pool2", "pool1"] + masks
                )
            )
            var reference = ReferenceNetwork(network: network, weights: weights)
            let free = reference.run(input)
            // With the plan's own indices forced the comparison is about arithmetic, not about near ties.
            for mask in masks {
                var forced = try #require(free[mask])
                let indices = try #require(found[mask])
                let agree = zip(forced.values, indices).count { $0 == Double($1) }
                #expect(Double(agree) >= 0.97 * Double(indices.count), "\(mask): \(agree) of \(indices.count)")
                forced.values = indices.map(Double.init)
                reference.forcedIndices[mask] = forced
            }
            let expected = reference.run(input)
            // Six layers of F(4,7), of which each may err by 2e-5.
            let bar = accuracy == .exact ? 2e-6 : kernel == 7 ? 4e-5 : 2e-5
            for blob in ["pool1", "pool2", "conv1_1_D"] {
                let error = relativeError(try #require(found[blob]), try #require(expected[blob]).values)
                #expect(error < bar, "\(blob) at \(height)x\(width), \(kernel)x\(kernel): \(error)")
            }
        }
    }

    @Test("give the same bits for any number of threads", arguments: InstructionSet.available, accuracies)
    func threads(set: InstructionSet, accuracy: InferenceOptions.Accuracy) throws {
        let network = Self.smallSegNet(classes: 11, input: .bgr255(height: 37, width: 43))
        let weights = try livelyWeights(for: network, seed: 1)
        let input = randomMap(3, 37, 43, seed: 2)
        let options = InferenceOptions(accuracy: accuracy, instructionSet: set)
        let one = try runPlan(network, weights, input, options: options, threads: 1)
        for threads in [2, 3, 5] {
            #expect(try runPlan(network, weights, input, options: options, threads: threads) == one)
        }
    }

    /// Every kind of layer and every kind of window, outside of SegNet's pattern.
    @Test("equal the reference on every kind of layer", arguments: InstructionSet.available, LayerCase.compared)
    func everyLayer(set: InstructionSet, test: LayerCase) throws {
        let original = test.network
        for (height, width) in [(12, 15), (1, 1), (1, 9), (13, 1)] {
            let network = original.resized(height: height, width: width)
            // Windows without padding do not fit the smallest pictures.
            guard (try? network.shapes()) != nil else { continue }
            let weights = try livelyWeights(for: network, seed: 11)
            let input = randomMap(network.input.channels.count, height, width, seed: 5)
            let blob = try #require(network.layers.last?.outputs.first)
            let expected = try #require(ReferenceNetwork(network: network, weights: weights).run(input)[blob])
            let scale = max(expected.values.map { abs($0) }.max() ?? 0, 1e-3)
            for accuracy in Self.accuracies {
                for precision in InferenceOptions.Precision.allCases {
                    let options = InferenceOptions(
                        accuracy: accuracy,
                        precision: precision,
                        instructionSet: set,
                        outputs: [blob]
                    )
                    let found = try #require(try runPlan(network, weights, input, options: options)[blob])
                    // Winograd's error is that of a whole tile, which few pixels of small deviation show enlarged.
                    let winograd = height * width < 100 ? 1e-4 : 2e-5
                    let bar = (precision == .float16 ? 2e-3 : accuracy == .exact ? 2e-6 : winograd) * test.depth
                    // One pixel has no deviation to compare with.
                    let error =
                        height * width == 1
                        ? (zip(found, expected.values).map { abs(Double($0) - $1) }.max() ?? 0) / scale
                        : relativeError(found, expected.values)
                    #expect(error < bar, "\(height)x\(width), \(accuracy), \(precision): \(error)")
                }
            }
        }
    }

    @Test(
        "give the same bits for any number of threads on every kind of layer",
        arguments: LayerCase.all.filter(\.runs)
    )
    func threadsOnEveryLayer(test: LayerCase) throws {
        let network = test.network
        let weights = try livelyWeights(for: network, seed: 13)
        let input = randomMap(network.input.channels.count, 12, 15, seed: 6)
        for precision in InferenceOptions.Precision.allCases {
            let options = InferenceOptions(precision: precision)
            let one = try runPlan(network, weights, input, options: options, threads: 1)
            #expect(try runPlan(network, weights, input, options: options, threads: 3) == one)
        }
    }

    /// Keeping every blob forbids every fusion: what the fused plan computes must not change.
    @Test("give the same with every blob kept and with none", arguments: InstructionSet.available)
    func keptBlobs(set: InstructionSet) throws {
        let networks =
            LayerCase.run.map(\.network)
            + [Self.smallSegNet(classes: 11, input: .bgr255(height: 12, width: 15))]
        for network in networks {
            let weights = try livelyWeights(for: network, seed: 17)
            let input = randomMap(network.input.channels.count, 12, 15, seed: 8)
            let last = try #require(network.layers.last?.outputs.first)
            let all = Array(Set(network.layers.flatMap(\.outputs)))
            let fused = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: [last])
            let kept = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: all)
            let a = try #require(try runPlan(network, weights, input, options: fused)[last])
            let b = try #require(try runPlan(network, weights, input, options: kept)[last])
            #expect(relativeError(a, b.map(Double.init)) < 2e-6, "\(network.layers.map(\.name))")
        }
    }

    /// Groups are computed with neighbours, bilinear weights of 0 meet neighbours, and contrast takes maxima (docs/numerics.md).
    static let leaveOutForNaN = [
        "odd groups", "grouped deconvolution", "picture through", "contrast", "contrast of a deep input",
    ]

    @Test(
        "infinity becomes NaN exactly where the definition says, whatever the channel count",
        arguments: InstructionSet.available,
        ["strided", "dilated", "oblong", "deconvolution", "depthwise", "pointwise", "pooled twice", "valid"]
    )
    func spreadOfInfinity(set: InstructionSet, name: String) throws {
        let network = try #require(LayerCase.run.first { $0.description == name }).network
        let weights = try livelyWeights(for: network, seed: 23)
        var input = randomMap(network.input.channels.count, 12, 15, seed: 10)
        (input[0, 5, 7], input[0, 11, 3]) = (.infinity, -.infinity)
        let blob = try #require(network.layers.last?.outputs.first)
        let expected = try #require(ReferenceNetwork(network: network, weights: weights).run(input)[blob]).values
        let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: [blob])
        let found = try #require(try runPlan(network, weights, input, options: options)[blob])
        #expect(zip(found, expected).allSatisfy { $0.isNaN == $1.isNaN && $0.isInfinite == $1.isInfinite })
        #expect(expected.contains { $0.isInfinite || $0.isNaN })
    }

    @Test(
        "a ReLU that hides an infinity hides it for good, in 24 channels as in 32",
        arguments: InstructionSet.available
    )
    func hiddenInfinity(set: InstructionSet) throws {
        for channels in [24, 32] {
            let network = Network("n", input: .channels(16, height: 4, width: 4)) {
                Layer("a", .convolution(Convolution(outputChannels: channels, window: Window(1), hasBias: false)))
                Layer("relu", outputs: [], .relu(ReLU()))
                Layer("b", .convolution(Convolution(outputChannels: 2, window: Window(1))))
            }
            var weights = try Weights.initial(for: network, seed: 1)
            weights["a.weight"] = WeightTensor(
                shape: [channels, 16, 1, 1],
                values: Array(repeating: 1, count: channels * 16)
            )
            weights["b.bias"] = WeightTensor(shape: [2], values: [1, 2])
            var input = ReferenceMap(16, 4, 4, repeating: 0)
            input[3, 1, 1] = -.infinity
            let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: ["b"])
            let found = try #require(try runPlan(network, weights, input, options: options)["b"])
            #expect(found == Array(repeating: 1, count: 16) + Array(repeating: 2, count: 16))
        }
    }

    @Test(
        "NaN reaches exactly the values that the definition says",
        arguments: InstructionSet.available,
        LayerCase.run.map(\.description).filter { !leaveOutForNaN.contains($0) }
    )
    func spreadOfNaN(set: InstructionSet, name: String) throws {
        let network = try #require(LayerCase.run.first { $0.description == name }).network
        let weights = try livelyWeights(for: network, seed: 19)
        var input = randomMap(network.input.channels.count, 12, 15, seed: 9)
        for (c, y, x) in [(0, 0, 0), (input.channels - 1, 5, 7), (0, 11, 3)] { input[c, y, x] = .nan }
        let blob = try #require(network.layers.last?.outputs.first)
        let expected = try #require(ReferenceNetwork(network: network, weights: weights).run(input)[blob]).values
        let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: [blob])
        let found = try #require(try runPlan(network, weights, input, options: options)[blob])
        #expect(zip(found, expected).allSatisfy { $0.isNaN == $1.isNaN })
    }

    /// DESIGN, section 4: what NaN and infinity do in direct convolutions, ReLU and pooling.
    @Test("NaN and infinity follow the rules where no Winograd convolution is", arguments: InstructionSet.available)
    func notNumbers(set: InstructionSet) throws {
        let network = Network("n", input: .channels(16, height: 8, width: 8)) {
            Layer("c", .convolution(Convolution(outputChannels: 16, window: Window(3, padding: 1), hasBias: false)))
            Layer("relu", outputs: [], .relu(ReLU()))
            Layer("pool", outputs: ["pool", "mask"], .maxPooling(MaxPooling()))
        }
        var weights = Weights()
        // The identity: the middle tap of the same channel.
        var values = [Float](repeating: 0, count: 16 * 16 * 9)
        for c in 0..<16 { values[(c * 16 + c) * 9 + 4] = 1 }
        weights["c.weight"] = WeightTensor(shape: [16, 16, 3, 3], values: values)
        var input = ReferenceMap(16, 8, 8, repeating: 1)
        for c in 0..<16 {
            input[c, 1, 1] = .nan
            input[c, 6, 6] = .infinity
        }
        let options = InferenceOptions(accuracy: .exact, instructionSet: set, outputs: ["c", "pool", "mask"])
        let found = try runPlan(network, weights, input, options: options)
        let (c, pool, mask) = (try #require(found["c"]), try #require(found["pool"]), try #require(found["mask"]))
        // 0 x NaN and 0 x infinity are NaN: the 3x3 neighbourhoods of both, in every channel; ReLU keeps it.
        for y in 0..<8 {
            for x in 0..<8 {
                let isNear = abs(y - 1) <= 1 && abs(x - 1) <= 1 || abs(y - 6) <= 1 && abs(x - 6) <= 1
                #expect(c[y * 8 + x].isNaN == isNear, "\(y), \(x)")
            }
        }
        // A window of NaN alone gives -FLT_MAX in position 0; with numbers in it, the first of the greatest.
        #expect(pool[0] == -Float.greatestFiniteMagnitude)
        #expect(mask[0] == 0)
        #expect(pool[1] == 1)
        #expect(mask[1] == 3)
        #expect(pool[2] == 1)
        #expect(mask[2] == 4)
    }
}
