import CSegNetKernels
import SegNetGraph
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

@Suite("Bands")
struct BandTests {
    /// Runs a network's plan with a policy and returns its class ids or scores.
    private static func run(
        _ prepared: PreparedNetwork,
        height: Int,
        width: Int,
        threads: Int,
        bands: BandPolicy
    ) throws -> (plan: InferencePlan, outputs: [String: [Float]]) {
        let plan = try prepared.plan(height: height, width: width, threads: threads, bands: bands)
        let workspace = try Workspace(for: plan, threads: threads)
        var random = RandomNumbers(seed: 5)
        for index in workspace.input.indices { workspace.input[index] = Float(random.uniform(in: -100...150)) }
        plan.run(in: workspace)
        var outputs: [String: [Float]] = [:]
        for name in prepared.outputNames { outputs[name] = workspace.planar(name) }
        return (plan, outputs)
    }

    private static func prepared(_ network: Network, _ options: InferenceOptions) throws -> PreparedNetwork {
        try PreparedNetwork(network, weights: livelyWeights(for: network, seed: 7), options: options)
    }

    static let sizes = [(1, 1), (2, 70), (5, 3), (7, 13), (12, 12), (13, 22), (25, 9), (31, 64), (49, 17), (70, 37)]

    @Test(
        "give the same bits as whole maps, for any number of threads",
        arguments: InferenceOptions.Accuracy.allCases,
        [(3, 1), (5, 2), (7, 4), (3, 3)]
    )
    func sameBits(accuracy: InferenceOptions.Accuracy, kernelAndThreads: (Int, Int)) throws {
        let (kernel, threads) = kernelAndThreads
        let network = PlanTests.smallSegNet(classes: 11, kernel: kernel, input: .bgr255(height: 13, width: 22))
        for set in InstructionSet.available {
            let prepared = try Self.prepared(network, InferenceOptions(accuracy: accuracy, instructionSet: set))
            for (height, width) in Self.sizes {
                let whole = try Self.run(prepared, height: height, width: width, threads: 1, bands: .never)
                let banded = try Self.run(prepared, height: height, width: width, threads: threads, bands: .always)
                #expect(whole.outputs == banded.outputs, "\(set.name), \(width)x\(height)")
                #expect(banded.plan.steps.count < whole.plan.steps.count)
            }
        }
    }

    @Test("give the same bits on every layer kind that can be cut", arguments: InferenceOptions.Accuracy.allCases)
    func layerKinds(accuracy: InferenceOptions.Accuracy) throws {
        let network = Network("kinds", input: .bgr255(height: 61, width: 30)) {
            LayerFactory().convBNReLU("thin", 32)
            Layer("strided", .convolution(Convolution(outputChannels: 48, window: Window(3, stride: 2, padding: 1))))
            Layer("depthwise", .convolution(Convolution(outputChannels: 48, window: Window(3, padding: 1), groups: 48)))
            Layer("dilated", .convolution(Convolution(outputChannels: 32, window: Window(3, padding: 2, dilation: 2))))
            Layer("point", .convolution(Convolution(outputChannels: 32, window: Window(1))))
            Layer("narrow", .convolution(Convolution(outputChannels: 16, window: Window(5, padding: 1))))
            Layer("scores", .convolution(Convolution(outputChannels: 5, window: Window(3, padding: 1))))
        }
        for precision in InferenceOptions.Precision.allCases {
            let prepared = try Self.prepared(network, InferenceOptions(accuracy: accuracy, precision: precision))
            for (height, width) in [(61, 30), (23, 8), (9, 70)] {
                let whole = try Self.run(prepared, height: height, width: width, threads: 2, bands: .never)
                let banded = try Self.run(prepared, height: height, width: width, threads: 3, bands: .always)
                #expect(whole.outputs == banded.outputs, "\(width)x\(height)")
            }
        }
    }

    /// Their taps read upwards. (Lowering turns those of one group whose padding is below the kernel into convolutions.)
    @Test(
        "give the same bits on transposed convolutions of stride 1",
        arguments: [
            (kernel: 3, padding: 3, dilation: 1, groups: 1), (kernel: 5, padding: 2, dilation: 1, groups: 16),
            (kernel: 3, padding: 1, dilation: 1, groups: 2), (kernel: 3, padding: 2, dilation: 2, groups: 16),
            (kernel: 4, padding: 0, dilation: 3, groups: 4), (kernel: 1, padding: 1, dilation: 1, groups: 1),
        ]
    )
    func transposed(shape: (kernel: Int, padding: Int, dilation: Int, groups: Int)) throws {
        let window = Window(shape.kernel, padding: shape.padding, dilation: shape.dilation)
        let network = Network("transposed", input: .bgr255(height: 61, width: 30)) {
            Layer("wide", .convolution(Convolution(outputChannels: 16, window: Window(3, padding: 1))))
            Layer(
                "scores",
                .transposedConvolution(
                    TransposedConvolution(outputChannels: 16, window: window, groups: shape.groups)
                )
            )
        }
        for set in InstructionSet.available {
            let options = InferenceOptions(accuracy: .exact, instructionSet: set)
            let prepared = try Self.prepared(network, options)
            for (height, width) in [(61, 30), (23, 9), (200, 30), (30, 180)] {
                let whole = try Self.run(prepared, height: height, width: width, threads: 1, bands: .never)
                for threads in [1, 3] {
                    let banded = try Self.run(prepared, height: height, width: width, threads: threads, bands: .always)
                    #expect(whole.outputs == banded.outputs, "\(set.name), \(width)x\(height), \(threads) threads")
                }
            }
        }
    }

