import SegNetCPU
import SegNetData
import SegNetImages
import SegNetNetworks
import SegNetPlatform

/// What is known of a training before anything large is allocated: its pictures and their sizes, its settings, its network, and what a
/// resumed run changes.
struct TrainingSetup {
    /// The recipe with every open choice resolved.
    let configuration: TrainingConfiguration
    let data: DatasetPool
    let validation: [DatasetPool.Item]
    /// For each source, the classes that its labels can name; nil for all.
    let namedClasses: [ClassSet?]
    /// The width of the pictures on which the network trains.
    let width: Int
    /// Their height.
    let height: Int
    /// The size of whole pictures, which the finished model expects.
    let pictureSize: PictureSize
    /// The largest size in all sources.
    let largestSize: PictureSize
    let network: Network
    /// The part of the network that is trained: all of it, or up to the scores on the loss's grid.
    let learning: Network
    /// How many pixels of the labels share a score of the loss.
    let lossStride: Int
    /// The layers that enlarge the scores from the loss's grid to the picture.
    let enlargement: [Layer]
    /// The names of all pictures.
    let pictures: TrainingPictures
    /// CRC-32C of the other files that every session reads, by their settings.
    let fileChecksums: [String: UInt32]
    /// Where a resumed run stands; nil if this is a new one.
    let progress: TrainingProgress?
    /// The recipe of a resumed run so far: the checkpoint's, or the folder's if the checkpoint is of an earlier version; nil also if
    /// neither is there.
    let saved: TrainingConfiguration?
    /// The changes that a resumed run makes to it.
    let changes: [RecipeDifference]
    /// Whether this process uses the folder.
    private let isWriter: Bool
    /// What is unusual about the pictures, for the user.
    let notes: [TrainingNote]

    var isResumed: Bool { progress != nil }

    private var dataset: Dataset { data.sources[0].dataset }
    private var classes: [String] { dataset.classes.classes.map(\.name) }

    /// - Parameters:
    ///   - dataset: The training data; nil loads what the configuration names.
    ///   - resume: Whether to continue from the folder's checkpoint, if there is one.
    ///   - isWriter: Whether this process uses the folder; other ranks get its contents from rank 0.
    /// - Throws: `ConfigurationError` or `DatasetError`; `ConfigurationError` too if the folder holds a training but `resume` is false, or
    ///   what is left of one without its checkpoint.
    init(
        _ configuration: TrainingConfiguration,
        dataset given: Dataset?,
        output: URL,
        resume: Bool,
        isWriter: Bool = true
    ) throws {
        self.isWriter = isWriter
        let sources = try given.map { try configuration.sources($0) } ?? configuration.sources()
        data = sources.pool
        validation = sources.validation
        let dataset = data.sources[0].dataset
        let classCount = dataset.classes.classes.count
        namedClasses = data.sources.map { source in source.namedClasses.map { ClassSet($0, of: classCount) } }

        do throws(DatasetError) { _ = try dataset.ids(of: configuration.augmentation.pasteClasses) } catch {
            throw ConfigurationError("augmentation.paste-classes: \(error)")
        }
        if let patience = configuration.patience, validation.isEmpty {
            throw ConfigurationError(
                "patience \(patience): counts validations without a better score, but there are no pictures to validate on; leave it out, or "
                    + "give validation pictures: a \(UserChoice.validationShare), or a split of their own."
            )
        }
        let check = TrainingDataCheck(sources, configuration)
        let greatest = try check.checkSizes()
        try check.checkLabels()
        (pictureSize, largestSize) = try Self.sizes(data, configuration)
        // The network trains on crops of the pictures, if there are any.
        let size = configuration.augmentation.crop ?? pictureSize
        (width, height) = (size.width, size.height)

        if isWriter { try Self.requireRoom(in: output, resume: resume) }
        let hasCheckpoint = isWriter && Trainer.hasCheckpoint(output)
        let checkpoint = output.appending(path: Trainer.checkpointName)
        progress = hasCheckpoint ? try Checkpoint.verifiedProgress(checkpoint) : nil
        notes = [
            check.missingValidation.map { .information($0) },
            progress == nil ? check.fewValidating.map { .information($0) } : nil,
            check.sharedPictures.map { .warning($0) },
            check.emptyCrops(greatest).map { .information($0) },
        ].compactMap { $0 }
        if isWriter, progress == nil { try StartingWeights.requireFiles(of: configuration) }
        saved = try progress.flatMap {
            try $0.configuration(file: checkpoint.relativePath) ?? Trainer.recipe(of: output)
        }
        let input = try configuration.input(dataset.channels, height: height, width: width, resuming: saved)
        let configuration = try configuration.settled(input, dataset.channels, resuming: saved)
            .scheduled(pictures: data.count, validating: validation.count)
        self.configuration = configuration
        changes = try saved.map { try Trainer.changes(from: $0, to: configuration, in: output) } ?? []
        pictures = TrainingPictures(data, validation: validation)
        fileChecksums = isWriter ? configuration.fileChecksums() : [:]
        if let lists = progress?.pictures { try pictures.require(lists, of: data, in: output) }
        let names = dataset.classes.classes.map(\.name)
        if let classes = progress?.classes { try Trainer.requireClasses(classes, names, in: output) }
        network = configuration.network(classes: classCount, input: input)
        lossStride = configuration.lossResolution == .full ? 1 : configuration.architecture.lossStride
        guard lossStride == 1 || configuration.teacher == nil else {
            throw ConfigurationError(
                "teacher: teaches scores at every pixel, but the loss of \(configuration.architecture.rawValue) is taken at every \(lossStride)th; "
                    + "set loss-resolution to full, or leave the teacher out."
            )
        }
        if let teacher = configuration.teacher {
            try Teacher.check(
                teacher.model,
                classes: names,
                channels: dataset.channels,
                height: height,
                width: width,
                isCropped: configuration.augmentation.crop != nil
            )
        }
        (learning, enlargement) = lossStride > 1 ? network.splitAtScores() : (network, [])
    }

