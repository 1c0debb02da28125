import SegNetImages
import SegNetPlatform

// swift-format-ignore: AlwaysUseLowerCamelCase
/// One of labelme's files, which describe one picture each.
private struct LabelmeFile: Decodable {
    struct Shape: Decodable {
        var label: String
        var points: [[Double]]
        var shape_type: String?
        /// A base-64 PNG of the rectangle between the two points.
        var mask: String?
    }

    var shapes: [Shape]
    var imagePath: String
    var imageWidth: Int?
    var imageHeight: Int?
}

extension AnnotationSet {
    /// Reads labelme's files: polygons, rectangles, circles, masks. Lines and points are left out.
    ///
    /// Labels are sorted by name. The label `__ignore__` means that there is no ground truth, as in labelme's own converters.
    /// - Parameter paths: The JSON files, one per picture.
    public init(labelme paths: [String]) {
        self.init()
        var leftOut = 0
        for path in paths {
            do throws(AnnotationError) { try addLabelme(path, &leftOut) } catch { problems.append(error.description) }
        }
        sortLabels()
        if leftOut > 0 {
            notes.append(
                "labelme: \(leftOut) \(leftOut == 1 ? "line or point encloses" : "lines and points enclose") nothing; left out."
            )
        }
    }

    private mutating func addLabelme(_ path: String, _ leftOut: inout Int) throws(AnnotationError) {
        let data = try AnnotationText.read(path)
        let file = try AnnotationText.decode(LabelmeFile.self, data, path: path, format: "labelme's JSON")
        // Windows writes its own separator.
        var picture = AnnotatedPicture(
            file: file.imagePath.replacing("\\", with: "/"),
            width: file.imageWidth,
            height: file.imageHeight,
            source: path
        )
        for (number, shape) in file.shapes.enumerated() {
            do throws(AnnotationError) {
                guard let form = try Self.shape(shape) else {
                    leftOut += 1
                    continue
                }
                let label = shape.label == "__ignore__" ? -1 : label(shape.label)
                picture.annotations.append(Annotation(label: label, shape: form))
            } catch {
                problems.append("\(path): shape \(number + 1), '\(shape.label)', \(error)")
            }
        }
        pictures.append(picture)
    }

    private static func shape(_ shape: LabelmeFile.Shape) throws(AnnotationError) -> Annotation.Shape? {
        let points = shape.points
        switch shape.shape_type ?? "polygon" {
        case "point", "points", "line", "linestrip": return nil
        case "rectangle":
            guard points.count == 2, points.allSatisfy({ $0.count == 2 }) else {
                throw AnnotationError("is a rectangle with \(points.count) points; it needs two corners. Redraw it.")
            }
            let (a, b) = (points[0], points[1])
            return .polygons([try RingNumbers.ring(points: [a, [b[0], a[1]], b, [a[0], b[1]]])])
        case "circle":
            guard points.count == 2, points.allSatisfy({ $0.count == 2 }) else {
                throw AnnotationError(
                    "is a circle with \(points.count) points; it needs its centre and a point on it. Redraw it."
                )
            }
            let (dx, dy) = (points[1][0] - points[0][0], points[1][1] - points[0][1])
            let radius = (dx * dx + dy * dy).squareRoot()
            return .polygons([RingNumbers.ellipse(x: points[0][0], y: points[0][1], across: radius, down: radius)])
        case "mask":
            guard let corner = points.first, corner.count == 2, let text = shape.mask,
                let data = Data(base64Encoded: text),
                abs(corner[0]) < 1e9, abs(corner[1]) < 1e9
            else { throw AnnotationError("is a mask without its place or its pixels. Redraw it.") }
            let map: LabelMap
            do throws(ImageError) { map = try LabelMap(decoding: Array(data), name: "its mask") } catch {
                throw AnnotationError("has a mask that cannot be read (\(error)). Redraw it.")
            }
            let runs = RunLengths(BinaryMask(map) { $0 != 0 })
            return .runs(runs, left: Int(corner[0].rounded()), top: Int(corner[1].rounded()))
        default: return .polygons([try RingNumbers.ring(points: points)])
        }
    }
}
