import ArgumentParser
import SegNetToolkit

struct Train: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a network on pictures with labels.",
        discussion: """
            Reads a recipe (--config, a YAML file; 'segnet recipe list' shows some), applies the options given, and trains. \
            The run's folder gets the whole recipe, a log (log.jsonl), event files for TensorBoard, a checkpoint from \
            which --resume continues as if there had been no break, and at the end the last and the best model \
            (last.safetensors, best.safetensors), including batch-normalisation statistics: no separate pass is needed. Ctrl-C, or \
            closing the terminal (except under nohup), finishes the step, saves and exits; a second Ctrl-C ends at once.

            --resume FOLDER needs nothing else: it continues with the recipe in the folder. Options given with it change \
            the recipe; each change is printed, and a change that the training cannot continue with is refused.

            EXAMPLES:
              segnet train --config recipes/segnet-basic-camvid.yaml --data CamVid --output runs/basic
              segnet train --resume runs/basic
              segnet train --resume runs/basic --epochs 200
              segnet train --from segnet-streets --data my-photos --output runs/mine
              segnet train --architecture segnet --dataset folder --data my-photos --output runs/mine --encoder vgg16-trunk.safetensors \
            --learning-rate 0.001
              segnet train --architecture segnet-basic --dataset synthetic --epochs 2 --output runs/streets
            """
    )

    @Option(
        help: ArgumentHelp(
            "A recipe, by its file or by its name ('segnet recipe list'); options given here override it.",
            valueName: "file|name"
        ),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Fine-tune a finished model on your pictures: a bundled model by name, or a file. Its encoder is frozen; options change every "
                + "setting but the network's.",
            valueName: "model"
        ),
        completion: .file(extensions: ["safetensors"])
    )
    var from: String?

    @Option(
        help: ArgumentHelp("The run's folder; made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var output: String?

    @Option(
        defaultAsFlag: "",
        help: ArgumentHelp(
            "Continue from the checkpoint in the run's folder, with the recipe saved there. Without a folder: continue in that of "
                + "--output, or start from the beginning if it has no checkpoint yet.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var resume: String?

    @OptionGroup var recipe: RecipeOptions

    @OptionGroup var threadOptions: ThreadOptions

    @Flag(
        help:
            "With several ranks (segnet-mpi): compute batch normalisation over the whole batch, not over each rank's part of it."
    )
    var syncStatistics = false

    /// The process on whose behalf this one trains: it stops when that one is gone, even if that was killed and could not say so.
    @Option(help: .private)
    var parent: Int32?

    func validate() throws {
        if config != nil, from != nil {
            throw ValidationError("Please give '--config' or '--from', not both: each brings its own recipe.")
        }
        if from != nil, let option = recipe.networkOption {
            throw ValidationError(
                "Please leave '\(option)' out: '--from' takes the network and its weights from one finished model. Without '--from', '--model' "
                    + "begins any network with a model's weights."
            )
        }
        if from != nil, let resume, !resume.isEmpty {
            throw ValidationError(
                "Please leave '--from' out: '--resume \(resume)' continues with that run's own weights and recipe."
            )
        }
        guard let folder = output ?? resume, !folder.isEmpty else {
            throw ValidationError(
                "Please name the run's folder: '--output FOLDER', or '--resume FOLDER' to continue one."
            )
        }
        if let output, let resume, !resume.isEmpty, URL(filePath: output).path != URL(filePath: resume).path {
            throw ValidationError(
                "'--resume \(resume)' and '--output \(output)' name two folders; give '--resume \(resume)' alone."
            )
        }
    }

    /// The run's folder.
    var folder: URL { URL(filePath: output ?? resume ?? "") }

    func run(on console: Console) throws {
        guard let group = try MessagePassing.joined() else {
            if syncStatistics {
                throw ValidationError(
                    "Please leave '--sync-statistics' out: one process trains, and its statistics are those of the whole batch. For several "
                        + "ranks start 'mpirun -n RANKS segnet-mpi train'."
                )
            }
            try train(try makeTrainer(on: console), on: console)
            return
        }
        if group.rank > 0 { console.beQuiet() }
        do {
            try train(try makeTrainer(group, on: console), on: console, isSpeaking: group.rank == 0)
            Self.end(group, nil)
        } catch {
            // Report first: the launcher may end all ranks when one ends.
            let code = Self.tell(error, of: group, on: console)
            Self.end(group, error)
            throw code
        }
    }

    private func makeTrainer(on console: Console) throws -> Trainer {
        let configuration = try resolved()
        let kinds = configuration.datasets.isEmpty ? [configuration.dataset] : configuration.datasets.map(\.kind)
        if kinds.contains(.synthetic), configuration.classWeights == "auto" {
            console.note("rendering streets to count their classes ...")
        }
        return try Trainer(
            configuration,
            output: folder,
            resume: resume != nil,
            threads: threadOptions.threads
        )
    }

    private var isOrphaned: Bool { parent.map { $0 != getppid() } ?? false }

    /// - Parameter isSpeaking: Whether this process prints the result. Only one of several ranks does.
    private func train(_ trainer: Trainer, on console: Console, isSpeaking: Bool = true) throws {
        let configuration = trainer.configuration
        let clock = ContinuousClock()
        let start = clock.now
        let rate = configuration.batchSize * configuration.accumulate
        console.note(
            "\(configuration.architecture.rawValue), \(trainer.dataset.classes.classes.count) classes, pictures of "
                + "\(trainer.width)x\(trainer.height), \(rate) per step"
                + (configuration.accumulate > 1
                    ? " (\(configuration.accumulate) batches of \(configuration.batchSize))" : "")
                + ", \(counted(trainer.totalSteps, "step")), \(Numbers.mebibytes(trainer.plannedBytes)) of memory"
        )
        // Those of the other ranks are the same.
        if isSpeaking {
            for note in trainer.notes { Self.tell(note, on: console) }
            for warning in trainer.data.sources.flatMap(\.dataset.warnings) { console.warning(warning) }
        }
        // Batch systems and mpirun pass SIGUSR1 on to the ranks and give them time to stop.
        let isInJob = trainer.exchangeReport != nil || parent != nil
        StopRequest.listen(also: isInJob ? ChildProcess.stopSignal : nil)
        var isStopping = false
        var lastLine = start
        let stepsBefore = trainer.completedSteps
        let result = try trainer.run(shouldStop: {
            if !isStopping, StopRequest.isAsked || isOrphaned {
                isStopping = true
                console.note(
                    StopRequest.isAsked
                        ? "asked to stop: saving. A second request ends the run at once; the checkpoint is safe either way."
                        : "the process that started this training (\(parent ?? 0)) is gone: saving."
                )
            }
            return isStopping
        }) { event in
            switch event {
            case .step(let report):
                console.status(Self.line(report))
                // Where no line can be rewritten (`nohup`, a log file), one line per minute.
                if !console.isTerminal, clock.now - lastLine > .seconds(60) {
                    lastLine = clock.now
                    console.note(Self.line(report))
                }
            case .validation(let report):
                console.note(Self.line(report))
                if !report.neverPredicted.isEmpty {
                    console.note("  never predicted: \(report.neverPredicted.joined(separator: ", "))")
                }
            case .note(let note): if isSpeaking { Self.tell(note, on: console) }
            case .statistics(let done, let all):
                console.status("statistics of batch normalisation: \(done) of \(all) pictures")
            }
        }
        console.clearStatus()
        if let report = trainer.exchangeReport { console.note(Self.line(report)) }
        guard result.isFinished else {
            console.note(
                "stopped at step \(trainer.completedSteps) of \(trainer.totalSteps), saved as "
                    + "\(trainer.checkpoint.relativePath); continue with"
            )
            let program = trainer.exchangeReport == nil ? "segnet" : "mpirun -n RANKS segnet-mpi"
            console.note("  \(program) train --resume \(ShellWords.quoted(trainer.output.relativePath))")
            // As a shell has it for a program that a signal has ended, so that `train && evaluate` does not go on.
            throw ExitCode(128 + (StopRequest.signalNumber.map { Int32($0) } ?? SIGTERM))
        }
        if trainer.completedSteps > stepsBefore {
            console.note("trained in \(Self.duration(milliseconds: (clock.now - start).inMilliseconds))")
        }
        guard isSpeaking else { return }
        if result.best == nil {
            console.warning(
                result.missingBestStep.map { "best.safetensors, the model of step \($0), is missing" }
                    ?? "no validation has given a score, so there is no best.safetensors"
            )
            console.note("last.safetensors is the model of the last step.")
        }
        for url in [result.best, result.last].compactMap({ $0 }) { console.print(url.relativePath) }
    }

    /// The recipe with the options given.
    func resolved() throws -> TrainingConfiguration {
        if resume != nil { try Trainer.requireFiles(in: folder) }
        // By mistake in the path, or by a checkpoint that was lost, a training would begin anew.
        if let resume, !resume.isEmpty, !Trainer.hasCheckpoint(folder) {
            try requireFolder(resume)
            // Another training may have begun there, and not have saved yet.
            try RunLock.requireFree(folder)
            throw ConfigurationError(
                "\(folder.relativePath): holds no last.checkpoint, so there is no training to resume; check the path, put the checkpoint back, "
                    + "or begin a new training with --output."
            )
        }
        let starting = try startingRecipe()
        var configuration = starting ?? TrainingConfiguration()
        if !configuration.datasets.isEmpty, let option = recipe.oneDatasetOption {
            throw ConfigurationError(
                "\(option): '\(config ?? "the recipe")' lists several data sets ('datasets'); copy the recipe, and change 'data' and the like in its entries."
            )
        }
        try recipe.apply(to: &configuration)
        try requireData(configuration, isRecipeGiven: starting != nil)
        try configuration.resolveModels()
        return configuration
    }

    /// Refuses a `--resume` that names no folder.
    private func requireFolder(_ resume: String) throws {
        switch FileAccess.kind(of: resume) {
        case .folder: return
        case .missing:
            throw ConfigurationError(
                "\(resume): there is no such folder; check the path, or begin a new training with --output."
            )
        default:
            let parent = EvaluationRun.folder(of: resume)
            throw ConfigurationError(
                "\(resume): is a file; give the run's folder, '--resume \(parent)'."
            )
        }
    }

    /// Refuses to take the working folder for CamVid, which a recipe means that names no pictures.
    private func requireData(_ configuration: TrainingConfiguration, isRecipeGiven: Bool) throws {
        guard configuration.datasets.isEmpty, !recipe.isGiven("dataset") else { return }
        guard isRecipeGiven else {
            if recipe.isGiven("data") { throw SegNetCommand.missingDataset(configuration.data) }
            throw ConfigurationError(
                "train: no training data was given; name a data set (--dataset, with --data FOLDER), or a recipe (--config)."
            )
        }
        // A finished model's recipe, and a run's, say what they are trained on.
        guard let config, !recipe.isGiven("data") else { return }
        let given = try TrainingConfiguration.givenKeys(path: try Self.recipeFile(config))
        if let resume, !resume.isEmpty, !given.contains("data"), configuration.dataset != .synthetic,
            let saved = try Trainer.recipe(of: folder), saved.datasets.isEmpty, saved.data != configuration.data
        {
            let data = "--dataset \(saved.dataset.rawValue) --data \(ShellWords.quoted(saved.data))"
            throw ConfigurationError(
                "\(config): takes the place of the run's own recipe, which learns from \(saved.data), but names no data itself; leave "
                    + "--config out, or give '\(data)' too."
            )
        }
        guard given.isDisjoint(with: ["dataset", "data"]) else { return }
        throw ConfigurationError(
            "\(config): no training data was given; name a data set in the recipe ('dataset' and 'data', or 'datasets'), or by options (--dataset, "
                + "with --data FOLDER)."
        )
    }

    private static func recipeFile(_ config: String) throws -> String {
        try RecipeStore.standard(.recipe).resolve(config)
    }

    /// The recipe before the options change it; nil if the options alone make it.
    private func startingRecipe() throws -> TrainingConfiguration? {
        if let config { return try TrainingConfiguration(path: try Self.recipeFile(config)) }
        if let from { return try .fineTuning(try ModelStore.standard.resolve(from)) }
        guard let resume else { return nil }
        if let saved = try Trainer.recipe(of: folder) { return saved }
        guard resume.isEmpty else {
            throw ConfigurationError(
                "\(folder.relativePath): recipe.yaml is missing, and the checkpoint is of an earlier version, which had no copy of it; name the "
                    + "recipe with --config."
            )
        }
        return nil
    }

    /// In minutes, or in seconds where minutes would be 0.0.
    static func duration(milliseconds: Double) -> String {
        milliseconds < 60_000
            ? "\(Numbers.fixed(milliseconds / 1000, 1)) s" : "\(Numbers.fixed(milliseconds / 60_000, 1)) minutes"
    }

    static func tell(_ note: TrainingNote, on console: Console) {
        switch note.kind {
        case .warning: console.warning(note.text)
        case .information: console.note(note.text)
        }
    }

    /// The live line; a long training's fits the 80 columns of a terminal.
    static func line(_ report: StepReport) -> String {
        let left = Int(min(max(report.secondsLeft, 0), 1e9))
        let time =
            left >= 3600
            ? "\(left / 3600)h\(left / 60 % 60 < 10 ? "0" : "")\(left / 60 % 60)m"
            : left >= 60 ? "\(left / 60) min" : "\(left) s"
        let score = report.runningMeanIoU.map { Numbers.fixed(100 * $0, 1) } ?? "-"
        return "epoch \(Numbers.fixed(report.epoch, 2))  step \(report.step)/\(report.totalSteps)  "
            + "loss \(Numbers.fixed(report.loss, 4))  mIoU \(score)  "
            + "\(Numbers.fixed(report.picturesPerSecond, 1)) img/s  \(time) left"
    }

    private static func line(_ report: ValidationReport) -> String {
        "epoch \(Numbers.fixed(report.epoch, 2))  step \(report.step)  validation: mIoU \(percent(report.scores.meanIoU)), accuracy "
            + "\(percent(report.scores.globalAccuracy)), class average \(percent(report.scores.classAverageAccuracy))"
            + (report.isBest ? "  best so far" : "")
    }

    private static func percent(_ value: Double?) -> String { value.map { Numbers.fixed(100 * $0, 2) } ?? "-" }
}
