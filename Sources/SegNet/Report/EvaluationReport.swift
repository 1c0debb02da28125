public import SegNetEvaluation
internal import SegNetPlatform

/// The scores of a split: what `segnet evaluate --json` writes. Scores are fractions 0...1; null where there is nothing to score.
public struct EvaluationReport: Encodable, Sendable {
    public struct Class: Codable, Sendable {
        public var name: String
        /// Null where the class occurs in neither truth nor prediction.
        public var iou: Double?
        public var accuracy: Double?
        /// True pixels.
        public var pixels: Int

        private enum CodingKeys: String, CodingKey { case name, iou, accuracy, pixels }

        public func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(name, forKey: .name)
            try fields.encode(iou, forKey: .iou)
            try fields.encode(accuracy, forKey: .accuracy)
            try fields.encode(pixels, forKey: .pixels)
        }
    }

    /// The scores of one picture, by the same rules.
    public struct Picture: Codable, Sendable {
        public var name: String
        public var globalAccuracy: Double?
        /// Over the classes that occur in this picture's truth or prediction, whatever `metrics` says: for choosing pictures to look at.
        public var meanIoU: Double?
        public var boundaryF1: Double?

        private enum CodingKeys: String, CodingKey { case name, globalAccuracy, meanIoU, boundaryF1 }

        public func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(name, forKey: .name)
            try fields.encode(globalAccuracy, forKey: .globalAccuracy)
            try fields.encode(meanIoU, forKey: .meanIoU)
            try fields.encode(boundaryF1, forKey: .boundaryF1)
        }
    }

    public private(set) var matrix: ConfusionMatrix
    public private(set) var boundary: BoundaryScore?
    /// How right the surest pixels are; nil where no uncertainty was given.
    public private(set) var confidence: ConfidenceCurve?
    public private(set) var perImage: [Picture] = []
    public let classNames: [String]
    /// How absent classes count.
    public let rule: Scores.Rule
    /// The classes that the labels can name, where these are some only: those of the means, of boundary F1 and of `perClass`. Nil: all.
    public let namedClasses: [Int]?

    /// - Parameters:
    ///   - rule: How absent classes count.
    ///   - boundaryRule: Nil: no boundary F1.
    ///   - namedClasses: The classes that the labels can name, as `Dataset.namedClasses` finds them; nil: all.
    public init(
        classNames: [String],
        rule: Scores.Rule = .present,
        boundaryRule: BoundaryScore.Rule? = .oneToOne,
        namedClasses: [Int]? = nil
    ) {
        self.classNames = classNames
        self.rule = rule
        self.namedClasses = namedClasses
        matrix = ConfusionMatrix(classCount: classNames.count)
        boundary = boundaryRule.map {
            BoundaryScore(rule: $0, classCount: classNames.count, classes: namedClasses)
        }
    }

    /// Scores a picture: class ids [height, width] of both, truth not below K where there is none.
    /// - Returns: Its own scores.
    @discardableResult
    public mutating func add(name: String, truth: [UInt16], prediction: [UInt16], width: Int, height: Int) -> Picture {
        var own = ConfusionMatrix(classCount: classNames.count)
        own.add(truth: truth, prediction: prediction)
        matrix.add(own)
        let scores = Scores(own, over: namedClasses)
        let picture = Picture(
            name: name,
            globalAccuracy: scores.globalAccuracy,
            meanIoU: scores.meanIoU,
            boundaryF1: boundary?.add(truth: truth, prediction: prediction, width: width, height: height)
        )
        perImage.append(picture)
        return picture
    }

    /// Ranks a picture's pixels by their uncertainty: of samples, or 1 - confidence.
    public mutating func add(uncertainty: [Float], truth: [UInt16], prediction: [UInt16]) {
        var curve = confidence ?? ConfidenceCurve()
        // The one copy of a megabyte, not two.
        confidence = nil
        curve.add(truth: truth, prediction: prediction, uncertainty: uncertainty, classCount: classNames.count)
        confidence = curve
    }

    /// The accuracy of the surest part of all labelled pixels, from a tenth to all; empty where no uncertainty was given.
    public var surestAccuracies: [Surest] {
        guard let confidence else { return [] }
        return [0.1, 0.25, 0.5, 0.75, 0.9, 1].compactMap { share in
            confidence.accuracy(ofSurest: share).map { Surest(share: share, accuracy: $0) }
        }
    }

    /// A part of the labelled pixels, and how many of them are right: fractions 0...1.
    public struct Surest: Encodable, Sendable, Hashable {
        public var share: Double
        public var accuracy: Double
    }

    public var scores: Scores { Scores(matrix, rule: rule, over: namedClasses) }

    /// The classes that are scored, in order.
    var scoredIDs: [Int] { namedClasses ?? Array(classNames.indices) }

    /// "6 of 11 classes", or "11 classes".
    package var classesInWords: String {
        (namedClasses.map { "\($0.count) of " } ?? "") + counted(classNames.count, "class", plural: "classes")
    }

    /// All pixels with ground truth, which global accuracy is over.
    var labelledPixels: Int { classNames.indices.reduce(0) { $0 + matrix.truePixels($1) } }

    /// Pixels whose true class is one of those that are scored.
    package var scoredPixels: Int { scoredIDs.reduce(0) { $0 + matrix.truePixels($1) } }

    public var perClass: [Class] {
        let classes = scores.classes
        return scoredIDs.map { id in
            let scores = classes[id]
            return Class(name: classNames[id], iou: scores.iou, accuracy: scores.accuracy, pixels: scores.pixels)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case globalAccuracy, classAverageAccuracy, meanIoU, boundaryF1, boundaryRule, metrics, perClass, confusionMatrix
        case labelled, classes, surest, pictures, perImage
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        let scores = scores
        try fields.encode(scores.globalAccuracy, forKey: .globalAccuracy)
        try fields.encode(scores.classAverageAccuracy, forKey: .classAverageAccuracy)
        try fields.encode(scores.meanIoU, forKey: .meanIoU)
        try fields.encode(boundary?.value, forKey: .boundaryF1)
        try fields.encode(boundary?.rule.rawValue, forKey: .boundaryRule)
        try fields.encode(rule, forKey: .metrics)
        try fields.encode(perClass, forKey: .perClass)
        if let namedClasses {
            try fields.encode(namedClasses.map { classNames[$0] }, forKey: .labelled)
            // The matrix has rows for all of them, of which `perClass` does not have the names.
            try fields.encode(classNames, forKey: .classes)
        }
        // [true class][given class]
        let ids = classNames.indices
        try fields.encode(ids.map { row in ids.map { matrix[row, $0] } }, forKey: .confusionMatrix)
        if confidence != nil { try fields.encode(surestAccuracies, forKey: .surest) }
        try fields.encode(perImage.count, forKey: .pictures)
        try fields.encode(perImage, forKey: .perImage)
    }
}
