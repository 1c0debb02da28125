public import SegNetInference
public import SegNetTensors

/// How a network is trained: what does not change from step to step.
public struct TrainingOptions: Sendable, Hashable {
    /// Which algorithms may be used, as in inference.
    public var accuracy: InferenceOptions.Accuracy
    public var instructionSet: InstructionSet
    /// Layers that do not learn, by name.
    public var frozenLayers: Set<String>
    public var multipliers: ParameterMultipliers
    /// What running statistics keep of the old value at each step.
    public var statisticsMomentum: Double

    public init(
        accuracy: InferenceOptions.Accuracy = .standard,
        instructionSet: InstructionSet = .standard,
        frozenLayers: Set<String> = [],
        multipliers: ParameterMultipliers = ParameterMultipliers(),
        statisticsMomentum: Double = 0.9
    ) {
        self.accuracy = accuracy
        self.instructionSet = instructionSet
        self.frozenLayers = frozenLayers
        self.multipliers = multipliers
        self.statisticsMomentum = statisticsMomentum
    }

    /// For the plans of convolutions, which training shares with inference.
    var inference: InferenceOptions { InferenceOptions(accuracy: accuracy, instructionSet: instructionSet) }
}
