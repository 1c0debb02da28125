import Foundation
import SegNetGraph
import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU
@testable import SegNetTraining

/// One step of a small network, by all storages and with or without recomputation.
struct MemoryRun {
    let learner: Learner
    private let setup: GradientTests.Setup
    private let parameters: Parameters

    init(
        _ network: Network,
        _ setup: GradientTests.Setup,
        storage: TrainingStorage = .float32,
        recomputes: Bool = false,
        multipliers: ParameterMultipliers = ParameterMultipliers(),
        layerRates: [String: Double] = [:],
        instructionSet: InstructionSet? = nil,
        threads: Int = 2
    ) throws {
        self.setup = setup
        parameters = try Parameters(
            network,
            options: TrainingOptions(
                instructionSet: instructionSet,
                multipliers: multipliers,
                layerRates: layerRates,
                storage: storage,
                recomputes: recomputes
            )
        )
        try parameters.load(setup.weights)
        learner = try Learner(
            parameters,
            batchSize: GradientTests.pictures,
            height: network.input.height,
            width: network.input.width,
            pool: ThreadPool(threadCount: threads)
        )
    }

    func forward() -> Double {
        learner.fill(setup.inputs, labels: setup.labels)
        learner.forward(dropoutSeed: 5)
        let loss = learner.loss(classWeights: setup.classWeights, divisor: setup.labelled).loss
        learner.updateRunningStatistics(learner.lastStatistics)
        return loss
    }

    func backward() throws -> Weights {
        parameters.clearGradients()
        learner.backward()
        return try parameters.gradientTensors()
    }

    var runningStatistics: [NormalizationStatistics] { parameters.statistics }
}

@Suite("Training in less memory")
struct TrainingMemoryTests {
    static func dropout(_ name: String) -> Layer { Layer(name, .dropout(Dropout(ratio: 0.4))) }

    /// Two stages down and up with everything that SegNet and its Bayesian kin have; several convolutions a stage.
    static let segNet = LayerCase(
        "SegNet with dropout",
        size: (19, 22),
        [
            LayerCase.conv("a", 20), LayerCase.bn("an"), LayerCase.relu("ar"),
            LayerCase.conv("b", 20), LayerCase.bn("bn"), LayerCase.relu("br"), LayerCase.pool("p"),
            LayerCase.conv("c", 18), LayerCase.bn("cn"), LayerCase.relu("cr"),
            LayerCase.conv("d", 18), LayerCase.bn("dn"), LayerCase.relu("dr"), LayerCase.pool("q"),
            dropout("qd"),
            LayerCase.unpool("u", "q", from: "qd"),
            LayerCase.conv("e", 18), LayerCase.bn("en"), LayerCase.relu("er"),
            LayerCase.conv("f", 20), LayerCase.bn("fn"), LayerCase.relu("fr"), dropout("fd"),
            LayerCase.unpool("v", "p", from: "fd"),
            LayerCase.conv("g", 20), LayerCase.bn("gn"), LayerCase.relu("gr"),
            LayerCase.conv("h", 4),
        ]
    )

    /// SegNet-Basic: a normalised picture, 7x7, no ReLU on the way up.
    static let basic: LayerCase = {
        let seven = Window(7, padding: 3)
        return LayerCase(
            "SegNet-Basic",
            size: (20, 26),
            [
                Layer("l", .localResponseNormalization(LocalResponseNormalization(alpha: 0.1))),
                LayerCase.conv("a", 18, seven), LayerCase.bn("an"), LayerCase.relu("ar"),
                LayerCase.pool("p"),
                LayerCase.conv("b", 18, seven), LayerCase.bn("bn"), LayerCase.relu("br"),
                LayerCase.pool("q"),
                LayerCase.unpool("u", "q", from: "q"), LayerCase.conv("c", 18, seven), LayerCase.bn("cn"),
                LayerCase.unpool("v", "p", from: "cn"), LayerCase.conv("d", 18, seven), LayerCase.bn("dn"),
                LayerCase.conv("e", 4, Window(1)),
            ]
        )
    }()

    static let cases = [segNet, basic] + LayerCase.trained

    @Test("recomputation changes no bit, with either storage", arguments: cases, TrainingStorage.allCases)
    func recomputation(test: LayerCase, storage: TrainingStorage) throws {
        let setup = try GradientTests.setup(test.network)
        let kept = try MemoryRun(test.network, setup, storage: storage)
        let again = try MemoryRun(test.network, setup, storage: storage, recomputes: true, threads: 3)
        for _ in 0..<2 {
            #expect(kept.forward() == again.forward())
            let gradients = try again.backward()
            for (name, tensor) in try kept.backward().tensors {
                #expect(tensor.floats() == gradients[name]?.floats(), "\(name)")
            }
            #expect(kept.runningStatistics == again.runningStatistics)
        }
    }

