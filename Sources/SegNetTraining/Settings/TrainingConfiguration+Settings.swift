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
            "validation-share",
            \.validationShare,
            .number(0..<1),
            of: standard,
            "The share of the training pictures that validation gets where the data set has no split for it: every n-th; 0: none."
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
