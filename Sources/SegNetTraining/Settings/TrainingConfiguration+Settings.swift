internal import SegNetCPU
internal import SegNetData
internal import SegNetNetworks

extension TrainingConfiguration {
    /// Every setting of a recipe: key, form, range and help. Reading, checking, saving, the command's options and `docs/recipes.md` come
    /// from here; a property without a line here is none of a recipe's settings.
    static let table: [SettingDeclaration<TrainingConfiguration>] =
        networkTable + dataTable + lossTable + stepTable + runTable

    private static let standard = TrainingConfiguration()

    private static let networkTable: [SettingDeclaration<TrainingConfiguration>] = [
        SettingDeclaration("architecture", \.architecture, .choice, of: standard, "The network."),
        SettingDeclaration(
            "width",
            \.width,
            .number(above: 0, to: 16),
            of: standard,
            "Multiplies every inner width of the network."
        ),
        SettingDeclaration(
            "model",
            \.model,
            .file,
            initial: "",
            standard: "random weights",
            "The model whose weights training begins with, by layer name. A classifier with another number of classes starts anew."
        ),
        SettingDeclaration(
            "encoder",
            \.encoder,
            .file,
            initial: "",
            standard: "random weights",
            "A file whose convolutions the encoder begins with, by layer name: VGG16's."
        ),
        SettingDeclaration(
            "initialization",
            \.initialization,
            .choice,
            of: standard,
            "Random weights: he is Gaussian with deviation sqrt(2 / fan-in) (Caffe's msra), xavier uniform within sqrt(3 / fan-in)."
        ),
        SettingDeclaration(
            "freeze",
            \.freeze,
            .list(of: .text, "a list of layers", initial: ""),
            of: standard,
            "Layers that do not learn: names, or patterns with *."
        ),
        SettingDeclaration(
            "rates",
            \.rates,
            .map(of: .number(atLeast: 0), "layers with factors, {conv1_1: 0.2}", initial: 1),
            of: standard,
            standard: "{}",
            "Factors of the learning rate by layer: name or pattern, factor."
        ),
    ]

