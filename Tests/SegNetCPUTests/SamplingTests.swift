import SegNetGraph
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

@Suite("Monte-Carlo sampling")
struct SamplingTests {
    /// Dropout after a pooling, in the decoder where it can work in place, and 2 classes.
    static func small(ratio: Double = 0.5) -> Network {
        let make = LayerFactory()
        func drop(_ name: String) -> Layer { Layer(name, outputs: [], .dropout(Dropout(ratio: ratio))) }
        return Network("small", input: .bgr255(height: 13, width: 18)) {
            make.convBNReLU("conv1", 16)
            make.maxPool("pool1")
            make.convBNReLU("conv2", 32)
            make.maxPool("pool2")
            drop("drop2")
            make.unpool("upsample2", indices: "pool2", output: "pool2_D")
            make.convBNReLU("conv2_D", 16)
            drop("drop2_D")
            make.unpool("upsample1", indices: "pool1", output: "pool1_D")
            make.conv("conv1_D", 5)
        }
    }

    /// Dropout on the input of the last layer alone: every mask's scores follow by hand.
    static func single(ratio: Double) -> Network {
        Network("single", input: .bgr255(height: 1, width: 1)) {
            LayerFactory().conv("first", 1, kernel: 1)
            Layer("drop", outputs: [], .dropout(Dropout(ratio: ratio)))
            LayerFactory().conv("last", 2, kernel: 1)
        }
    }

    static func workspace(_ network: Network, sampling: Bool = true, threads: Int = 2) throws -> Workspace {
        let prepared = try PreparedNetwork(
            network,
            weights: try livelyWeights(for: network, seed: 4),
            options: InferenceOptions(sampling: sampling)
        )
        let size = network.input
        let workspace = try Workspace(for: prepared.plan(height: size.height, width: size.width), threads: threads)
        let input = randomMap(3, size.height, size.width, seed: 8)
        for c in 0..<3 {
            for p in 0..<size.height * size.width {
                workspace.input[p * 3 + c] = Float(input.values[c * size.height * size.width + p] / 255)
            }
        }
        return workspace
    }

    static func sampled(_ network: Network, _ count: Int, seed: UInt64 = 1, threads: Int = 2) throws
        -> SampledProbabilities
    {
        let workspace = try workspace(network, threads: threads)
        workspace.plan.sample(in: workspace, count: count, seed: seed)
        return try #require(workspace.samples())
    }

    @Test("runs the shared part once and the rest for each sample")
    func sharedOnce() throws {
        let workspace = try Self.workspace(Self.small())
        var counts: [String: Int] = [:]
        var shared: Set<String> = []
        workspace.plan.sample(in: workspace, count: 8, seed: 1) { sample, name in
            counts[name, default: 0] += 1
            if sample == nil { shared.insert(name) }
        }
        #expect(shared == ["conv1", "conv2"])
        #expect(counts == ["conv1": 1, "conv2": 1, "drop2": 8, "conv2_D": 8, "drop2_D": 8, "conv1_D": 8])
    }

    @Test("gives the mean and the population variance of its samples, of which each is a function of seed and number")
    func welford() throws {
        // The samples one by one: sample n is what n samples have more than n - 1.
        let network = Self.small()
        let all = try (1...6).map { try Self.sampled(network, $0).mean.map(Double.init) }
        let each = all.indices.map { n in
            all[n].indices.map { i in
                n == 0 ? all[0][i] : all[n][i] * Double(n + 1) - all[n - 1][i] * Double(n)
            }
        }
        let found = try Self.sampled(network, 6)
        for i in found.mean.indices {
            let values = each.map { $0[i] }
            let mean = values.reduce(0, +) / 6
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 6
            #expect(abs(Double(found.mean[i]) - mean) < 1e-5)
            #expect(abs(Double(found.variance[i]) - variance) < 1e-5)
        }
        let pixels = found.uncertainty.count
        for p in 0..<pixels {
            let classes = (0..<5).map { found.mean[$0 * pixels + p] }
            #expect(abs(classes.reduce(0, +) - 1) < 1e-5)
            #expect(classes[Int(found.classIDs[p])] == classes.max())
            #expect(found.confidence[p] == classes.max())
            let average = (0..<5).reduce(Float(0)) { $0 + found.variance[$1 * pixels + p] } / 5
            #expect(abs(found.uncertainty[p] - average) < 1e-6)
        }
        #expect(found.uncertainty.contains { $0 > 1e-4 })
    }

