import SegNetPlatform

/// Annotation files as bytes and as JSON, with errors that name the file and the place in it.
enum AnnotationText {
    static func read(_ path: String) throws(AnnotationError) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw AnnotationError("\(path): cannot be read; check the path and its permissions.")
        }
        // Some programs begin a file with a byte-order mark.
        let text = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
        guard text.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else {
            throw AnnotationError("\(path): is empty; export it again.")
        }
        return Data(text)
    }

    /// - Parameter format: What the file should be, for messages: "COCO's JSON".
    static func decode<Value: Decodable>(
        _: Value.Type,
        _ data: Data,
        path: String,
        format: String
    ) throws(AnnotationError) -> Value {
        do { return try JSONDecoder().decode(Value.self, from: data) } catch {
            let problem = jsonProblem(error, in: data, needs: "sizes and ids are whole numbers of at least 0")
            throw AnnotationError(
                "\(path): cannot be read as \(format): \(problem). Check that it is the right file, or export it again."
            )
        }
    }
}

/// Makes rings from a file's numbers.
enum RingNumbers {
    /// - Parameter numbers: x, y, x, y, ...
    /// - Throws: `AnnotationError` if their number is odd, or there are fewer than three points.
    static func ring(_ numbers: [Double]) throws(AnnotationError) -> [PixelPoint] {
        guard numbers.count % 2 == 0 else {
            throw AnnotationError(
                "has a polygon of \(numbers.count) numbers; they have to be pairs of x and y, an even number. Export it again."
            )
        }
        return try ring(points: stride(from: 0, to: numbers.count, by: 2).map { [numbers[$0], numbers[$0 + 1]] })
    }

    /// - Parameter points: x and y of each.
    static func ring(points: [[Double]]) throws(AnnotationError) -> [PixelPoint] {
        guard points.count >= 3 else {
            throw AnnotationError(
                "has a polygon of \(counted(points.count, "point")), which encloses nothing; at least 3 are needed. "
                    + "Redraw it, or delete it."
            )
        }
        var ring: [PixelPoint] = []
        for point in points {
            guard point.count >= 2, point[0].isFinite, point[1].isFinite else {
                throw AnnotationError("has a point that is not two numbers. Export it again.")
            }
            ring.append(PixelPoint(point[0], point[1]))
        }
        return ring
    }

    /// An ellipse as a polygon, within a tenth of a pixel of it for half axes up to a thousand.
    /// - Parameter degrees: How far it is turned, clockwise on the screen.
    static func ellipse(x: Double, y: Double, across: Double, down: Double, degrees: Double = 0) -> [PixelPoint] {
        let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
        return (0..<256).map { step in
            let angle = 2 * Double.pi * Double(step) / 256
            let (u, v) = (across * cos(angle), down * sin(angle))
            return PixelPoint(x + u * c - v * s, y + u * s + v * c)
        }
    }
}