    private static let dataTable: [SettingDeclaration<TrainingConfiguration>] = [
        SettingDeclaration("dataset", \.dataset, .choice, of: standard, "The kind of data set (docs/data.md)."),
        SettingDeclaration("data", \.data, .folder, of: standard, "The data set's folder."),
        SettingDeclaration(
            "datasets",
            \.datasets,
            .list(
                of: .group("the settings of a data set", DatasetEntry.table, sparseAgainst: DatasetEntry(.camVid)),
                "a list of data sets",
                initial: DatasetEntry(.camVid)
            ),
            of: standard,
            "Several data sets in place of dataset, data, and what belongs to them. Each entry has the settings below."
        ),
        SettingDeclaration(
            "phases",
            \.phases,
            .list(
                of: .group("the settings of a phase", TrainingPhase.table),
                "a list of phases",
                initial: TrainingPhase(from: 0, shares: [])
            ),
            of: standard,
            "Other shares of the data sets for later parts of the training. Each entry has the settings below."
        ),
        SettingDeclaration(
            "size",
            \.size,
            .size,
            initial: [],
            standard: "each picture's own",
            "Pictures and labels are resized to this size when they are read."
        ),
        SettingDeclaration(
            "augmentation",
            \.augmentation,
            .group("the settings of the augmentation", Augmentation.table),
            of: standard,
            standard: "none",
            "Random changes of the training pictures."
        ),
        SettingDeclaration("train-split", \.trainSplit, .text, of: standard, "The split to learn from."),
        SettingDeclaration(
            "validation-split",
            \.validationSplit,
            .text,
            of: standard,
            "The split to validate on, if it is there."
        ),
        SettingDeclaration(
            "count",
            \.count,
            .integer(atLeast: 1),
            of: standard,
            "How many streets are rendered for the data set synthetic."
        ),
        SettingDeclaration(
            "colored",
            \.colored,
            .flag,
            of: standard,
            "Labels are painted in the colours of the classes."
        ),
        SettingDeclaration(
            "ignore",
            \.ignore,
            .list(of: .integer(0...65_535), "a list of label numbers", initial: 0),
            of: standard,
            "Label numbers without meaning, beside the data set's own."
        ),
        SettingDeclaration(
            "map",
            \.map,
            .map(of: .text, "labels with classes, {12: Car}", initial: ""),
            of: standard,
            standard: "{}",
            "Labels that mean another class: number or name, then number, name or void."
        ),
        SettingDeclaration(
            "classes",
            \.classes,
            .text,
            initial: "",
            standard: "the data set's own",
            "The classes: a table by name, or a file."
        ),
        SettingDeclaration(
            "inputs",
            \.inputs,
            .list(of: .text, "a list such as [rgb] or [rgb, depth]", initial: "") { !$0.isEmpty },
            of: standard,
            "The files of a picture: rgb, rgba or gray, then a name for each further file."
        ),
        SettingDeclaration(
            "mean",
            \.mean,
            .list(of: .number, "a number per input channel, or one for all", initial: 0) { !$0.isEmpty },
            initial: [],
            standard: "the model's, or 0",
            "Subtracted from each input channel, in units of 0...255, in the order of the inputs (red, green, blue, ...)."
        ),
        SettingDeclaration(
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
        SettingDeclaration(
            "cache-megabytes",
            \.cacheMegabytes,
            .integer(0...1_000_000),
            of: standard,
            "Memory for decoded pictures, so that later epochs need not decode them again; part of the planned memory."
        ),
    ]

    private static let lossTable: [SettingDeclaration<TrainingConfiguration>] = [
        SettingDeclaration(
            "class-weights",
            \.classWeights,
            .word("auto, authors, none or a file", parse: { $0 }, text: { $0 }),
            of: standard,
            "auto: median frequency over the training labels. authors: SegNet's eleven for CamVid. none: 1 for every class. A file: "
                + "docs/data.md."
        ),
        SettingDeclaration(
            "class-weight-power",
            \.classWeightPower,
            .number(0...4),
            of: standard,
            "Exponent of the class weights. 0.5 balances half as much as 1, which costs the frequent classes fewer pixels."
        ),
        SettingDeclaration(
            "loss-divisor",
            \.lossDivisor,
            .choice,
            of: standard,
            "What the sum of the loss over pixels is divided by: the number of labelled pixels (Caffe), or the sum of their class "
                + "weights (PyTorch)."
        ),
        SettingDeclaration(
            "label-smoothing",
            \.labelSmoothing,
            .number(0..<1),
            of: standard,
            "The share of each pixel's target that is spread evenly over the classes."
        ),
        SettingDeclaration(
            "teacher",
            \.teacher,
            .group("the settings of a teacher", TeacherConfiguration.table),
            initial: TeacherConfiguration(model: ""),
            standard: "none",
            "A finished model from whose scores the network learns beside the labels."
        ),
    ]

    private static let stepTable: [SettingDeclaration<TrainingConfiguration>] = [
        SettingDeclaration(
            "batch-size",
            \.batchSize,
            .integer(1...4096),
            of: standard,
            "Pictures that run together; batch normalisation takes its statistics over them."
        ),
        SettingDeclaration(
            "accumulate",
            \.accumulate,
            .integer(1...4096),
            of: standard,
            "Batches whose gradients are summed for one step."
        ),
        SettingDeclaration(
            "epochs",
            \.epochs,
            .number(above: 0, to: 1e7),
            of: standard,
            "Passes over the training pictures."
        ),
        SettingDeclaration(
            "iterations",
            \.iterations,
            .integer(atLeast: 1),
            initial: 1,
            standard: "as many as the epochs take",
            "Steps, in place of epochs."
        ),
        SettingDeclaration(
            "learning-rate",
            \.learningRate,
            .number(above: 0),
            of: standard,
            "The learning rate, which the schedule and the factors of layers multiply."
        ),
        SettingDeclaration(
            "optimizer",
            \.optimizer,
            .group("the settings of the optimizer", OptimizerConfiguration.table),
            of: standard,
            standard: "sgd",
            "The rule that updates the weights."
        ),
        SettingDeclaration(
            "schedule",
            \.schedule,
            .group("the settings of the schedule", Schedule.table),
            of: standard,
            standard: "constant",
            "How the learning rate changes over the training."
        ),
        SettingDeclaration(
            "multipliers",
            \.multipliers,
            .group("the settings of the multipliers", ParameterMultipliers.table),
            of: standard,
            standard: "the authors'",
            "Caffe's lr_mult and decay_mult by kind of parameter."
        ),
        SettingDeclaration(
            "average",
            \.average,
            .number(0..<1),
            of: standard,
            "What a running average of the weights keeps at each step; it is what is validated and saved. 0: no average."
        ),
    ]

    private static let runTable: [SettingDeclaration<TrainingConfiguration>] = [
        SettingDeclaration(
            "validate-every",
            \.validateEvery,
            .number(above: 0),
            of: standard,
            "Epochs between validations."
        ),
        SettingDeclaration(
            "metric",
            \.metric,
            .choice,
            of: standard,
            "The validation score that chooses the best model."
        ),
        SettingDeclaration(
            "statistics",
            \.statistics,
            .choice,
            of: standard,
            "Batch-normalisation statistics of the finished model: exact and original take a pass over the training pictures (all pixels, or "
                + "the mean of the batches' variances as the authors' script), running takes the training's running average."
        ),
        SettingDeclaration(
            "checkpoint-minutes",
            \.checkpointMinutes,
            .number(atLeast: 0),
            of: standard,
            "Minutes between checkpoints, beside those at each validation."
        ),
        SettingDeclaration(
            "tensorboard",
            \.tensorboard,
            .flag,
            of: standard,
            "Whether event files for TensorBoard are written."
        ),
        SettingDeclaration(
            "seed",
            \.seed,
            .integer(0...UInt64.max),
            of: standard,
            "Chooses weights, order and augmentation."
        ),
        SettingDeclaration(
            "accuracy",
            \.accuracy,
            .choice,
            of: standard,
            standard: "fast, or what SEGNET_ACCURACY names",
            "fast and accurate use Winograd convolution, exact does not."
        ),
        SettingDeclaration(
            "storage",
            \.storage,
            .choice,
            of: standard,
            "How maps that the backward pass reads are stored."
        ),
        SettingDeclaration(
            "recompute",
            \.recompute,
            .flag,
            of: standard,
            "Compute maps again for the backward pass instead of keeping them: less memory, more time, the same bits."
        ),
    ]
}

extension DatasetEntry {
    static let table: [SettingDeclaration<DatasetEntry>] = [
        SettingDeclaration("kind", \.kind, .choice, of: nil, "The kind of data set."),
        SettingDeclaration("data", \.data, .folder, of: standard, "Its folder."),
        SettingDeclaration(
            "train",
            \.train,
            .list(of: .text, "a split, or list files whose names end in .txt", initial: "") {
                !$0.isEmpty && ($0.count == 1 || $0.allSatisfy { $0.hasSuffix(".txt") })
            },
            of: standard,
            "The pictures to learn from: a split, or list files in the folder."
        ),
        SettingDeclaration(
            "val",
            \.validation,
            .text,
            initial: "",
            standard: "val for the first entry, else none",
            "The pictures to validate on: a split, a list file, or none."
        ),
        SettingDeclaration(
            "share",
            \.share,
            .number(atLeast: 0),
            initial: 0,
            standard: "its number of pictures",
            "How much of each batch comes from here, relative to the other entries. All entries have one, or none."
        ),
        SettingDeclaration(
            "labelled",
            \.labelled,
            .list(of: .text, "a list of at least one class", initial: "") { !$0.isEmpty },
            of: standard,
            standard: "all classes",
            "The classes that its labels can name, where these are not all. The softmax then runs over these alone."
        ),
        SettingDeclaration(
            "colored",
            \.colored,
            .flag,
            of: standard,
            "Its labels are painted in the colours of the classes."
        ),
        SettingDeclaration(
            "ignore",
            \.ignore,
            .list(of: .integer(0...65_535), "a list of label numbers", initial: 0),
            of: standard,
            "Label numbers without meaning, beside the data set's own."
        ),
        SettingDeclaration(
            "map",
            \.map,
            .map(of: .text, "labels with classes, {12: Car}", initial: ""),
            of: standard,
            standard: "{}",
            "Labels that mean another class: number or name, then number, name or void."
        ),
        SettingDeclaration(
            "classes",
            \.classes,
            .text,
            initial: "",
            standard: "the data set's own",
            "The classes: a table by name, or a file."
        ),
        SettingDeclaration("count", \.count, .integer(atLeast: 1), of: standard, "How many streets are rendered."),
    ]

