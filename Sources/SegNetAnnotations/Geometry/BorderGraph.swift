/// The borders between regions as a graph: junctions, where three or four regions meet, and the arcs between them.
///
/// Each arc belongs to the regions on both of its sides. A ring of a region is a chain of arcs that have it on their right.
struct BorderGraph {
    /// The four ways along the sides of pixels.
    enum Direction: Int, CaseIterable {
        case east, south, west, north

        var opposite: Direction { turned(by: 2) }
        /// Quarter turns to the right.
        func turned(by turns: Int) -> Direction { Direction(rawValue: (rawValue + turns) & 3) ?? self }
        var step: (x: Int, y: Int) {
            switch self {
            case .east: (1, 0)
            case .south: (0, 1)
            case .west: (-1, 0)
            case .north: (0, -1)
            }
        }
    }

    /// A corner of pixels.
    struct Corner: Hashable {
        var x: Int
        var y: Int
    }

    /// A border between two junctions, or a closed one without any.
    struct Arc {
        /// The places where it turns. The first and the last are the junctions, unless it is closed.
        var corners: [Corner]
        /// Whether it comes back to its first corner, which is then not a junction and is not repeated.
        var isClosed: Bool
        /// The region on the right, seen along the arc, and on the left; -1 beyond the picture.
        var right: Int32
        var left: Int32
    }

    /// An arc in one of its two directions.
    struct HalfArc: Hashable {
        var arc: Int
        var isReversed: Bool
    }

    let labels: RegionLabels
    var arcs: [Arc] = []
    /// By `key`: the half-arc that leaves a junction in a direction.
    private var leaving: [Int: HalfArc] = [:]
    /// For each vertical side of a pixel, by the corner at its top: whether it has been traced.
    private var isTraced: [Bool]

    var width: Int { labels.width }
    var height: Int { labels.height }

    init(_ labels: RegionLabels) {
        self.labels = labels
        isTraced = Array(repeating: false, count: (labels.width + 1) * labels.height)
        for y in 0...labels.height {
            for x in 0...labels.width {
                let corner = Corner(x: x, y: y)
                guard isJunction(corner) else { continue }
                for direction in Direction.allCases where hasBorder(corner, direction) {
                    if leaving[key(corner, direction)] == nil { trace(from: corner, direction) }
                }
            }
        }
        // The remaining arcs are closed. Each starts at the corner above its first vertical side.
        for y in 0..<labels.height {
            for x in 0...labels.width where !isTraced[y * (labels.width + 1) + x] {
                let corner = Corner(x: x, y: y)
                if hasBorder(corner, .south) { traceClosed(from: corner) }
            }
        }
    }

    private func key(_ corner: Corner, _ direction: Direction) -> Int {
        (corner.y * (width + 1) + corner.x) * 4 + direction.rawValue
    }

    /// The region of the pixel to the right of a side that leaves a corner in a direction.
    private func right(_ corner: Corner, _ direction: Direction) -> Int32 {
        let at = corner.y * labels.stride + corner.x
        return switch direction {
        case .east: labels.numbers[at + labels.stride + 1]
        case .south: labels.numbers[at + labels.stride]
        case .west: labels.numbers[at]
        case .north: labels.numbers[at + 1]
        }
    }

    private func left(_ corner: Corner, _ direction: Direction) -> Int32 { right(corner, direction.turned(by: 3)) }

    private func hasBorder(_ corner: Corner, _ direction: Direction) -> Bool {
        right(corner, direction) != left(corner, direction)
    }

    /// Whether more than two borders meet here, or it is a corner of the picture, which is kept.
    private func isJunction(_ corner: Corner) -> Bool {
        if corner.x == 0 || corner.x == width, corner.y == 0 || corner.y == height { return true }
        let at = corner.y * labels.stride + corner.x
        let (northWest, northEast) = (labels.numbers[at], labels.numbers[at + 1])
        let (southWest, southEast) = (labels.numbers[at + labels.stride], labels.numbers[at + labels.stride + 1])
        // Most corners of pixels lie within a region.
        if northWest == southEast, northEast == southWest { return northWest != northEast }
        let count =
            (northWest == northEast ? 0 : 1) + (northEast == southEast ? 0 : 1) + (southEast == southWest ? 0 : 1)
            + (southWest == northWest ? 0 : 1)
        return count > 2
    }

    // MARK: Tracing

    private mutating func mark(_ corner: Corner, _ direction: Direction) {
        switch direction {
        case .south: isTraced[corner.y * (width + 1) + corner.x] = true
        case .north: isTraced[(corner.y - 1) * (width + 1) + corner.x] = true
        case .east, .west: break
        }
    }

