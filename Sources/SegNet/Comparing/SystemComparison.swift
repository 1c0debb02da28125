package import SegNetData
internal import SegNetFormats
public import SegNetPlatform
public import SegNetTraining

/// Several systems trained on one data set by one protocol, scored, measured and shown side by side.
///
///     let comparison = try SystemComparison(ComparisonPlan(path: "plan.yaml"), output: URL(filePath: "runs/mine"))
///     for system in comparison.systems where system.trains {
///         try Trainer(system.configuration, output: system.runFolder, resume: true).run()
///     }
///     for system in comparison.systems {
///         try comparison.evaluate(system)
///         try comparison.measure(system)
///     }
///     let pages = try comparison.writePages()
///
/// Everything is in files below one folder: each system's training as `Trainer` leaves it, its masks and scores, its measurements. What is
/// there and up to date is not done again, so a comparison can be interrupted anywhere and continued by the same lines.
public struct SystemComparison: Sendable {
    public let plan: ComparisonPlan
    public let output: URL
    public let systems: [System]
    /// The data set that is scored, and how its labels are read.
    let scored: TrainingConfiguration
    /// Nil: pictures are looked for at every question.
    private var remembered: FoundPictures?
    var found: FoundPictures { remembered ?? FoundPictures() }

    /// A row of the tables.
    public struct System: Sendable {
        public var entry: ComparedSystem
        /// The whole recipe of its model.
        public var configuration: TrainingConfiguration
        /// The folder of its masks, scores and measurements.
        public var folder: URL
        /// The folder of its model's training: its own, or that of the system whose model it shares.
        public var runFolder: URL
        /// Which model of the training is scored.
        public var model: ComparisonPlan.ModelChoice

        public var name: String { entry.name }
        /// Whether it has a training of its own.
        public var trains: Bool { entry.modelOf == nil }

        /// Its model's file; training writes it.
        public var modelFile: URL {
            let best = runFolder.appending(path: "best.safetensors")
            // Without a validation there is no best.
            let isThere = FileManager.default.fileExists(atPath: best.path(percentEncoded: false))
            return model == .best && isThere ? best : runFolder.appending(path: "last.safetensors")
        }
    }

    /// Reads every recipe of a plan; trains nothing.
    /// - Parameter output: The comparison's folder; made when something is written.
    /// - Throws: `ConfigurationError` naming the system and what is wrong.
    public init(_ plan: ComparisonPlan, output: URL) throws(ConfigurationError) {
        try plan.check()
        self.plan = plan
        self.output = output
        scored = try plan.scoredRecipe()
        var systems: [System] = []
        // Those that share a model come after all that are trained, wherever they stand in the plan.
        for entry in plan.systems where entry.modelOf == nil {
            let folder = output.appending(path: entry.folderName)
            var system = System(
                entry: entry,
                configuration: try Self.configuration(of: entry, in: plan),
                folder: folder,
                runFolder: folder,
                model: entry.model ?? plan.model
            )
            if let start = systems.first(where: { $0.name == entry.startFrom }) {
                system.configuration.model = start.futureModelFile.relativePath
            }
            systems.append(system)
        }
        self.systems = plan.systems.compactMap { entry in
            guard let owner = systems.first(where: { $0.name == entry.modelOf ?? entry.name }) else { return nil }
            guard entry.modelOf != nil else { return owner }
            var system = owner
            system.entry = entry
            system.folder = output.appending(path: entry.folderName)
            system.model = entry.model ?? plan.model
            return system
        }
        for system in self.systems {
            do throws(Segmenter.WordsError) { _ = try system.refinement } catch {
                throw ConfigurationError("\(system.name): refine: \(error.problem).")
            }
        }
    }

    /// A system's whole recipe, with the files of bundled models, as its training saves it.
    private static func configuration(
        of entry: ComparedSystem,
        in plan: ComparisonPlan
    ) throws(ConfigurationError) -> TrainingConfiguration {
        var configuration = try plan.configuration(of: entry)
        do throws(FormatError) { try configuration.resolveModels() } catch {
            throw ConfigurationError("\(entry.name): \(error)")
        }
        return configuration
    }
}

extension SystemComparison.System {
    /// The model that a training with a validation will leave, whether it is there or not.
    package var futureModelFile: URL {
        runFolder.appending(path: model == .best ? "best.safetensors" : "last.safetensors")
    }
}

// MARK: Trainings

extension SystemComparison {
    /// How far the training of a system is.
    public enum TrainingState: Sendable, Hashable {
        case missing
        /// Interrupted, or being trained now.
        case begun(step: Int, of: Int?)
        case trained
        /// Interrupted, and it cannot go on: its checkpoint is gone.
        case cutOff
        /// Its folder holds a training by another recipe, on other pictures, or from another model.
        case changed([Change])
    }

    /// How far the training of a system is, by the files in its folder.
    /// - Throws: `ConfigurationError` if the recipe in the folder cannot be read.
    public func state(of system: System) throws(ConfigurationError) -> TrainingState {
        guard let saved = try Self.savedRecipe(of: system) else {
            return Trainer.lacksCheckpoint(system.runFolder) ? .cutOff : .missing
        }
        let history = RunHistory(folder: system.runFolder)
        let isFinished = history?.isFinished == true
        let changes = changes(of: system, since: saved, isFinished: isFinished)
        guard changes.isEmpty else { return .changed(changes) }
        // The training writes its last model anew where it is missing.
        let last = system.runFolder.appending(path: "last.safetensors").path(percentEncoded: false)
        if isFinished, FileManager.default.fileExists(atPath: last) { return .trained }
        guard !Trainer.lacksCheckpoint(system.runFolder) else { return .cutOff }
        return .begun(step: history?.lastStep ?? 0, of: history?.totalSteps)
    }

