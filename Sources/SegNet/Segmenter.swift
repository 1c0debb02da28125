public import SegNetCPU
public import SegNetData
public import SegNetFormats
public import SegNetImages
internal import SegNetNetworks
public import SegNetTensors

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Says of every pixel of a picture which class it belongs to.
///
///     let segmenter = try Segmenter(model: URL(filePath: "camvid.safetensors"))
///     let result = try segmenter.segment(try Image(path: "street.jpg"))
///     try result.overlay().write(path: "street.overlay.png")
///
/// Safe to use from several threads at once: the weights are held once, each concurrent call brings maps and threads of its own, of
/// which `Options.maximumConcurrency` exist at most; further callers wait. Plans are kept for the sizes that were used last.
public final class Segmenter: Sendable {
    /// How a segmenter runs its network and what it keeps of a run.
    public struct Options: Sendable {
        /// Nil: the one that `SEGNET_ACCURACY` names, or else `fast`.
        public var accuracy: InferenceOptions.Accuracy?
        public var precision: InferenceOptions.Precision
        /// Nil: the one that `SEGNET_ISA` names, or else the fastest.
        public var instructionSet: InstructionSet?
        /// Threads of one run; nil: all cores that this process may use.
        public var threads: Int?
        public var size: RunSize
        /// How many calls run at once, at least 1. Each takes the memory of the network's maps.
        public var maximumConcurrency: Int
        /// What a result holds beside the classes.
        public var keeps: Set<KeptOutput>
        /// Inner blobs that a result holds, by name.
        public var blobs: [String]
        /// Names and colours of the classes; nil: the model's own, or else the known table with so many classes.
        public var classTable: ClassTable?
        /// Whether `segment(_:samples:seed:)` may be called; takes memory for what the samples share.
        public var sampling: Bool
        /// Whether nothing but classes will be asked for: large networks then need not hold the scores of a whole picture. What needs
        /// scores (`keeps`, probabilities of a call, test-time augmentation) is refused.
        public var classesOnly: Bool

        public init(
            accuracy: InferenceOptions.Accuracy? = nil,
            precision: InferenceOptions.Precision = .float32,
            instructionSet: InstructionSet? = nil,
            threads: Int? = nil,
            size: RunSize = .network,
            maximumConcurrency: Int = 1,
            keeps: Set<KeptOutput> = [],
            blobs: [String] = [],
            classTable: ClassTable? = nil,
            sampling: Bool = false,
            classesOnly: Bool = false
        ) {
            self.accuracy = accuracy
            self.precision = precision
            self.instructionSet = instructionSet
            self.threads = threads
            self.size = size
            self.maximumConcurrency = maximumConcurrency
            self.keeps = keeps
            self.blobs = blobs
            self.classTable = classTable
            self.sampling = sampling
            self.classesOnly = classesOnly
        }
    }

    /// What one call wants otherwise than the options say. The weights are shared all the same.
    public struct Call: Sendable {
        /// Nil: as the options say.
        public var size: RunSize?
        /// Nil: as the options say.
        public var keeps: Set<KeptOutput>?
        /// Asked after each layer: true ends the call with `CancellationError`.
        public var isCancelled: (@Sendable () -> Bool)?

        public init(
            size: RunSize? = nil,
            keeps: Set<KeptOutput>? = nil,
            isCancelled: (@Sendable () -> Bool)? = nil
        ) {
            self.size = size
            self.keeps = keeps
            self.isCancelled = isCancelled
        }

        /// - Throws: `CancellationError` if the caller no longer wants the result.
        func check() throws {
            if isCancelled?() == true { throw CancellationError() }
        }
    }

    /// At which size the network runs.
    public enum RunSize: Sendable, Hashable {
        /// The network's own, at which it was trained; pictures are resized to it and classes back.
        case network
        /// The picture's own. Memory grows with it.
        case picture
        /// This one, for every picture.
        case fixed(width: Int, height: Int)
    }

    /// What a result can hold beside the classes, at the network's resolution.
    public enum KeptOutput: Sendable, Hashable, CaseIterable {
        /// The highest probability of each pixel.
        case confidence
        /// The class scores before softmax.
        case scores
        /// The class probabilities.
        case probabilities
        /// The variance of each class's probability over Monte-Carlo samples.
        case variance
    }

