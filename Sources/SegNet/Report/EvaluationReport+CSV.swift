extension EvaluationReport {
    /// A line for each class, then one for all, as RFC 4180 has it: `class,iou,accuracy,pixels`. Fractions 0...1, empty where there is
    /// nothing to score; the last line has the mean IoU, the class average and all labelled pixels.
    public var csv: String {
        func line(_ name: String, _ iou: Double?, _ accuracy: Double?, _ pixels: Int) -> String {
            "\(Self.quoted(name)),\(iou.map { "\($0)" } ?? ""),\(accuracy.map { "\($0)" } ?? ""),\(pixels)\r\n"
        }
        let classes = perClass
        return "class,iou,accuracy,pixels\r\n" + classes.map { line($0.name, $0.iou, $0.accuracy, $0.pixels) }.joined()
            + line("(all)", scores.meanIoU, scores.classAverageAccuracy, classes.reduce(0) { $0 + $1.pixels })
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
