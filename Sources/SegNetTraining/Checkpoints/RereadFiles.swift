import SegNetCPU
import SegNetFormats
import SegNetPlatform

// What changes a training that goes on, though its recipe says the same.

extension TrainingConfiguration {
    /// The files that every session of a training reads, by their settings.
    private var rereadFiles: [(key: String, path: String)] {
        let weights = ["auto", "authors", "none"].contains(classWeights) ? nil : classWeights
        return [("teacher.model", teacher?.model), ("class-weights", weights)].compactMap { key, path in
            path.map { (key, $0) }
        }
    }

    /// CRC-32C of each, by its setting, without those that cannot be read: whoever uses them says so, and what they are for.
    func fileChecksums() -> [String: UInt32] {
        var checksums: [String: UInt32] = [:]
        for (key, path) in rereadFiles {
            guard let file = try? MappedFile(URL(filePath: path)) else { continue }
            checksums[key] = file.withBytes { bytes in
                var check = CRC32C()
                check.add(bytes)
                return check.checksum
            }
        }
        return checksums
    }

    /// A sentence for each file of the same name whose contents are others than a checkpoint knows.
    func changedFiles(_ checksums: [String: UInt32], since progress: TrainingProgress, saved: TrainingConfiguration?)
        -> [String]
    {
        rereadFiles.compactMap { key, path in
            // Another name is a change of the recipe.
            guard let old = progress.files?[key], old != checksums[key],
                saved?.rereadFiles.contains(where: { $0 == (key, path) }) == true
            else { return nil }
            return "changed: \(key): \(path) has different contents than at step \(progress.step)."
        }
    }

    /// A sentence if the environment asks for an accuracy that differs from the training's, which keeps the one with which it began.
    func unusedAccuracy(_ asked: InferenceOptions.Accuracy?) -> String? {
        guard let asked, let accuracy, asked != accuracy else { return nil }
        return
            "\(InferenceOptions.Accuracy.environmentVariable) \(asked.rawValue) is not used: the training keeps the accuracy with which it began, "
            + "\(accuracy.rawValue), unless its recipe is changed."
    }
}

extension TrainingProgress {
    /// A sentence if other instructions computed the steps so far.
    func changedInstructions(_ new: InstructionSet) -> String? {
        guard let instructionSet, instructionSet != new.name else { return nil }
        return
            "changed: instruction set \(instructionSet) -> \(new.name); numbers are rounded differently from here on."
    }
}
