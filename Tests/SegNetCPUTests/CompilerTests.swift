import CSegNetKernels
import SegNetGraph
import SegNetPlatform
import Testing

@testable import SegNetCPU
@testable import SegNetNetworks

@Suite("The plan compiler")
struct CompilerTests {
    static func prepared(_ network: Network, _ options: InferenceOptions = InferenceOptions()) throws -> PreparedNetwork
    {
        try PreparedNetwork(network, weights: try Weights.initial(for: network, seed: 1), options: options)
    }

    @Test("leaves nothing of SegNet but 26 convolutions")
    func segNet() throws {
        let network = Architectures.segNet(classes: 11, options: ArchitectureOptions(width: 0.25))
        let graph = try Self.prepared(network).graph.graph
        #expect(graph.nodes.count == 26)
        var (pooled, unpooled, relus) = (0, 0, 0)
        for node in graph.nodes {
            guard case .convolution(let convolution) = node.operation else {
                Issue.record("\(node.name) is not a convolution")
                continue
            }
            pooled += convolution.isPooled ? 1 : 0
            unpooled += convolution.readsUnpooled ? 1 : 0
            relus += convolution.relu ? 1 : 0
        }
        #expect((pooled, unpooled, relus) == (5, 5, 25))
        #expect(graph.nodes.map(\.name).first == "conv1_1")
    }

