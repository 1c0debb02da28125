extension ComparisonPlan {
    /// A system's whole recipe: its own, then the plan's data set and size, what all systems share, the budget, its own settings, and
    /// last the plan's overrides.
    /// - Throws: `ConfigurationError` if the recipe cannot be read or used, or takes labels or splits otherwise than scoring does.
    public func configuration(of system: ComparedSystem) throws(ConfigurationError) -> TrainingConfiguration {
        var configuration: TrainingConfiguration
        switch system.recipe {
        case .file(let name):
            configuration = try TrainingConfiguration(path: recipePath(name))
        case .settings(let changes):
            configuration = TrainingConfiguration()
            try changes.apply(to: &configuration)
        case nil:
            throw ConfigurationError(
                "\(system.name): has no recipe of its own; see the system that it shares a model with."
            )
        }
        try share(with: &configuration)
        try system.settings?.apply(to: &configuration)
        try override(&configuration)
        do throws(ConfigurationError) { try configuration.check() } catch {
            throw ConfigurationError("\(system.name): \(error)")
        }
        try requireScoredLabels(configuration, of: system)
        return configuration
    }

    private func recipePath(_ name: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }

    /// The file of the plan that a path leads to: the plan's own, or one of its recipes; nil if it is none of them.
    package func source(at path: String) -> String? {
        // A file that is not there replaces none.
        guard let target = TrainingDataCheck.pathWithoutLinks(path) else { return nil }
        let recipes = systems.compactMap { system -> String? in
            if case .file(let name) = system.recipe { recipePath(name) } else { nil }
        }
        return ([file].compactMap { $0 } + recipes).first { TrainingDataCheck.pathWithoutLinks($0) == target }
    }

    private func share(with configuration: inout TrainingConfiguration) throws(ConfigurationError) {
        if configuration.datasets.isEmpty { (configuration.dataset, configuration.data) = (dataset, data) }
        if let size { configuration.size = size }
        try shared?.apply(to: &configuration)
        if let iterations = budget.iterations { configuration.iterations = iterations }
        if let epochs = budget.epochs { (configuration.epochs, configuration.iterations) = (epochs, nil) }
    }

    private func override(_ configuration: inout TrainingConfiguration) throws(ConfigurationError) {
        for override in overrides { try configuration.set(override.key, to: override.text, option: override.place) }
    }

    /// What is scored: the plan's data set, its pictures at their own size, with what the protocol says of labels and inputs.
    public func scoredRecipe() throws(ConfigurationError) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        try share(with: &configuration)
        try override(&configuration)
        configuration.size = nil
        configuration.datasets = []
        return configuration
    }
}

extension TrainingConfiguration {
    /// The settings in which the run of a folder would differ, if it went on by this recipe. How often it saves, logs and keeps pictures in
    /// memory changes no result and does not count.
    /// - Parameter saved: The recipe that a run's folder holds: with what the trainer decided where the recipe was silent.
    package func changes(since saved: TrainingConfiguration) -> [RecipeDifference] {
        // As it would be saved: without what several data sets leave no use for.
        var own = (try? TrainingConfiguration(yaml: yaml(), file: "recipe")) ?? self
        var old = saved
        if own.mean == nil { old.mean = nil }
        if own.scale == nil { old.scale = nil }
        if own.accuracy == nil { old.accuracy = nil }
        (own.checkpointMinutes, own.cacheMegabytes, own.tensorboard) = (
            old.checkpointMinutes, old.cacheMegabytes, old.tensorboard
        )
        return own.differences(from: old)
    }
}