    @Test("keep only each pixel's class where nobody asks for scores", arguments: [11, 16, 37])
    func classesOnly(classes: Int) throws {
        let network = PlanTests.smallSegNet(classes: classes, input: .bgr255(height: 70, width: 37))
        let weights = try livelyWeights(for: network, seed: 7)
        func ids(_ options: InferenceOptions) throws -> (tall: InferencePlan, ids: [UInt16]?) {
            let prepared = try PreparedNetwork(network, weights: weights, options: options)
            let plan = try prepared.plan(height: 70, width: 37)
            let workspace = try Workspace(for: plan, threads: 2)
            var random = RandomNumbers(seed: 5)
            for index in workspace.input.indices { workspace.input[index] = Float(random.uniform(in: -100...150)) }
            plan.run(in: workspace)
            return (try prepared.plan(height: 1000, width: 37), workspace.classIDs("conv1_1_D"))
        }
        let scores = try ids(InferenceOptions())
        let reduced = try ids(InferenceOptions(classesOnly: true))
        #expect(reduced.ids != nil && reduced.ids == scores.ids)
        #expect(reduced.tall.shape(of: "conv1_1_D") == [1, 1000, 37])
        #expect(reduced.tall.memory.byteCount < scores.tall.memory.byteCount)
    }

    @Test("hold no full-resolution map of SegNet at all, and no more bytes per pixel of larger pictures")
    func memory() throws {
        let network = Architectures.segNet(classes: 11)
        let prepared = try PreparedNetwork(
            network,
            weights: try Weights.initial(for: network, seed: 1),
            options: InferenceOptions(accuracy: .fast, classesOnly: true)
        )
        let plan = try prepared.plan(height: 360, width: 480, threads: 2)
        let hasWidePanels = try InstructionSet.chosen().kernels.panel == 32
        #expect(plan.memory.byteCount < (hasWidePanels ? 36_000_000 : 36_500_000))
        #expect(plan.steps.map(\.name).contains("argmax"))
        let large = try prepared.plan(height: 1440, width: 1920, threads: 2)
        #expect(Double(large.memory.byteCount) < 1.15 * 16 * Double(plan.memory.byteCount))
    }

    @Test("leave blobs whole that the caller reads")
    func keptBlobs() throws {
        let network = PlanTests.smallSegNet(classes: 11, input: .bgr255(height: 70, width: 37))
        let kept = ["conv1_1", "pool1", "conv2_1_D", "conv1_2_D", "conv1_1_D"]
        let prepared = try Self.prepared(network, InferenceOptions(outputs: kept))
        let whole = try Self.run(prepared, height: 70, width: 37, threads: 1, bands: .never)
        let banded = try Self.run(prepared, height: 70, width: 37, threads: 2, bands: .always)
        #expect(whole.outputs == banded.outputs)
        #expect(Set(banded.outputs.keys) == Set(kept))
    }
}

@Suite("Row flow")
struct RowFlowTests {
    /// Runs the flow's own rules: what is read must be there and not be overwritten yet, with the slack it promises.
    @Test(
        "keeps as many rows as readers need",
        arguments: [(1, 6, 3, 1), (6, 6, 7, 2), (4, 6, 1, 3), (3, 2, 3, 8), (12, 5, 5, 2)],
        [1, 5, 24, 71]
    )
    func keepsEnough(shape: (writer: Int, reader: Int, taps: Int, threads: Int), height: Int) {
        let writer = RowGroups(rows: shape.writer, height: height, items: 1)
        let reader = RowGroups(rows: shape.reader, height: height, items: 2)
        let padding = shape.taps / 2
        let flow = RowFlow(from: writer, to: reader, threads: shape.threads) {
            max(0, min(height, $0.lowerBound - padding))..<min(height, $0.upperBound + padding)
        }
        #expect(flow.rows <= height)
        var stored = Array(repeating: -1, count: flow.rows)
        var written = 0
        for group in 0..<reader.count {
            let rows = max(0, group * reader.rows - padding)..<min(height, (group + 1) * reader.rows + padding)
            // As late as the list of items writes, and the readers that may still be at work.
            let ahead = min(reader.count - 1, group + flow.ahead)
            while written < flow.needs[ahead].upperBound {
                let freed = flow.frees[written]
                #expect(freed.isEmpty || freed.upperBound <= max(0, group - flow.ahead))
                for row in written * writer.rows..<min(height, (written + 1) * writer.rows) {
                    stored[row % flow.rows] = row
                }
                written += 1
            }
            for row in rows { #expect(stored[row % flow.rows] == row) }
        }
    }
}
