internal import SegNetData
internal import SegNetImages
internal import SegNetNetworks
internal import SegNetPlatform
internal import SegNetTraining

/// The pictures of a comparison's pages: read once from the data set and from the systems' masks.
struct ComparisonPictures {
    /// A picture as all systems see it.
    struct Shown {
        var name: String
        /// With the masks of all scored systems, in their order.
        var comparisons: [Comparison]
        /// Each system's mean IoU on it, a fraction.
        var scores: [Double?]
    }

    /// A picture on which a system does badly.
    struct Worst {
        var name: String
        var comparison: Comparison
        var score: Double?
    }

    var shown: [Shown] = []
    /// By scored system, the worst first.
    var worst: [[Worst]] = []

    init() {}

    /// - Throws: `ConfigurationError` if the plan names a picture that is not there; what reading pictures and masks throws.
    init(_ comparison: SystemComparison, _ rows: [ComparisonReport.Row], dataset: Dataset) throws {
        let samples = try dataset.samples(of: comparison.plan.split)
        let names = try Self.chosen(comparison.plan.pictures, samples, split: comparison.plan.split)
        for sample in names {
            let example = try dataset.example(sample)
            shown.append(
                Shown(
                    name: sample.name,
                    comparisons: try rows.map { try Self.comparison($0, comparison, sample, example, dataset) },
                    scores: rows.map { $0.score(of: sample.name) }
                )
            )
        }
        let byName = Dictionary(samples.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        worst = try rows.map { row in
            let scored = (row.scores?.perImage ?? []).filter { $0.meanIoU != nil }
            let lowest = scored.sorted { ($0.meanIoU ?? 0, $0.name) < ($1.meanIoU ?? 0, $1.name) }
            return try lowest.prefix(comparison.plan.worst).compactMap { picture in
                guard let sample = byName[picture.name] else { return nil }
                let example = try dataset.example(sample)
                return Worst(
                    name: picture.name,
                    comparison: try Self.comparison(row, comparison, sample, example, dataset),
                    score: picture.meanIoU
                )
            }
        }
    }

    /// How many are shown where the plan names none.
    private static let count = 4

    static func chosen(_ names: [String], _ samples: [Sample], split: String) throws -> [Sample] {
        guard !names.isEmpty else {
            let count = min(count, samples.count)
            return (0..<count).map { samples[(2 * $0 + 1) * samples.count / (2 * count)] }
        }
        return try names.map { name in
            guard let sample = samples.first(where: { $0.name == name }) else {
                let hint = closestName(to: name, among: samples.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
                throw DatasetError("pictures: there is no picture '\(name)' in the split '\(split)'.\(hint)")
            }
            return sample
        }
    }

    private static func comparison(
        _ row: ComparisonReport.Row,
        _ comparison: SystemComparison,
        _ sample: Sample,
        _ example: Example,
        _ dataset: Dataset
    ) throws -> Comparison {
        let folder = comparison.masks(of: row.system)
        let prediction: LabelMap
        do {
            let masks = try PredictedMasks(folder: folder.path(percentEncoded: false), dataset: dataset)
            prediction = try masks.mask(of: sample, width: example.width, height: example.height)
        } catch {
            throw ConfigurationError(
                "\(error) Remove the folder \(folder.relativePath), and the same command makes these masks again."
            )
        }
        return try Comparison(
            photo: try dataset.picture(of: example).background(),
            truth: try LabelMap(width: example.width, height: example.height, ids: example.labels),
            prediction: prediction
        )
    }
}

extension ComparisonReport.Row {
    /// The mean IoU of one picture; nil if it was not scored.
    fileprivate func score(of name: String) -> Double? {
        scores?.perImage.first { $0.name == name }?.meanIoU ?? nil
    }
}
