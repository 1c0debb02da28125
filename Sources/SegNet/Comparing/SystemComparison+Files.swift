internal import SegNetImages
internal import SegNetPlatform
public import SegNetTraining

// What is done about files of a comparison's folder that somebody has damaged or taken away. Scores and measurements that cannot be read
// are taken again.

extension SystemComparison {
    /// The recipe that a system's training has had so far; nil if there is none.
    /// - Throws: `ConfigurationError` naming a file that cannot be read, and what to do.
    static func savedRecipe(of system: System) throws(ConfigurationError) -> TrainingConfiguration? {
        let file = system.runFolder.appending(path: "recipe.yaml")
        let path = file.path(percentEncoded: false)
        guard FileAccess.kind(of: path) != .missing else { return nil }
        do throws(ConfigurationError) {
            let bytes = FileAccess.contents(of: file)
            // A recipe without any setting would be taken for one that has changed in all of them.
            if bytes?.isEmpty == true { throw ConfigurationError("\(file.relativePath): is empty.") }
            guard let bytes else { throw ConfigurationError("\(file.relativePath): cannot be read.") }
            return try TrainingConfiguration(yaml: String(decoding: bytes, as: UTF8.self), file: file.relativePath)
        } catch {
            throw ConfigurationError(
                "\(error) It belongs to the training of \(system.name): put it back, or remove it, and the training goes on by the plan."
            )
        }
    }

    /// Refuses to train systems whose training was begun and has lost its checkpoint.
    /// - Throws: `ConfigurationError` naming each of them, and what to do.
    public func requireCheckpoints(_ some: [System]) throws(ConfigurationError) {
        var lines: [String] = []
        for system in some where system.trains {
            guard try state(of: system) == .cutOff else { continue }
            lines.append(
                "\(system.name): its training in \(system.runFolder.relativePath) cannot go on, because last.checkpoint is missing"
            )
        }
        guard !lines.isEmpty else { return }
        throw ConfigurationError(
            lines.joined(separator: "\n")
                + "\nPut \(lines.count == 1 ? "it" : "them") back, \(UserChoice.retraining), which keeps the old training next to the new one, "
                + "or give another \(UserChoice.output)."
        )
    }

    /// Sees that the model is there by which a system is scored and measured.
    /// - Throws: `ConfigurationError` naming what is there instead, and what to do.
    func requireModel(of system: System) throws(ConfigurationError) {
        let (file, best) = (system.modelFile, system.runFolder.appending(path: "best.safetensors"))
        let isInstead = system.model == .best && file != best
        if isInstead, RunHistory(folder: system.runFolder)?.validations.contains(where: \.isBest) == true {
            throw ConfigurationError(
                "\(best.relativePath): is missing, although the training had a best model. Put it back, or rename the folder "
                    + "\(system.runFolder.relativePath), so that \(system.name) is retrained."
            )
        }
        switch FileAccess.kind(of: file.path(percentEncoded: false)) {
        case .file: return
        case .missing:
            throw ConfigurationError("\(file.relativePath): there is no such model; train \(system.name) first.")
        case .folder, .other:
            throw ConfigurationError(
                "\(file.relativePath): is not a file, so it cannot be the model of \(system.name); remove it, and train "
                    + "\(system.name) again."
            )
        }
    }

    /// Makes a folder and those above it, where they are not there.
    static func makeFolder(_ url: URL) throws(ConfigurationError) {
        do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
            throw ConfigurationError(
                "\(url.relativePath): the folder cannot be made; check whether a file has that name, and the permissions, or give another "
                    + "\(UserChoice.output)."
            )
        }
    }
}
