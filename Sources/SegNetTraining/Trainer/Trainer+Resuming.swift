import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetImages
import SegNetNetworks
public import SegNetPlatform

extension Trainer {
    static let recipeName = "recipe.yaml"

    /// The file that holds every setting of the run.
    public var recipe: URL { output.appending(path: Self.recipeName) }

    /// The recipe that a run's folder holds, with everything decided: its file, or the checkpoint's copy if that is gone or empty. Nil if
    /// there is neither.
    /// - Throws: `ConfigurationError` if it cannot be understood; `FormatError` or `CheckpointError` if only a checkpoint is there, and it
    ///   cannot be read.
    public static func recipe(of output: URL) throws -> TrainingConfiguration? {
        if let text = recipeText(of: output) {
            return try TrainingConfiguration(yaml: text, file: output.appending(path: recipeName).relativePath)
        }
        guard hasCheckpoint(output) else { return nil }
        let checkpoint = output.appending(path: checkpointName)
        return try Checkpoint.progress(checkpoint).configuration(file: checkpoint.relativePath)
    }

    /// Whether a run's folder holds the recipe of a training as a file.
    static func hasRecipe(_ output: URL) -> Bool { recipeText(of: output) != nil }

    /// The text of a run's recipe; nil if the file is missing, or empty as a full disk leaves it.
    private static func recipeText(of output: URL) -> String? {
        guard let data = FileAccess.contents(of: output.appending(path: recipeName)) else { return nil }
        let text = fileText(data)
        return TrainingConfiguration.isEmpty(text) ? nil : text
    }

    /// The changes of a resumed run to the recipe with which it began.
    /// - Throws: `ConfigurationError` naming each setting that cannot change while a training goes on, and why.
    static func changes(
        from old: TrainingConfiguration,
        to new: TrainingConfiguration,
        in output: URL
    ) throws(ConfigurationError) -> [RecipeDifference] {
        let changes = new.differences(from: old)
        let refused = changes.compactMap { change in change.refusal.map { "\(change) (\($0))" } }
        guard refused.isEmpty else {
            throw ConfigurationError(
                "\(output.relativePath): the training there cannot go on after \(refused.count == 1 ? "this change" : "these changes"): "
                    + "\(refused.joined(separator: "; ")). "
                    + "Leave \(refused.count == 1 ? "it as it was" : "them as they were"), or begin a new run in another \(UserChoice.output)."
            )
        }
        return changes
    }

    /// Refuses to go on with another class table: each score would be given the name of another class.
    /// - Parameters:
    ///   - old: Those of the checkpoint.
    ///   - new: Those of the data.
    /// - Throws: `ConfigurationError` naming the first class that differs.
    static func requireClasses(_ old: [String], _ new: [String], in output: URL) throws(ConfigurationError) {
        let ids = 0..<max(old.count, new.count)
        func name(_ id: Int, _ names: [String]) -> String? { names.indices.contains(id) ? names[id] : nil }
        guard let id = ids.first(where: { name($0, old) != name($0, new) }) else { return }
        let change =
            switch (name(id, old), name(id, new)) {
            case (let then?, let now?): "class \(id) was '\(then)' and is '\(now)' now"
            case (let then?, nil): "class \(id), '\(then)', is gone"
            default: "class \(id), '\(new[id])', is new"
            }
        throw ConfigurationError(
            "\(output.relativePath): the class table has changed since the training there began: \(change). Put it back as it was, or "
                + "begin a new run in another \(UserChoice.output)."
        )
    }

    /// Refuses a checkpoint that is not of this network, or beyond the last step.
    func checkResumed(_ fingerprint: String) throws {
        // Checkpoints of earlier versions do not name the architecture.
        let own = configuration.architecture.rawValue
        let (found, needed) = (progress.architecture ?? own, own)
        guard progress.fingerprint == fingerprint, found == needed else {
            throw CheckpointError(
                file: checkpoint.relativePath,
                "is of a training of \(found) '\(progress.fingerprint)', this is one of \(needed) '\(fingerprint)'; begin a new run in "
                    + "another \(UserChoice.output)."
            )
        }
        if let running = progress.running, running.classCount != classWeights.count {
            throw CheckpointError(
                file: checkpoint.relativePath,
                "counts \(running.classCount) classes, but the data set has \(classWeights.count)."
            )
        }
        guard progress.step <= totalSteps else {
            let length =
                configuration.iterations.map { "'iterations' \($0)" }
                ?? "the \(counted(totalSteps, "step")) of 'epochs' \(configuration.epochs)"
            throw ConfigurationError(
                "\(output.relativePath): the training there has already done \(counted(progress.step, "step")), more than \(length). Give a larger "
                    + "number, or leave the setting as it was."
            )
        }
    }

    /// Keeps the recipe that held until now next to the one that follows it: the checkpoint's, since the folder's may have been edited.
    func keepRecipe() throws {
        let kept = output.appending(path: "recipe-until-step-\(progress.step).yaml")
        // Changed twice without a step between: the first is the one that was used.
        guard !FileManager.default.fileExists(atPath: kept.path(percentEncoded: false)) else { return }
        guard let old = progress.recipe.map({ Array($0.utf8) }) ?? FileAccess.contents(of: recipe).map({ Array($0) })
        else { return }
        try SmallFile.write(old, to: kept)
    }

    /// Keeps a recipe that was in the folder before a new training: it can be its user's own, with comments, and the one that was given.
    /// - Parameter yaml: What takes its place.
    /// - Returns: Where it is now; nil if nothing of it would be lost.
    func keepEarlierRecipe(besides yaml: String) throws -> URL? {
        guard let old = FileAccess.contents(of: recipe),
            fileText(old) != yaml, !TrainingConfiguration.isEmpty(fileText(old))
        else { return nil }
        var number = 1
        func kept() -> URL { output.appending(path: "recipe~\(number).yaml") }
        while FileManager.default.fileExists(atPath: kept().path(percentEncoded: false)) { number += 1 }
        try SmallFile.write(Array(old), to: kept())
        return kept()
    }

    /// After a batch that does not fit the network: names the picture that has had another size since the training began, if there is one.
    /// - Returns: The error that has ended the run.
    func named(_ error: any Error) -> any Error {
        guard error is BatchError, configuration.augmentation.crop == nil else { return error }
        let expected = PictureSize(width: width, height: height)
        for source in data.sources where source.dataset.size == nil {
            for sample in source.samples {
                do {
                    let size = try source.dataset.fileSize(of: sample)
                    guard size != expected else { continue }
                    return ConfigurationError(
                        "\(TrainingDataCheck.file(sample)): is \(size) now; the pictures were \(expected) when the training began, and pictures "
                            + "of different sizes cannot share a batch. Put it and its labels back as they were."
                    )
                } catch { return error }
            }
        }
        return error
    }

    /// After an error in a run: saves what was learnt, where the weights are those of a whole step.
    /// - Returns: The error that the run throws.
    func saved(after error: any Error) -> any Error {
        guard isWriter, !isStepping, progress.step > 0 else { return error }
        if savedStep != progress.step {
            do { try saveCheckpoint() } catch {
                // A log that could not be completed does not hide what has ended the training.
                guard savedStep == progress.step else { return error }
            }
        }
        return TrainingInterruptedError(
            cause: error,
            step: progress.step,
            totalSteps: totalSteps,
            checkpoint: checkpoint.relativePath
        )
    }
}
