import SegNetCPU
public import SegNetData
import SegNetFormats
import SegNetImages
public import SegNetNetworks
public import SegNetPlatform

/// Trains a network: batches ahead of the network, steps, validation, checkpoints, logs, and at the end a model that is ready to use.
///
///     let trainer = try Trainer(configuration, output: URL(filePath: "runs/first"))
///     let result = try trainer.run(observe: { event in print(event) })
///
/// The run's folder holds `recipe.yaml` (every setting), `pictures.txt` (the names of the pictures), `log.jsonl`, TensorBoard's event
/// files, `last.checkpoint` (from which a later run goes on, to the bit as if there had been no break), `last.safetensors` and
/// `best.safetensors` (models with their statistics). One trainer at a time works in it, of all processes.
public final class Trainer {
    /// The recipe with every open choice resolved, such as what the network subtracts from its input and multiplies it by.
    public let configuration: TrainingConfiguration
    /// The training data: one data set, or several with their shares.
    public let data: DatasetPool
    /// The first of them; its classes and channels are those of all.
    public var dataset: Dataset { data.sources[0].dataset }
    /// The network that learns.
    public let network: Network
    /// The run's folder.
    public let output: URL
    /// Steps of the whole training.
    public let totalSteps: Int
    /// One per class.
    public internal(set) var classWeights: [Float]
    /// Size of the pictures that the network trains on.
    public let width: Int
    public let height: Int
    /// Size of whole pictures: what the finished model expects.
    let pictureSize: PictureSize
    /// Bytes that the training takes at its peak: parameters and what the optimiser remembers, a step, validation, batches made ahead and
    /// decoded pictures that are kept.
    public let plannedBytes: Int
    /// The part of it for decoded pictures.
    public let cacheBytes: Int
    /// Notes about the set-up: what was loaded, what was assumed.
    public private(set) var notes: [TrainingNote] = []

    let parameters: Parameters
    let optimizer: Optimizer
    let average: WeightAverage?
    let learner: Learner
    let teacher: Teacher?
    let pool: ThreadPool
    let validationItems: [DatasetPool.Item]
    /// By source: the classes that its labels can name, nil for all.
    let namedClasses: [ClassSet?]
    /// How many pixels of the labels share a score of the loss.
    let lossStride: Int
    /// The layers that enlarge the scores from the loss's grid to the picture.
    let enlargement: [Layer]
    var progress = TrainingProgress()
    /// Nil on ranks that do not write.
    var log: RunLog?
    var tensorBoard: TensorBoardLog?
    /// The step of the checkpoint in the run's folder.
    var savedStep: Int?
    /// Whether the run goes on by the recipe that it had.
    var hasOldRecipe = false
    /// The step of the checkpoint with which the run goes on; nil for a new run.
    private(set) var resumedStep: Int?
    /// While a step changes weights and statistics, they are not those of any step.
    var isStepping = false
    /// Whether gradients are being exchanged. During that time no rank can report that it has failed.
    var isExchanging = false
    /// Seconds that this run's steps took.
    var steppedSeconds = 0.0
    /// The times of this run's last steps.
    var stepTimes = StepTimes()
    /// Seconds of those in which this rank waited for others.
    var steppedWaits = 0.0
    /// The ranks that share the training; nil if there is only this process.
    let ranks: TrainingRanks?
    /// The places of this process's pictures in each batch.
    let share: Range<Int>
    private let lock: RunLock?