    @Test("makes SegNet-Basic's classifier one 7x7 convolution with the layer before it")
    func basic() throws {
        let network = Architectures.segNetBasic(classes: 11)
        let graph = try Self.prepared(network).graph.graph
        #expect(
            graph.nodes.map(\.name) == [
                "norm", "conv1", "conv2", "conv3", "conv4", "conv_decode4", "conv_decode3", "conv_decode2",
                "conv_classifier",
            ]
        )
        // Unless somebody wants to see the map between them.
        let kept = try Self.prepared(network, InferenceOptions(outputs: ["conv_decode1", "conv_classifier"])).graph
            .graph
        #expect(kept.nodes.count == 10)
    }

    @Test("drops what no output needs")
    func deadNodes() throws {
        let network = Architectures.segNet(classes: 11, options: ArchitectureOptions(width: 0.25))
        let graph = try Self.prepared(network, InferenceOptions(outputs: ["pool2"])).graph.graph
        #expect(graph.nodes.map(\.name) == ["conv1_1", "conv1_2", "conv2_1", "conv2_2"])
    }

    /// The largest moment at 480x360 with whole scores (11.1 MB): the decoder's last chain, its transformed weights (7.7 MB) and rings. A
    /// full-resolution map of 64 channels, 44.2 MB, never exists.
    @Test("plans SegNet's memory, scores included, about as large as one of its full-resolution maps")
    func memory() throws {
        let plan = try Self.prepared(Architectures.segNet(classes: 11), InferenceOptions(accuracy: .fast))
            .plan(height: 360, width: 480, threads: 2)
        // Blocks of tiles are larger where panels are narrow, as AVX2's.
        let hasWidePanels = try InstructionSet.chosen().kernels.panel == 32
        #expect(plan.memory.byteCount < (hasWidePanels ? 44_000_000 : 46_500_000))
        #expect(plan.workspaceBytes(threads: 2) < (hasWidePanels ? 44_200_000 : 49_200_000))
    }

    @Test("keeps the weights once for all sizes")
    func manySizes() throws {
        let prepared = try Self.prepared(
            Architectures.segNetBasic(classes: 11, options: ArchitectureOptions(width: 0.25))
        )
        let plans = try [(9, 7), (360, 480), (1, 1)].map { try prepared.plan(height: $0.0, width: $0.1) }
        #expect(plans.allSatisfy { $0.prepared === prepared })
        #expect(plans.map { $0.shape(of: "conv_classifier") } == [[11, 9, 7], [11, 360, 480], [11, 1, 1]])
    }

    @Test("refuses batch statistics, unknown blobs and fully connected layers with words")
    func refusals() throws {
        var options = ArchitectureOptions(input: .bgr255(height: 16, width: 16), width: 0.25)
        options.statistics = .batch
        #expect {
            try Self.prepared(Architectures.segNetBasic(classes: 2, options: options))
        } throws: { "\($0)".contains("layer 'conv1_bn'") && "\($0)".contains("bn_mode LEARN") }
        options.statistics = .folded
        #expect {
            try Self.prepared(
                Architectures.segNetBasic(classes: 2, options: options),
                InferenceOptions(outputs: ["conv_clasifier"])
            )
        } throws: {
            "\($0)" == "network 'segnet-basic': it has no blob 'conv_clasifier'. Did you mean 'conv_classifier'? "
                + "See the network's layers."
        }
        let connected = Network("n", input: .bgr255(height: 4, width: 4)) {
            Layer("c", .convolution(Convolution(outputChannels: 16, window: Window(3, padding: 1))))
            Layer("fc6", .innerProduct(InnerProduct(outputChannels: 4)))
        }
        #expect(throws: Never.self) { try Self.prepared(connected, InferenceOptions(outputs: ["c"])) }
        #expect { try Self.prepared(connected) } throws: {
            "\($0)"
                == "network 'n', layer 'fc6': it is fully connected, which this package reads and reports but does not run; "
                + "delete it and the layers that follow from it from the .prototxt, so that the network ends before it."
        }
        // The name of a layer that writes a blob of another name.
        #expect {
            try Self.prepared(
                Architectures.segNetBasic(classes: 2, options: options),
                InferenceOptions(outputs: ["conv1_bn"])
            )
        } throws: {
            "\($0)"
                == "network 'segnet-basic': it has no blob 'conv1_bn'. Layer 'conv1_bn' writes 'conv1'; ask for that. "
                + "See the network's layers."
        }
    }

    @Test("names the layer that makes a map beyond all memory, where it is not the picture that is too large")
    func enlargement() throws {
        func plan(_ side: Int) throws -> InferencePlan {
            let network = Network("n", input: .bgr255(height: 9, width: 13)) {
                Layer("c", .convolution(Convolution(outputChannels: 16, window: Window(3, padding: 1))))
                Layer("u", .resize(Resize(to: .size(height: side, width: side))))
            }
            return try Self.prepared(network).plan(height: 9, width: 13)
        }
        #expect {
            try plan(1 << 20)
        } throws: {
            "\($0)"
                == "network 'n', layer 'u': it makes a map of 1048576x1048576 from a picture of 13x9, which needs more memory than any "
                + "machine has; correct this layer."
        }
        #expect {
            try Workspace(for: try plan(30_000), threads: 1, memoryLimit: 1 << 20)
        } throws: {
            "\($0)".hasSuffix(
                " MiB are needed, but only 1 MiB are available; layer 'u' makes a map of 30000x30000 from a picture of 13x9; use a smaller "
                    + "picture size, a smaller number of threads, or close other programs."
            )
        }
    }

    @Test("refuses a workspace that does not fit")
    func tooLarge() throws {
        let prepared = try Self.prepared(
            Architectures.segNetBasic(classes: 2, options: ArchitectureOptions(width: 0.25))
        )
        let plan = try prepared.plan(height: 100_000, width: 100_000)
        #expect(throws: MemoryError.self) { try Workspace(for: plan, threads: 1) }
        #expect(throws: MemoryError.self) {
            try Workspace(for: try prepared.plan(height: 64, width: 64), threads: 1, memoryLimit: 1000)
        }
    }

    @Test("refuses weights that float16 cannot hold")
    func float16Range() throws {
        let network = Network("n", input: .bgr255(height: 4, width: 4)) {
            Layer("c", .convolution(Convolution(outputChannels: 2, window: Window(1))))
        }
        var weights = try Weights.initial(for: network, seed: 1)
        weights["c.weight"] = WeightTensor(shape: [2, 3, 1, 1], values: [1, 2, 3, 4, 5, 70000])
        #expect {
            try PreparedNetwork(network, weights: weights, options: InferenceOptions(precision: .float16))
        } throws: { "\($0)".contains("layer 'c'") && "\($0)".contains("use float32 as the weight precision") }
    }
}

@Suite("Arena")
struct ArenaTests {
    @Test("never overlaps buffers that live at the same time", arguments: 0..<50)
    func noOverlap(seed: Int) {
        var random = RandomNumbers(seed: UInt64(seed))
        let buffers = (0..<30).map { _ in
            let start = Int(random.next() % 20)
            return Arena.Buffer(byteCount: Int(random.next() % 5000), lifetime: start...start + Int(random.next() % 8))
        }
        let arena = Arena(buffers)
        for i in buffers.indices {
            #expect(arena.offsets[i] % 64 == 0)
            #expect(arena.offsets[i] + buffers[i].byteCount <= arena.byteCount)
            for j in 0..<i where buffers[i].lifetime.overlaps(buffers[j].lifetime) {
                #expect(
                    arena.offsets[i] + buffers[i].byteCount <= arena.offsets[j]
                        || arena.offsets[j] + buffers[j].byteCount <= arena.offsets[i] || buffers[i].byteCount == 0
                        || buffers[j].byteCount == 0
                )
            }
        }
    }
}
