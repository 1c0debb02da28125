public import SegNetCPU
public import SegNetData
public import SegNetNetworks
public import SegNetPlatform

/// Everything that decides what a training does: a recipe. Read from YAML, changed by the command line, saved with the run.
public struct TrainingConfiguration: Sendable, Hashable {
    // MARK: Network

    /// The network.
    public var architecture = Architecture.segNetBasic
    /// Multiplies every inner width.
    public var width = 1.0
    /// Batch normalisation after every convolution that gives no scores; nil: as the authors released the network.
    public var batchNormalization: Bool?
    /// The width of fc6 and fc7; nil: as released.
    public var fullyConnectedWidth: Int?
    /// Whether the layers that enlarge maps learn.
    public var upsampling = Architecture.Upsampling.released
    /// A model to go on from: its weights are loaded by name; a classifier of another class count starts from random weights.
    public var model: String?
    /// A file whose weights of the encoder's convolutions are taken by name: VGG16's.
    public var encoder: String?
    /// Where weights come from that no file gives.
    public var initialization = Initialization.he
    /// Layers that do not learn: names, or patterns with `*`.
    public var freeze: [String] = []
    /// Factors of the learning rate by layer: name or pattern, factor.
    public var rates: [String: Double] = [:]

    public enum Initialization: String, Sendable, Hashable, CaseIterable {
        /// Gaussian, deviation sqrt(2 / fan-in): the original's `msra`.
        case he
        /// Uniform, +- sqrt(3 / fan-in): the original's `xavier`.
        case xavier
    }

    // MARK: Data

    /// The kind of data set.
    public var dataset = DatasetKind.camVid
    /// The data set's folder.
    public var data = "."
    /// The size to which pictures are resized when they are read; nil keeps theirs.
    public var size: PictureSize?
    /// Random changes of the training pictures.
    public var augmentation = Augmentation()
    /// The split to learn from.
    public var trainSplit = "train"
    /// The split to validate on, or `none`; `val` need not exist.
    public var validationSplit = "val"
    /// The share of the training pictures that is kept for validation where the data set has no such split, 0..<1.
    public var validationShare = DatasetOptions().validationShare
    /// The number of parts into which the pictures are divided for cross-validation; 0 for none.
    public var folds = DatasetOptions().folds
    /// Which of them is for validation, from 1.
    public var fold = DatasetOptions().fold
    /// How many streets are rendered.
    public var count = DatasetOptions().count
    /// Whether labels are painted in the colours of the classes.
    public var colored = false
    /// Label numbers without meaning, in addition to the data set's own.
    public var ignore: [UInt16] = []
    /// Added to every label number, below 0: -1 for labels that count 1...K, with 0 for void.
    public var labelOffset: Int?
    /// Suffix of a label file's name, after the picture's; nil for none.
    public var labelSuffix: String?
    /// The class of pixels that no annotation covers; nil for void.
    public var unlabelled: String?
    /// Labels that mean another class: number or name, to number, name or `void`.
    public var map: [String: String] = [:]
    /// A class table by name, or a file; nil: the data set's own.
    public var classes: String?
    /// What the files of a sample give: `rgb`, `rgba` or `gray`, and a name for each further file.
    public var inputs = ["rgb"]
    /// Subtracted from each channel, in units of 0...255, in the order of the inputs (red, green, blue, ...), or one number for all. Nil:
    /// those of `model`, or else the mean of the architecture's authors (0 for SegNet).
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
    /// What the sum of the loss over pixels is divided by.
    public var lossDivisor = LossDivisor.labelledPixels
    /// The share of each pixel's target that is spread evenly over the classes, 0..<1.
    public var labelSmoothing = 0.0
    /// What 1 minus the soft Jaccard index of each batch is multiplied by before it is added to the cross-entropy; 0 leaves it out.
    public var jaccardWeight = 0.0

