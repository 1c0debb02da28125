public import SegNetImages

/// A label map onto which polygons and masks are painted. What is painted later is on top.
public struct LabelCanvas: Sendable {
    /// Pixels in a row, at least 1.
    public let width: Int
    /// Rows, at least 1.
    public let height: Int
    /// Class ids, [height, width].
    public private(set) var ids: [UInt16]

    /// An empty canvas.
    /// - Parameter id: The id of pixels on which nothing is painted.
    /// - Throws: `AnnotationError` if a side is below 1 or there would be more than 2^31 pixels.
    public init(width: Int, height: Int, filledWith id: UInt16) throws(AnnotationError) {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, count <= 1 << 31 else {
            throw AnnotationError(
                "a picture of \(width)x\(height) cannot be painted; each side has to be 1 or more, with at most 2^31 pixels in all."
            )
        }
        self.width = width
        self.height = height
        ids = Array(repeating: id, count: count)
    }

    /// The canvas with all that has been painted.
    public func labelMap() throws(ImageError) -> LabelMap { try LabelMap(width: width, height: height, ids: ids) }

    /// Paints the pixels whose centres lie inside closed rings: inside an odd number of them (even-odd rule), so that rings within rings
    /// are holes, in whichever direction they go.
    ///
    /// A centre on a border belongs to the polygon on its right, so that where two polygons share a border each pixel belongs to exactly
    /// one of them. Parts beyond the canvas are cut off. Points that are not finite are left out.
    ///
    /// - Parameters:
    ///   - rings: In pixels; those of fewer than three points enclose nothing.
    ///   - id: The class id that the pixels get.
    /// - Returns: How many pixels were painted.
    @discardableResult
    public mutating func fill(_ rings: [[PixelPoint]], with id: UInt16) -> Int {
        var sides = rings.flatMap { PolygonSide.sides(of: $0, height: height) }
        sides.sort { $0.firstRow < $1.firstRow }
        var (next, painted) = (0, 0)
        var active: [PolygonSide] = []
        var crossings: [Double] = []
        guard var row = sides.first?.firstRow else { return 0 }
        while next < sides.count || !active.isEmpty {
            if active.isEmpty { row = max(row, sides[next].firstRow) }
            while next < sides.count, sides[next].firstRow <= row {
                active.append(sides[next])
                next += 1
            }
            crossings.removeAll(keepingCapacity: true)
            for side in active { crossings.append(side.crossing(row)) }
            crossings.sort()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                let (first, end) = (column(crossings[pair]), column(crossings[pair + 1]))
                guard first < end else { continue }
                for x in row * width + first..<row * width + end { ids[x] = id }
                painted += end - first
            }
            row += 1
            active.removeAll { $0.lastRow < row }
        }
        return painted
    }

    /// The first pixel whose centre is at a crossing or to its right.
    private func column(_ crossing: Double) -> Int {
        Int(max(0, min(Double(width), (crossing - 0.5).rounded(.up))))
    }

    /// Paints a polygon with its holes.
    /// - Returns: How many pixels were painted.
    @discardableResult
    public mutating func fill(_ polygon: PixelPolygon, with id: UInt16) -> Int { fill(polygon.rings, with: id) }

    /// Paints the pixels of a mask.
    /// - Parameters:
    ///   - left: Where the mask's first column lies on the canvas; what falls beyond the canvas is cut off.
    ///   - top: Where its first row lies.
    /// - Returns: How many pixels were painted.
    @discardableResult
    public mutating func fill(_ mask: BinaryMask, left: Int = 0, top: Int = 0, with id: UInt16) -> Int {
        var painted = 0
        for y in max(0, -top)..<max(max(0, -top), min(mask.height, height - top)) {
            for x in max(0, -left)..<max(max(0, -left), min(mask.width, width - left))
            where mask.flags[y * mask.width + x] {
                ids[(y + top) * width + x + left] = id
                painted += 1
            }
        }
        return painted
    }
}

/// A side of a polygon that crosses the middles of some rows.
private struct PolygonSide {
    /// The upper end. Both polygons that share the side have its ends in this order, so that both cross each row at the same place.
    let upper: PixelPoint
    let lower: PixelPoint
    let firstRow: Int
    let lastRow: Int

    static func sides(of ring: [PixelPoint], height: Int) -> [PolygonSide] {
        let ring = ring.filter { $0.x.isFinite && $0.y.isFinite }
        guard ring.count > 2, var last = ring.last else { return [] }
        return ring.compactMap { point in
            defer { last = point }
            let (upper, lower) = last.y <= point.y ? (last, point) : (point, last)
            // Rows whose middles y + 1/2 are at or below the upper end and above the lower one.
            let first = max(0, (upper.y - 0.5).rounded(.up))
            let end = min(Double(height), (lower.y - 0.5).rounded(.up))
            guard first < end else { return nil }
            return PolygonSide(upper: upper, lower: lower, firstRow: Int(first), lastRow: Int(end) - 1)
        }
    }

    func crossing(_ row: Int) -> Double {
        let y = Double(row) + 0.5
        return upper.x + (y - upper.y) * ((lower.x - upper.x) / (lower.y - upper.y))
    }
}
