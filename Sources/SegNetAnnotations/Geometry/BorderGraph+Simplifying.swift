extension BorderGraph {
    /// Leaves out corners of arcs, those that matter least first, under these conditions:
    /// - Every corner of the traced border that is left out is within the tolerance of the line that replaces it.
    /// - The triangle that is cut off contains no corner of any border, so that no borders come to touch or cross.
    /// - A closed arc keeps three corners, and two arcs between the same junctions do not both become straight.
    /// - Parameter tolerance: In pixels, above 0.
    mutating func simplify(tolerance: Double) {
        var occupied = OccupiedCorners(width: width, height: height)
        var straight: Set<[Corner]> = []
        for arc in arcs {
            for corner in arc.corners { occupied[corner] = true }
            if !arc.isClosed, arc.corners.count == 2 { straight.insert(Self.ends(arc)) }
        }
        for index in arcs.indices {
            var simplifier = ArcSimplifier(arcs[index], tolerance: tolerance)
            simplifier.isForbidden = straight.contains(Self.ends(arcs[index]))
            arcs[index].corners = simplifier.run(&occupied)
            if !arcs[index].isClosed, arcs[index].corners.count == 2 { straight.insert(Self.ends(arcs[index])) }
        }
    }

    private static func ends(_ arc: Arc) -> [Corner] {
        let (first, last) = (arc.corners[0], arc.corners[arc.corners.count - 1])
        return (first.y, first.x) < (last.y, last.x) ? [first, last] : [last, first]
    }
}

/// Which corners of pixels are corners of a border in its present form.
struct OccupiedCorners {
    private let stride: Int
    private var flags: [Bool]

    init(width: Int, height: Int) {
        stride = width + 1
        flags = Array(repeating: false, count: (width + 1) * (height + 1))
    }

    subscript(corner: BorderGraph.Corner) -> Bool {
        get { flags[corner.y * stride + corner.x] }
        set { flags[corner.y * stride + corner.x] = newValue }
    }

    /// Whether a triangle, sides included, contains no corners but its own.
    func isEmpty(_ a: BorderGraph.Corner, _ b: BorderGraph.Corner, _ c: BorderGraph.Corner) -> Bool {
        let sides = [(a, b), (b, c), (a, c)].map { $0.y <= $1.y ? ($0, $1) : ($1, $0) }
        for y in min(a.y, b.y, c.y)...max(a.y, b.y, c.y) {
            var (least, greatest) = (Int.max, Int.min)
            for (upper, lower) in sides where upper.y <= y && y <= lower.y {
                let rows = lower.y - upper.y
                if rows == 0 {
                    (least, greatest) = (min(least, upper.x, lower.x), max(greatest, upper.x, lower.x))
                    continue
                }
                let shift = (y - upper.y) * (lower.x - upper.x)
                // The whole numbers around the exact crossing.
                let down = upper.x + (shift >= 0 ? shift / rows : -((-shift + rows - 1) / rows))
                let up = shift % rows == 0 ? down : down + 1
                (least, greatest) = (min(least, up), max(greatest, down))
            }
            guard least <= greatest else { continue }
            for x in least...greatest where flags[y * stride + x] {
                let corner = BorderGraph.Corner(x: x, y: y)
                if corner != a, corner != b, corner != c { return false }
            }
        }
        return true
    }
}

/// Simplifies one arc.
private struct ArcSimplifier {
    /// A corner that may be left out next.
    private struct Candidate: Comparable {
        var squaredDistance: Double
        var index: Int
        /// Tells this entry from earlier ones for the same index.
        var version: Int

        static func < (one: Candidate, other: Candidate) -> Bool {
            (one.squaredDistance, one.index) < (other.squaredDistance, other.index)
        }
    }

    private let corners: [BorderGraph.Corner]
    private let isClosed: Bool
    private let squaredTolerance: Double
    private var previous: [Int]
    private var following: [Int]
    private var versions: [Int]
    private var left: Int
    private var heap = BinaryHeap<Candidate>()
    /// Whether another arc is a straight line between the same ends.
    var isForbidden = false

    init(_ arc: BorderGraph.Arc, tolerance: Double) {
        corners = arc.corners
        isClosed = arc.isClosed
        squaredTolerance = tolerance * tolerance
        let count = corners.count
        previous = (0..<count).map { ($0 + count - 1) % count }
        following = (0..<count).map { ($0 + 1) % count }
        versions = Array(repeating: 0, count: count)
        left = count
    }

    /// The fewest corners, ends included, with which the arc still encloses an area.
    private var fewest: Int {
        if isClosed { return 3 }
        return corners.first == corners.last ? 4 : isForbidden ? 3 : 2
    }

    mutating func run(_ occupied: inout OccupiedCorners) -> [BorderGraph.Corner] {
        guard left > fewest else { return corners }
        let inner = isClosed ? 0..<corners.count : 1..<corners.count - 1
        for index in inner { consider(index) }
        while left > fewest, let candidate = heap.popLeast() {
            let index = candidate.index
            guard versions[index] == candidate.version else { continue }
            let (before, after) = (previous[index], following[index])
            guard occupied.isEmpty(corners[before], corners[index], corners[after]) else { continue }
            occupied[corners[index]] = false
            (following[before], previous[after]) = (after, before)
            versions[index] = -1
            left -= 1
            for neighbour in [before, after] where inner.contains(neighbour) { consider(neighbour) }
        }
        return corners.indices.filter { versions[$0] >= 0 }.map { corners[$0] }
    }

    private mutating func consider(_ index: Int) {
        versions[index] += 1
        let distance = squaredDistance(leavingOut: index)
        guard distance <= squaredTolerance else { return }
        heap.insert(Candidate(squaredDistance: distance, index: index, version: versions[index]))
    }

    /// How far the traced corners between an index's neighbours are from the line between these, squared.
    private func squaredDistance(leavingOut index: Int) -> Double {
        let (from, to) = (corners[previous[index]], corners[following[index]])
        let (dx, dy) = (Double(to.x - from.x), Double(to.y - from.y))
        let length = dx * dx + dy * dy
        var greatest = 0.0
        var at = (previous[index] + 1) % corners.count
        while at != following[index] {
            let (x, y) = (Double(corners[at].x - from.x), Double(corners[at].y - from.y))
            let place = length > 0 ? max(0, min(1, (x * dx + y * dy) / length)) : 0
            let (awayX, awayY) = (x - place * dx, y - place * dy)
            greatest = max(greatest, awayX * awayX + awayY * awayY)
            if greatest > squaredTolerance { return .infinity }
            at = (at + 1) % corners.count
        }
        return greatest
    }
}

/// Many values, of which the least comes out first.
private struct BinaryHeap<Element: Comparable> {
    private var elements: [Element] = []

    mutating func insert(_ element: Element) {
        elements.append(element)
        var index = elements.count - 1
        while index > 0, elements[index] < elements[(index - 1) / 2] {
            elements.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popLeast() -> Element? {
        guard let least = elements.first, let last = elements.popLast() else { return nil }
        guard !elements.isEmpty else { return least }
        elements[0] = last
        var index = 0
        while true {
            let children = (2 * index + 1..<2 * index + 3).filter { $0 < elements.count }
            guard let child = children.min(by: { elements[$0] < elements[$1] }), elements[child] < elements[index]
            else { return least }
            elements.swapAt(index, child)
            index = child
        }
    }
}
