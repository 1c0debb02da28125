internal import SegNetImages
internal import SegNetPlatform

/// Takes classes from probabilities that are averaged over frames.
struct FrameSmoother {
    private let request: Segmenter.Request
    private var smoothing: TemporalSmoothing
    /// New scenes so far.
    private(set) var cuts = 0

    init(_ request: Segmenter.Request, strength: Double) {
        self.request = request
        smoothing = TemporalSmoothing(strength: strength)
    }

    /// - Parameter small: The frame at the size of the probabilities.
    mutating func smooth(_ segmentation: Segmentation, _ small: Image?) throws -> (Segmentation, isCut: Bool) {
        guard let probabilities = segmentation.probabilities, let small else { return (segmentation, false) }
        let (mean, isCut) = smoothing.add(probabilities, small)
        if isCut { cuts += 1 }
        let (classCount, height, width) = (mean.shape[0], mean.shape[1], mean.shape[2])
        var sum = ProbabilitySum(classCount: classCount, width: width, height: height)
        sum.add(mean.values, width: width, height: height, views: 1)
        let (ids, confidence) = sum.best()
        let classes = try LabelMap(width: width, height: height, ids: ids)
        let shown = segmentation.classes
        let isSame = width == shown.width && height == shown.height
        let large =
            request.edges == .smooth && !isSame
            ? try LabelMap(
                width: shown.width,
                height: shown.height,
                ids: SmoothClasses(classCount: classCount, width: width, height: height)
                    .ids(mean.values, width: shown.width, height: shown.height)
            )
            : try classes.resized(width: shown.width, height: shown.height, nearest: .center)
        var result = Segmentation(
            classes: large,
            networkClasses: classes,
            classTable: segmentation.classTable,
            classCount: segmentation.classCount,
            confidence: segmentation.confidence == nil ? nil : FloatMap(shape: [height, width], values: confidence),
            scores: segmentation.scores,
            probabilities: mean,
            uncertainty: segmentation.uncertainty,
            variance: segmentation.variance,
            blobs: segmentation.blobs,
            image: segmentation.image
        )
        result.timing = segmentation.timing
        return (result, isCut)
    }
}
