public import SegNetCPU
public import SegNetImages
public import SegNetPlatform

extension Segmenter {
    /// How exactly convolutions are computed: `fast`, `accurate` or `exact`.
    public typealias Accuracy = InferenceOptions.Accuracy
    /// How weights are stored in memory: `float32` or `float16`.
    public typealias Precision = InferenceOptions.Precision

    /// How a network is made ready to run, and what may be asked of it.
    public struct Options: Sendable {
        /// Nil: the one that `SEGNET_ACCURACY` names, or else `fast`.
        public var accuracy: Accuracy?
        /// How weights are stored in memory. Arithmetic is float32 in any case.
        public var precision: Precision
        /// Nil: the one that `SEGNET_ISA` names, or else the fastest.
        public var instructionSet: InstructionSet?
        /// Threads of one run; nil: all cores that this process may use.
        public var threads: Int?
        /// How many calls run at once, 1...1024; a number outside counts as the nearest inside. Each call takes the memory of the network's
        /// maps.
        public var maximumConcurrency: Int
        /// Names and colours of the classes; nil: the model's own, or else the known table with this many classes.
        public var classTable: ClassTable?
        /// Inner blobs that requests may name.
        public var blobs: [String]
        /// Whether requests may ask for Monte-Carlo samples; takes memory for what the samples share.
        public var sampling: Bool
        /// Whether nothing but classes will be asked for: large networks then need not hold the scores of a whole picture. Requests that
        /// need scores (kept outputs, views) are refused.
        public var classesOnly: Bool

        public init(
            accuracy: Accuracy? = nil,
            precision: Precision = .float32,
            instructionSet: InstructionSet? = nil,
            threads: Int? = nil,
            maximumConcurrency: Int = 1,
            classTable: ClassTable? = nil,
            blobs: [String] = [],
            sampling: Bool = false,
            classesOnly: Bool = false
        ) {
            self.accuracy = accuracy
            self.precision = precision
            self.instructionSet = instructionSet
            self.threads = threads
            self.maximumConcurrency = maximumConcurrency
            self.classTable = classTable
            self.blobs = blobs
            self.sampling = sampling
            self.classesOnly = classesOnly
        }

        /// `maximumConcurrency` within its bounds.
        var concurrency: Int { min(max(1, maximumConcurrency), 1024) }

        /// The options of the network's plans: here what was left open is decided.
        /// - Parameter outputs: Blobs that are read besides `blobs`; none means the class scores.
        /// - Throws: `InstructionSetChoiceError` if `SEGNET_ISA` names kernels that this machine does not have, `AccuracyChoiceError` if
        ///   `SEGNET_ACCURACY` names no accuracy.
        package func inference(outputs: [String] = []) throws -> InferenceOptions {
            InferenceOptions(
                accuracy: try accuracy ?? .chosen(),
                precision: precision,
                instructionSet: try instructionSet ?? .chosen(),
                outputs: outputs + blobs.filter { !outputs.contains($0) },
                classesOnly: classesOnly,
                sampling: sampling
            )
        }

        /// These options for one kind of request alone: with all that it needs, and no memory for more.
        public func serving(only request: Request) -> Options {
            var options = self
            options.blobs = request.blobs
            options.sampling = request.runs.areSamples
            options.classesOnly =
                request.keeps.isEmpty && request.blobs.isEmpty && request.edges == .nearest && !request.runs.areSamples
                && !request.runs.areViews && request.refinement == nil && request.tiles == nil
            return options
        }
    }
}
