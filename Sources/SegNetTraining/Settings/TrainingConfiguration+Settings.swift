internal import SegNetCPU
internal import SegNetData
internal import SegNetNetworks

extension TrainingConfiguration: SettingGroup {
    static let standard = TrainingConfiguration()

    /// Steps: years of training, and so few that their pictures can be counted.
    static let greatestIterations = 1_000_000_000

    /// Every setting of a recipe: key, form, range and help. Reading, checking, saving, the command's options and `docs/recipes.md` come
    /// from here; a property without a line here is none of a recipe's settings.
    static let table: [Setting<TrainingConfiguration>] =
        networkTable + dataTable + lossTable + stepTable + runTable

    private static let networkTable: [Setting<TrainingConfiguration>] = [
        Setting("architecture", \.architecture, .choice, "The network (docs/networks.md)."),
        Setting("width", \.width, .number(above: 0, to: 16), "Multiplies every inner width of the network."),
        Setting(
            "batch-normalization",
            \.batchNormalization,
            .flag,
            initial: true,
            standard: "as the authors released the network",
            "Whether every convolution except those that produce scores is followed by batch normalisation, as in the paper's benchmark."
        ),
        Setting(
            "fc",
            \.fullyConnectedWidth,
            .integer(1...65_535),
            initial: 1024,
            standard: "as the authors released the network",
            "The width of the layers fc6 and fc7 of FCN, DeepLab-LargeFOV and DeconvNet. The paper ran DeconvNet with 1024."
        ),
        Setting(
            "upsampling",
            \.upsampling,
            .choice,
            "Whether the transposed convolutions that upsample stay bilinear (fixed) or are trained (learnt). released: fixed in FCN and "
                + "bilinear-interpolation, learnt in fcn-basic."
        ),
        Setting(
            "model",
            \.model,
            .model,
            initial: "",
            standard: "random weights",
            "A model whose weights training starts from, matched by layer name. A classifier with a different number of classes starts "
                + "from random weights. If the model is wider, its most important channels are kept. FCN is trained this way in stages: "
                + "32s, then 16s, then 8s."
        ),
        Setting(
            "encoder",
            \.encoder,
            .model,
            initial: "",
            standard: "random weights",
            "Weights for the encoder's convolutions, such as VGG16's, matched by layer name. If 'model' is given too, they replace that "
                + "model's encoder."
        ),
        Setting(
            "initialization",
            \.initialization,
            .choice,
            "Random weights: he is Gaussian with deviation sqrt(2 / fan-in) (Caffe's msra), xavier uniform within sqrt(3 / fan-in)."
        ),
        Setting(
            "freeze",
            \.freeze,
            .list(of: .text, "a list of layers", initial: ""),
            "Layers that do not learn: names, or patterns with *."
        ),
        Setting(
            "rates",
            \.rates,
            .map(of: .number(atLeast: 0), "layers with factors, {conv1_1: 0.2}", initial: 1),
            standard: "{}",
            "Factors of the learning rate by layer: name or pattern, factor. Of several patterns that match, the longest counts."
        ),
    ]

