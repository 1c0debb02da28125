import SegNetCPU
import SegNetData
import SegNetEvaluation
import SegNetImages
import SegNetPlatform

extension Trainer {
    /// What happens during a run.
    public enum Event: Sendable {
        case step(StepReport)
        case validation(ValidationReport)
        case note(TrainingNote)
        /// A pass over the training pictures for the statistics: done, of all.
        case statistics(Int, Int)
    }

    /// Runs until the last step, or until it is told to stop; then it saves and returns.
    /// - Parameters:
    ///   - shouldStop: Asked after each step.
    ///   - observe: Told of each event.
    /// - Throws: `TrainingInterruptedError` with what reading the data or writing a file has thrown, after all steps so far were saved;
    ///   `DivergenceError`.
    @discardableResult
    public func run(shouldStop: () -> Bool = { false }, observe: (Event) -> Void = { _ in }) throws -> TrainingResult {
        do {
            try beginTogether()
            return try train(shouldStop, observe)
        } catch {
            leave(after: error)
            // During an exchange the others cannot be told. The launcher ends them together with this one.
            if ranks != nil, isExchanging, !(error is RankGroupError) { throw RankGroupError("\(error)") }
            guard var divergence = error as? DivergenceError else { throw saved(after: named(error)) }
            divergence.savedStep = savedStep
            // No rate has had a part in the numbers of the first step.
            if progress.step == 0 { divergence.startingFile = startingFile }
            throw divergence
        }
    }

    private func train(_ shouldStop: () -> Bool, _ observe: (Event) -> Void) throws -> TrainingResult {
        let clock = ContinuousClock()
        var result = TrainingResult(best: nil, last: nil, isFinished: false)
        let queue = BatchQueue(
            data,
            augmentation: configuration.augmentation,
            batchSize: configuration.batchSize,
            seed: configuration.seed,
            startPlace: progress.place,
            share: share,
            depth: TrainerMemory.batchesAhead,
            cacheBytes: cacheBytes
        )
        defer { queue.stop() }
        let validateSteps = stepsPerValidation
        var lastSave = clock.now
        var layersBeyondRange: Set<String> = []
        // The run before ended between a step and its validation.
        if progress.isValidationDue == true { try judge(observe) }
        var predictions = [UInt16](repeating: 0, count: share.count * width * height)

        while progress.step < totalSteps, !isPatienceOver {
            let (start, waited) = (clock.now, waitedSeconds)
            var batches: [Batch] = []
            for _ in 0..<configuration.accumulate {
                guard let batch = try queue.next() else { break }
                batches.append(batch)
            }
            let loss = try count(batches, validateSteps, &predictions)
            let seconds = (clock.now - start).seconds
            try tell(loss, seconds: seconds, waited: waitedSeconds - waited, &layersBeyondRange, observe)

            let stops = try agreeOnStopping(shouldStop())
            let isLast = progress.step == totalSteps
            if progress.isValidationDue == true {
                try judge(observe)
                lastSave = clock.now
            } else if stops || isLast || (clock.now - lastSave).seconds > configuration.checkpointMinutes * 60 {
                // Before an earlier checkpoint is replaced, since no validation has looked at the last model.
                if isLast, isWriter { try requireUsable() }
                try saveCheckpoint()
                lastSave = clock.now
            }
            if stops && !isLast && !isPatienceOver {
                if isWriter { nameBest(in: &result, isThere: isBestThere) }
                try log?.write(RunLog.End(step: progress.step, isFinished: false, peakBytes: MachineMemory.peak))
                return result
            }
        }
        if progress.step < totalSteps {
            observe(
                .note(
                    .information(
                        "no better score in \(progress.validationsSinceBest ?? 0) validations: the training ends at step \(progress.step) "
                            + "of \(totalSteps) (patience)."
                    )
                )
            )
        }
        result.isFinished = true
        if isWriter { try finish(&result, observe) }
        // The other ranks stay until the models are written, since the launcher may end all when one ends.
        _ = try agree()
        try log?.write(RunLog.End(step: progress.step, isFinished: true, peakBytes: MachineMemory.peak))
        return result
    }

    /// Seconds that this rank has waited for others, outside its steps too: for a validation, a checkpoint, the question whether to stop.
    private var waitedSeconds: Double { learner.exchange?.waitedSeconds ?? 0 }

    private var picturesPerStep: Int { configuration.batchSize * configuration.accumulate }

    private var stepsPerValidation: Int {
        max(1, Int((configuration.validateEvery * configuration.stepsPerEpoch(pictures: data.count)).rounded()))
    }

