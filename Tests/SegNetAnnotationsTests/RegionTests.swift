import SegNetImages
import Testing

@testable import SegNetAnnotations

@Suite("Regions of a label map")
struct RegionTests {
    /// The id of pixels that no polygon covers.
    private static let unpainted: UInt16 = 9999

    /// Paints all regions, and checks what must hold for every map and tolerance.
    private func painted(_ map: LabelMap, tolerance: Double, asSingleRings: Bool = false) throws -> LabelMap {
        let regions = map.regions(tolerance: tolerance)
        var canvas = try LabelCanvas(width: map.width, height: map.height, filledWith: Self.unpainted)
        var painted = 0
        var area = 0.0
        for region in regions {
            painted += canvas.fill(
                asSingleRings ? [region.polygon.singleRing] : region.polygon.rings,
                with: region.classID
            )
            area += region.polygon.area
            #expect(region.polygon.exterior.count >= 3)
            #expect(PixelPolygon.signedArea(region.polygon.exterior) > 0)
            for ring in region.polygon.rings { #expect(Set(ring).count == ring.count, "a ring meets itself") }
            for hole in region.polygon.holes { #expect(PixelPolygon.signedArea(hole) < 0) }
        }
        // Each pixel once: neither gaps nor overlaps.
        #expect(painted == map.width * map.height)
        #expect(!canvas.ids.contains(Self.unpainted))
        #expect(abs(area - Double(map.width * map.height)) < 1e-6)
        #expect(Set(regions.map(\.polygon)).count == regions.count)
        #expect(regions.reduce(0) { $0 + $1.pixelCount } == map.width * map.height)
        return try canvas.labelMap()
    }

    @Test(
        "as single rings they give the same map even where no way between holes is looked for",
        arguments: 0..<8 as Range<UInt64>
    )
    func crossingRings(seed: UInt64) throws {
        let map = try noise(width: 25, height: 18, classes: 2, seed: seed)
        var canvas = try LabelCanvas(width: 25, height: 18, filledWith: Self.unpainted)
        for region in map.regions() { canvas.fill([region.polygon.crossingRing], with: region.classID) }
        #expect(try canvas.labelMap() == map)
    }

    @Test("have as many corners as was counted beforehand", arguments: 1...9, 1...9)
    func corners(width: Int, height: Int) throws {
        for seed in 0..<6 as Range<UInt64> {
            let map = try noise(width: width, height: height, classes: 1 + Int(seed % 4), seed: seed)
            let points = map.regions().flatMap { $0.polygon.rings.flatMap { $0 } }
            #expect(Set(points).count == map.borderCornerCount)
            #expect(points.count <= 4 * map.borderCornerCount)
        }
    }

    @Test("filled again they give the same map, at every small size", arguments: 1...9, 1...9)
    func roundTrip(width: Int, height: Int) throws {
        for seed in 0..<12 as Range<UInt64> {
            let map = try noise(width: width, height: height, classes: 2 + Int(seed % 4), seed: seed)
            #expect(try painted(map, tolerance: 0) == map)
            #expect(try painted(map, tolerance: 0, asSingleRings: true) == map)
        }
    }

    @Test("simplified, they still cover each pixel once", arguments: [0.5, 1, 1.5, 3, 10, 100])
    func simplified(tolerance: Double) throws {
        for seed in 0..<40 as Range<UInt64> {
            _ = try painted(try noise(width: 11, height: 9, classes: 3, seed: seed), tolerance: tolerance)
            let map = try ellipses(width: 67, height: 43, classes: 5, count: 14, seed: seed)
            let simple = try painted(map, tolerance: tolerance)
            #expect(try painted(map, tolerance: tolerance, asSingleRings: true) == simple)
        }
    }

    @Test("corners that are left out are within the tolerance", arguments: [0.5, 1, 2, 4])
    func tolerance(tolerance: Double) throws {
        for seed in 0..<10 as Range<UInt64> {
            let map = try ellipses(width: 67, height: 43, classes: 4, count: 10, seed: seed)
            for (exact, simple) in zip(map.regions(), map.regions(tolerance: tolerance)) {
                for point in exact.polygon.rings.joined() {
                    let distance = simple.polygon.rings.map { Self.distance(point, $0) }.min() ?? .infinity
                    #expect(distance <= tolerance + 1e-9)
                }
                #expect(simple.polygon.holes.count == exact.polygon.holes.count)
            }
        }
    }

    private static func distance(_ point: PixelPoint, _ ring: [PixelPoint]) -> Double {
        zip(ring, ring.dropFirst() + ring.prefix(1)).map { one, other in
            let (dx, dy) = (other.x - one.x, other.y - one.y)
            let place = max(0, min(1, ((point.x - one.x) * dx + (point.y - one.y) * dy) / (dx * dx + dy * dy)))
            let (x, y) = (one.x + place * dx - point.x, one.y + place * dy - point.y)
            return (x * x + y * y).squareRoot()
        }.min() ?? .infinity
    }

    @Test("a rectangle has four corners, clockwise on the screen")
    func rectangle() throws {
        let regions = try map("aaaa", "abba", "aaaa").regions()
        #expect(regions.count == 2)
        #expect(regions[0].classID == 0)
        #expect(regions[0].pixelCount == 10)
        #expect(
            regions[0].polygon
                == PixelPolygon(
                    exterior: [PixelPoint(0, 0), PixelPoint(4, 0), PixelPoint(4, 3), PixelPoint(0, 3)],
                    holes: [[PixelPoint(1, 1), PixelPoint(1, 2), PixelPoint(3, 2), PixelPoint(3, 1)]]
                )
        )
        #expect(regions[0].polygon.area == 10)
        #expect(regions[1].polygon.bounds == (1, 1, 2, 1))
        #expect(Set(regions[1].polygon.exterior) == Set(regions[0].polygon.holes[0]))
    }

    @Test("pixels that touch only at a corner are two regions")
    func corners() throws {
        let touching = try map("ab", "ba").regions()
        #expect(touching.count == 4)
        // The hole `b` meets the outside at a corner of `a`; both are rings of their own.
        let ring = try map("aaac", "abac", "aacc").regions()
        #expect(ring.map(\.classID) == [0, 2, 1])
        #expect(ring[0].polygon.holes.count == 1)
        #expect(
            Set(ring[0].polygon.holes[0]) == [PixelPoint(1, 1), PixelPoint(1, 2), PixelPoint(2, 2), PixelPoint(2, 1)]
        )
    }

