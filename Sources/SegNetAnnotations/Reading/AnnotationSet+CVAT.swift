import SegNetImages
import SegNetPlatform

extension AnnotationSet {
    /// Reads "CVAT for images 1.1": polygons, masks and ellipses, ordered by depth and then as in the file. Boxes, lines, points and tags
    /// are left out.
    /// - Throws: `AnnotationError` if the file as a whole cannot be read; what is wrong with single shapes is in `problems`.
    public init(cvat path: String) throws(AnnotationError) {
        self.init()
        var reader = CVATReader(path: path)
        do throws(AnnotationError) { try reader.read(try AnnotationText.read(path)) } catch {
            throw error.description.hasPrefix(path) ? error : error.of(path)
        }
        self = reader.set
    }
}

private struct CVATReader {
    let path: String
    var set = AnnotationSet()
    private var elements: [String] = []
    private var text = ""
    private var name = ""
    /// The picture that is being read.
    private var picture: AnnotatedPicture?
    /// Its shapes with their depths.
    private var shapes: [(depth: Int, annotation: Annotation)] = []
    private var leftOut = 0

    init(path: String) { self.path = path }

    mutating func read(_ data: Data) throws(AnnotationError) {
        var events = XMLEvents(data)
        while let event = try events.next() {
            switch event {
            case .start(let element, let attributes):
                if elements.isEmpty, element != "annotations" {
                    throw AnnotationError(
                        "its outermost element is '\(element)'; CVAT's is 'annotations'. Export \"CVAT for images 1.1\"."
                    )
                }
                elements.append(element)
                text = ""
                try start(element, attributes)
            case .text(let more): text += more
            case .end(let element):
                end(element)
                elements.removeLast()
            }
        }
        if leftOut > 0 {
            set.notes.append(
                "\(path): \(leftOut) \(leftOut == 1 ? "box, line, point or tag has" : "boxes, lines, points and tags have") no outline; left out."
            )
        }
    }

    private mutating func start(_ element: String, _ attributes: [String: String]) throws(AnnotationError) {
        switch element {
        case "track":
            throw AnnotationError(
                "has tracks of a video, which are not read; export \"CVAT for images 1.1\" instead of \"CVAT for video\"."
            )
        case "image":
            guard let name = attributes["name"] else {
                throw AnnotationError("has an image without a name. Export it again.")
            }
            var picture = AnnotatedPicture(
                file: name,
                width: attributes["width"].flatMap { Int($0) },
                height: attributes["height"].flatMap { Int($0) },
                source: path
            )
            picture.split = attributes["subset"]
            self.picture = picture
            shapes = []
        case "polygon", "mask", "ellipse": add(element, attributes)
        case "box", "polyline", "points", "cuboid", "skeleton", "tag": if picture != nil { leftOut += 1 }
        default: break
        }
    }

    private mutating func end(_ element: String) {
        switch element {
        case "name" where elements.suffix(3) == ["labels", "label", "name"]:
            name = text.trimmingSpace
            _ = set.label(name)
        case "color" where elements.suffix(3) == ["labels", "label", "color"]:
            _ = set.label(name, Color(hexadecimal: text.trimmingSpace))
        case "image":
            guard var picture else { return }
            // If depths are equal, the later one is on top.
            picture.annotations = shapes.enumerated().sorted {
                ($0.element.depth, $0.offset) < ($1.element.depth, $1.offset)
            }
            .map(\.element.annotation)
            set.pictures.append(picture)
            self.picture = nil
        default: break
        }
    }

    private mutating func add(_ element: String, _ attributes: [String: String]) {
        guard let picture else { return }
        do throws(AnnotationError) {
            guard let label = attributes["label"] else { throw AnnotationError("has no label. Export it again.") }
            let shape =
                switch element {
                case "polygon": try Self.polygon(attributes)
                case "mask": try Self.mask(attributes, picture)
                default: try Self.ellipse(attributes)
                }
            let depth = attributes["z_order"].flatMap { Int($0) } ?? 0
            shapes.append((depth, Annotation(label: set.label(label), shape: shape)))
        } catch {
            set.problems.append("\(path): a \(element) of \(picture.file) \(error)")
        }
    }

    private static func polygon(_ attributes: [String: String]) throws(AnnotationError) -> Annotation.Shape {
        let points = (attributes["points"] ?? "").split(separator: ";").map { pair in
            pair.split(separator: ",").map { Double($0) ?? .nan }
        }
        return .polygons([try RingNumbers.ring(points: points)])
    }

    private static func ellipse(_ attributes: [String: String]) throws(AnnotationError) -> Annotation.Shape {
        let values = ["cx", "cy", "rx", "ry"].compactMap { attributes[$0].flatMap { Double($0) } }.filter(\.isFinite)
        guard values.count == 4 else { throw AnnotationError("has no cx, cy, rx and ry. Export it again.") }
        let degrees = attributes["rotation"].flatMap { Double($0) } ?? 0
        return .polygons([
            RingNumbers.ellipse(x: values[0], y: values[1], across: values[2], down: values[3], degrees: degrees)
        ])
    }

    /// Run lengths of a rectangle, row after row.
    private static func mask(
        _ attributes: [String: String],
        _ picture: AnnotatedPicture
    ) throws(AnnotationError) -> Annotation.Shape {
        let words = (attributes["rle"] ?? "").split { $0 == "," || $0.isWhitespace }
        let counts = words.compactMap { Int($0) }
        guard counts.count == words.count, !counts.isEmpty,
            let left = attributes["left"].flatMap({ Int($0) }), let top = attributes["top"].flatMap({ Int($0) }),
            let width = attributes["width"].flatMap({ Int($0) }), let height = attributes["height"].flatMap({ Int($0) })
        else { throw AnnotationError("has no rle, left, top, width and height in whole numbers. Export it again.") }
        guard width > 0, height > 0, width <= 1 << 28 / height else {
            throw AnnotationError("is a mask of \(width)x\(height), which fits in no picture. Export it again.")
        }
        if let most = picture.width, let rows = picture.height {
            guard left >= 0, top >= 0, width <= most, height <= rows, left <= most - width, top <= rows - height else {
                throw AnnotationError(
                    "of \(width)x\(height) pixels at \(left), \(top) reaches beyond the picture's \(most)x\(rows). Export it again."
                )
            }
        }
        // CVAT's runs go along rows.
        return .rows(try RunLengths(width: height, height: width, counts: counts), left: left, top: top)
    }
}

extension String {
    /// Without white space at both ends.
    var trimmingSpace: String {
        var text = self[...]
        while let letter = text.first, letter.isWhitespace { text.removeFirst() }
        while let letter = text.last, letter.isWhitespace { text.removeLast() }
        return String(text)
    }
}

extension Color {
    /// `#80ff00`
    init?(hexadecimal text: String) {
        guard text.hasPrefix("#"), text.utf8.count == 7, let number = UInt32(text.dropFirst(), radix: 16) else {
            return nil
        }
        self.init(UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255))
    }

    /// `#80ff00`
    var hexadecimal: String {
        let number = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
        let digits = String(number, radix: 16)
        return "#" + String(repeating: "0", count: 6 - digits.count) + digits
    }
}