    /// Prepares a training; nothing is trained yet.
    /// - Parameters:
    ///   - dataset: The training data; nil loads the set that the configuration names.
    ///   - output: The run's folder; made if it is missing.
    ///   - resume: Whether to go on from the folder's checkpoint, if there is one.
    ///   - threads: nil means all cores.
    ///   - instructionSet: nil means the one that `SEGNET_ISA` names, or else the best that the machine has.
    ///   - memoryLimit: Bytes that the training may take; nil means what the machine has free.
    ///   - ranks: Other processes that share each batch. All must have the same configuration, and rank 0's folder is used. The others
    ///     read the model to start from if theirs does not say mean and scale.
    /// - Throws: `ConfigurationError`, `DatasetError`, `TrainingMemoryError` and others, each with the next step.
    public init(
        _ configuration: TrainingConfiguration,
        dataset given: Dataset? = nil,
        output: URL,
        resume: Bool = false,
        threads: Int? = nil,
        instructionSet: InstructionSet? = nil,
        memoryLimit: Int? = nil,
        ranks: TrainingRanks? = nil
    ) throws {
        try configuration.check()
        self.output = output
        self.ranks = ranks
        let isWriter = ranks?.isWriter ?? true
        if isWriter { try Self.requireFiles(in: output) }
        let lock = isWriter ? try RunLock(output) : nil
        pool = ThreadPool(threadCount: threads ?? ThreadPool.availableCores)
        let setup = try TrainingSetup(
            configuration,
            dataset: given,
            output: output,
            resume: resume,
            isWriter: isWriter
        )
        let configuration = setup.configuration
        self.configuration = configuration
        share = try ranks?.share(of: configuration.batchSize) ?? 0..<configuration.batchSize
        (network, lossStride, enlargement) = (setup.network, setup.lossStride, setup.enlargement)
        (width, height, pictureSize) = (setup.width, setup.height, setup.pictureSize)
        (validationItems, namedClasses) = (setup.validation, setup.namedClasses)

        parameters = try Self.parameters(configuration, setup.learning, instructionSet ?? .chosen())
        optimizer = try Optimizer(configuration.optimizer, layout: parameters.layout)
        var memory = try setup.memory(parameters, optimizer, threads: pool.threadCount)
        memory.share = (configuration.batchSize, max(1, share.count))
        (plannedBytes, cacheBytes) = try memory.planned(
            batchSize: share.count,
            wantedCache: configuration.cacheMegabytes << 20,
            pictures: setup.data.count,
            available: memoryLimit ?? MachineMemory.available
        )
        learner = try Learner(
            parameters,
            batchSize: share.count,
            height: height,
            width: width,
            pool: pool,
            memoryLimit: memoryLimit
        )
        if let ranks { learner.exchange = ranks.exchange(learner, batchSize: configuration.batchSize, share: share) }
        teacher = try setup.teacher(batchSize: share.count, parameters.options, threads: pool.threadCount)
        var data = setup.data
        totalSteps = configuration.stepCount(pictures: data.count)
        data.phases = configuration.phases(totalSteps: totalSteps)
        self.data = data
        if let ranks { notes.append(.information(ranks.note(batchSize: configuration.batchSize))) }
        if data.sources.count > 1 { notes.append(.information(data.note)) }
        notes += setup.notes + configuration.notes(totalSteps: totalSteps)
        guard isWriter else {
            // Everything else comes from rank 0.
            classWeights = Array(repeating: 1, count: data.sources[0].dataset.classes.classes.count)
            (self.lock, log) = (nil, nil)
            average = configuration.average > 0 ? try WeightAverage(decay: configuration.average, parameters) : nil
            return
        }
        let (weights, weightNotes) = try configuration.weights(of: data, totalSteps: totalSteps)
        classWeights = weights
        notes += weightNotes

        try Self.prepare(output)
        self.lock = try lock ?? RunLock(output)
        LeftoverFiles.remove(in: output.path(percentEncoded: false))
        log = try RunLog(output.appending(path: Self.logName))
        // The average of a new run begins with the weights that it starts from, so they are loaded first.
        if !setup.isResumed { notes += try Self.loadStart(configuration, parameters, data, pool) }
        average = configuration.average > 0 ? try WeightAverage(decay: configuration.average, parameters) : nil
        if setup.isResumed { try goOn(setup) } else { begin(setup) }
        try openLogs(setup)
    }

    deinit { learner.exchange?.stop() }

    /// Loads the weights from which a new run starts: those of an encoder or of a whole model.
    /// - Returns: Notes on what was loaded.
    private static func loadStart(
        _ configuration: TrainingConfiguration,
        _ parameters: Parameters,
        _ data: DatasetPool,
        _ pool: ThreadPool
    ) throws -> [TrainingNote] {
        var starts: [StartingWeights.Loaded] = []
        if let path = configuration.model {
            let unfolding = Unfolding(data: data, threads: pool.threadCount)
            let classes = data.sources[0].dataset.classes.classes.map(\.name)
            starts.append(
                try StartingWeights.load(
                    model: path,
                    encoder: configuration.encoder,
                    into: parameters,
                    classes: classes,
                    unfolding: unfolding
                )
            )
        } else if let path = configuration.encoder {
            starts.append(try StartingWeights.load(encoder: path, into: parameters))
        }
        let loaded = starts.reduce(into: Set<String>()) { $0.formUnion($1.layers) }
        let warning = try configuration.checkFrozen(parameters, loaded: loaded)
        return starts.map { .information($0.note) } + [warning].compactMap { $0 }.map { .warning($0) }
    }