    /// The network with its packed weights.
    public let prepared: PreparedNetwork
    public let options: Options
    /// Names and colours of the classes.
    public let classTable: ClassTable
    /// K, the number of the network's outputs.
    public let classCount: Int
    /// What a user should know: how the model was read, whose class names are used. Full sentences.
    public let notes: [String]
    /// For a `.caffemodel`: which layers got weights.
    public let weightsReport: WeightsReport?

    let scoresBlob: String
    let input: NetworkInput
    let workspaces: WorkspacePool

    /// Reads a model and makes it ready.
    /// - Parameters:
    ///   - model: A `.safetensors` or `.caffemodel` file.
    ///   - network: The `.prototxt` of a `.caffemodel`.
    /// - Throws: `FormatError`, `NetworkError`, `WeightsError`, `SegmenterError`, `MemoryError`.
    public convenience init(model: URL, network: URL? = nil, options: Options = Options()) throws {
        try self.init(try LoadedModel(model, network: network), options: options)
    }

    /// Makes a model ready.
    /// - Throws: `NetworkError`, `WeightsError`, `SegmenterError`, `MemoryError`.
    public init(_ loaded: LoadedModel, options: Options = Options()) throws {
        let network = loaded.model.network
        guard let scoresBlob = network.scoresBlob, let classCount = network.classCount else {
            // What is wrong with the shapes is said better by the shapes themselves.
            _ = try network.shapes()
            throw SegmenterError(network: network.name, reason: "it has no layers, so there is nothing to run.")
        }
        guard classCount <= Int(UInt16.max) else {
            throw SegmenterError(
                network: network.name,
                reason: "it has \(classCount) classes; at most \(UInt16.max) can be told apart."
            )
        }
        guard !options.classesOnly || options.keeps.isEmpty && !options.blobs.contains(scoresBlob) && !options.sampling
        else {
            throw SegmenterError(
                network: network.name,
                reason: "it is to give classes only, and more beside; leave out 'classesOnly', or what else is to be "
                    + "kept."
            )
        }
        input = NetworkInput(network)
        let instructionSet = try options.instructionSet ?? InstructionSet.chosen()
        prepared = try PreparedNetwork(
            network,
            weights: loaded.model.weights,
            options: InferenceOptions(
                accuracy: try options.accuracy ?? .chosen(),
                precision: options.precision,
                instructionSet: instructionSet,
                outputs: [scoresBlob] + options.blobs.filter { $0 != scoresBlob },
                classesOnly: options.classesOnly,
                sampling: options.sampling
            ),
            file: loaded.file
        )
        let (table, note) = ClassTable.of(loaded.model.metadata, classCount: classCount)
        classTable = options.classTable ?? table
        notes = loaded.notes + (options.classTable == nil ? [note].compactMap { $0 } : [])
        weightsReport = loaded.report
        self.classCount = classCount
        self.scoresBlob = scoresBlob
        self.options = options
        workspaces = WorkspacePool(
            prepared,
            threads: options.threads ?? ThreadPool.availableCores,
            limit: max(1, options.maximumConcurrency)
        )
    }

    /// Makes the plan and the memory for pictures of this size before the first is there, so that what cannot work fails early.
    /// - Throws: `NetworkError` if the network does not fit the size, `MemoryError` if the machine has not enough memory for it.
    public func prepare(width: Int, height: Int) throws {
        try workspaces.withWorkspace(height: height, width: width) { _ in }
    }

    /// The files that the network reads: a colour picture, or several with further channels.
    public var inputs: InputFiles { InputFiles(of: prepared.network.input) }

    /// The size at which a picture runs through the network.
    public func runSize(of image: Image) -> (width: Int, height: Int) {
        runSize(width: image.width, height: image.height, options.size)
    }

    /// The size at which a picture of this size runs through the network.
    public func runSize(width: Int, height: Int, _ size: RunSize) -> (width: Int, height: Int) {
        switch size {
        case .network: (prepared.network.input.width, prepared.network.input.height)
        case .picture: (width, height)
        case .fixed(let width, let height): (width, height)
        }
    }

