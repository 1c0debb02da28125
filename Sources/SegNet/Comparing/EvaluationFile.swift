extension SystemComparison {
    /// The scores of a system on the split: what `evaluation.json` in its folder holds. Scores are fractions 0...1.
    public struct Evaluation: Sendable, Decodable {
        public var globalAccuracy: Double?
        public var classAverageAccuracy: Double?
        public var meanIoU: Double?
        /// By the rule `one-to-one`.
        public var boundaryF1: Double?
        public var perClass: [EvaluationReport.Class]
        public var perImage: [EvaluationReport.Picture]
    }
}

/// A file of scores.
struct EvaluationFile<Report> {
    var subject: ScoredSubject
    /// With reading the pictures and scoring.
    var seconds: Double
    var report: Report
}

extension EvaluationFile: Encodable where Report: Encodable {}
extension EvaluationFile: Decodable where Report: Decodable {}
