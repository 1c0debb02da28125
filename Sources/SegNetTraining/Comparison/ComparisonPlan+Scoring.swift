package import SegNetData
internal import SegNetPlatform

//  No system may learn from the pictures that are scored, nor from labels that mean something else than those that it is scored by.

extension ComparisonPlan {
    /// The settings that say which pictures are in `train` and in `val`. Where another split is scored, each system may divide the others
    /// as it likes.
    private var splitKeys: [String] {
        ["train", "val"].contains(split)
            ? ["train-split", "validation-split", "validation-share", "folds", "fold"] : []
    }

    /// Checks that a recipe takes labels and splits as scoring does.
    ///
    /// A recipe with data of its own is free to say what its labels mean. Opens no file.
    /// - Throws: `ConfigurationError` naming the system, each setting and both values.
    func requireScoredLabels(
        _ configuration: TrainingConfiguration,
        of system: ComparedSystem
    ) throws(ConfigurationError) {
        for (index, entry) in configuration.datasets.enumerated() where isScored(entry.kind, entry.data) {
            guard !entry.train.contains(split), !entry.train.contains("\(split).txt") else {
                throw ConfigurationError(
                    "\(system.name): datasets, entry \(index + 1) (\(entry.data)): learns from '\(split)', the split that is scored; "
                        + "give 'train' another one, or score another split of the plan's data."
                )
            }
        }
        guard configuration.datasets.isEmpty, isScored(configuration.dataset, configuration.data) else { return }
        let scored = try scoredRecipe()
        guard configuration.trainSplit != split || scored.trainSplit == split else {
            throw ConfigurationError(
                "\(system.name): train-split is \(split), the split that is scored; learn from another one, or score another one."
            )
        }
        let differences = configuration.differences(
            from: scored,
            in: TrainingConfiguration.labelKeys + splitKeys
        )
        guard !differences.isEmpty else { return }
        let words = differences.map { "\($0.key) is \($0.new ?? "unset"), scoring has \($0.old ?? "none")" }
        let (belongs, applies) = differences.count == 1 ? ("It belongs", "it applies") : ("They belong", "they apply")
        throw ConfigurationError(
            "\(system.name): \(words.joined(separator: "; ")). \(belongs) in the plan's 'protocol', so that \(applies) to all systems and "
                + "to scoring."
        )
    }

    /// Whether a recipe's data set is the one that is scored.
    private func isScored(_ kind: DatasetKind, _ folder: String) -> Bool {
        kind == dataset && (kind == .synthetic || place(of: folder) == place(of: data))
    }

    /// Checks that a recipe learns from none of the pictures that are scored: two splits or lists can share some.
    ///
    /// Data of a system that cannot be found is passed over; its training reports it.
    /// - Parameters:
    ///   - samples: Those that are scored.
    ///   - found: Where its pictures are looked up.
    /// - Throws: `ConfigurationError` naming the system, how many they are, and one of them.
    package func requireUnlearnt(
        _ samples: [Sample],
        _ configuration: TrainingConfiguration,
        of system: ComparedSystem,
        in found: FoundPictures
    ) throws(ConfigurationError) {
        // A plan that scores what all learn from says so.
        guard try scoredRecipe().trainSplit != split else { return }
        let shared = configuration.learnt(of: samples, in: found)
        guard let first = shared.first else { return }
        throw ConfigurationError(
            "\(system.name): learns from \(shared.count) of the \(counted(samples.count, "picture")) of '\(split)' that are scored, "
                + "such as '\(first.name)'. Take them out of its data, or score another split."
        )
    }
}

/// Where a path leads.
private func place(of path: String) -> String { URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path }

extension TrainingConfiguration {
    /// The settings that say what labels mean.
    fileprivate static let labelKeys = labelTable.map(\.description.key)

    /// The differences in some settings. Ignored labels may be in any order.
    fileprivate func differences(from scored: TrainingConfiguration, in keys: [String]) -> [RecipeDifference] {
        var (own, scored) = (self, scored)
        (own.ignore, scored.ignore) = (own.ignore.sorted(), scored.ignore.sorted())
        return own.differences(from: scored).filter { difference in
            keys.contains { difference.key == $0 || difference.key.hasPrefix("\($0).") }
        }
    }

    /// The settings by which this recipe, a finished training's, read the labels in another way than scoring does. The table of classes is
    /// left out: it may be named in several ways, and is compared elsewhere.
    /// - Parameter scored: The data set that is scored, and how.
    /// - Returns: Each setting, `old` as it is scored and `new` as it was learnt; empty if the training had other data, or several data sets.
    package func otherLabels(than scored: TrainingConfiguration) -> [RecipeDifference] {
        guard datasets.isEmpty, dataset == scored.dataset, place(of: data) == place(of: scored.data) else { return [] }
        return differences(from: scored, in: Self.labelKeys.filter { $0 != "classes" })
    }

    /// Those of some pictures that this recipe learns from, whatever the paths and lists that lead to them. None where its own data cannot
    /// be found.
    package func learnt(of samples: [Sample], in found: FoundPictures) -> [Sample] {
        guard let sources = try? found.sources(of: self) else { return [] }
        let learnt = Set(sources.pool.sources.flatMap(\.samples).map(\.place))
        return samples.filter { learnt.contains($0.place) }
    }

    /// Whether this recipe's best model is chosen by some of these pictures, likewise.
    package func validates(on samples: [Sample], in found: FoundPictures) -> Bool {
        guard let sources = try? found.sources(of: self) else { return false }
        let judging = Set(sources.validation.map(\.sample.place))
        return samples.contains { judging.contains($0.place) }
    }
}

extension Sample {
    /// Its picture's file, or the seed by which it is rendered.
    fileprivate var place: String {
        switch source {
        case .files(let images, _): SegNetTraining.place(of: images[0])
        case .annotated(let image, _, _): SegNetTraining.place(of: image)
        case .street(let seed): "street \(seed)"
        }
    }
}
