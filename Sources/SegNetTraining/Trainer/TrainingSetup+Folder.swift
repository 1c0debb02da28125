import SegNetImages
package import SegNetPlatform

extension Trainer {
    /// Whether a run's folder holds what a training has left, without the checkpoint from which that could go on: none goes on or begins
    /// there.
    package static func lacksCheckpoint(_ output: URL) -> Bool {
        do { try TrainingSetup.requireRoom(in: output, resume: true) } catch { return true }
        return false
    }

    /// Refuses a folder in which a pipe or a device has the name of a file that a run reads or writes: to open a pipe waits for whoever has
    /// its other end, forever where nobody has.
    /// - Throws: `ConfigurationError` that names it.
    package static func requireFiles(in output: URL) throws(ConfigurationError) {
        let names =
            [recipeName, TrainingPictures.fileName, logName, checkpointName, RunLock.fileName]
            + ["best.safetensors", "last.safetensors"]
        for file in names.map({ output.appending(path: $0) })
        where FileAccess.kind(of: file.path(percentEncoded: false)) == .other {
            throw ConfigurationError(
                "\(file.relativePath): is a pipe or a device, but a training needs a file there; move it away, or give another "
                    + "\(UserChoice.output)."
            )
        }
    }
}

extension TrainingSetup {
    /// Refuses a folder in which a training would replace what an earlier one has left.
    ///
    /// A run that ended before its first checkpoint left a log, which a new one replaces. If its first validation was under way, it may
    /// also have left a best model, which only a run that is to go on replaces. Anything more was once next to a checkpoint, which has gone
    /// since.
    /// - Throws: `ConfigurationError` naming what is there and what to do.
    static func requireRoom(in output: URL, resume: Bool) throws(ConfigurationError) {
        guard !Trainer.hasCheckpoint(output) else {
            guard !resume else { return }
            throw ConfigurationError(
                "\(output.relativePath): already holds a training (\(Trainer.checkpointName)); "
                    + "\(UserChoice.resuming), or give another \(UserChoice.output)."
            )
        }
        guard !TrainingPictures.isForeign(in: output) else {
            throw ConfigurationError(
                "\(output.relativePath): holds a \(TrainingPictures.fileName) that does not list a training's pictures, and a training "
                    + "would overwrite it; move it away, or give another \(UserChoice.output)."
            )
        }
        func isThere(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: output.appending(path: name).path(percentEncoded: false))
        }
        let (best, last) = (isThere("best.safetensors"), isThere("last.safetensors"))
        let log = RunLog.traces(in: output.appending(path: Trainer.logName))
        if !last, !log.hasSaved, resume ? log.hasBegun || !best : !best { return }
        let names =
            (best ? ["best.safetensors"] : []) + (last ? ["last.safetensors"] : [])
            + (log.hasSteps || log.hasSaved ? [Trainer.logName] : [])
        guard !names.isEmpty else { return }
        throw ConfigurationError(
            "\(output.relativePath): holds \(names.joined(separator: ", ")) of an earlier training, but no \(Trainer.checkpointName) to "
                + "continue it from, and a new training would overwrite them; put the checkpoint back, move the files away, or "
                + "give another \(UserChoice.output)."
        )
    }
}