    private static let standard = DatasetEntry(.camVid)
}

extension TrainingPhase {
    static let table: [SettingDeclaration<TrainingPhase>] = [
        SettingDeclaration(
            "from",
            \.from,
            .number("a part of the steps above 0 and below 1, such as 0.8") { $0 > 0 && $0 < 1 },
            of: nil,
            "The part of the steps after which the phase begins."
        ),
        SettingDeclaration(
            "shares",
            \.shares,
            .list(of: .number(atLeast: 0), "a list of numbers of at least 0", initial: 0),
            of: nil,
            "One share per data set, relative to each other; 0 leaves a data set out."
        ),
    ]
}

extension TeacherConfiguration {
    static let table: [SettingDeclaration<TeacherConfiguration>] = [
        SettingDeclaration("model", \.model, .file, of: nil, "The teacher's file."),
        SettingDeclaration(
            "temperature",
            \.temperature,
            .number(0.1...100),
            of: standard,
            "What both networks' scores are divided by before they are compared."
        ),
        SettingDeclaration(
            "share",
            \.share,
            .number(above: 0, to: 1),
            of: standard,
            "What the teacher counts in the loss; the labels count the rest."
        ),
    ]

    private static let standard = TeacherConfiguration(model: "")
}

extension OptimizerConfiguration {
    static let table: [SettingDeclaration<OptimizerConfiguration>] = [
        SettingDeclaration(
            "kind",
            \.kind,
            .choice,
            of: standard,
            "sgd: momentum as in Caffe. adamw: Adam with decoupled weight decay."
        ),
        SettingDeclaration(
            "momentum",
            \.momentum,
            .number(0..<1),
            of: standard,
            "sgd: what the velocity keeps at each step."
        ),
        SettingDeclaration("beta1", \.beta1, .number(0..<1), of: standard, "adamw: what the first moment keeps."),
        SettingDeclaration("beta2", \.beta2, .number(0..<1), of: standard, "adamw: what the second moment keeps."),
        SettingDeclaration(
            "epsilon",
            \.epsilon,
            .number(above: 0),
            of: standard,
            "adamw: added to the second moment's root."
        ),
        SettingDeclaration("weight-decay", \.weightDecay, .number(atLeast: 0), of: standard, "Decay of the weights."),
        SettingDeclaration(
            "clip-norm",
            \.clipNorm,
            .number(above: 0),
            initial: 1,
            standard: "never",
            "Gradients with a greater norm over all parameters are scaled down to it."
        ),
    ]

