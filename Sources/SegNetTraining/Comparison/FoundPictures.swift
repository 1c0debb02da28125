package import SegNetData
internal import Synchronization

/// The pictures that recipes name, each recipe's found once.
///
/// A comparison asks many times what its systems learn from, and each answer takes a walk through folders, or a large file of annotations.
/// It does not notice what is done to the data in the meantime.
package final class FoundPictures: Sendable {
    private let found = Mutex<[TrainingConfiguration: TrainingConfiguration.Sources]>([:])

    package init() {}

    /// - Throws: As finding the data sets does; the next call then tries again.
    func sources(of recipe: TrainingConfiguration) throws -> TrainingConfiguration.Sources {
        if let known = found.withLock({ $0[recipe] }) { return known }
        try recipe.check()
        let sources = try recipe.sources()
        found.withLock { $0[recipe] = sources }
        return sources
    }

    /// The data set that a recipe names, the first if it names several.
    package func dataset(of recipe: TrainingConfiguration) throws -> Dataset {
        try sources(of: recipe).pool.sources[0].dataset
    }

    /// How many pictures a recipe learns from.
    package func count(of recipe: TrainingConfiguration) throws -> Int { try sources(of: recipe).pool.count }
}
