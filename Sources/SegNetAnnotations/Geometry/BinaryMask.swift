public import SegNetImages

/// Which pixels belong to one thing.
public struct BinaryMask: Sendable, Hashable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// [height, width]
    public private(set) var flags: [Bool]

    /// - Throws: `AnnotationError` if there are not `width` x `height` flags.
    public init(width: Int, height: Int, flags: [Bool]) throws(AnnotationError) {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard width >= 0, height >= 0, !overflow, count == flags.count else {
            throw AnnotationError("a mask of \(width)x\(height) has \(flags.count) flags.")
        }
        self.width = width
        self.height = height
        self.flags = flags
    }

    /// The same, for callers inside the module that have just made the flags.
    init(width: Int, height: Int, checked flags: [Bool]) {
        self.width = width
        self.height = height
        self.flags = flags
    }

    /// The pixels of a map whose ids are included.
    public init(_ map: LabelMap, where isIncluded: (UInt16) -> Bool) {
        width = map.width
        height = map.height
        flags = map.ids.map(isIncluded)
    }

    /// Sets the pixels inside a polygon.
    mutating func fill(_ polygon: PixelPolygon) {
        guard var canvas = try? LabelCanvas(width: width, height: height, filledWith: 0) else { return }
        canvas.fill(polygon, with: 1)
        for (index, id) in canvas.ids.enumerated() where id == 1 { flags[index] = true }
    }

    /// With rows and columns exchanged.
    var transposed: BinaryMask {
        var turned = [Bool](repeating: false, count: flags.count)
        for y in 0..<height { for x in 0..<width { turned[x * height + y] = flags[y * width + x] } }
        return BinaryMask(width: height, height: width, checked: turned)
    }

    /// How many pixels belong to it.
    public var pixelCount: Int { flags.count { $0 } }
}