    @Test("neighbours have the same corners on their common border", arguments: [0, 1, 3.0])
    func shared(tolerance: Double) throws {
        let map = try ellipses(width: 80, height: 60, classes: 4, count: 12, seed: 3)
        var sides: [[PixelPoint]: Int] = [:]
        for region in map.regions(tolerance: tolerance) {
            for ring in region.polygon.rings {
                for (one, other) in zip(ring, ring.dropFirst() + ring.prefix(1)) {
                    sides[[one, other], default: 0] += 1
                }
            }
        }
        for (side, count) in sides {
            #expect(count == 1)
            let isFrame =
                side.allSatisfy { $0.x == 0 } || side.allSatisfy { $0.y == 0 } || side.allSatisfy { $0.x == 80 }
                || side.allSatisfy { $0.y == 60 }
            #expect(isFrame || sides[[side[1], side[0]]] == 1, "a side that the neighbour has otherwise")
        }
    }

    @Test("a border like stairs becomes straight")
    func stairs() throws {
        var ids = [UInt16](repeating: 0, count: 400)
        for y in 0..<20 { for x in 0..<20 where x > y { ids[y * 20 + x] = 1 } }
        let map = try LabelMap(width: 20, height: 20, ids: ids)
        #expect(map.regions()[0].polygon.exterior.count > 30)
        let simple = map.regions(tolerance: 1)
        #expect(simple.map(\.polygon.exterior.count).allSatisfy { $0 <= 6 })
    }

    @Test("invalid tolerances count as 0", arguments: [-1, Double.nan, -Double.infinity])
    func noTolerance(tolerance: Double) throws {
        let map = try noise(width: 8, height: 8, classes: 3, seed: 1)
        #expect(map.regions(tolerance: tolerance) == map.regions())
    }

    @Test("an infinite tolerance leaves out all corners that can be left out")
    func infinite() throws {
        _ = try painted(try ellipses(width: 50, height: 40, classes: 3, count: 9, seed: 5), tolerance: .infinity)
    }

    @Test("polygons within polygons become single rings", arguments: 0..<10 as Range<UInt64>)
    func singleRings(seed: UInt64) throws {
        let map = try ellipses(width: 90, height: 70, classes: 2, count: 60, seed: seed)
        #expect(try painted(map, tolerance: 0, asSingleRings: true) == map)
        // There are no new points.
        for region in map.regions(tolerance: 2) {
            #expect(Set(region.polygon.singleRing) == Set(region.polygon.rings.joined()))
        }
    }
}
