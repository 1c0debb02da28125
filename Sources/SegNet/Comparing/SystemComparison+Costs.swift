extension SystemComparison {
    /// What a system costs on this machine: what `measurement.json` in its folder holds.
    public struct Measurement: Sendable, Codable {
        var subject: ScoredSubject
        public var parameters: Int
        /// Size of the model file.
        public var modelBytes: Int
        /// The size at which a picture runs.
        public var width: Int
        public var height: Int
        /// One picture through the finished network, as `segnet predict` runs it: median of several.
        public var forwardMilliseconds: Double
        /// One picture forward through the learning network, whose maps are kept.
        public var learningForwardMilliseconds: Double
        /// The gradients of one picture.
        public var backwardMilliseconds: Double
        /// The most memory of a process that segments one picture; nil: not measured.
        public var inferencePeakBytes: Int?
        public var threads: Int
        /// The kernels.
        public var instructionSet: String
    }

    /// Estimated time to finish a training.
    public struct Estimate: Sendable, Hashable {
        /// Steps that are left, and steps of the whole training.
        public var stepsLeft: Int
        public var totalSteps: Int
        /// Measured: on the steps of the run, or on steps with random weights.
        public var secondsPerStep: Double
        /// The time of the steps to go; validations and statistics come on top.
        public var secondsLeft: Double { Double(stepsLeft) * secondsPerStep }
    }
}
