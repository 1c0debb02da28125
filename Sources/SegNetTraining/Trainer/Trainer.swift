import SegNetCPU
public import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
public import SegNetNetworks
public import SegNetPlatform

/// Trains a network: batches ahead of the network, steps, validation, checkpoints, logs, and at the end a model that is ready to use.
///
///     let trainer = try Trainer(configuration, output: URL(filePath: "runs/first"))
///     let result = try trainer.run(observe: { event in print(event) })
///
/// The run's folder holds `recipe.yaml` (every setting), `log.jsonl`, TensorBoard's event files, `last.checkpoint` (from which `--resume`
/// goes on, to the bit as if there had been no break), `last.safetensors` and `best.safetensors` (models with their statistics). One trainer
/// at a time works in it, of all processes.
public final class Trainer {
    /// With everything decided that it left open: what the network subtracts from its input and multiplies it by.
    public let configuration: TrainingConfiguration
    /// What is learnt from: one data set, or several with their shares.
    public let data: DatasetPool
    /// The first of them; its classes and channels are those of all.
    public var dataset: Dataset { data.sources[0].dataset }
    public let network: Network
    public let output: URL
    /// Steps of the whole training.
    public let totalSteps: Int
    /// One a class.
    public let classWeights: [Float]
    /// Of the pictures that the network trains on.
    public let width: Int
    public let height: Int
    /// Of whole pictures: what the finished model expects.
    let pictureSize: (width: Int, height: Int)
    /// Bytes that the training takes at its peak: parameters and what the optimiser remembers, a step, validation, batches made ahead and
    /// decoded pictures that are kept.
    public let plannedBytes: Int
    /// Of them, what decoded pictures may take.
    public let cacheBytes: Int
    /// Notes about the set-up: what was loaded, what was assumed.
    public private(set) var notes: [String] = []

    let parameters: Parameters
    let optimizer: Optimizer
    let average: WeightAverage?
    let learner: Learner
    let teacher: Teacher?
    let pool: ThreadPool
    let validationItems: [DatasetPool.Item]
    /// By source: the classes that its labels can name, nil for all.
    let namedClasses: [ClassSet?]
    let groupRates: [String: Double]
    /// How many pixels of the labels share a score of the loss.
    let lossStride: Int
    /// The layers that enlarge the scores from the loss's grid to the picture.
    let enlargement: [Layer]
    var progress = TrainingProgress()
    let log: RunLog
    var tensorBoard: TensorBoardLog?
    /// The step of the checkpoint in the run's folder.
    var savedStep: Int?
    /// While a step changes weights and statistics, they are not those of any step.
    var isStepping = false
    private let isResumed: Bool
    private let lock: RunLock?

