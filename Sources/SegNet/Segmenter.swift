package import SegNetCPU
public import SegNetData
public import SegNetFormats
public import SegNetImages
public import SegNetNetworks
public import SegNetPlatform
public import SegNetRefinement

/// Assigns a class to each pixel of a picture.
///
///     let segmenter = try Segmenter(model: URL(filePath: "camvid.safetensors"))
///     let result = try segmenter.segment(try Image(path: "street.jpg"))
///     try result.overlay().write(path: "street.overlay.png")
///
/// Safe to use from several threads at once: the weights are held once, each concurrent call brings maps and threads of its own, of
/// which `Options.maximumConcurrency` exist at most; further callers wait. Plans are kept for the sizes that were used last.
public final class Segmenter: Sendable {
    /// The network with its packed weights.
    package let prepared: PreparedNetwork
    /// The options with which it was made ready.
    public let options: Options
    /// Names and colours of the classes.
    public let classTable: ClassTable
    /// The model's file, as the caller named it.
    let file: String
    /// What the model's file says of itself.
    let metadata: ModelMetadata
    /// K, the number of the network's outputs.
    public let classCount: Int
    /// What a user should know: how the model was read, whose class names are used. Full sentences.
    public let notes: [String]
    /// The dense CRF that `segnet tune crf` has stored with the model.
    public let tunedCRF: DenseCRF?
    /// For a `.caffemodel`: which layers got weights.
    public let weightsReport: WeightsReport?

    let scoresBlob: String
    let input: NetworkInput
    let workspaces: WorkspacePool
    let threads: WorkerThreads

    /// Reads a model and makes it ready.
    /// - Parameters:
    ///   - model: A `.safetensors` or `.caffemodel` file.
    ///   - network: The `.prototxt` of a `.caffemodel`.
    /// - Throws: `FormatError`, `NetworkError`, `WeightsError`, `SegmenterError`, `MemoryError`; an error that names the choices if
    ///   `SEGNET_ACCURACY` or `SEGNET_ISA` is needed and names none of them.
    public convenience init(model: URL, network: URL? = nil, options: Options = Options()) throws {
        try self.init(try LoadedModel(model, network: network), options: options)
    }

    /// Makes a model ready.
    /// - Throws: As for a file, except for `FormatError`.
    public init(_ loaded: LoadedModel, options: Options = Options()) throws {
        let network = loaded.model.network
        guard let scoresBlob = network.scoresBlob, let classCount = network.classCount else {
            // `shapes()` has the better error message.
            _ = try network.shapes()
            throw SegmenterError(network: network.name, reason: "it has no layers, so there is nothing to run.")
        }
        guard classCount <= Int(UInt16.max) else {
            throw SegmenterError(
                network: network.name,
                reason: "it has \(classCount) classes; at most \(UInt16.max) can be told apart."
            )
        }
        guard !options.classesOnly || !options.blobs.contains(scoresBlob) && !options.sampling else {
            throw SegmenterError(
                network: network.name,
                reason:
                    "'classesOnly' excludes samples and scores; leave out one or the other."
            )
        }
        for blob in options.blobs {
            guard let name = loaded.aliases[blob] else { continue }
            throw SegmenterError(
                network: network.name,
                reason: "the blob '\(blob)' is '\(name)' under another name; ask for '\(name)'."
            )
        }
        input = NetworkInput(network)
        prepared = try PreparedNetwork(
            network,
            weights: loaded.model.weights,
            options: try options.inference(outputs: [scoresBlob]),
            file: loaded.file
        )
        let (table, note) = ClassTable.of(loaded.model.metadata, classCount: classCount)
        classTable = options.classTable ?? table
        file = loaded.file
        metadata = loaded.model.metadata
        let (tuned, tunedNote) = Self.tunedCRF(loaded.model.metadata.denseCRF)
        tunedCRF = tuned
        notes =
            loaded.notes + (options.classTable == nil ? [note].compactMap { $0 } : []) + [tunedNote].compactMap { $0 }
        weightsReport = loaded.report
        self.classCount = classCount
        self.scoresBlob = scoresBlob
        self.options = options
        workspaces = WorkspacePool(
            prepared,
            threads: options.threads ?? ThreadPool.availableCores,
            limit: options.concurrency
        )
        threads = WorkerThreads(limit: options.concurrency + 1)
    }

    /// Makes the plan and the memory for pictures of this size before the first is there, so that what cannot work fails early.
    /// - Throws: `NetworkError` if the network does not fit the size, `MemoryError` if the machine has not enough memory for it.
    public func prepare(width: Int, height: Int) throws {
        try workspaces.withWorkspace(of: PictureSize(width: width, height: height)) { _ in }
    }

    /// The network, as its file describes it.
    public var network: Network { prepared.network }

    /// The files that the network reads: a colour picture, or several with further channels.
    public var inputs: InputFiles { InputFiles(of: network.input) }

    /// The size at which a picture of this size runs through the network.
    public func runSize(width: Int, height: Int, _ size: RunSize) -> PictureSize {
        switch size {
        case .network: PictureSize(width: network.input.width, height: network.input.height)
        case .picture: PictureSize(width: width, height: height)
        case .fixed(let width, let height): PictureSize(width: width, height: height)
        }
    }

    /// Segments a picture of any size. Blocks until it is done.
    ///
    /// A picture that is not of the network's size is resized bilinearly; the classes are resized back, each pixel of the picture
    /// taking the class under its centre.
    /// - Throws: `NetworkError` if the network does not fit the size, `MemoryError` if the machine has not enough memory for it,
    ///   `SegmenterError` if the network reads more than a picture's colours, was not made ready for what is asked, cannot run at a fixed
    ///   size, or gives scores that are NaN or infinite; `ImageError` if the picture, at the size at which it runs or as a view, would have
    ///   2^31 samples or more; `DenseCRFError` for parameters of a refinement that are out of range; `CancellationError`.
    public func segment(_ image: Image, _ request: Request = Request()) throws -> Segmentation {
        try result(of: MultichannelImage(image), request)
    }

    /// Segments a picture with further channels, such as depth; see `segment(_:_:)` of an image.
    /// - Throws: `SegmenterError` if one that the network reads is not there; otherwise as for an image.
    public func segment(_ picture: MultichannelImage, _ request: Request = Request()) throws -> Segmentation {
        try result(of: picture, request)
    }
}

extension Segmenter {
    /// Words, of a command line or a form, that do not describe a test-time augmentation or a refinement.
    public struct WordsError: Error, Hashable, CustomStringConvertible {
        /// What they should describe, in words.
        public let subject: String
        /// The words.
        public let text: String
        /// What is wrong with them: a sentence without its full stop.
        public let problem: String

        init(_ subject: String, text: String, problem: String) {
            self.subject = subject
            self.text = text
            self.problem = problem
        }

        public var description: String { "\(subject) '\(text)': \(problem)." }
    }
}

/// A model cannot segment pictures.
public struct SegmenterError: Error, Hashable, CustomStringConvertible {
    /// The network's name, or the class table's where a class was not found.
    public let network: String
    /// What is wrong and what to do: full sentences.
    public let reason: String

    public init(network: String, reason: String) {
        self.network = network
        self.reason = reason
    }

    public var description: String { "network '\(network)': \(reason)" }
}
