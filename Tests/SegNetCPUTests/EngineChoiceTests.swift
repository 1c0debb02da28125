import SegNetNetworks
import SegNetPlatform
import SegNetReference
import Testing

@testable import SegNetCPU

@Suite("Accuracy and kernels of options")
struct EngineChoiceTests {
    private static let network = LayerCase("small", [LayerCase.conv("a", 4)]).network

    /// What options choose for themselves where the environment names something for each variable.
    private static func choice(_ texts: [String: String]) -> EngineChoice {
        EngineChoice(accuracy: nil, instructionSet: nil, environment: { texts[$0] })
    }

    @Test("are the environment's where none are given")
    func environment() throws {
        let choice = Self.choice(["SEGNET_ACCURACY": "exact", "SEGNET_ISA": "portable"])
        #expect(choice.accuracy == .exact && choice.instructionSet.name == "portable")
        try choice.check()
        let none = Self.choice([:])
        #expect(none.accuracy == .fast && none.instructionSet == .best)
        try none.check()
    }

    @Test("that are given do not ask the environment")
    func given() throws {
        let choice = EngineChoice(accuracy: .accurate, instructionSet: .best, environment: { _ in "best" })
        #expect(choice.accuracy == .accurate && choice.instructionSet == .best)
        try choice.check()
    }

    @Test(
        "that do not exist are refused by the first call that uses the options",
        arguments: [
            ("SEGNET_ACCURACY", "best", "there is no accuracy 'best'; choose one of fast, accurate, exact."),
            ("SEGNET_ISA", "sse", "instruction set 'sse' is not available here; choose one of "),
        ]
    )
    func refused(name: String, value: String, problem: String) throws {
        let message = "environment variable \(name): \(problem)"
        var options = InferenceOptions()
        options.engine = Self.choice([name: value])
        // A change of something else does not hide it.
        options.outputs = ["a"]
        let weights = try Weights.initial(for: Self.network, seed: 1)
        #expect(
            performing: { try PreparedNetwork(Self.network, weights: weights, options: options) },
            throws: { "\($0)".hasPrefix(message) }
        )
        #expect(
            performing: {
                try PreparedNetwork.plannedBytes(Self.network, weights: weights, options: options, threads: 1)
            },
            throws: { "\($0)".hasPrefix(message) }
        )
        var training = TrainingOptions()
        training.engine = options.engine
        #expect(
            performing: { try Parameters(Self.network, options: training) },
            throws: { "\($0)".hasPrefix(message) }
        )
    }

    @Test("that do not exist no longer matter once others are set")
    func replaced() throws {
        var options = InferenceOptions()
        options.engine = Self.choice(["SEGNET_ACCURACY": "best", "SEGNET_ISA": "sse"])
        options.accuracy = .exact
        options.instructionSet = .best
        let weights = try Weights.initial(for: Self.network, seed: 1)
        let prepared = try PreparedNetwork(Self.network, weights: weights, options: options)
        #expect(prepared.options == InferenceOptions(accuracy: .exact, instructionSet: .best))
    }
}