    /// Prepares a training; nothing is trained yet.
    /// - Parameters:
    ///   - dataset: What to learn; nil loads the one that the configuration names.
    ///   - output: The run's folder; made if it is not there.
    ///   - resume: Whether to go on from the folder's checkpoint, if there is one.
    ///   - threads: nil means all cores.
    /// - Throws: `ConfigurationError`, `DatasetError`, `TrainingMemoryError` and others, each with the next step.
    public init(
        _ configuration: TrainingConfiguration,
        dataset given: Dataset? = nil,
        output: URL,
        resume: Bool = false,
        threads: Int? = nil,
        instructionSet: InstructionSet = .standard,
        memoryLimit: Int? = nil
    ) throws {
        try configuration.check()
        self.output = output
        let lock = try RunLock(output)
        let sources = try given.map { try configuration.sources($0) } ?? configuration.sources()
        var data = sources.pool
        let dataset = data.sources[0].dataset
        let classCount = dataset.classes.classes.count
        validationItems = sources.validation
        namedClasses = data.sources.map { source in source.namedClasses.map { ClassSet($0, of: classCount) } }
        pool = ThreadPool(threadCount: threads ?? ThreadPool.availableCores)

        // The data set's size, or the first picture's; the network trains on crops of it, where there are any.
        let check = TrainingDataCheck(sources, configuration)
        try check.checkSizes()
        try check.checkLabels()
        let sizes = try data.sources.map { try $0.dataset.size ?? $0.dataset.fileSize(of: $0.samples[0]) }
        pictureSize = sizes[0]
        if configuration.augmentation.crop == nil, let other = sizes.first(where: { $0 != sizes[0] }) {
            throw ConfigurationError(
                "datasets: pictures of \(sizes[0].width)x\(sizes[0].height) and of \(other.width)x\(other.height) cannot share a batch; "
                    + "train on parts of one size (augmentation: crop), or resize all pictures (size)."
            )
        }
        let largest = sizes.max { $0.width * $0.height < $1.width * $1.height } ?? pictureSize
        let crop = configuration.augmentation.crop
        (width, height) = crop.map { ($0[0], $0[1]) } ?? pictureSize
        let checkpoint = output.appending(path: Self.checkpointName)
        isResumed = resume && FileManager.default.fileExists(atPath: checkpoint.path(percentEncoded: false))
        let saved = isResumed ? try Self.recipe(of: output) : nil
        let input = try configuration.input(dataset.channels, height: height, width: width, resuming: saved)
        let configuration = configuration.settled(input, dataset.channels, resuming: saved)
        self.configuration = configuration
        let changes = try saved.map { try Self.changes(from: $0, to: configuration, in: output) } ?? []
        let network = configuration.network(classes: classCount, input: input)
        self.network = network
        lossStride = configuration.lossResolution == .full ? 1 : configuration.architecture.lossStride
        guard lossStride == 1 || configuration.teacher == nil else {
            throw ConfigurationError(
                "teacher: teaches scores at every pixel, the loss of \(configuration.architecture.rawValue) is taken at every \(lossStride)th; "
                    + "set loss-resolution to full, or leave the teacher out."
            )
        }
        let learning: Network
        (learning, enlargement) = lossStride > 1 ? network.splitAtScores() : (network, [])
        parameters = try Self.parameters(configuration, learning, instructionSet)
        groupRates = try configuration.layerRates(of: network)
        optimizer = try Optimizer(configuration.optimizer, layout: parameters.layout)
        var memory = TrainerMemory(
            parameters: parameters,
            copies: 2 + optimizer.memories.count + (configuration.average > 0 ? 1 : 0),
            width: width,
            height: height,
            pictureSize: largest,
            channels: dataset.inputs.colorCount,
            planes: dataset.inputs.planeNames.count,
            accumulate: configuration.accumulate,
            threads: pool.threadCount,
            takesStatistics: configuration.statistics != .running || configuration.average > 0
        )
        if let teacher = configuration.teacher {
            let one = try Teacher.byteCount(
                teacher,
                batchSize: 1,
                height: height,
                width: width,
                classes: classCount,
                options: parameters.options.inference,
                threads: pool.threadCount
            )
            let each = Distillation.byteCount(pictures: 1, channels: classCount, height: height, width: width)
            memory.teacherBytes = { one + ($0 - 1) * each }
        }
        let available = memoryLimit ?? MachineMemory.available
        let need = try memory.checked(batchSize: configuration.batchSize, available: available)
        let wantedCache = configuration.cacheMegabytes << 20
        cacheBytes = memory.cacheBytes(need, wanted: wantedCache, pictures: data.count, available: available)
        plannedBytes = need.total + cacheBytes
        learner = try Learner(
            parameters,
            batchSize: configuration.batchSize,
            height: height,
            width: width,
            pool: pool,
            memoryLimit: memoryLimit
        )
        if let teacher = configuration.teacher {
            self.teacher = try Teacher(
                teacher,
                batchSize: configuration.batchSize,
                height: height,
                width: width,
                classes: dataset.classes.classes.map(\.name),
                options: parameters.options.inference,
                threads: pool.threadCount
            )
        } else {
            teacher = nil
        }
        let perStep = configuration.batchSize * configuration.accumulate
        totalSteps = configuration.stepCount(pictures: data.count)
        data.phases = configuration.phases(totalSteps: totalSteps)
        self.data = data
        let (weights, weightNotes) = try Self.weights(
            configuration,
            data,
            shares: data.shares(ofTraining: totalSteps * perStep)
        )
        let power = configuration.classWeightPower
        classWeights = weights.map { power == 1 ? $0 : powf($0, Float(power)) }
        notes = (data.sources.count > 1 ? [Self.note(data)] : []) + weightNotes

        try Self.prepare(output)
        self.lock = try lock ?? RunLock(output)
        LeftoverFiles.remove(in: output.path(percentEncoded: false))
        let fingerprint =
            "\(network.name) \(classCount) \(configuration.width) \(width)x\(height)\(network.input.fingerprint)"
            + (data.sources.count > 1 ? " \(data.sources.count) data sets" : "")
        log = try RunLog(output.appending(path: "log.jsonl"))
        if isResumed {
            average = configuration.average > 0 ? try WeightAverage(decay: configuration.average, parameters) : nil
            progress = try Checkpoint.read(checkpoint, parameters: parameters, optimizer: optimizer, average: average)
            savedStep = progress.step
            try checkResumed(fingerprint)
            try log.truncate(after: progress.step)
            notes.append("resumed at step \(progress.step) of \(totalSteps).")
            notes += changes.map { "changed: \($0)" }
            if saved == nil {
                notes.append("\(recipe.relativePath) is missing: nobody can tell whether settings have changed.")
            }
        } else {
            guard resume || !FileManager.default.fileExists(atPath: checkpoint.path(percentEncoded: false)) else {
                throw ConfigurationError(
                    "\(output.relativePath): holds a training already (\(Self.checkpointName)); "
                        + "\(UserChoice.resuming), or give another \(UserChoice.output)."
                )
            }
            progress.fingerprint = fingerprint
            progress.architecture = configuration.architecture.rawValue
            let unfolding = Unfolding(data: data, threads: pool.threadCount)
            try Self.loadStart(configuration, parameters, unfolding, &notes)
            average = configuration.average > 0 ? try WeightAverage(decay: configuration.average, parameters) : nil
            try log.truncate(after: -1)
        }
        let step = isResumed ? progress.step : nil
        if configuration.tensorboard {
            tensorBoard = try TensorBoardLog(output, after: step)
        } else {
            try TensorBoardLog.cut(output, after: step)
        }
        try log.write(
            RunLog.Start(
                step: progress.step,
                totalSteps: totalSteps,
                batchSize: configuration.batchSize,
                accumulate: configuration.accumulate
            )
        )
        if !changes.isEmpty { try keepRecipe() }
        if saved == nil || !changes.isEmpty {
            try SmallFile.write(Array(try configuration.yaml().utf8), to: recipe)
        }
        if configuration.batchSize == 1 {
            notes.append(
                "batch normalisation over one picture is noisy; a \(UserChoice.batchSize) of 2 or more trains better."
            )
        }
    }

