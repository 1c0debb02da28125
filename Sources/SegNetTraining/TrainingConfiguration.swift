public import SegNetCPU
public import SegNetData
public import SegNetNetworks
internal import Yams

/// Everything that decides what a training does: a recipe. Read from YAML, changed by the command line, saved with the run.
public struct TrainingConfiguration: Sendable, Hashable, Codable {
    // MARK: Network

    public var architecture = Architecture.segNetBasic
    /// Multiplies every inner width.
    public var width = 1.0
    /// A model to go on from: its weights are loaded by name; a classifier of another class count is made anew.
    public var model: String?
    /// A file whose weights of the encoder's convolutions are taken by name: VGG16's.
    public var encoder: String?
    public var initialization = Initialization.he
    /// Layers that do not learn: names, or patterns with `*`.
    public var freeze: [String] = []
    /// Factors of the learning rate by layer: name or pattern, factor.
    public var rates: [String: Double] = [:]

    public enum Initialization: String, Sendable, Hashable, Codable, CaseIterable {
        /// Gaussian, deviation sqrt(2 / fan-in): the original's `msra`.
        case he
        /// Uniform, +- sqrt(3 / fan-in): the original's `xavier`.
        case xavier
    }

    // MARK: Data

    public var dataset = DatasetKind.camVid
    /// The data set's folder.
    public var data = "."
    /// [width, height] to which pictures are resized when they are read; nil keeps theirs.
    public var size: [Int]?
    public var augmentation = Augmentation()
    public var trainSplit = "train"
    public var validationSplit = "val"
    /// Of rendered streets.
    public var count = 1000
    /// Whether labels are painted in the colours of the classes.
    public var colored = false
    /// Label numbers without meaning, beside the data set's own.
    public var ignore: [UInt16] = []
    /// Labels that mean another class: number or name, to number, name or `void`.
    public var map: [String: String] = [:]
    /// A class table by name, or a file; nil: the data set's own.
    public var classes: String?
    /// What the files of a sample give: `rgb`, `rgba` or `gray`, and a name for each further file.
    public var inputs = ["rgb"]
    /// Subtracted from each channel, in units of 0...255, in the order of the inputs (red, green, blue, ...), or one number for all. Nil:
    /// those of `model`, or 0.
    public var mean: [Double]?
    /// Multiplied after the subtraction, likewise. Nil: those of `model`, or 1.
    public var scale: [Double]?
    /// Several data sets in place of `dataset`, `data` and what belongs to them; empty: the one that these name.
    public var datasets: [DatasetEntry] = []
    /// Other shares of the data sets from some parts of the training on.
    public var phases: [TrainingPhase] = []
    /// How much memory decoded pictures may take, so that later epochs need not decode them again; part of the planned memory.
    public var cacheMegabytes = 512

    // MARK: Loss

    /// `auto`, `authors`, `none`, or a file.
    public var classWeights = "auto"
    /// The exponent that is put on the class weights: 0.5 balances half as much as 1, which gives rare classes fewer false pixels.
    public var classWeightPower = 1.0
    public var lossDivisor = LossDivisor.labelledPixels
    /// The share of each pixel's target that is spread evenly over the classes, 0..<1.
    public var labelSmoothing = 0.0

    public enum LossDivisor: String, Sendable, Hashable, Codable, CaseIterable {
        /// The original's: the number of labelled pixels.
        case labelledPixels = "labelled-pixels"
        /// The sum of the labelled pixels' class weights, as PyTorch has it.
        case weights
    }

    /// A finished model from whose scores the network learns beside the labels.
    public var teacher: TeacherConfiguration?

    // MARK: Steps

    /// Pictures that run together; batch normalisation sees so many.
    public var batchSize = 4
    /// Batches whose gradients make one step.
    public var accumulate = 1
    /// Passes over the training pictures; `iterations` has priority.
    public var epochs = 100.0
    /// Steps, if given.
    public var iterations: Int?
    public var learningRate = 0.1
    public var optimizer = OptimizerConfiguration()
    public var schedule = Schedule()
    /// Caffe's multipliers by kind of parameter.
    public var multipliers = ParameterMultipliers()
    /// What is kept of the averaged weights at each step; 0: no average.
    public var average = 0.0

