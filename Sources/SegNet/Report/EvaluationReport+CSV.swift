extension EvaluationReport {
    /// A line for each class, then one for all, as RFC 4180 has it: `class,iou,accuracy,pixels`. Fractions 0...1, empty where there is
    /// nothing to score; the last line has the mean IoU, the class average and the pixels of the lines above. It begins with `(labelled)`
    /// where the labels can name some classes only, and these alone have lines.
    public var csv: String {
        func line(_ name: String, _ iou: Double?, _ accuracy: Double?, _ pixels: Int) -> String {
            CSV.line([name, iou.map { "\($0)" } ?? "", accuracy.map { "\($0)" } ?? "", "\(pixels)"])
        }
        let classes = perClass
        let all = namedClasses == nil ? "(all)" : "(labelled)"
        return CSV.line(["class", "iou", "accuracy", "pixels"])
            + classes.map { line($0.name, $0.iou, $0.accuracy, $0.pixels) }.joined()
            + line(all, scores.meanIoU, scores.classAverageAccuracy, classes.reduce(0) { $0 + $1.pixels })
    }
}