    @Test("recomputation keeps what stages leave for others", arguments: [segNet, basic])
    func repeats(test: LayerCase) throws {
        let setup = try GradientTests.setup(test.network)
        let plan = try MemoryRun(test.network, setup, recomputes: true).learner.plan
        let convolutions = plan.repeated.values.joined().filter { plan.steps[$0] is ConvolutionStep }
            .map { plan.graph.nodes[$0].name }
        // The last of a stage on the way up is kept, and the last stage.
        #expect(
            convolutions.sorted() == (test.network.name == "SegNet-Basic" ? ["a", "b"] : ["a", "b", "c", "d", "e"])
        )
        // Nothing runs twice in the backward pass.
        let all = plan.repeated.values.joined()
        #expect(Set(all).count == all.count)
    }

    /// Rounding to float16 moves a number by at most 2^-11 of it, at random: 2^-11 / sqrt(3) rms of its largest, about 2e-4 of a map's
    /// deviation where the mean is no larger than that. Each map on the way adds its rounding, forward and backward; with n maps their
    /// roundings add up as sqrt(2 n), and a deep gradient is a difference of larger ones: four times that is allowed.
    @Test("float16 storage moves gradients by its rounding alone", arguments: cases, InstructionSet.available)
    func rounding(test: LayerCase, instructionSet: InstructionSet) throws {
        let setup = try GradientTests.setup(test.network)
        let half = try MemoryRun(test.network, setup, storage: .float16, instructionSet: instructionSet)
        let whole = try MemoryRun(test.network, setup, instructionSet: instructionSet)
        let loss = half.forward()
        #expect(half.learner.layersBeyondRange.isEmpty)
        // Where a maximum or a sign differs by rounding, the gradient takes another path: both take one.
        let decisions = half.learner.decisions
        whole.learner.takeDecisions(decisions.renumbered(from: half.learner.plan, to: whole.learner.plan))
        let stored = half.learner.plan.values.count { $0.layout == .half }
        let bound = 4 * 2e-4 * (2 * Double(stored)).squareRoot()
        #expect(abs(whole.forward() - loss) <= bound * loss)
        let gradients = try half.backward()
        for (name, tensor) in try whole.backward().tensors {
            var (difference, norm) = (0.0, 0.0)
            for (a, b) in zip(tensor.floats(), gradients[name]?.floats() ?? []) {
                difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
                norm += Double(a) * Double(a)
            }
            // A bias in front of a normalisation has no gradient.
            #expect(
                difference.squareRoot() <= bound * norm.squareRoot(),
                "\(name): \((difference / norm).squareRoot())"
            )
        }
    }

    @Test("float16 storage gives the same bits for any number of threads")
    func threads() throws {
        let setup = try GradientTests.setup(Self.segNet.network)
        let one = try MemoryRun(Self.segNet.network, setup, storage: .float16, threads: 1)
        let three = try MemoryRun(Self.segNet.network, setup, storage: .float16, threads: 3)
        #expect(one.forward() == three.forward())
        let gradients = try three.backward()
        for (name, tensor) in try one.backward().tensors {
            #expect(tensor.floats() == gradients[name]?.floats(), "\(name)")
        }
    }

    @Test("numbers beyond float16 are cut off and told, infinities stay")
    func beyond() throws {
        let network = LayerCase(
            "large",
            [LayerCase.conv("a", 16), LayerCase.bn("an"), LayerCase.relu("ar"), LayerCase.conv("b", 4)]
        ).network
        var setup = try GradientTests.setup(network)
        for picture in setup.inputs.indices { setup.inputs[picture][7] = 4e6 }
        let run = try MemoryRun(network, setup, storage: .float16)
        #expect(run.forward().isFinite)
        #expect(run.learner.layersBeyondRange.map(\.layer) == ["a"])
        #expect(run.learner.layersBeyondRange[0].count > 1)
        let finite = try run.backward().tensors.values.allSatisfy { $0.floats().allSatisfy(\.isFinite) }
        #expect(finite)
        setup.inputs[0][7] = .infinity
        let broken = try MemoryRun(network, setup, storage: .float16)
        #expect(!broken.forward().isFinite)
    }

    @Test("the planned memory is what is taken", arguments: TrainingStorage.allCases, [false, true])
    func taken(storage: TrainingStorage, recomputes: Bool) throws {
        let setup = try GradientTests.setup(Self.segNet.network)
        let learner = try MemoryRun(Self.segNet.network, setup, storage: storage, recomputes: recomputes).learner
        #expect(learner.allocatedBytes == learner.plan.workspaceBytes(threads: 2))
    }

    /// The whole networks at a size at which maps outweigh scratch.
    @Test(
        "each option lowers the planned memory",
        arguments: [Architecture.segNet, .segNetBasic, .bayesianSegNet, .bayesianSegNetBasic]
    )
    func planned(architecture: Architecture) throws {
        var description = ArchitectureOptions(input: .bgr255(height: 352, width: 480))
        description.statistics = .batch
        let network = architecture.network(classes: 12, options: description)
        func mebibytes(_ storage: TrainingStorage, _ recomputes: Bool) throws -> Int {
            let options = TrainingOptions(accuracy: .fast, storage: storage, recomputes: recomputes)
            let layout = try ParameterLayout(network, options: options)
            return try TrainingPlan(layout, batchSize: 2, height: 352, width: 480).workspaceBytes(threads: 2) >> 20
        }
        let (plain, half) = (try mebibytes(.float32, false), try mebibytes(.float16, false))
        let (again, both) = (try mebibytes(.float32, true), try mebibytes(.float16, true))
        #expect(half < plain * 3 / 4 && again < plain * 4 / 5 && both < min(half, again))
        // Regressions show as numbers.
        let isDeep = architecture == .segNet || architecture == .bayesianSegNet
        #expect(plain < (isDeep ? 850 : 490), "\(plain)")
        #expect(half < (isDeep ? 535 : 360), "\(half)")
        #expect(again < (isDeep ? 380 : 370), "\(again)")
        #expect(both < (isDeep ? 320 : 305), "\(both)")
    }

    @Test("a pass without a backward one finds the same numbers in the memory planned for it", arguments: cases)
    func forwardOnly(test: LayerCase) throws {
        let setup = try GradientTests.setup(test.network)
        for storage in TrainingStorage.allCases {
            let parameters = try Parameters(test.network, options: TrainingOptions(storage: storage))
            try parameters.load(setup.weights)
            let learners = try [true, false].map { runsBackward in
                try Learner(
                    parameters,
                    batchSize: GradientTests.pictures,
                    height: test.network.input.height,
                    width: test.network.input.width,
                    pool: ThreadPool(threadCount: 2),
                    runsBackward: runsBackward
                )
            }
            for learner in learners {
                learner.fill(setup.inputs, labels: setup.labels)
                learner.forward()
            }
            #expect(learners[0].lastStatistics == learners[1].lastStatistics)
            for picture in 0..<GradientTests.pictures {
                #expect(learners[0].scores(picture: picture) == learners[1].scores(picture: picture))
            }
            #expect(learners[1].allocatedBytes == learners[1].plan.workspaceBytes(threads: 2))
            #expect(learners[1].allocatedBytes <= learners[0].allocatedBytes)
        }
    }

    /// What statistics are taken from, for a training with batches of two (`StatisticsPass.batchSize`).
    @Test(
        "eight pictures forward take about as much as two in a step",
        arguments: [(Architecture.segNet, 1.0), (.segNetBasic, 1.6)]
    )
    func forwardOnlyBytes(architecture: Architecture, most: Double) throws {
        var description = ArchitectureOptions(input: .bgr255(height: 352, width: 480))
        description.statistics = .batch
        let network = architecture.network(classes: 12, options: description)
        let layout = try ParameterLayout(network, options: TrainingOptions(accuracy: .fast))
        func bytes(_ pictures: Int, runsBackward: Bool) throws -> Double {
            Double(
                try TrainingPlan(layout, batchSize: pictures, height: 352, width: 480, runsBackward: runsBackward)
                    .workspaceBytes(threads: 2)
            )
        }
        let (pass, step) = (try bytes(8, runsBackward: false), try bytes(2, runsBackward: true))
        #expect(pass < most * step, "\(pass / step)")
    }

    @Test("a run with both options goes on from its checkpoint bit for bit, and with other options too")
    func resume() throws {
        var recipe = smallRecipe()
        recipe.storage = .float16
        recipe.recompute = true
        let (whole, parts) = (try RunFolder(), try RunFolder())
        #expect(try TrainerTests.train(recipe, in: whole).0.isFinished)
        #expect(try !TrainerTests.train(recipe, in: parts, stopAfter: 3, threads: 1).0.isFinished)
        recipe.recompute = false
        #expect(try TrainerTests.train(recipe, in: parts).0.isFinished)
        #expect(try whole.bytes("last.safetensors") == parts.bytes("last.safetensors"))
    }

    @Test("a storage that is none is refused with the choices")
    func badStorage() {
        #expect {
            try TrainingConfiguration(yaml: "storage: float8", file: "r.yaml")
        } throws: {
            "\($0)" == "r.yaml, line 1: storage: needs one of float32, float16; found 'float8'. Did you mean 'float16'?"
        }
    }
}

extension PassDecisions {
    /// The same for the plan of another storage, whose nodes have other numbers.
    func renumbered(from old: TrainingPlan, to new: TrainingPlan) -> PassDecisions {
        func activations(_ plan: TrainingPlan) -> [Int] {
            plan.steps.indices.filter { plan.steps[$0] is ActivationStep }
        }
        let numbers = Dictionary(uniqueKeysWithValues: zip(activations(old), activations(new)))
        var result = PassDecisions()
        for (node, words) in indices { result.indices[numbers[node] ?? node] = words }
        for (node, flags) in signs { result.signs[numbers[node] ?? node] = flags }
        return result
    }
}
