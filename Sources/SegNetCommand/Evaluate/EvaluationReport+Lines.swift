import SegNetToolkit

extension EvaluationReport {
    /// For a terminal.
    var lines: [String] {
        var table = TextTable([("class", .left), ("IoU %", .right), ("accuracy %", .right), ("pixels", .right)])
        for entry in perClass {
            table.append([
                entry.name, Self.percent(entry.iou), Self.percent(entry.accuracy), Numbers.grouped(entry.pixels),
            ])
        }
        var lines = table.lines
        lines.append("")
        lines.append("global accuracy  \(Self.percent(scores.globalAccuracy)) %")
        lines.append("class average    \(Self.percent(scores.classAverageAccuracy)) %")
        lines.append("mean IoU         \(Self.percent(scores.meanIoU)) %")
        if let boundary {
            lines.append("boundary F1      \(Self.percent(boundary.value)) % (\(boundary.rule.rawValue))")
        }
        if namedClasses != nil { lines.append("means are over \(classesInWords) (--labelled)") }
        let surest = surestAccuracies.map { "\(Numbers.fixed(100 * $0.share, 0)) %: \(Self.percent($0.accuracy))" }
        if !surest.isEmpty { lines.append("correct among the most certain \(surest.joined(separator: ", "))") }
        lines.append(counted(perImage.count, "picture"))
        return lines
    }

    private static func percent(_ value: Double?) -> String { value.map { Numbers.fixed(100 * $0, 2) } ?? "-" }
}