    private static let standard = OptimizerConfiguration()
}

extension Schedule {
    static let table: [SettingDeclaration<Schedule>] = [
        SettingDeclaration(
            "kind",
            \.kind,
            .choice,
            of: standard,
            "constant; step: gamma^(steps / every); poly: (1 - done)^power; cosine: half a cosine from 1 to final; one-cycle: up a straight "
                + "line from start to 1, then down a cosine to final."
        ),
        SettingDeclaration("gamma", \.gamma, .number(above: 0), of: standard, "step: the factor."),
        SettingDeclaration("every", \.every, .integer(atLeast: 1), of: standard, "step: after how many steps."),
        SettingDeclaration("power", \.power, .number(atLeast: 0), of: standard, "poly: the exponent."),
        SettingDeclaration("final", \.final, .number(0...1), of: standard, "cosine, one-cycle: the factor at the end."),
        SettingDeclaration("start", \.start, .number(0...1), of: standard, "one-cycle: the factor at the beginning."),
        SettingDeclaration(
            "peak",
            \.peak,
            .number(0...1),
            of: standard,
            "one-cycle: the share of the steps until the top."
        ),
        SettingDeclaration(
            "warm-up",
            \.warmUp,
            .integer(atLeast: 0),
            of: standard,
            "Steps of a straight line from 0 before everything else."
        ),
    ]

    private static let standard = Schedule()
}

extension ParameterMultipliers {
    static let table: [SettingDeclaration<ParameterMultipliers>] = [
        SettingDeclaration(
            "weight",
            \.weight,
            .group("two multipliers", Pair.table),
            of: standard,
            "Weights of convolutions."
        ),
        SettingDeclaration("bias", \.bias, .group("two multipliers", Pair.table), of: standard, "Biases."),
        SettingDeclaration(
            "scale",
            \.scale,
            .group("two multipliers", Pair.table),
            of: standard,
            "Scales of batch normalisation."
        ),
        SettingDeclaration(
            "shift",
            \.shift,
            .group("two multipliers", Pair.table),
            of: standard,
            "Shifts of batch normalisation."
        ),
    ]

