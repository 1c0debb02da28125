import SegNet

/// The scores of a split, as JSON and as a table.
struct EvaluationReport: Encodable {
    struct Class: Encodable {
        var name: String
        var iou: Double?
        var accuracy: Double?
        var pixels: Int

        private enum CodingKeys: String, CodingKey { case name, iou, accuracy, pixels }

        /// Absent classes are told as null, not left out.
        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(name, forKey: .name)
            try fields.encode(iou, forKey: .iou)
            try fields.encode(accuracy, forKey: .accuracy)
            try fields.encode(pixels, forKey: .pixels)
        }
    }

    var globalAccuracy: Double?
    var classAverageAccuracy: Double?
    var meanIoU: Double?
    var boundaryF1: Double?
    /// The rule of `boundaryF1`.
    var boundaryRule: String?
    var perClass: [Class]
    /// [true class][given class]
    var confusionMatrix: [[Int]]
    var pictures: Int

    init(_ scores: Scores, matrix: ConfusionMatrix, boundary: BoundaryScore?, classes: [String], pictures: Int) {
        globalAccuracy = scores.globalAccuracy
        classAverageAccuracy = scores.classAverageAccuracy
        meanIoU = scores.meanIoU
        boundaryF1 = boundary?.value
        boundaryRule = boundary?.rule.rawValue
        perClass = zip(classes, scores.classes).map {
            Class(name: $0, iou: $1.iou, accuracy: $1.accuracy, pixels: $1.pixels)
        }
        confusionMatrix = classes.indices.map { row in classes.indices.map { matrix[row, $0] } }
        self.pictures = pictures
    }

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
        lines.append("global accuracy  \(Self.percent(globalAccuracy)) %")
        lines.append("class average    \(Self.percent(classAverageAccuracy)) %")
        lines.append("mean IoU         \(Self.percent(meanIoU)) %")
        if let boundaryRule { lines.append("boundary F1      \(Self.percent(boundaryF1)) % (\(boundaryRule))") }
        lines.append("\(pictures) pictures")
        return lines
    }

    private static func percent(_ value: Double?) -> String { value.map { Numbers.fixed(100 * $0, 2) } ?? "-" }
}
