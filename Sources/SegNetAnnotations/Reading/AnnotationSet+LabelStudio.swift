import SegNetImages
import SegNetPlatform

// swift-format-ignore: AlwaysUseLowerCamelCase
/// A task of Label Studio's JSON export.
private struct LabelStudioTask: Decodable {
    struct Work: Decodable {
        var result: [LabelStudioResult]?
        var was_cancelled: Bool?
    }

    var id: Int?
    var data: [String: LabelStudioText]
    var annotations: [Work]?
    /// The key under which old versions have annotations.
    var completions: [Work]?
    var predictions: [Work]?
    /// The file that was uploaded.
    var file_upload: String?
}

/// The value of a key, if it is a string.
private struct LabelStudioText: Decodable {
    var text: String?

    init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct LabelStudioResult: Decodable {
    struct Value: Decodable {
        var points: [[Double]]?
        var rle: [Int]?
        var x: Double?
        var y: Double?
        var radiusX: Double?
        var radiusY: Double?
        var rotation: Double?
        var polygonlabels: [String]?
        var brushlabels: [String]?
        var ellipselabels: [String]?
        var labels: [String]?

        var names: [String] { polygonlabels ?? brushlabels ?? ellipselabels ?? labels ?? [] }
    }

    var id: String?
    var type: String?
    var value: Value?
    var original_width: Int?
    var original_height: Int?
}

extension AnnotationSet {
    /// Reads Label Studio's JSON export: polygons, brushes and ellipses. Rectangles, key points and texts are left out.
    ///
    /// A task counts with its first annotation that was not cancelled; if there is none, with its first prediction. Labels are sorted by
    /// name.
    /// - Throws: `AnnotationError` if the file as a whole cannot be read; what is wrong with single results is in `problems`.
    public init(labelStudio path: String) throws(AnnotationError) {
        let data = try AnnotationText.read(path)
        let tasks = try AnnotationText.decode(
            [LabelStudioTask].self,
            data,
            path: path,
            format: "Label Studio's JSON (not its short form JSON-MIN)"
        )
        self.init()
        var (leftOut, several) = (0, 0)
        for (number, task) in tasks.enumerated() {
            let name = "task \(task.id ?? number + 1)"
            guard let file = Self.file(task) else {
                problems.append("\(path): \(name) names no picture. Export it again.")
                continue
            }
            var picture = AnnotatedPicture(file: file, source: path)
            let done = (task.annotations ?? task.completions ?? []).filter { $0.was_cancelled != true }
            if done.count > 1 { several += 1 }
            let results = (done.first ?? task.predictions?.first)?.result ?? []
            var names: [String: String] = [:]
            for result in results { if let id = result.id, let label = result.value?.names.first { names[id] = label } }
            for result in results {
                if let width = result.original_width, let height = result.original_height {
                    (picture.width, picture.height) = (width, height)
                }
                do throws(AnnotationError) {
                    guard let shape = try Self.shape(result) else {
                        if result.value?.points == nil, result.type != "labels" { leftOut += 1 }
                        continue
                    }
                    guard let label = result.value?.names.first ?? result.id.flatMap({ names[$0] }) else {
                        throw AnnotationError("has no label. Give it one, or delete it.")
                    }
                    picture.annotations.append(Annotation(label: self.label(label), shape: shape))
                } catch {
                    problems.append("\(path): \(name), \(file): a result \(error)")
                }
            }
            pictures.append(picture)
        }
        sortLabels()
        if leftOut > 0 {
            notes.append(
                "\(path): \(leftOut) \(leftOut == 1 ? "result is not a polygon, brush or ellipse" : "results are not polygons, brushes or ellipses"); left out."
            )
        }
        if several > 0 {
            notes.append(
                "\(path): \(several) \(several == 1 ? "task has" : "tasks have") several annotations; only the first of each is used."
            )
        }
    }

    private static func shape(_ result: LabelStudioResult) throws(AnnotationError) -> Annotation.Shape? {
        guard let value = result.value else { return nil }
        if let points = value.points {
            let ring = try RingNumbers.ring(points: points)
            return .relativePolygons([ring.map { PixelPoint($0.x / 100, $0.y / 100) }])
        }
        guard let width = result.original_width, let height = result.original_height else {
            if value.rle == nil, value.radiusX == nil { return nil }
            throw AnnotationError("has no original_width and original_height. Export it again.")
        }
        if let packed = value.rle {
            return .rows(try LabelStudioRuns.rows(packed, width: width, height: height), left: 0, top: 0)
        }
        guard let x = value.x, let y = value.y, let across = value.radiusX, let down = value.radiusY else { return nil }
        let (scaleX, scaleY) = (Double(width) / 100, Double(height) / 100)
        let ring = RingNumbers.ellipse(
            x: x * scaleX,
            y: y * scaleY,
            across: across * scaleX,
            down: down * scaleY,
            degrees: value.rotation ?? 0
        )
        return .polygons([ring])
    }

    /// The picture's file: the first string in `data`, ordered by key, whose ending is that of a picture.
    ///
    /// An uploaded file has eight letters in front of its name. A file from a local folder comes after `?d=`.
    private static func file(_ task: LabelStudioTask) -> String? {
        let texts = task.data.sorted { $0.key < $1.key }.compactMap(\.value.text).map { text in
            var path = text
            if let query = path.firstRange(of: "?d=") {
                path = String(path[query.upperBound...])
            } else if let mark = path.firstIndex(of: "?") {
                path = String(path[..<mark])
            }
            return path.withoutPercentEncoding
        }
        let picture = texts.first(where: PictureFormat.isFileName)
        return picture ?? task.file_upload ?? texts.first { $0.contains("/") }
    }
}

extension String {
    /// With `%20` as a space, and so on. Anything else with a `%` stays as it is.
    fileprivate var withoutPercentEncoding: String {
        guard contains("%") else { return self }
        let letters = Array(utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < letters.count {
            if letters[index] == UInt8(ascii: "%"), index + 2 < letters.count,
                let byte = UInt8(String(decoding: letters[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(letters[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