    private static let dataTable: [Setting<TrainingConfiguration>] =
        [
            Setting("dataset", \.dataset, .choice, "The kind of data set (docs/data.md)."),
            Setting("data", \.data, .folder, "The data set's folder."),
            Setting(
                "datasets",
                \.datasets,
                .list(
                    of: .group("the settings of a data set", isSparse: true),
                    "a list of data sets",
                    initial: .standard
                ),
                "Several data sets in place of dataset, data and the settings that belong to them. Each entry has the settings below."
            ),
            Setting(
                "phases",
                \.phases,
                .list(
                    of: .group("the settings of a phase"),
                    "a list of phases",
                    initial: .standard
                ),
                "Other shares of the data sets for later parts of the training. Each entry has the settings below."
            ),
            Setting(
                "size",
                \.size,
                .size,
                initial: .camVid,
                standard: "each picture's own",
                "Pictures and labels are resized to this size when they are read."
            ),
            Setting(
                "augmentation",
                \.augmentation,
                .group("the settings of the augmentation"),
                standard: "none",
                "Random changes of the training pictures."
            ),
            Setting("train-split", \.trainSplit, .text, "The split to learn from."),
            Setting(
                "validation-split",
                \.validationSplit,
                .text,
                "The split to validate on, or none; val need not exist."
            ),
            Setting(
                "validation-share",
                \.validationShare,
                .number(DatasetOptions.validationShares),
                "The share of the training pictures used for validation if the data set has no split for it (0.1: every tenth picture); 0 for none."
            )
            .counts(if: { $0.folds == 0 }, else: "folds is above 0"),
            Setting(
                "folds",
                \.folds,
                .integer(atLeast: DatasetOptions.leastFolds, or: 0),
                "The number of parts into which the training and validation pictures are divided for cross-validation; 0 keeps the data set's splits."
            ),
            Setting(
                "fold",
                \.fold,
                .integer(atLeast: 1),
                "Which fold is for validation, counted from 1; training uses the others."
            )
            .counts(if: { $0.folds > 0 }, else: "folds is 0"),
            Setting(
                "count",
                \.count,
                .integer(1...DatasetOptions.greatestCount),
                "How many streets are rendered for the data set synthetic."
            )
            .counts(if: { $0.dataset == .synthetic }, else: "dataset is not synthetic"),
        ] + labelTable + inputTable

    private static let inputTable: [Setting<TrainingConfiguration>] = [
        Setting(
            "inputs",
            \.inputs,
            .list(of: .text, "a list such as [rgb] or [rgb, depth]", initial: "") { !$0.isEmpty },
            "The files of each picture: rgb, rgba or gray, then a name for each further file."
        ),
        Setting(
            "mean",
            \.mean,
            .list(of: .number, "a number per input channel, or one for all", initial: 0) { !$0.isEmpty },
            initial: [],
            standard: "the model's, or the authors'",
            "Subtracted from each input channel, in units of 0...255, in the order of the inputs (red, green, blue, ...)."
        ),
        Setting(
            "scale",
            \.scale,
            .list(
                of: .number("a finite number other than 0") { $0 != 0 },
                "a number other than 0 per input channel, or one for all",
                initial: 1
            ) { !$0.isEmpty },
            initial: [],
            standard: "the model's, or 1",
            "Each input channel is multiplied by this after the subtraction."
        ),
        Setting(
            "cache-megabytes",
            \.cacheMegabytes,
            .integer(0...1_000_000),
            "Memory for decoded pictures, so that later epochs need not decode them again; part of the planned memory."
        ),
    ]

    private static let lossTable: [Setting<TrainingConfiguration>] = [
        Setting(
            "class-weights",
            \.classWeights,
            .word("auto, authors, none or a file", parse: { $0 }, text: { $0 }),
            "auto: median frequency over the training labels. authors: SegNet's eleven for CamVid. none: 1 for every class. Or a file "
                + "(docs/data.md)."
        ),
        Setting(
            "class-weight-power",
            \.classWeightPower,
            .number(0...4),
            "Exponent of the class weights. 0.5 balances half as strongly as 1, so that frequent classes lose fewer pixels to rare ones."
        )
        .counts(if: { $0.classWeights != "none" }, else: "class-weights is none"),
        Setting(
            "loss-divisor",
            \.lossDivisor,
            .choice,
            "What the sum of the loss over pixels is divided by: the number of labelled pixels (Caffe), the sum of their class "
                + "weights (PyTorch), or the number of pictures, so that it is summed over each (FCN's authors)."
        ),
        Setting(
            "loss-resolution",
            \.lossResolution,
            .choice,
            "Where the loss is computed. released: at every pixel; for DeepLab-LargeFOV at every eighth pixel, the resolution of its scores "
                + "before they are enlarged. full: at every pixel."
        )
        .counts(if: { $0.architecture.lossStride > 1 }, else: "the network's loss is at every pixel anyway"),
        Setting(
            "label-smoothing",
            \.labelSmoothing,
            .number(0..<1),
            "The share of each pixel's target that is spread evenly over the classes."
        ),
        Setting(
            "jaccard-weight",
            \.jaccardWeight,
            .number(atLeast: 0),
            "Weight of a second loss, 1 minus the mean IoU of a batch with probabilities in place of decisions. It favours small and rare "
                + "classes; 0.5 is a good start."
        ),
        Setting(
            "teacher",
            \.teacher,
            .group("the settings of a teacher"),
            initial: TeacherConfiguration(model: ""),
            standard: "none",
            "A finished model from whose scores the network learns in addition to the labels."
        ),
    ]

