public import SegNetPlatform

/// How a network is prepared for inference.
public struct InferenceOptions: Sendable, Hashable {
    /// Which algorithms may be used. Their errors against float64 stand in `docs/numerics.md`.
    public enum Accuracy: String, Sendable, CaseIterable {
        /// Winograd convolution: F(6,3), F(4,7), F(4,5).
        case fast
        /// Winograd convolution with smaller tiles and better points: F(4,3), F(2,7). Windows of 5x5 without it.
        case accurate
        /// No Winograd: every product of the convolution is formed, in float32.
        case exact
    }

    /// How weights are stored in memory. Arithmetic is float32 in any case.
    public enum Precision: String, Sendable, CaseIterable {
        case float32
        /// IEEE half precision, rounded after batch normalisation is folded in, expanded on the fly.
        case float16
    }

    public var accuracy: Accuracy {
        get { engine.accuracy }
        set { engine.accuracy = newValue }
    }
    public var precision: Precision
    public var instructionSet: InstructionSet {
        get { engine.instructionSet }
        set { engine.instructionSet = newValue }
    }
    /// The blobs to be read after a run. Everything that none of them needs is left out; every blob named here is kept.
    public var outputs: [String]
    /// Whether of the class scores only the class of each pixel is kept (`Workspace.classIDs`): the scores themselves then never exist for
    /// more than a few rows. Without effect on sampling.
    public var classesOnly: Bool
    /// Whether dropout layers stay, for Monte-Carlo sampling (`InferencePlan.sample`); an ordinary run leaves them idle all the same.
    public var sampling: Bool
    var engine: EngineChoice

    /// - Parameters:
    ///   - accuracy: Nil: the one that `SEGNET_ACCURACY` names, or else `fast`. If it names none that exists, `PreparedNetwork` throws the
    ///     `AccuracyChoiceError`, unless `accuracy` is set before.
    ///   - instructionSet: Nil: the one that `SEGNET_ISA` names, or else the fastest of this machine. If it names none of this machine,
    ///     `PreparedNetwork` throws the `InstructionSetChoiceError`, likewise.
    ///   - outputs: None means the class scores.
    public init(
        accuracy: Accuracy? = nil,
        precision: Precision = .float32,
        instructionSet: InstructionSet? = nil,
        outputs: [String] = [],
        classesOnly: Bool = false,
        sampling: Bool = false
    ) {
        engine = EngineChoice(accuracy: accuracy, instructionSet: instructionSet)
        self.precision = precision
        self.outputs = outputs
        self.classesOnly = classesOnly
        self.sampling = sampling
    }
}