    /// Takes one step, and updates all of the progress that a checkpoint holds.
    private func count(_ batches: [Batch], _ validateSteps: Int, _ predictions: inout [UInt16]) throws -> StepLoss {
        let (loss, matrix) = try step(batches, &predictions)
        progress.step += 1
        progress.place += picturesPerStep
        isStepping = false
        let isDue = progress.step == totalSteps || progress.step % validateSteps == 0
        progress.isValidationDue = !validationItems.isEmpty && isDue ? true : nil
        var running = progress.running ?? ConfusionMatrix(classCount: classWeights.count)
        running.add(matrix)
        progress.running = running
        return loss
    }

    /// Writes a step to the logs and reports it, with anything unusual about it.
    private func tell(
        _ loss: StepLoss,
        seconds: Double,
        waited: Double,
        _ layersBeyondRange: inout Set<String>,
        _ observe: (Event) -> Void
    ) throws {
        steppedSeconds += seconds
        stepTimes.append(seconds)
        steppedWaits += waited
        let report = StepReport(
            step: progress.step,
            totalSteps: totalSteps,
            epoch: Double(progress.place) / Double(data.count),
            loss: loss.loss,
            labelledPixels: loss.labelledPixels,
            runningMeanIoU: progress.running.flatMap { Scores($0).meanIoU },
            learningRate: learningRate(progress.step - 1),
            gradientNorm: loss.gradientNorm,
            picturesPerSecond: Double(picturesPerStep) / max(seconds, 1e-9),
            secondsLeft: stepTimes.median * Double(totalSteps - progress.step),
            waitingShare: ranks.map { _ in waited / max(seconds, 1e-9) }
        )
        try log?.write(report)
        if let note = log?.takeNote() { observe(.note(.warning(note))) }
        tellTensorBoard(observe) { try $0.write(report) }
        observe(.step(report))
        if loss.labelledPixels == 0, teacher == nil {
            let text = "step \(progress.step): no pixel of the batch has a label; it changed nothing."
            observe(.note(.information(text)))
        }
        for (layer, count) in loss.beyondRange where layersBeyondRange.insert(layer).inserted {
            observe(
                .note(
                    .warning(
                        "step \(progress.step): \(layer) gave \(count) numbers beyond 65504, which float16 cuts off (reported once per "
                            + "layer); if that goes on, use float32 as the \(UserChoice.storage), or a lower \(UserChoice.learningRate)."
                    )
                )
            )
        }
    }

    /// Whether the last validations have brought nothing.
    private var isPatienceOver: Bool {
        configuration.patience.map { (progress.validationsSinceBest ?? 0) >= $0 } ?? false
    }

    /// Validates, keeps the model if it is the best so far, and saves.
    /// - Throws: `DivergenceError` if the model cannot be used; errors of reading and writing files. The validation is still due then.
    private func judge(_ observe: (Event) -> Void) throws {
        try parameters.requireFinite()
        let (report, model) = try validated(on: validationItems)
        var validation = report
        let scores = validation.scores
        let score = configuration.metric == .meanIoU ? scores.meanIoU : scores.globalAccuracy
        validation.isBest = score.map { $0 > progress.bestScore ?? -1 } ?? false
        let names = dataset.classes.classes.map(\.name)
        // The model first: a checkpoint never speaks of a best model that is not there.
        if validation.isBest, isWriter { try save(model, "best") }
        try log?.write(validation, classes: names)
        if let note = log?.takeNote() { observe(.note(.warning(note))) }
        tellTensorBoard(observe) { try $0.write(validation, classes: names) }
        observe(.validation(validation))
        if score == nil {
            let text = "no pixel of the validation pictures has a label, so no model can be called the best."
            observe(.note(.warning(text)))
        }
        progress.validations += 1
        // Without a score nothing was judged, so patience has no reason to end.
        let judged = score == nil ? 0 : 1
        progress.validationsSinceBest = validation.isBest ? 0 : (progress.validationsSinceBest ?? 0) + judged
        progress.isValidationDue = nil
        progress.running = nil
        if validation.isBest {
            progress.bestScore = score
            progress.bestStep = progress.step
        }
        try saveCheckpoint()
    }

    /// A log that cannot be written must not end a training: it is reported once, and the training goes on without it.
    private func tellTensorBoard(_ observe: (Event) -> Void, _ body: (TensorBoardLog) throws -> Void) {
        guard let tensorBoard else { return }
        do { try body(tensorBoard) } catch {
            self.tensorBoard = nil
            observe(.note(.warning("\(error) The training goes on without TensorBoard's log.")))
        }
    }

    func saveCheckpoint() throws {
        guard isWriter else { return }
        try parameters.requireFinite()
        try Checkpoint.write(
            progress,
            parameters: parameters,
            optimizer: optimizer,
            average: average,
            to: checkpoint
        )
        savedStep = progress.step
        // A run that goes on from here keeps the log up to here. The checkpoint first: it is worth more than the log.
        try log?.requireWritten()
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
