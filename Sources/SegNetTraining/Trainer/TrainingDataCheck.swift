import SegNetData
import SegNetImages
import SegNetPlatform

/// A look at pictures and labels before a training begins, so that it neither ends in the middle nor learns nothing.
struct TrainingDataCheck {
    private let sources: TrainingConfiguration.Sources
    private let configuration: TrainingConfiguration

    init(_ sources: TrainingConfiguration.Sources, _ configuration: TrainingConfiguration) {
        self.sources = sources
        self.configuration = configuration
    }

    /// Reads the header of every file.
    /// - Returns: The greatest width and the greatest height of the training pictures as they are learnt from.
    /// - Throws: `ImageError` or `DatasetError` naming a file that cannot be read, or whose size is not that of its sample's others;
    ///   `ConfigurationError` naming a picture that cannot share a batch with the others of its data set.
    func checkSizes() throws -> PictureSize {
        var greatest = PictureSize(width: 0, height: 0)
        for source in sources.pool.sources {
            var first: (size: PictureSize, sample: Sample)?
            for sample in source.samples {
                let size = try source.dataset.fileSize(of: sample)
                let learnt = source.dataset.size ?? size
                greatest.width = max(greatest.width, learnt.width)
                greatest.height = max(greatest.height, learnt.height)
                guard source.dataset.size == nil, configuration.augmentation.crop == nil else { continue }
                guard let first else {
                    first = (size, sample)
                    continue
                }
                guard size != first.size else { continue }
                throw ConfigurationError(
                    "\(Self.file(sample)): is \(size), but \(Self.file(first.sample)) is \(first.size); pictures of different "
                        + "sizes cannot share a batch. Train on parts of one size with a \(UserChoice.crop), or resize all with a "
                        + "\(UserChoice.size)."
                )
            }
        }
        for item in sources.validation { _ = try sources.pool.sources[item.source].dataset.fileSize(of: item.sample) }
        return greatest
    }

    /// A sentence if every crop is larger than what it is cut from, also where that is enlarged most.
    /// - Parameter greatest: What `checkSizes` has found.
    func emptyCrops(_ greatest: PictureSize) -> String? {
        guard let crop = configuration.augmentation.crop else { return nil }
        let factor = configuration.augmentation.scale?.last ?? 1
        let width = min(Double(crop.width), factor * Double(greatest.width))
        let height = min(Double(crop.height), factor * Double(greatest.height))
        let percent = (1000 * (1 - width * height / Double(crop.width * crop.height))).rounded() / 10
        guard percent > 0 else { return nil }
        return "the crop of \(crop) is larger than every training picture (at most \(greatest)"
            + (factor == 1 ? "" : ", enlarged by at most \(factor)")
            + "): at least \(percent) % of each crop is black and void; a smaller crop teaches as much in less time."
    }

    /// Looks for two classes, in the table and in the labels. A teacher can do without those in the labels.
    /// - Throws: `ConfigurationError` if the labels say nothing that could be learnt; what reading labels throws.
    func checkLabels() throws {
        let pool = sources.pool
        guard let dataset = pool.sources.first?.dataset else { return }
        if dataset.classes.classes.count == 1, let only = dataset.classes.classes.first {
            throw ConfigurationError("data set '\(pool.name)': \(DatasetFindings.onlyClass(only.name))")
        }
        guard configuration.teacher == nil else { return }
        var ids: Set<Int> = []
        var hasVoid = false
        for (index, source) in pool.sources.enumerated() {
            let found = try source.dataset.firstClasses(of: source.samples)
            // Others' labels hide that these say nothing, as those of a wrong folder do.
            guard !found.ids.isEmpty || configuration.datasets.count < 2 else {
                throw ConfigurationError(
                    "\(configuration.title(index)): \(Self.allVoid(source.samples.count)) A \(UserChoice.datasetCheck) shows what all labels contain."
                )
            }
            ids.formUnion(found.ids)
            hasVoid = hasVoid || found.hasVoid
        }
        if ids.count > 1 { return }
        let name = ids.first.map { dataset.classes.classes[$0].name }
        let reason =
            name.map { DatasetFindings.oneClass($0, hasVoid: hasVoid) }
            ?? Self.allVoid(pool.count)
        throw ConfigurationError(
            "data set '\(pool.name)': \(reason) A \(UserChoice.datasetCheck) shows what all labels contain."
        )
    }

    private static func allVoid(_ pictures: Int) -> String {
        "none of its \(pictures) training pictures has a labelled pixel; all labels are void."
    }

    /// A sentence if nothing tells during the training how good the model is, and which of its states is the best.
    var missingValidation: String? {
        guard sources.validation.isEmpty else { return nil }
        return "there are no pictures for validation: the run writes last.safetensors, but no best.safetensors."
    }

    /// With fewer pictures chance has a large part in a validation's score.
    static let fewestValidating = 10

    /// A sentence if so few pictures validate that chance has a large part in their score, and in the choice of the best model.
    var fewValidating: String? {
        let count = sources.validation.count
        guard 1..<Self.fewestValidating ~= count else { return nil }
        let subject = "\(counted(count, "picture")) \(count == 1 ? "is" : "are")"
        return "only \(subject) used for validation, so small differences between scores can be chance; use more: "
            + "raise the \(UserChoice.validationShare), or give a separate split."
    }

    /// A sentence if pictures validate a model that has learnt from them; nil if none do. Several data sets can be one folder, by other
    /// paths.
    var sharedPictures: String? {
        let validation = sources.validation
        guard !validation.isEmpty else { return nil }
        let learnt = Set(sources.pool.sources.lazy.flatMap(\.samples).map(Self.identity))
        let shared = validation.filter { learnt.contains(Self.identity($0.sample)) }
        guard let first = shared.first else { return nil }
        let subject =
            validation.count == 1
            ? "the validation picture" : "\(shared.count) of the \(validation.count) validation pictures"
        return "\(subject) \(shared.count == 1 ? "is a training picture too, " : "are training pictures too, such as ")"
            + "\(Self.file(first.sample)): the validation flatters the model."
    }

    /// The picture's file by its only path without links; what a street is rendered from.
    private static func identity(_ sample: Sample) -> String {
        if case .street(let seed) = sample.source { return "street \(seed)" }
        let path = file(sample)
        return pathWithoutLinks(path) ?? path
    }

    /// The absolute path of a file without symbolic links; nil if there is no such file.
    static func pathWithoutLinks(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func file(_ sample: Sample) -> String {
        if case .annotated(let image, _, _) = sample.source { return image }
        guard case .files(let images, _) = sample.source else { return sample.name }
        return images[0]
    }
}