    // MARK: Run

    /// Epochs between validations.
    public var validateEvery = 1.0
    public var metric = Metric.meanIoU
    public var statistics = StatisticsRule.exact
    /// Minutes between checkpoints, beside those at each validation.
    public var checkpointMinutes = 10.0
    /// Whether the run's folder gets event files for TensorBoard.
    public var tensorboard = true
    public var seed: UInt64 = 1
    public var accuracy = InferenceOptions.Accuracy.standard
    /// How the maps are stored that the backward pass reads.
    public var storage = TrainingStorage.float32
    /// Whether the backward pass computes maps again, in place of keeping them; changes no bit of the results.
    public var recompute = false

    /// The validation score by which the best model is chosen.
    public enum Metric: String, Sendable, Hashable, Codable, CaseIterable {
        case meanIoU = "mean-iou"
        /// The paper's (section 3.2).
        case globalAccuracy = "global-accuracy"
    }

    /// Where the statistics of batch normalisation in the finished model come from.
    public enum StatisticsRule: String, Sendable, Hashable, Codable, CaseIterable {
        /// A pass over the training pictures; mean and variance over all their pixels (law of total variance).
        case exact
        /// The same pass with the mean of the batches' variances, as the authors' script has it (docs/segnet.md, Batch
        /// normalisation).
        case original
        /// The running average of the training; no pass.
        case running
    }

    public init() {}

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case architecture, width, model, encoder, initialization, freeze, rates
        case datasets, phases, dataset, data, size, augmentation, count, colored, ignore, map, classes, inputs, mean,
            scale
        case cacheMegabytes = "cache-megabytes"
        case trainSplit = "train-split"
        case validationSplit = "validation-split"
        case classWeights = "class-weights"
        case classWeightPower = "class-weight-power"
        case lossDivisor = "loss-divisor"
        case labelSmoothing = "label-smoothing"
        case teacher
        case batchSize = "batch-size"
        case accumulate, epochs, iterations
        case learningRate = "learning-rate"
        case optimizer, schedule, multipliers, average
        case validateEvery = "validate-every"
        case metric, statistics
        case checkpointMinutes = "checkpoint-minutes"
        case tensorboard, seed, accuracy, storage, recompute
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            if let found = try fields.decodeIfPresent(Value.self, forKey: key) { value = found }
        }
        func read<Value: CaseIterable & RawRepresentable<String>>(_ key: CodingKeys, _ value: inout Value) throws {
            guard let text = try fields.decodeIfPresent(String.self, forKey: key) else { return }
            guard let found = Value(rawValue: text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key,
                    in: fields,
                    debugDescription:
                        "needs one of \(Value.allCases.map(\.rawValue).joined(separator: ", ")); found '\(text)'"
                )
            }
            value = found
        }
        try read(.architecture, &architecture)
        try read(.width, &width)
        model = try fields.decodeIfPresent(String.self, forKey: .model)
        encoder = try fields.decodeIfPresent(String.self, forKey: .encoder)
        try read(.initialization, &initialization)
        try read(.freeze, &freeze)
        try read(.rates, &rates)
        try read(.datasets, &datasets)
        try read(.phases, &phases)
        try read(.dataset, &dataset)
        try read(.data, &data)
        size = try fields.decodeIfPresent([Int].self, forKey: .size)
        try read(.augmentation, &augmentation)
        try read(.trainSplit, &trainSplit)
        try read(.validationSplit, &validationSplit)
        try read(.count, &count)
        try read(.colored, &colored)
        try read(.ignore, &ignore)
        try read(.map, &map)
        classes = try fields.decodeIfPresent(String.self, forKey: .classes)
        try read(.inputs, &inputs)
        mean = try fields.decodeIfPresent([Double].self, forKey: .mean)
        scale = try fields.decodeIfPresent([Double].self, forKey: .scale)
        try read(.cacheMegabytes, &cacheMegabytes)
        try read(.classWeights, &classWeights)
        try read(.classWeightPower, &classWeightPower)
        try read(.lossDivisor, &lossDivisor)
        try read(.labelSmoothing, &labelSmoothing)
        teacher = try fields.decodeIfPresent(TeacherConfiguration.self, forKey: .teacher)
        try read(.batchSize, &batchSize)
        try read(.accumulate, &accumulate)
        try read(.epochs, &epochs)
        iterations = try fields.decodeIfPresent(Int.self, forKey: .iterations)
        try read(.learningRate, &learningRate)
        try read(.optimizer, &optimizer)
        try read(.schedule, &schedule)
        try read(.multipliers, &multipliers)
        try read(.average, &average)
        try read(.validateEvery, &validateEvery)
        try read(.metric, &metric)
        try read(.statistics, &statistics)
        try read(.checkpointMinutes, &checkpointMinutes)
        try read(.tensorboard, &tensorboard)
        try read(.seed, &seed)
        try read(.accuracy, &accuracy)
        try read(.storage, &storage)
        try read(.recompute, &recompute)
    }
}