    /// The size of the first source's pictures, and of the largest: a data set's size, or its first picture's.
    private static func sizes(
        _ data: DatasetPool,
        _ configuration: TrainingConfiguration
    ) throws -> (first: PictureSize, largest: PictureSize) {
        let sizes = try data.sources.map { try $0.dataset.size ?? $0.dataset.fileSize(of: $0.samples[0]) }
        if configuration.augmentation.crop == nil, let other = sizes.first(where: { $0 != sizes[0] }) {
            throw ConfigurationError(
                "datasets: pictures of \(sizes[0]) and of \(other) cannot share a batch; "
                    + "train on parts of one size (augmentation: crop), or resize all pictures (size)."
            )
        }
        return (sizes[0], sizes.max { $0.width * $0.height < $1.width * $1.height } ?? sizes[0])
    }

    /// Tells a checkpoint of this training from one of another network or other data.
    var fingerprint: String {
        "\(network.name) \(classes.count) \(configuration.width) \(width)x\(height)\(network.input.fingerprint)"
            + (data.sources.count > 1 ? " \(data.sources.count) data sets" : "")
    }

    /// How much of the machine's memory the training takes.
    func memory(_ parameters: Parameters, _ optimizer: Optimizer, threads: Int) throws -> TrainerMemory {
        var memory = TrainerMemory(
            parameters: parameters,
            copies: 2 + optimizer.memories.count + (configuration.average > 0 ? 1 : 0),
            width: width,
            height: height,
            pictureSize: largestSize,
            channels: dataset.inputs.colorCount,
            planes: dataset.inputs.planeChannels.count,
            accumulate: configuration.accumulate,
            threads: threads,
            takesStatistics: !parameters.statistics.isEmpty
                && (configuration.statistics != .running || configuration.average > 0)
        )
        if isWriter, !isResumed, let path = configuration.model {
            memory.startBytes = try StartingWeights.cuttingBytes(
                path,
                into: parameters,
                size: largestSize,
                threads: threads
            )
        }
        guard let teacher = configuration.teacher else { return memory }
        let one = try Teacher.byteCount(
            teacher,
            batchSize: 1,
            height: height,
            width: width,
            classes: classes.count,
            options: parameters.options.inference,
            threads: threads
        )
        let each = Distillation.byteCount(pictures: 1, channels: classes.count, height: height, width: width)
        memory.teacherBytes = { one + ($0 - 1) * each }
        return memory
    }

    /// The model that teaches, if the recipe names one.
    func teacher(batchSize: Int, _ options: TrainingOptions, threads: Int) throws -> Teacher? {
        try configuration.teacher.map {
            try Teacher(
                $0,
                batchSize: batchSize,
                height: height,
                width: width,
                classes: classes.count,
                options: options.inference,
                threads: threads
            )
        }
    }
}

extension DatasetPool {
    /// The data sets, each with its share and its pictures.
    var note: String {
        let classes = sources[0].dataset.classes.classes.count
        let parts = zip(sources, shares(at: 0)).map { source, share in
            let percent = (1000 * share).rounded() / 10
            return "\(source.dataset.name) \(percent) % (\(counted(source.samples.count, "picture"))"
                + (source.namedClasses.map { ", labels name \($0.count) of \(classes) classes" } ?? "") + ")"
        }
        return "data sets: \(parts.joined(separator: ", "))."
    }
}

extension TrainingConfiguration {
    /// The weight of each class in the loss, raised to the configured power, and notes on the weights.
    func weights(of data: DatasetPool, totalSteps: Int) throws -> (weights: [Float], notes: [TrainingNote]) {
        let shares = data.shares(ofTraining: totalSteps * batchSize * accumulate)
        let (weights, notes) = try balanced(data, shares: shares)
        return (classWeightPower == 1 ? weights : weights.map { powf($0, Float(classWeightPower)) }, notes)
    }

    private func balanced(_ data: DatasetPool, shares: [Double]) throws -> (weights: [Float], notes: [TrainingNote]) {
        let classes = data.sources[0].dataset.classes.classes
        switch classWeights {
        case "none": return (classes.map { _ in 1 }, [])
        case "authors":
            guard classes.map(\.name) == ClassTable.camVid11.classes.map(\.name) else {
                throw ConfigurationError(
                    "class-weights: 'authors' are eleven weights for CamVid's 11 classes, but this data set has \(classes.count); use auto or none."
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
            var notes: [TrainingNote] = [
                .information(
                    "class weights: median frequency over the \(classes.count - absent.count) classes that occur in "
                        + "\(counted(pictures, "picture"))."
                )
            ]
            if !absent.isEmpty {
                let names = absent.joined(separator: ", ")
                notes.append(.warning("no training pixel shows \(names), which the model cannot learn."))
            }
            return (ClassFrequencies.medianFrequencyWeights(of: parts), notes)
        default:
            return (try ClassWeights.read(classWeights, classes: classes.map(\.name)), [])
        }
    }
}