    /// Which way a border goes on at a corner that is not a junction.
    private func goingOn(_ corner: Corner, _ direction: Direction) -> Direction {
        for turns in [0, 1, 3] where hasBorder(corner, direction.turned(by: turns)) {
            return direction.turned(by: turns)
        }
        return direction
    }

    private mutating func trace(from start: Corner, _ first: Direction) {
        var corners = [start]
        var (corner, direction) = (start, first)
        while true {
            mark(corner, direction)
            corner = Corner(x: corner.x + direction.step.x, y: corner.y + direction.step.y)
            if isJunction(corner) { break }
            let next = goingOn(corner, direction)
            if next != direction { corners.append(corner) }
            direction = next
        }
        corners.append(corner)
        leaving[key(start, first)] = HalfArc(arc: arcs.count, isReversed: false)
        leaving[key(corner, direction.opposite)] = HalfArc(arc: arcs.count, isReversed: true)
        arcs.append(Arc(corners: corners, isClosed: false, right: right(start, first), left: left(start, first)))
    }

    private mutating func traceClosed(from start: Corner) {
        var corners = [start]
        var (corner, direction) = (start, Direction.south)
        while true {
            mark(corner, direction)
            corner = Corner(x: corner.x + direction.step.x, y: corner.y + direction.step.y)
            if corner == start { break }
            let next = goingOn(corner, direction)
            if next != direction { corners.append(corner) }
            direction = next
        }
        arcs.append(Arc(corners: corners, isClosed: true, right: right(start, .south), left: left(start, .south)))
    }

    // MARK: Rings

    /// The next arc around the region on this arc's right.
    ///
    /// At a corner where pixels touch only diagonally: if both pixels of the diagonal belong to the region, the ring turns so that it does
    /// not meet itself there; otherwise it stays with its own pixel.
    private func next(arrivingAt corner: Corner, back: Direction) -> HalfArc? {
        let travel = back.opposite
        let isFourfold = Direction.allCases.allSatisfy { hasBorder(corner, $0) }
        // The pixel on the right, behind the corner, and the one diagonally opposite.
        let (own, opposite) = (right(corner, travel.turned(by: 1)), right(corner, travel.turned(by: 3)))
        if isFourfold, own == opposite { return leaving[key(corner, back.turned(by: 1))] }
        for turns in 1...3 where hasBorder(corner, back.turned(by: 4 - turns)) {
            return leaving[key(corner, back.turned(by: 4 - turns))]
        }
        return nil
    }

    /// The regions with their rings.
    func regions() -> [LabelRegion] {
        var exteriors = [[PixelPoint]](repeating: [], count: labels.classIDs.count)
        var holes = [[[PixelPoint]]](repeating: [], count: labels.classIDs.count)
        var arriving: [HalfArc: (corner: Corner, back: Direction)] = [:]
        for (key, half) in leaving {
            let (vertex, way) = key.quotientAndRemainder(dividingBy: 4)
            let corner = Corner(x: vertex % (width + 1), y: vertex / (width + 1))
            arriving[HalfArc(arc: half.arc, isReversed: !half.isReversed)] = (
                corner, Direction(rawValue: way) ?? .east
            )
        }
        func add(_ ring: [PixelPoint], to region: Int32) {
            if PixelPolygon.signedArea(ring) > 0 {
                exteriors[Int(region)] = ring
            } else {
                holes[Int(region)].append(ring)
            }
        }
        var isUsed = [Bool](repeating: false, count: arcs.count * 2)
        for index in arcs.indices {
            for isReversed in [false, true] where !isUsed[2 * index + (isReversed ? 1 : 0)] {
                let region = isReversed ? arcs[index].left : arcs[index].right
                guard region >= 0 else { continue }
                guard !arcs[index].isClosed else {
                    let corners = isReversed ? arcs[index].corners.reversed() : arcs[index].corners
                    add(corners.map { PixelPoint(Double($0.x), Double($0.y)) }, to: region)
                    continue
                }
                var ring: [PixelPoint] = []
                var half: HalfArc? = HalfArc(arc: index, isReversed: isReversed)
                while let current = half, !isUsed[2 * current.arc + (current.isReversed ? 1 : 0)] {
                    isUsed[2 * current.arc + (current.isReversed ? 1 : 0)] = true
                    let corners = arcs[current.arc].corners
                    for corner in (current.isReversed ? corners.reversed() : corners).dropLast() {
                        ring.append(PixelPoint(Double(corner.x), Double(corner.y)))
                    }
                    half = arriving[current].flatMap { next(arrivingAt: $0.corner, back: $0.back) }
                }
                add(ring, to: region)
            }
        }
        return labels.classIDs.indices.map { region in
            LabelRegion(
                classID: labels.classIDs[region],
                polygon: PixelPolygon(exterior: exteriors[region], holes: holes[region]),
                pixelCount: labels.pixelCounts[region]
            )
        }
    }
}