    @Test("converges to the expectation over all masks, the error shrinking with the samples", arguments: [0.25, 0.5])
    func converges(ratio: Double) throws {
        let network = Self.single(ratio: ratio)
        let reference = ReferenceNetwork(network: network, weights: try livelyWeights(for: network, seed: 4))
        let raw = randomMap(3, 1, 1, seed: 8)
        var input = raw
        for i in input.values.indices { input.values[i] /= 255 }
        // The value before the dropout, and the two cases of its mask.
        var front = network
        front.layers = [network.layers[0]]
        let before = ReferenceNetwork(network: front, weights: try livelyWeights(for: network, seed: 4))
        let x = try #require(before.run(input)["first"]).values[0]
        let (w, b) = (try #require(reference.tensors["last.weight"]), try #require(reference.tensors["last.bias"]))
        func probability(_ value: Double) -> Double {
            let scores = (0..<2).map { Double(w[$0]) * value + Double(b[$0]) }
            return 1 / (1 + exponential(scores[1] - scores[0]))
        }
        let (kept, dropped) = (probability(x / (1 - ratio)), probability(0))
        let expected = (1 - ratio) * kept + ratio * dropped
        let deviation = ((1 - ratio) * ratio).squareRoot() * abs(kept - dropped)
        #expect(deviation > 1e-4)
        for count in [64, 1024, 8192] {
            let found = Double(try Self.sampled(network, count).mean[0])
            #expect(abs(found - expected) < 4 * deviation / Double(count).squareRoot() + 1e-5, "\(count)")
        }
        let variance = Double(try Self.sampled(network, 8192).variance[0])
        #expect(abs(variance - deviation * deviation) < 0.1 * deviation * deviation + 1e-6)
    }

    @Test("is the same to the bit for any number of threads, and another for another seed")
    func seeds() throws {
        let first = try Self.sampled(Self.small(), 5, seed: 3, threads: 1)
        let second = try Self.sampled(Self.small(), 5, seed: 3, threads: 2)
        #expect(first.mean == second.mean)
        #expect(first.variance == second.variance)
        #expect(try Self.sampled(Self.small(), 5, seed: 4).mean != first.mean)
    }

    @Test("leaves an ordinary run as it was, also after sampling")
    func ordinaryRun() throws {
        let plain = try Self.workspace(Self.small(), sampling: false)
        plain.plan.run(in: plain)
        let expected = plain.planar("conv1_D")
        #expect(expected != nil)
        let prepared = try PreparedNetwork(
            Self.small(),
            weights: try livelyWeights(for: Self.small(), seed: 4),
            options: InferenceOptions(sampling: true)
        )
        #expect(prepared.graph.graph.firstSampledNode == 2)
        let sampling = try Self.workspace(Self.small())
        sampling.plan.run(in: sampling)
        #expect(sampling.planar("conv1_D") == expected)
        #expect(!plain.plan.canSample)
        #expect(plain.samples() == nil)
    }

    @Test("drops in place behind the first dropout")
    func inPlace() throws {
        let plan = try Self.workspace(Self.small()).plan
        let places = plan.steps.compactMap { entry in
            (entry.step as? DropoutStep).map {
                plan.memory.offsets[$0.input] == plan.memory.offsets[$0.output]
            }
        }
        #expect(places == [false, true])
    }

    @Test("refuses a network without dropout, and ratios that are none")
    func refusals() throws {
        func message(_ network: Network) throws -> String {
            do {
                let weights = try livelyWeights(for: network, seed: 4)
                _ = try PreparedNetwork(network, weights: weights, options: InferenceOptions(sampling: true))
                return ""
            } catch let error as NetworkError { return error.description }
        }
        let without = Network("plain", input: .bgr255(height: 4, width: 4)) { LayerFactory().conv("conv", 2) }
        #expect(
            try message(without)
                == "network 'plain': it has no dropout layers; every sample would be the same. Leave sampling out, or use a Bayesian "
                + "model such as the bundled bayesian-segnet-camvid."
        )
        #expect(
            try message(Self.single(ratio: 1)).contains(
                "its ratio is 1.0; the probability that a value is dropped is at least 0 and below 1."
            )
        )
    }

    /// e^x by its series, so that the test needs no library.
    private func exponential(_ x: Double) -> Double {
        let halved = x / 1024
        var (sum, term) = (1.0, 1.0)
        for n in 1...12 {
            term *= halved / Double(n)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