    private static let standard = ParameterMultipliers()
}

extension ParameterMultipliers.Pair {
    static let table: [SettingDeclaration<ParameterMultipliers.Pair>] = [
        SettingDeclaration(
            "learning-rate",
            \.learningRate,
            .number(atLeast: 0),
            of: standard,
            standard: "2 for bias, else 1",
            old: ["learningRate"],
            "Multiplies the learning rate."
        ),
        SettingDeclaration(
            "decay",
            \.decay,
            .number(atLeast: 0),
            of: standard,
            standard: "1 for weight and scale, else 0",
            "Multiplies the weight decay."
        ),
    ]

    private static let standard = ParameterMultipliers.Pair(learningRate: 1, decay: 1)
}

extension Augmentation {
    static let table: [SettingDeclaration<Augmentation>] = [
        SettingDeclaration("flip", \.flip, .flag, of: standard, "Mirrors every second picture left to right."),
        SettingDeclaration(
            "scale",
            \.scale,
            .list(of: .number(above: 0, to: 16), "two factors [least, greatest] above 0 and up to 16", initial: 1) {
                $0.count == 2 && $0[0] <= $0[1]
            },
            initial: [],
            standard: "1",
            "The picture grows by a factor between these, evenly distributed in its logarithm."
        ),
        SettingDeclaration(
            "rotation",
            \.rotation,
            .number(0...45),
            of: standard,
            "Greatest angle in degrees, either way, about the middle of what is cut out."
        ),
        SettingDeclaration(
            "crop",
            \.crop,
            .size,
            initial: [],
            standard: "the whole picture",
            "Size of the part that is cut out at a random place. Where the picture is smaller, the rest is black and ignored."
        ),
        SettingDeclaration(
            "brightness",
            \.brightness,
            .number(0...1),
            of: standard,
            "Brightness is multiplied by 1 plus or minus up to this."
        ),
        SettingDeclaration(
            "contrast",
            \.contrast,
            .number(0...1),
            of: standard,
            "Contrast around the middle grey, likewise."
        ),
        SettingDeclaration("saturation", \.saturation, .number(0...1), of: standard, "Saturation, likewise."),
        SettingDeclaration(
            "hue",
            \.hue,
            .number(0...180),
            of: standard,
            "Hues turn by up to this many degrees, either way."
        ),
        SettingDeclaration(
            "gamma",
            \.gamma,
            .number(0...4),
            of: standard,
            "The exponent of brightness is between 1 / (1 + this) and 1 + this."
        ),
        SettingDeclaration(
            "temperature",
            \.temperature,
            .number(0...1),
            of: standard,
            "Red is multiplied and blue divided by a factor between 1 / (1 + this) and 1 + this."
        ),
        SettingDeclaration(
            "gray",
            \.gray,
            .number(0...1),
            of: standard,
            "The share of pictures that lose their colours."
        ),
        SettingDeclaration(
            "erase",
            \.erase,
            .number(0...1),
            of: standard,
            "The share of pictures that lose one to three rectangles to noise or a flat colour; their labels are ignored there."
        ),
        SettingDeclaration("blur", \.blur, .number(0...1), of: standard, "The share of pictures that are blurred."),
        SettingDeclaration(
            "blur-radius",
            \.blurRadius,
            .number(0...10),
            of: standard,
            "Greatest standard deviation of the blur in pixels; 0: always a little (3x3)."
        ),
        SettingDeclaration(
            "noise",
            \.noise,
            .number(0...255),
            of: standard,
            "Standard deviation of noise, in units of 0...255."
        ),
        SettingDeclaration(
            "jpeg",
            \.jpeg,
            .number(0...1),
            of: standard,
            "The share of pictures that get the traces of JPEG compression."
        ),
        SettingDeclaration(
            "jpeg-quality",
            \.jpegQuality,
            .list(of: .integer(1...100), "two qualities [least, greatest] of 1...100", initial: 50) {
                $0.count == 2 && $0[0] <= $0[1]
            },
            of: standard,
            "Range of the quality of that compression."
        ),
    ]

    private static let standard = Augmentation()
}
