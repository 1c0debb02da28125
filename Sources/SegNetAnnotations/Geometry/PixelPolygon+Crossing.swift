extension PixelPolygon {
    /// Two sides of a ring that cross between their ends, as the indices of the points at which they begin; nil if there are none.
    ///
    /// Sides that only touch do not count, nor do lines that go there and back (`singleRing`). Rings of more than 4096 points are not
    /// checked.
    /// - Complexity: Proportional to the square of the number of points.
    public static func crossing(_ ring: [PixelPoint]) -> (Int, Int)? {
        guard (4...4096).contains(ring.count) else { return nil }
        func side(_ p: PixelPoint, _ q: PixelPoint, _ r: PixelPoint) -> Double {
            (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)
        }
        for one in ring.indices {
            let (a, b) = (ring[one], ring[(one + 1) % ring.count])
            let (left, right) = (min(a.x, b.x), max(a.x, b.x))
            for other in ring.indices.dropFirst(one + 2) {
                let (c, d) = (ring[other], ring[(other + 1) % ring.count])
                guard max(c.x, d.x) > left, min(c.x, d.x) < right || left == right else { continue }
                if side(a, b, c) * side(a, b, d) < 0, side(c, d, a) * side(c, d, b) < 0 { return (one, other) }
            }
        }
        return nil
    }
}