    private func begin(_ setup: TrainingSetup) {
        progress.fingerprint = setup.fingerprint
        progress.architecture = configuration.architecture.rawValue
    }

    /// Continues a run: everything is read from its checkpoint.
    private func goOn(_ setup: TrainingSetup) throws {
        progress = try Checkpoint.read(checkpoint, parameters: parameters, optimizer: optimizer, average: average)
        (savedStep, resumedStep) = (progress.step, progress.step)
        try checkResumed(setup.fingerprint)
        hasOldRecipe = setup.saved != nil && setup.changes.isEmpty
        notes.append(.information("resumed at step \(progress.step) of \(totalSteps)."))
        var warnings = setup.changes.map { "changed: \($0)" }
        warnings += configuration.changedFiles(setup.fileChecksums, since: progress, saved: setup.saved)
        let isAsked = EnvironmentVariable.text(InferenceOptions.Accuracy.environmentVariable) != nil
        warnings += [
            progress.changedInstructions(parameters.options.instructionSet),
            configuration.unusedAccuracy(isAsked ? try .chosen() : nil),
        ].compactMap { $0 }
        if setup.saved == nil {
            warnings.append("\(recipe.relativePath) is missing: it is unknown whether settings have changed.")
        }
        notes += warnings.map { .warning($0) }
    }

    /// Cuts the logs back to the steps that count, and writes the recipe and the pictures' names if they are new or changed.
    private func openLogs(_ setup: TrainingSetup) throws {
        let step = setup.isResumed ? progress.step : nil
        try log?.truncate(after: step ?? -1)
        if configuration.tensorboard {
            tensorBoard = try TensorBoardLog(output, after: step)
        } else {
            try TensorBoardLog.cut(output, after: step)
        }
        try log?.write(
            RunLog.Start(
                step: progress.step,
                totalSteps: totalSteps,
                batchSize: configuration.batchSize,
                accumulate: configuration.accumulate
            )
        )
        let yaml = try configuration.yaml()
        if !setup.changes.isEmpty { try keepRecipe() }
        if !setup.isResumed, let kept = try keepEarlierRecipe(besides: yaml) {
            notes.append(
                .information("\(recipe.relativePath) was there already; it is kept as \(kept.lastPathComponent).")
            )
        }
        // The folder's can be one that another session brought, of which no step was saved.
        let isOther = (try? Self.recipe(of: output)) != configuration
        if !setup.isResumed || !Self.hasRecipe(output) || !setup.changes.isEmpty || isOther {
            try SmallFile.write(Array(yaml.utf8), to: recipe)
        }
        try setup.pictures.write(in: output)
        progress.recipe = yaml
        progress.pictures = setup.pictures.lists
        progress.classes = dataset.classes.classes.map(\.name)
        progress.files = setup.fileChecksums
        progress.instructionSet = parameters.options.instructionSet.name
        if configuration.batchSize == 1 {
            notes.append(
                .information(
                    "batch normalisation over one picture is noisy; a \(UserChoice.batchSize) of 2 or more trains better."
                )
            )
        }
    }

    static let checkpointName = "last.checkpoint"
    static let logName = "log.jsonl"

    /// The file from which a later run goes on.
    public var checkpoint: URL { output.appending(path: Self.checkpointName) }
    /// Steps taken so far, those before a resumption included.
    public var completedSteps: Int { progress.step }

    /// Whether there is a checkpoint in a run's folder.
    public static func hasCheckpoint(_ output: URL) -> Bool {
        FileManager.default.fileExists(atPath: output.appending(path: checkpointName).path(percentEncoded: false))
    }

    /// The data set that a configuration names, the first if it names several.
    public static func dataset(_ configuration: TrainingConfiguration) throws -> Dataset {
        try configuration.check()
        return try configuration.sources().pool.sources[0].dataset
    }

    private static func prepare(_ output: URL) throws {
        do { try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true) } catch {
            throw ConfigurationError(
                "\(output.relativePath): the folder cannot be made; check whether a file has that name, and the permissions, or give another "
                    + "\(UserChoice.output)."
            )
        }
    }
}
