internal import SegNetPlatform
public import SegNetTraining

extension SystemComparison {
    /// Something that is not as it was when a system was trained.
    public enum Change: Sendable, Hashable, CustomStringConvertible {
        case recipe(RecipeDifference)
        /// A data set has other pictures to learn from; in words.
        case pictures(String)
        /// The system with whose model it began has another model now.
        case start(String)

        /// `seed 1 -> 7`
        public var description: String {
            switch self {
            case .recipe(let difference): difference.description
            case .pictures(let words): "pictures: \(words)"
            case .start(let name): "start-from: \(name) has been retrained"
            }
        }

        fileprivate var isOfRecipe: Bool {
            if case .recipe = self { true } else { false }
        }
    }

    /// What is not as it was when a system was trained; empty where all is, or where that is unknown.
    func changes(of system: System, since saved: TrainingConfiguration, isFinished: Bool) -> [Change] {
        var wanted = system.configuration
        // The same system's model, by whatever way the folder was reached.
        if system.entry.startFrom != nil, let path = saved.model, let own = wanted.model,
            path.split(separator: "/").suffix(2) == own.split(separator: "/").suffix(2)
        {
            wanted.model = path
        }
        let recipe = wanted.changes(since: saved).map(Change.recipe)
        // With another recipe, other pictures may be just what it asks for.
        let pictures =
            recipe.isEmpty
            ? system.configuration.pictureChanges(since: system.runFolder, isFinished: isFinished, in: found) : []
        return recipe + pictures.map(Change.pictures) + (startChange(of: system).map { [$0] } ?? [])
    }

    /// Refuses to go on with systems that are not as they were when their training was begun.
    /// - Parameter some: Only these; nil: all.
    /// - Throws: `ConfigurationError` naming each change and what to do.
    public func requireUnchanged(_ some: [System]? = nil) throws(ConfigurationError) {
        var lines: [String] = []
        var isRecipe = true
        for system in some ?? systems where system.trains {
            guard case .changed(let changes) = try state(of: system) else { continue }
            isRecipe = isRecipe && changes.allSatisfy(\.isOfRecipe)
            lines.append(
                "\(system.name): \(changes.sentence) since it was trained in \(system.runFolder.relativePath) (\(changes.words))"
            )
        }
        guard !lines.isEmpty else { return }
        throw ConfigurationError(
            lines.joined(separator: "\n")
                + "\nPut \(isRecipe ? "the recipe back" : "back what has changed"), \(UserChoice.retraining), which keeps the old training "
                + "next to the new one, or give another \(UserChoice.output)."
        )
    }

    /// Systems whose training began with the model of a system that is to be retrained, and that would stay as they are.
    /// - Parameters:
    ///   - wanted: The systems that are to be trained, where they are not.
    ///   - retrains: Whether those of them that have changed or cannot go on are retrained.
    package func leftBehind(by wanted: [System], retrains: Bool) throws(ConfigurationError) -> [System] {
        guard systems.contains(where: { start(of: $0) != nil }) else { return [] }
        var (anew, left): (Set<String>, [System]) = ([], [])
        let names = Set(wanted.map(\.name))
        // What a system starts from stands before it.
        for system in systems where system.trains {
            let isWanted = names.contains(system.name)
            let follows = system.entry.startFrom.map(anew.contains) ?? false
            switch try state(of: system) {
            case .missing: if isWanted { anew.insert(system.name) }
            case .cutOff where retrains && isWanted, .changed where retrains && isWanted: anew.insert(system.name)
            case .begun, .trained, .cutOff, .changed:
                guard follows else { continue }
                if retrains, isWanted { anew.insert(system.name) } else { left.append(system) }
            }
        }
        return left
    }
}

extension [SystemComparison.Change] {
    /// What they are, without when and how.
    package var sentence: String {
        let isRecipe = contains(where: \.isOfRecipe)
        guard !allSatisfy(\.isOfRecipe) else { return "its recipe has changed" }
        return isRecipe ? "its recipe and what it learns from have changed" : "what it learns from has changed"
    }

    /// All of them, one after the other.
    package var words: String { map(\.description).joined(separator: "; ") }
}