    /// The same comparison, which finds the pictures of its systems and of the scored split once and remembers them: for as long as nobody
    /// changes the data.
    public func remembering() -> SystemComparison {
        var comparison = self
        comparison.remembered = FoundPictures()
        return comparison
    }

    /// The data set that is scored.
    /// - Throws: `DatasetError`, `ConfigurationError`.
    package func scoredDataset() throws -> Dataset { try found.dataset(of: scored) }

    /// - Throws: `DatasetError` if the data set is not there, or its split lacks a picture that the plan names; `ConfigurationError` if a
    ///   system learns from pictures that are scored.
    public func requirePictures() throws {
        let samples = try scoredDataset().samples(of: plan.split)
        _ = try ComparisonPictures.chosen(plan.pictures, samples, split: plan.split)
        for system in systems where system.trains {
            try plan.requireUnlearnt(samples, system.configuration, of: system.entry, in: found)
        }
    }

    /// The systems that learn from pictures that are scored, as with `split: train`; those included that share their models. Their scores
    /// show what they remember, not what they recognise.
    ///
    /// The pictures decide, not the name of the split: a system can have data of its own.
    /// - Throws: Errors of finding the pictures that are scored.
    package func learners() throws -> [System] {
        let samples = try scoredDataset().samples(of: plan.split)
        return systems.filter { !$0.configuration.learnt(of: samples, in: found).isEmpty }
    }

    /// The systems that are scored on pictures by which their best model is chosen.
    func choosers() throws -> [System] {
        let samples = try scoredDataset().samples(of: plan.split)
        return systems.filter { $0.model == .best && $0.configuration.validates(on: samples, in: found) }
    }

    /// Who learns from the scored pictures, as the subject of a sentence, and whether it is a single system: `the systems`,
    /// `SegNet and FCN-8s`.
    package static func subject(_ learners: [String], of all: [String]) -> (words: String, isOne: Bool) {
        guard learners.count < all.count else { return ("the systems", false) }
        let others = learners.dropLast().joined(separator: ", ")
        let last = learners.last ?? ""
        return (others.isEmpty ? last : "\(others) and \(last)", learners.count == 1)
    }

    /// The files, with their keys, that a training to come begins with and that are not there: `encoder: vgg16.safetensors`.
    ///
    /// Opens no data: whether a training that is there has changed is not asked.
    public func missingFiles(of system: System) -> [String] {
        guard system.trains, (try? Self.savedRecipe(of: system)) == nil, !Trainer.lacksCheckpoint(system.runFolder)
        else { return [] }
        let recipe = system.configuration
        let files = [
            ("encoder", recipe.encoder), ("teacher.model", recipe.teacher?.model),
            // That of an earlier system will be there.
            ("model", system.entry.startFrom == nil ? recipe.model : nil),
        ]
        return files.compactMap { key, path in
            guard let path, !FileManager.default.fileExists(atPath: path), ModelStore.standard.url(of: path) == nil
            else { return nil }
            return "\(key): \(path)"
        }
    }

    /// Moves a system's folder aside, so that it is retrained: `name~1`, `name~2` and so on.
    /// - Returns: Where it is now.
    /// - Throws: `ConfigurationError` if it cannot be moved.
    public func setAside(_ system: System) throws -> URL {
        var number = 1
        var target = output.appending(path: "\(system.entry.folderName)~\(number)")
        while FileManager.default.fileExists(atPath: target.path(percentEncoded: false)) {
            number += 1
            target = output.appending(path: "\(system.entry.folderName)~\(number)")
        }
        guard rename(system.folder.path(percentEncoded: false), target.path(percentEncoded: false)) == 0 else {
            let words = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
            throw ConfigurationError(
                "\(system.folder.relativePath): cannot be moved to \(target.relativePath) (\(words)); check the permissions of "
                    + "\(output.relativePath)."
            )
        }
        return target
    }

    /// Refuses a folder in which a system's recipe would replace the plan or a recipe that the plan names: they are the user's own, with
    /// comments.
    /// - Throws: `ConfigurationError` naming the file.
    package func requireSources() throws(ConfigurationError) {
        for system in systems where system.trains {
            let file = recipeFile(of: system)
            guard let source = plan.source(at: file.path(percentEncoded: false)) else { continue }
            throw ConfigurationError(
                "\(system.name): its whole recipe would be written to \(file.relativePath), and replace \(source), from which the comparison is "
                    + "read; give another \(UserChoice.output), or the system another name."
            )
        }
    }

    private func recipeFile(of system: System) -> URL { output.appending(path: "\(system.entry.folderName).yaml") }

    /// Writes a system's whole recipe for `segnet train --config`, and remembers the model that the training begins with.
    /// - Returns: The file, next to the system's folder: the folder belongs to the training.
    /// - Throws: `ConfigurationError` if it would replace a file that the comparison is read from, or cannot be written.
    public func writeRecipe(of system: System) throws -> URL {
        try requireSources()
        try Self.makeFolder(output)
        try rememberStart(of: system, isBeginning: !Trainer.hasCheckpoint(system.runFolder))
        let file = recipeFile(of: system)
        try SmallFile.write(Array(try system.configuration.yaml().utf8), to: file)
        return file
    }
}