    private static let stepTable: [Setting<TrainingConfiguration>] = [
        Setting(
            "batch-size",
            \.batchSize,
            .integer(1...4096),
            "Pictures per batch; batch normalisation takes its statistics over them."
        ),
        Setting(
            "accumulate",
            \.accumulate,
            .integer(1...4096),
            "Batches whose gradients are accumulated for one step."
        ),
        Setting("epochs", \.epochs, .number(above: 0, to: 1e7), "Passes over the training pictures."),
        Setting(
            "iterations",
            \.iterations,
            .integer(1...greatestIterations),
            initial: 1,
            standard: "as many as the epochs take",
            "The number of steps; overrides epochs."
        ),
        Setting(
            "learning-rate",
            \.learningRate,
            .number(above: 0),
            "The base learning rate; the schedule and the factors of layers multiply it."
        ),
        Setting(
            "optimizer",
            \.optimizer,
            .group("the settings of the optimizer"),
            standard: "sgd",
            "The rule that updates the weights."
        ),
        Setting(
            "schedule",
            \.schedule,
            .group("the settings of the schedule"),
            standard: "constant",
            "How the learning rate changes over the training."
        ),
        Setting(
            "multipliers",
            \.multipliers,
            .group("the settings of the multipliers"),
            standard: "the authors'",
            "Caffe's lr_mult and decay_mult by kind of parameter."
        ),
        Setting(
            "average",
            \.average,
            .number(0..<1),
            "The share of the weights' running average that is kept at each step; the average is validated and saved. 0: no average."
        ),
    ]

    private static let runTable: [Setting<TrainingConfiguration>] = [
        Setting("validate-every", \.validateEvery, .number(above: 0, to: 1e7), "Epochs between validations."),
        Setting("metric", \.metric, .choice, "The validation score that chooses the best model."),
        Setting(
            "patience",
            \.patience,
            .integer(atLeast: 1),
            initial: 1,
            standard: "trains to the last step",
            "Validations without a better score before training ends early."
        ),
        Setting(
            "statistics",
            \.statistics,
            .choice,
            "Batch-normalisation statistics of the finished model: exact computes them over all pixels of the training pictures, original "
                + "from the mean of the batches' variances (as in the authors' script); running takes the training's running average, "
                + "except for averaged weights (exact)."
        ),
        Setting(
            "checkpoint-minutes",
            \.checkpointMinutes,
            .number(atLeast: 0),
            "Minutes between checkpoints, in addition to those at each validation."
        ),
        Setting("tensorboard", \.tensorboard, .flag, "Whether event files for TensorBoard are written."),
        Setting(
            "seed",
            \.seed,
            .integer(0...UInt64.max),
            "Seed of the initial weights, picture order, augmentation and dropout."
        ),
        Setting(
            "accuracy",
            \.accuracy,
            .choice,
            initial: .fast,
            standard: "fast, or what \(InferenceOptions.Accuracy.environmentVariable) names",
            "fast and accurate use Winograd convolution, exact does not."
        ),
        Setting("storage", \.storage, .choice, "How feature maps kept for the backward pass are stored."),
        Setting(
            "recompute",
            \.recompute,
            .flag,
            "Recompute feature maps in the backward pass instead of keeping them: less memory, more time, the same result to the bit."
        ),
    ]
}
