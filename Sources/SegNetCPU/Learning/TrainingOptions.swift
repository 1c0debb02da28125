public import SegNetPlatform

/// How a network is trained: what does not change from step to step.
public struct TrainingOptions: Sendable, Hashable {
    /// Which algorithms may be used, as in inference.
    public var accuracy: InferenceOptions.Accuracy {
        get { engine.accuracy }
        set { engine.accuracy = newValue }
    }
    public var instructionSet: InstructionSet {
        get { engine.instructionSet }
        set { engine.instructionSet = newValue }
    }
    /// Layers that do not learn, by name.
    public var frozenLayers: Set<String>
    /// Factors of the learning rate by kind of parameter.
    public var multipliers: ParameterMultipliers
    /// Further factors of the learning rate, by layer; 1 for layers that are not named.
    public var layerRates: [String: Double]
    /// The share of the old value that running statistics keep at each step.
    public var statisticsMomentum: Double
    /// How the large maps are stored that the backward pass reads.
    public var storage: TrainingStorage
    /// Whether the backward pass runs the stages of the network forward again, in place of keeping their maps. Changes no bit of the
    /// results.
    public var recomputes: Bool
    var engine: EngineChoice

    /// - Parameters:
    ///   - accuracy: Nil: the one that `SEGNET_ACCURACY` names, or else `fast`. If it names none that exists, `Parameters` throws the
    ///     `AccuracyChoiceError`, unless `accuracy` is set before.
    ///   - instructionSet: Nil: the one that `SEGNET_ISA` names, or else the fastest of this machine. If it names none of this machine,
    ///     `Parameters` throws the `InstructionSetChoiceError`, likewise.
    public init(
        accuracy: InferenceOptions.Accuracy? = nil,
        instructionSet: InstructionSet? = nil,
        frozenLayers: Set<String> = [],
        multipliers: ParameterMultipliers = ParameterMultipliers(),
        layerRates: [String: Double] = [:],
        statisticsMomentum: Double = 0.9,
        storage: TrainingStorage = .float32,
        recomputes: Bool = false
    ) {
        engine = EngineChoice(accuracy: accuracy, instructionSet: instructionSet)
        self.frozenLayers = frozenLayers
        self.multipliers = multipliers
        self.layerRates = layerRates
        self.statisticsMomentum = statisticsMomentum
        self.storage = storage
        self.recomputes = recomputes
    }

    /// For the plans of convolutions, which training shares with inference.
    package var inference: InferenceOptions { InferenceOptions(accuracy: accuracy, instructionSet: instructionSet) }
}

/// The format of what is kept from the forward to the backward pass: the sums of convolutions and pooled maps. Arithmetic is float32 in any
/// case.
public enum TrainingStorage: String, Sendable, Hashable, Codable, CaseIterable {
    case float32
    /// Half the memory: each number is rounded to 11 bits, at most 65504 (docs/decisions/0007-training-memory.md).
    case float16
}
