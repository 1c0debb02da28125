extension PixelPolygon {
    /// The polygon as one ring, for formats without holes: each hole is joined to the border around it by a line that goes there and back,
    /// and so encloses nothing. Filled by the even-odd rule, the ring gives the same pixels. It has no points but the polygon's.
    ///
    /// Source of the method that finds a line which crosses no other: David Eberly, "Triangulation by Ear Clipping", section 5, as the
    /// library earcut has it.
    public var singleRing: [PixelPoint] {
        var ring = exterior
        guard ring.count > 2 else { return ring }
        let points = holes.reduce(ring.count) { $0 + $1.count }
        guard holes.count * points <= Self.mostSteps else { return crossingRing }
        let starts = holes.filter { $0.count > 2 }.map { hole in
            (hole: hole, start: hole.indices.min { (hole[$0].x, hole[$0].y) < (hole[$1].x, hole[$1].y) } ?? 0)
        }
        for (hole, start) in starts.sorted(by: {
            ($0.hole[$0.start].x, $0.hole[$0.start].y) < ($1.hole[$1.start].x, $1.hole[$1.start].y)
        }) {
            let turned = Array(hole[start...] + hole[..<start])
            let place = Self.bridge(from: turned[0], to: ring) ?? 0
            ring.insert(contentsOf: turned + [turned[0], ring[place]], at: place + 1)
        }
        return Self.withoutRepeats(ring)
    }

    /// Corners that are looked at for ways that cross nothing: about a second. A thousand holes in a border of a hundred thousand corners
    /// have fewer.
    private static let mostSteps = 1 << 29

    /// The same without looking for ways that cross nothing, which takes the square of the corners' number: each hole is joined to the
    /// exterior's last corner. By the even-odd rule that gives the same pixels.
    var crossingRing: [PixelPoint] {
        guard let last = exterior.last else { return [] }
        return Self.withoutRepeats(
            holes.filter { $0.count > 2 }.reduce(into: exterior) { $0 += $1 + $1.prefix(1) + [last] }
        )
    }

    private static func withoutRepeats(_ ring: [PixelPoint]) -> [PixelPoint] {
        var result: [PixelPoint] = []
        for point in ring where result.last != point { result.append(point) }
        while result.count > 1, result.first == result.last { result.removeLast() }
        return result
    }

    /// The index of a corner of the ring that a line from a hole's leftmost corner can reach without crossing anything.
    private static func bridge(from hole: PixelPoint, to ring: [PixelPoint]) -> Int? {
        var nearest = -Double.infinity
        var chosen: Int?
        for (index, point) in ring.enumerated() {
            let next = ring[(index + 1) % ring.count]
            if point == hole { return index }
            guard hole.y <= point.y, hole.y >= next.y, next.y != point.y else { continue }
            let x = point.x + (hole.y - point.y) * (next.x - point.x) / (next.y - point.y)
            if x <= hole.x, x > nearest {
                nearest = x
                chosen = point.x < next.x ? index : (index + 1) % ring.count
            }
        }
        guard var chosen else { return nil }
        // The triangle has the hole's corner, the place straight to its left and the end of the side there. Corners inside it are in the
        // way, except the one that is seen at the smallest angle.
        let end = ring[chosen]
        let (upper, lower) = hole.y < end.y ? (hole.x, nearest) : (nearest, hole.x)
        let triangle = [PixelPoint(upper, hole.y), end, PixelPoint(lower, hole.y)]
        var least = Double.infinity
        for (index, point) in ring.enumerated()
        where point.x >= end.x && point.x < hole.x && contains(triangle, point) {
            let slope = abs(hole.y - point.y) / (hole.x - point.x)
            guard isLocallyInside(ring, index, hole) else { continue }
            let isBetter =
                slope < least
                || slope == least
                    && (point.x > ring[chosen].x || point.x == ring[chosen].x && hasSector(ring, chosen, within: index))
            if isBetter { (chosen, least) = (index, slope) }
        }
        return chosen
    }

    private static func area(_ p: PixelPoint, _ q: PixelPoint, _ r: PixelPoint) -> Double {
        (q.y - p.y) * (r.x - q.x) - (q.x - p.x) * (r.y - q.y)
    }

    private static func contains(_ triangle: [PixelPoint], _ p: PixelPoint) -> Bool {
        let (a, b, c) = (triangle[0], triangle[1], triangle[2])
        return (c.x - p.x) * (a.y - p.y) >= (a.x - p.x) * (c.y - p.y)
            && (a.x - p.x) * (b.y - p.y) >= (b.x - p.x) * (a.y - p.y)
            && (b.x - p.x) * (c.y - p.y) >= (c.x - p.x) * (b.y - p.y)
    }

    private static func around(_ ring: [PixelPoint], _ index: Int) -> (
        before: PixelPoint, at: PixelPoint, after: PixelPoint
    ) {
        (ring[(index + ring.count - 1) % ring.count], ring[index], ring[(index + 1) % ring.count])
    }

    /// Whether a line from a corner to a point begins inside the ring.
    private static func isLocallyInside(_ ring: [PixelPoint], _ index: Int, _ other: PixelPoint) -> Bool {
        let (before, at, after) = around(ring, index)
        return area(before, at, after) < 0
            ? area(at, other, after) >= 0 && area(at, before, other) >= 0
            : area(at, other, before) < 0 || area(at, after, other) < 0
    }

    /// For two corners at the same place: whether the angle at `other` is within the angle at `one`.
    private static func hasSector(_ ring: [PixelPoint], _ one: Int, within other: Int) -> Bool {
        let (m, p) = (around(ring, one), around(ring, other))
        return area(m.before, m.at, p.before) < 0 && area(p.after, m.at, m.after) < 0
    }
}
