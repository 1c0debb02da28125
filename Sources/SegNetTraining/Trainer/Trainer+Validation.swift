import SegNetCPU
public import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
public import SegNetNetworks
import SegNetPlatform

extension Trainer {
    /// The model as it stands, with the statistics known so far.
    /// - Parameter averaged: Whether to take the averaged weights, where the recipe has them.
    public func model(averaged: Bool) throws -> Model {
        var model = try parameters.model(metadata: metadata)
        model.network.layers += enlargement
        model.network = model.network.resized(height: pictureSize.height, width: pictureSize.width)
        guard averaged, let average else { return model }
        // What is learnt is averaged; statistics are not.
        let tensors = try parameters.tensors(of: average.memory.floats())
        for range in parameters.layout.ranges {
            model.weights[range.layer, range.role] = tensors[range.layer, range.role]
        }
        return model
    }

    /// The model by which a validation judges, and which is kept as the best so far.
    ///
    /// Its statistics come from some of the training pictures, evenly chosen; the end of the run takes all. Averaged weights have none yet,
    /// and running ones lag behind the weights: at a learning rate of 0.1 that costs several points of mean IoU, more than most steps
    /// bring, so that the best model would be chosen by chance.
    /// - Throws: `DivergenceError` if a number of it is beyond float32; errors of reading the pictures.
    func validationModel() throws -> Model {
        let model = try model(averaged: true)
        guard passRule != nil else { return try Self.finite(model) }
        let some = data.representatives(Self.validationStatisticsPictures, at: place(before: progress.step))
        return try Self.finite(statistics(of: model, over: some, rule: .exact))
    }

    /// Refuses weights of which the end of the run could make no model.
    /// - Throws: `DivergenceError`; errors of reading the pictures.
    func requireUsable() throws { _ = try validationModel() }

    /// The rule by which a pass over pictures finds the finished models' statistics; nil if they are the running ones. Those are of the
    /// weights of each step, and averaged weights have none: with those of others they would be a model that no validation has judged.
    private var passRule: TrainingConfiguration.StatisticsRule? {
        guard configuration.statistics == .running else { return configuration.statistics }
        return average == nil ? nil : .exact
    }

    /// A model of this training, if it can be used. After a step that was far too large its weights can still be numbers, while what they
    /// make of pictures, and so the statistics, are none.
    private static func finite(_ model: Model) throws -> Model {
        do { try model.weights.requireFinite(for: model.network, file: model.network.name) } catch {
            guard let error = error as? WeightsError else { throw error }
            let names = error.tensor.split(separator: ".").map(String.init)
            throw DivergenceError(layer: names.dropLast().joined(separator: "."), what: names.last ?? "")
        }
        return model
    }

    /// The last place that a number of steps has used: by its shares of the data sets the statistics are taken.
    private func place(before step: Int) -> Int {
        max(0, step * configuration.batchSize * configuration.accumulate - 1)
    }