extension InferenceOptions.Accuracy: Codable {}

/// A recipe that cannot be used: the file or option, what was found, what to do.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

extension TrainingConfiguration {
    /// Reads a recipe.
    /// - Parameters:
    ///   - yaml: Its text.
    ///   - file: What errors call it.
    /// - Throws: `ConfigurationError` naming the key, with the closest known one where it is unknown.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        do {
            if let root = try Yams.compose(yaml: yaml)?.mapping { try Self.checkKeys(root, file) }
            self = try YAMLDecoder().decode(TrainingConfiguration.self, from: yaml.isEmpty ? "{}" : yaml)
        } catch let error as ConfigurationError {
            throw error
        } catch let error as DecodingError {
            throw ConfigurationError("\(file): \(Self.words(error))")
        } catch {
            throw ConfigurationError("\(file): is no YAML (\(error)).")
        }
    }

    /// The recipe as YAML, with every setting.
    public func yaml() throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        let text = try encoder.encode(self)
        guard let root = try Yams.compose(yaml: text)?.mapping else { return text }
        // One data set or several: never the settings of both.
        let unused = datasets.isEmpty ? [.datasets, .phases] : Self.keysOfOneDataset
        let names = unused.map(\.rawValue)
        let pairs = root.filter { !names.contains($0.key.string ?? "") }
        return try Yams.serialize(node: .mapping(Node.Mapping(pairs.map { ($0.key, $0.value) })))
    }

    /// What `datasets` says for each data set of its own.
    private static let keysOfOneDataset: [CodingKeys] = [
        .dataset, .data, .trainSplit, .validationSplit, .count, .colored, .ignore, .map, .classes,
    ]

    /// Refuses keys that nobody reads, with the closest known one, and settings that exclude each other.
    private static func checkKeys(_ root: Node.Mapping, _ file: String) throws(ConfigurationError) {
        let help = "'segnet train --help' and recipes/ show them."
        func check(_ node: Node?, _ known: [String], _ place: String, _ what: String) throws(ConfigurationError) {
            guard let keys = node?.mapping?.keys else { return }
            for key in keys.compactMap(\.string) where !known.contains(key) {
                let hint = closestName(to: key, among: known).map { " Did you mean '\($0)'?" } ?? ""
                let rest = place.isEmpty ? help : "It may have \(known.joined(separator: ", "))."
                throw ConfigurationError("\(file): \(place)'\(key)' is no setting of \(what).\(hint) \(rest)")
            }
        }
        try check(.mapping(root), CodingKeys.allCases.map(\.rawValue), "", "a training")
        try check(root["augmentation"], Augmentation.settings, "augmentation: ", "an augmentation")
        try check(root["teacher"], TeacherConfiguration.CodingKeys.allCases.map(\.rawValue), "teacher: ", "a teacher")
        for (index, entry) in (root["datasets"]?.sequence.map(Array.init) ?? []).enumerated() {
            let known = DatasetEntry.CodingKeys.allCases.map(\.rawValue)
            try check(entry, known, "datasets, entry \(index + 1): ", "a data set in a list")
        }
        for (index, entry) in (root["phases"]?.sequence.map(Array.init) ?? []).enumerated() {
            let known = TrainingPhase.CodingKeys.allCases.map(\.rawValue)
            try check(entry, known, "phases, entry \(index + 1): ", "a phase")
        }
        guard root["datasets"]?.sequence?.isEmpty == false else { return }
        if let key = keysOfOneDataset.map(\.rawValue).first(where: { root[$0] != nil }) {
            throw ConfigurationError(
                "\(file): '\(key)' stands beside 'datasets'; say it in the entries of 'datasets', or take 'datasets' away."
            )
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            var text = ""
            for key in context.codingPath {
                if let index = key.intValue {
                    text += ", entry \(index + 1)"
                } else {
                    text +=
                        text.isEmpty
                        ? key.stringValue : text.contains(", ") ? ", \(key.stringValue)" : ".\(key.stringValue)"
                }
            }
            return text.isEmpty ? "the recipe" : "'\(text)'"
        }
        switch error {
        case .dataCorrupted(let context): return "\(path(context)): \(context.debugDescription)."
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(path(context)) has another kind of value than is expected: \(context.debugDescription)."
        case .keyNotFound(let key, let context): return "\(path(context)) lacks '\(key.stringValue)'."
        @unknown default: return "\(error)"
        }
    }

    /// Checks numbers that cannot work.
    /// - Throws: `ConfigurationError` naming the setting.
    public func check() throws(ConfigurationError) {
        func need(_ condition: Bool, _ text: String) throws(ConfigurationError) {
            if !condition { throw ConfigurationError(text) }
        }
        try need((1...4096).contains(batchSize), "batch-size: needs 1...4096; found \(batchSize).")
        try need((1...4096).contains(accumulate), "accumulate: needs 1...4096; found \(accumulate).")
        try need(
            learningRate > 0 && learningRate.isFinite,
            "learning-rate: needs a number above 0; found \(learningRate)."
        )
        try need(epochs > 0 && epochs < 1e7, "epochs: needs a number above 0; found \(epochs).")
        try need(iterations.map { $0 > 0 } ?? true, "iterations: needs at least 1; found \(iterations ?? 0).")
        try need(validateEvery > 0, "validate-every: needs a number above 0; found \(validateEvery).")
        try need((0..<1).contains(average), "average: needs 0 up to below 1; found \(average).")
        try need(width > 0 && width <= 16, "width: needs a number above 0 and up to 16; found \(width).")
        try need(
            (0...1_000_000).contains(cacheMegabytes),
            "cache-megabytes: needs 0...1000000; found \(cacheMegabytes)."
        )
        try need(
            (0..<1).contains(labelSmoothing),
            "label-smoothing: needs 0 up to below 1; found \(labelSmoothing)."
        )
        if let teacher {
            try need(
                teacher.temperature >= 0.1 && teacher.temperature <= 100,
                "teacher: temperature: needs 0.1...100; found \(teacher.temperature)."
            )
            try need(
                teacher.share > 0 && teacher.share <= 1,
                "teacher: share: needs more than 0 and up to 1; found \(teacher.share)."
            )
        }
        try checkDatasets()
        for (layer, rate) in rates.sorted(by: { $0.key < $1.key }) {
            try need(rate >= 0 && rate.isFinite, "rates: needs factors of at least 0; found \(rate) for '\(layer)'.")
        }
        try need(
            mean?.allSatisfy(\.isFinite) ?? true,
            "mean: needs finite numbers; found \(Self.list(mean ?? []))."
        )
        try need(
            scale?.allSatisfy { $0.isFinite && $0 != 0 } ?? true,
            "scale: needs finite numbers other than 0; found \(Self.list(scale ?? []))."
        )
        if let size {
            try need(
                size.count == 2 && size.allSatisfy { (1...16_384).contains($0) },
                "size: needs [width, height] of 1...16384; found \(size)."
            )
        }
    }

    static func list(_ numbers: [Double]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
}