    static let checkpointName = "last.checkpoint"

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
        try configuration.sources().pool.sources[0].dataset
    }

    /// The data sets, each with its share and its pictures.
    private static func note(_ data: DatasetPool) -> String {
        let classes = data.sources[0].dataset.classes.classes.count
        let parts = zip(data.sources, data.shares(at: 0)).map { source, share in
            let percent = (1000 * share).rounded() / 10
            return "\(source.dataset.name) \(percent) % (\(source.samples.count) pictures"
                + (source.namedClasses.map { ", labels name \($0.count) of \(classes) classes" } ?? "") + ")"
        }
        return "data sets: \(parts.joined(separator: ", "))."
    }

    private static func prepare(_ output: URL) throws {
        do { try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true) } catch {
            throw ConfigurationError(
                "\(output.relativePath): the folder cannot be made; check what has that name and its permissions, or give another "
                    + "\(UserChoice.output)."
            )
        }
    }

    private static func weights(
        _ configuration: TrainingConfiguration,
        _ data: DatasetPool,
        shares: [Double]
    ) throws -> ([Float], [String]) {
        let classes = data.sources[0].dataset.classes.classes
        switch configuration.classWeights {
        case "none": return (classes.map { _ in 1 }, [])
        case "authors":
            guard classes.map(\.name) == ClassTable.camVid11.classes.map(\.name) else {
                throw ConfigurationError(
                    "class-weights: 'authors' are eleven weights for CamVid's 11 classes, this data set has \(classes.count); use auto or none."
                )
            }
            return (ClassWeights.authors, [])
        case "auto":
            var pictures = 0
            let parts = try zip(data.sources, shares).map { source, share in
                let samples = source.samples
                let part =
                    samples.count > 2000
                    ? samples.enumerated().filter { $0.offset % (samples.count / 1000) == 0 }.map(\.element) : samples
                pictures += part.count
                return (
                    frequencies: try source.dataset.frequencies(of: part), share: share,
                    namedClasses: source.namedClasses
                )
            }
            let absent = classes.indices.filter { id in parts.allSatisfy { $0.frequencies.pixels[id] == 0 } }.map {
                classes[$0].name
            }
            var notes = [
                "class weights: median frequency over the \(classes.count - absent.count) classes that occur in \(pictures) pictures."
            ]
            if !absent.isEmpty {
                notes.append("no training pixel shows \(absent.joined(separator: ", ")); the model cannot learn it.")
            }
            return (ClassFrequencies.medianFrequencyWeights(of: parts), notes)
        default:
            return (try ClassWeights.read(configuration.classWeights, classes: classes.map(\.name)), [])
        }
    }

    /// Weights to begin with: an encoder, a whole model.
    private static func loadStart(
        _ configuration: TrainingConfiguration,
        _ parameters: Parameters,
        _ unfolding: Unfolding,
        _ notes: inout [String]
    ) throws {
        if let path = configuration.encoder { notes.append(try StartingWeights.load(encoder: path, into: parameters)) }
        if let path = configuration.model {
            notes.append(try StartingWeights.load(model: path, into: parameters, unfolding: unfolding))
        }
    }
}
