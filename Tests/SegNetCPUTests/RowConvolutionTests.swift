import SegNetGraph
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

/// First layers over pictures of three channels.
@Suite("Convolution from a picture's rows")
struct RowConvolutionTests {
    /// Kernel and padding.
    static let windows = [(1, 0), (3, 1), (3, 0), (5, 2), (7, 3), (7, 0), (7, 5), (9, 4)]
    /// Around the borders of items (4 rows of about 252 pixels) and of tiles.
    static let sizes = [(1, 1), (9, 9), (4, 252), (5, 253), (3, 57), (13, 280), (10, 507), (30, 8)]

    private static func network(kernel: Int, padding: Int, outputs: Int, pooled: Bool) -> Network {
        Network("rows", input: .bgr255(height: 16, width: 16)) {
            Layer("conv", .convolution(Convolution(outputChannels: outputs, window: Window(kernel, padding: padding))))
            Layer("relu", .relu(ReLU()))
            if pooled { Layer("pool", outputs: ["pool", "mask"], .maxPooling(MaxPooling())) }
        }
    }

    @Test("equals the definition", arguments: InstructionSet.available, windows)
    func values(set: InstructionSet, window: (Int, Int)) throws {
        let (kernel, padding) = window
        for (pooled, outputs) in [(false, 11), (true, 40)] {
            let original = Self.network(kernel: kernel, padding: padding, outputs: outputs, pooled: pooled)
            for (height, width) in Self.sizes where height + 2 * padding >= kernel && width + 2 * padding >= kernel {
                let network = original.resized(height: height, width: width)
                let weights = try livelyWeights(for: network, seed: 3)
                let input = randomMap(3, height, width, seed: 4)
                let blob = pooled ? "pool" : "relu"
                let expected = try #require(ReferenceNetwork(network: network, weights: weights).run(input)[blob])
                let scale = max(expected.values.map { abs($0) }.max() ?? 0, 1e-3)
                for accuracy in InferenceOptions.Accuracy.allCases {
                    for precision in InferenceOptions.Precision.allCases {
                        let options = InferenceOptions(
                            accuracy: accuracy,
                            precision: precision,
                            instructionSet: set,
                            outputs: [blob]
                        )
                        let found = try #require(try runPlan(network, weights, input, options: options)[blob])
                        let bar = precision == .float16 ? 2e-3 : accuracy == .exact ? 1e-6 : 5e-6
                        let error = zip(found, expected.values).map { abs(Double($0) - $1) }.max() ?? 0
                        #expect(
                            error < bar * scale,
                            "\(height)x\(width), \(accuracy), \(precision), pooled \(pooled): \(error / scale)"
                        )
                    }
                }
            }
        }
    }

    @Test("gives the same bits in bands and for any number of threads", arguments: InferenceOptions.Accuracy.allCases)
    func sameBits(accuracy: InferenceOptions.Accuracy) throws {
        for kernel in [3, 7] {
            let network = Self.network(kernel: kernel, padding: kernel / 2, outputs: 64, pooled: true)
            let prepared = try PreparedNetwork(
                network,
                weights: livelyWeights(for: network, seed: 7),
                options: InferenceOptions(accuracy: accuracy)
            )
            for (height, width) in [(31, 300), (6, 20)] {
                var results: [[Float]] = []
                for (threads, bands) in [(1, BandPolicy.never), (2, .always), (3, .never)] {
                    let plan = try prepared.plan(height: height, width: width, threads: threads, bands: bands)
                    let workspace = try Workspace(for: plan, threads: threads)
                    var random = RandomNumbers(seed: 5)
                    for index in workspace.input.indices {
                        workspace.input[index] = Float(random.uniform(in: -100...150))
                    }
                    plan.run(in: workspace)
                    results.append(try #require(workspace.planar(prepared.outputNames[0])))
                }
                #expect(results[0] == results[1] && results[0] == results[2], "\(width)x\(height)")
            }
        }
    }

    @Test("is chosen for three channels and stride 1 alone, in one dimension where that pays")
    func choice() {
        func algorithm(_ kernel: Int, channels: Int = 3, stride: Int = 1, _ accuracy: InferenceOptions.Accuracy)
            -> String
        {
            let node = ConvolutionNode(
                window: Window(kernel, stride: stride),
                groups: 1,
                inputChannels: channels,
                outputChannels: 64,
                weight: .values([]),
                bias: []
            )
            return ConvolutionPlan(node, isThin: true, options: InferenceOptions(accuracy: accuracy))
                .algorithmDescription
        }
        #expect(algorithm(3, .fast) == "direct")
        #expect(algorithm(7, .fast) == "F(4,7) in rows")
        #expect(algorithm(7, .accurate) == "F(2,7) in rows")
        #expect(algorithm(7, .exact) == "direct")
        #expect(algorithm(7, channels: 4, .fast) == "gather")
        #expect(algorithm(7, stride: 2, .fast) == "gather")
    }
}