    public enum LossDivisor: String, Sendable, Hashable, CaseIterable {
        /// The original's: the number of labelled pixels.
        case labelledPixels = "labelled-pixels"
        /// The sum of the labelled pixels' class weights, as PyTorch has it.
        case weights
        /// The number of pictures: the loss is summed over each, as FCN's authors do (Caffe's `normalize: false`).
        case pictures
    }

    /// Where the loss is taken.
    public var lossResolution = LossResolution.released

    public enum LossResolution: String, Sendable, Hashable, CaseIterable {
        /// At every pixel; DeepLab-LargeFOV's on its grid of 1/8, against every eighth pixel of the labels.
        case released
        /// At every pixel.
        case full
    }

    /// A finished model from whose scores the network learns in addition to the labels.
    public var teacher: TeacherConfiguration?

    // MARK: Steps

    /// Pictures that run together; batch normalisation sees this many.
    public var batchSize = 4
    /// Batches whose gradients make one step.
    public var accumulate = 1
    /// Passes over the training pictures; `iterations` has priority.
    public var epochs = 100.0
    /// Steps, if given.
    public var iterations: Int?
    /// The learning rate before the schedule, `rates` and `multipliers` multiply it; above 0.
    public var learningRate = 0.1
    /// The rule that updates the weights.
    public var optimizer = OptimizerConfiguration()
    /// How the learning rate changes over the training.
    public var schedule = Schedule()
    /// Factors of the learning rate and of the weight decay by kind of parameter: Caffe's `lr_mult` and `decay_mult`.
    public var multipliers = ParameterMultipliers()
    /// The share of the averaged weights that is kept at each step; 0: no average.
    public var average = 0.0

    // MARK: Run

    /// Epochs between validations.
    public var validateEvery = 1.0 { didSet { plannedValidations = nil } }
    /// How many validations the training has, where the epochs between them follow from the number of pictures; `Trainer` then sets
    /// `validateEvery`. Nil once that is set. Not a setting: a run's recipe has the `validateEvery` that came of it.
    var plannedValidations: Int?
    /// The validation score by which the best model is chosen.
    public var metric = Metric.meanIoU
    /// Validations without a better score after which the training ends before its last step; nil: never.
    public var patience: Int? { didSet { plannedPatience = nil } }
    /// The patience if enough pictures turn out to validate; `Trainer` then sets `patience`. Nil once that is set.
    var plannedPatience: Int?
    /// Where the statistics of batch normalisation in the finished model come from.
    public var statistics = StatisticsRule.exact
    /// Minutes between checkpoints, in addition to those at each validation.
    public var checkpointMinutes = 10.0
    /// Whether the run's folder gets event files for TensorBoard.
    public var tensorboard = true
    /// Chooses initial weights, order, augmentation and dropout.
    public var seed: UInt64 = 1
    /// Nil: what a resumed run's recipe says, or else the one that `SEGNET_ACCURACY` names, or else `fast`.
    public var accuracy: InferenceOptions.Accuracy?
    /// How the maps are stored that the backward pass reads.
    public var storage = TrainingStorage.float32
    /// Whether the backward pass computes maps again, in place of keeping them; changes no bit of the results.
    public var recompute = false

    /// The validation score by which the best model is chosen.
    public enum Metric: String, Sendable, Hashable, CaseIterable {
        case meanIoU = "mean-iou"
        /// The paper's (section 3.2).
        case globalAccuracy = "global-accuracy"
    }

    /// Where the statistics of batch normalisation in the finished model come from.
    public enum StatisticsRule: String, Sendable, Hashable, CaseIterable {
        /// A pass over the training pictures; mean and variance over all their pixels (law of total variance).
        case exact
        /// The same pass with the mean of the batches' variances, as the authors' script has it (docs/segnet.md, Batch
        /// normalisation).
        case original
        /// The running average of the training, no pass; for averaged weights, which have none, as `exact`.
        case running
    }

    public init() {}
}

/// A recipe that cannot be used: the file or option, what was found, what to do.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