    /// Segments a picture of any size. Blocks until it is done.
    ///
    /// A picture that is not of the network's size is resized bilinearly; the classes are resized back, each pixel of the picture
    /// taking the class under its centre.
    /// - Parameter call: What this call wants otherwise than the options say.
    /// - Throws: `NetworkError` if the network does not fit the size, `MemoryError` if the machine has not enough memory for it,
    ///   `SegmenterError` if the network reads more than a picture's colours; `CancellationError`.
    public func segment(_ image: Image, _ call: Call = Call()) throws -> Segmentation {
        try segment(MultichannelImage(image), call)
    }

    /// Segments a picture with further channels, such as depth; see `segment(_:_:)` of an image.
    /// - Throws: `SegmenterError` if one that the network reads is not there; else as of an image.
    public func segment(_ picture: MultichannelImage, _ call: Call = Call()) throws -> Segmentation {
        if call.keeps?.isEmpty == false { try needScores() }
        let clock = ContinuousClock()
        let start = clock.now
        let size = runSize(width: picture.width, height: picture.height, call.size ?? options.size)
        let pixels = try input.pixels(of: picture, width: size.width, height: size.height)
        let resized = clock.now
        return try workspaces.withWorkspace(height: size.height, width: size.width) { workspace in
            let waited = clock.now
            input.fill(workspace, with: pixels)
            let filled = clock.now
            try workspace.plan.run(in: workspace) { _ in try call.check() }
            let ran = clock.now
            var result = try read(workspace, picture, keeps: call.keeps ?? options.keeps)
            result.timing = Segmentation.Timing(
                waiting: waited - resized,
                preparation: (resized - start) + (filled - waited),
                network: ran - filled,
                reading: clock.now - ran
            )
            return result
        }
    }

    /// - Throws: `SegmenterError` if the segmenter was made for classes only.
    func needScores() throws(SegmenterError) {
        guard options.classesOnly else { return }
        throw SegmenterError(
            network: prepared.network.name,
            reason: "it was made to give classes only; make the segmenter without Options(classesOnly: true)."
        )
    }

    private func read(_ workspace: Workspace, _ picture: MultichannelImage, keeps: Set<KeptOutput>) throws
        -> Segmentation
    {
        guard let ids = workspace.classIDs(scoresBlob), let shape = workspace.plan.shape(of: scoresBlob) else {
            throw SegmenterError(
                network: prepared.network.name,
                reason: "its last blob '\(scoresBlob)' does not hold class scores."
            )
        }
        let (height, width) = (shape[1], shape[2])
        let atNetworkSize = try LabelMap(width: width, height: height, ids: ids)
        func map(_ values: [Float]?, _ shape: Shape) -> FloatMap? { values.map { FloatMap(shape: shape, values: $0) } }
        let scoresShape: Shape = [classCount, height, width]
        let confidence = keeps.contains(.confidence) ? workspace.confidence(scoresBlob) : nil
        let scores = keeps.contains(.scores) ? workspace.planar(scoresBlob) : nil
        var blobs: [String: FloatMap] = [:]
        for blob in options.blobs {
            blobs[blob] = map(workspace.planar(blob), workspace.plan.shape(of: blob) ?? [])
        }
        // Last: it overwrites the scores.
        let probabilities = keeps.contains(.probabilities) ? workspace.probabilities(scoresBlob) : nil
        return Segmentation(
            classes: try atNetworkSize.resized(width: picture.width, height: picture.height, nearest: .center),
            networkClasses: atNetworkSize,
            classTable: classTable,
            classCount: classCount,
            confidence: map(confidence, [height, width]),
            scores: map(scores, scoresShape),
            probabilities: map(probabilities, scoresShape),
            blobs: blobs,
            image: try picture.background()
        )
    }
}

/// A model cannot segment pictures.
public struct SegmenterError: Error, Hashable, CustomStringConvertible {
    public let network: String
    public let reason: String

    public init(network: String, reason: String) {
        self.network = network
        self.reason = reason
    }

    public var description: String { "network '\(network)': \(reason)" }
}