    private func statistics(
        of model: Model,
        over pictures: [DatasetPool.Item],
        rule: TrainingConfiguration.StatisticsRule,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Model {
        try StatisticsPass(rule: rule, threads: pool.threadCount).run(
            model,
            count: pictures.count,
            channels: dataset.channels,
            batchSize: StatisticsPass.batchSize(training: configuration.batchSize, rule: rule),
            options: parameters.options,
            progress: progress,
            example: { try data.example(pictures[$0]) }
        )
    }

    private static let validationStatisticsPictures = 60

    private static let trainedNote = "trained"

    private var metadata: ModelMetadata {
        var metadata = ModelMetadata(name: "\(configuration.architecture.rawValue)-\(data.name)")
        metadata.name(dataset.classes)
        metadata.notes[Self.trainedNote] =
            "step \(progress.step) of \(totalSteps) on \(data.name), \(counted(data.count, "picture"))"
        return metadata
    }

    /// Scores the model as it stands, at the pictures' own size, by statistics over some of the training pictures.
    public func validate(on samples: [Sample]) throws -> ValidationReport {
        try validated(on: samples.map { DatasetPool.Item(source: 0, sample: $0) }).report
    }

    /// The same on pictures of any of the data sets, with the model that was scored.
    func validated(on items: [DatasetPool.Item]) throws -> (report: ValidationReport, model: Model) {
        let clock = ContinuousClock()
        let start = clock.now
        let model = try validationModel()
        let chosen = ValidationStrip.chosen(of: items.count)
        var pictures: [Image] = []
        let own = ownItems(of: items.count, shown: chosen)
        let ownMatrix = try Self.score(
            model,
            dataset,
            count: own.count,
            options: parameters.options.inference,
            threads: pool.threadCount,
            example: { try data.example(items[own[$0]]) }
        ) { index, example, prediction in
            guard chosen.contains(own[index]) else { return }
            pictures.append(
                try ValidationStrip.image(
                    example,
                    channels: dataset.channels,
                    prediction: prediction,
                    classes: dataset.classes
                )
            )
        }
        let matrix = try sum(ownMatrix)
        let names = dataset.classes.classes.map(\.name)
        let report = ValidationReport(
            step: progress.step,
            epoch: Double(progress.place) / Double(max(1, data.count)),
            scores: Scores(matrix),
            matrix: matrix,
            neverPredicted: names.indices.filter { matrix.truePixels($0) > 0 && matrix.givenPixels($0) == 0 }.map {
                names[$0]
            },
            pictures: pictures,
            seconds: (clock.now - start).seconds
        )
        return (report, model)
    }

    /// Runs a model over pictures and counts.
    /// - Parameters:
    ///   - dataset: Has the pictures' classes and channels.
    ///   - example: The picture of a number from 0.
    ///   - observe: Told of each picture: its number, the example, the predicted class ids.
    static func score(
        _ model: Model,
        _ dataset: Dataset,
        count: Int,
        options: InferenceOptions,
        threads: Int,
        example: (Int) throws -> Example,
        observe: (Int, Example, [UInt16]) throws -> Void = { _, _, _ in }
    ) throws -> ConfusionMatrix {
        let prepared = try PreparedNetwork(model.network, weights: model.weights, options: options)
        guard let scores = model.network.scoresBlob else { return ConfusionMatrix(classCount: 0) }
        var matrix = ConfusionMatrix(classCount: dataset.classes.classes.count)
        var workspace: Workspace?
        for index in 0..<count {
            let example = try example(index)
            if workspace?.plan.height != example.height || workspace?.plan.width != example.width {
                workspace = try Workspace(
                    for: prepared.plan(height: example.height, width: example.width),
                    threads: threads
                )
            }
            guard let workspace else { continue }
            try workspace.fillInput(example, channels: dataset.channels)
            workspace.plan.run(in: workspace)
            let prediction = workspace.classIDs(scores) ?? []
            matrix.add(truth: example.labels, prediction: prediction)
            try observe(index, example, prediction)
        }
        return matrix
    }

    /// Whether a validation has chosen a best model, and its file is there. Without a validation there is none, whatever file has the name.
    var isBestThere: Bool {
        let path = modelFile("best").path(percentEncoded: false)
        return progress.bestScore != nil && FileManager.default.fileExists(atPath: path)
    }

    /// Says in a result where the best model is, or which one is missing.
    func nameBest(in result: inout TrainingResult, isThere: Bool) {
        result.best = isThere ? modelFile("best") : nil
        result.missingBestStep = isThere || progress.bestScore == nil ? nil : progress.bestStep
    }

    /// The end of a run: the statistics of the last and of the best model, by the recipe's rule, and their files.
    func finish(_ result: inout TrainingResult, _ observe: (Event) -> Void) throws {
        let isThere = isBestThere
        let isLastBest = progress.bestScore != nil && progress.bestStep == progress.step
        let hasBest = isThere || isLastBest
        nameBest(in: &result, isThere: hasBest)
        result.last = modelFile("last")
        guard !isFinished || hasBest && !isThere else {
            observe(.note(.information("the training was already finished; its models stay as they are.")))
            return
        }
        let last = try withStatistics(of: model(averaged: true), at: progress.step, observe)
        if isLastBest {
            try save(last, "best")
        } else if hasBest {
            let best = try SafetensorsFile.readModel(modelFile("best"))
            try save(withStatistics(of: best, at: progress.bestStep, observe), "best")
        }
        // The last thing of all: a run that has it is finished.
        try save(last, "last")
        // With the changed recipe, where no step has saved that.
        if !hasOldRecipe, resumedStep == progress.step { try saveCheckpoint() }
    }

    /// Whether an earlier session has written the models of this step as this recipe wants them.
    private var isFinished: Bool {
        guard hasOldRecipe, let last = try? SafetensorsFile.readModel(modelFile("last")) else { return false }
        return last.metadata.notes[Self.trainedNote] == metadata.notes[Self.trainedNote]
    }

    private func modelFile(_ name: String) -> URL { output.appending(path: "\(name).safetensors") }

    /// Writes a model of the run: `best` or `last`.
    ///
    /// The dense CRF that `segnet tune crf` has stored with the file before is kept if it was found for the same numbers; for any others it
    /// would have to be searched again.
    func save(_ model: Model, _ name: String) throws {
        var model = model
        model.metadata.denseCRF = nil
        if let old = try? SafetensorsFile.readModel(modelFile(name)), old.metadata.denseCRF != nil,
            old.weights.isIdentical(to: model.weights)
        {
            model.metadata.denseCRF = old.metadata.denseCRF
        }
        try SafetensorsFile.write(model, to: modelFile(name))
    }

    /// The model with the statistics that a pass over the training pictures finds, each data set by its share at the model's step.
    /// - Throws: `DivergenceError` as `validationModel` does.
    private func withStatistics(of model: Model, at step: Int, _ observe: (Event) -> Void) throws -> Model {
        guard let rule = passRule else { return try Self.finite(model) }
        let all = data.representatives(nil, at: place(before: step))
        return try Self.finite(statistics(of: model, over: all, rule: rule) { observe(.statistics($0, $1)) })
    }
}
