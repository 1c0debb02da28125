public import SegNetEvaluation
public import SegNetImages
public import SegNetRefinement

/// Looks for the dense CRF that scores best on pictures with ground truth: a coarse grid, then a finer one around its best.
///
///     var search = DenseCRFSearch(candidates: DenseCRFSearch.coarse(DenseCRF()), segmenter: segmenter)
///     for example in examples { try search.add(picture(example), truth: example.labels) }
///     let best = search.ranking()[0].crf
///
/// Source: DeepLab (arXiv 1412.7062, section 5.1) searches w1, sigma-alpha and sigma-beta so, with w2 and sigma-gamma fixed at 3; SegNet's
/// paper searches on a part of the training set.
public struct DenseCRFSearch: Sendable {
    /// A dense CRF with the scores of its results.
    public struct Result: Sendable {
        public let crf: DenseCRF
        public let scores: Scores
    }

    /// The candidates.
    public let candidates: [DenseCRF]

    private let segmenter: Segmenter
    private var matrices: [ConfusionMatrix]
    private var plain: ConfusionMatrix

    public init(candidates: [DenseCRF], segmenter: Segmenter) {
        self.candidates = candidates
        self.segmenter = segmenter
        plain = ConfusionMatrix(classCount: segmenter.classCount)
        matrices = [ConfusionMatrix](repeating: plain, count: candidates.count)
    }

    /// Refines one picture's probabilities by each candidate.
    /// - Parameters:
    ///   - truth: The class ids of the picture's pixels; those of no class do not count.
    ///   - request: How the network runs: once or on views, at which size. What refines it are the candidates.
    ///   - read: How class ids are changed before they are scored, where a data set has changed its labels.
    ///   - isDone: Called after each candidate.
    /// - Throws: As `Segmenter.segment` with a refinement: `SegmenterError` for samples, and if the segmenter was made for classes only.
    public mutating func add(
        _ picture: MultichannelImage,
        truth: [UInt16],
        _ request: Segmenter.Request = Segmenter.Request(),
        read: (LabelMap) throws -> LabelMap = { $0 },
        isDone: () -> Void = {}
    ) throws {
        let (probabilities, classes) = try segmenter.probabilities(of: picture, request)
        plain.add(truth: truth, prediction: try read(classes).ids)
        let background = try picture.background()
        for (index, crf) in candidates.enumerated() {
            let refined = try crf.refine(
                probabilities: probabilities,
                classCount: segmenter.classCount,
                picture: background,
                threads: segmenter.options.threads,
                instructionSet: segmenter.prepared.options.instructionSet,
                isCancelled: request.isCancelled
            )
            matrices[index].add(truth: truth, prediction: try read(refined.classes).ids)
            isDone()
        }
    }

    /// The scores without a CRF.
    public func unrefined(_ rule: Scores.Rule = .present) -> Scores { Scores(plain, rule: rule) }

    /// All candidates, the one with the greatest mean IoU first; among equal ones the earlier.
    public func ranking(_ rule: Scores.Rule = .present) -> [Result] {
        zip(candidates, matrices).map { Result(crf: $0, scores: Scores($1, rule: rule)) }.enumerated()
            .sorted { ($1.element.scores.meanIoU ?? 0, $0.offset) < ($0.element.scores.meanIoU ?? 0, $1.offset) }
            .map(\.element)
    }

    /// The first grid: three weights, three distances and three colour differences that span what has been published; the rest is as in
    /// `base`.
    public static func coarse(_ base: DenseCRF) -> [DenseCRF] {
        grid(base, w1: [1.5, 4, 10], sigmaAlpha: [20, 50, 120], sigmaBeta: [3, 6, 12])
    }

    /// The second grid: around the best of the first, at half the distance, without what has been tried.
    public static func finer(around best: DenseCRF) -> [DenseCRF] {
        func around(_ value: Double, _ factor: Double) -> [Double] {
            [rounded(value / factor), value, rounded(value * factor)]
        }
        return grid(
            best,
            w1: around(best.w1, 1.6),
            sigmaAlpha: around(best.sigmaAlpha, 1.5),
            sigmaBeta: around(best.sigmaBeta, 1.4)
        )
        .filter { $0 != best }
    }

    private static func grid(_ base: DenseCRF, w1: [Double], sigmaAlpha: [Double], sigmaBeta: [Double]) -> [DenseCRF] {
        w1.flatMap { w1 in
            sigmaAlpha.flatMap { alpha in
                sigmaBeta.map { beta in
                    var crf = base
                    (crf.w1, crf.sigmaAlpha, crf.sigmaBeta) = (w1, alpha, beta)
                    return crf
                }
            }
        }
    }

    /// To a number that can be read aloud: half units up to 10, whole ones beyond.
    private static func rounded(_ value: Double) -> Double {
        value < 10 ? max((value * 2).rounded() / 2, 0.5) : value.rounded()
    }
}
