/// A polygon with holes, in pixels. Its rings are closed: the last point is joined to the first and not repeated.
public struct PixelPolygon: Sendable, Hashable {
    /// The outer border; clockwise on the screen if this package has traced it.
    public var exterior: [PixelPoint]
    /// The holes in it; anticlockwise, likewise.
    public var holes: [[PixelPoint]]

    public init(exterior: [PixelPoint], holes: [[PixelPoint]] = []) {
        self.exterior = exterior
        self.holes = holes
    }

    /// The exterior, then the holes.
    public var rings: [[PixelPoint]] { [exterior] + holes }

    /// The area in square pixels: that of the exterior less that of the holes.
    public var area: Double {
        abs(Self.signedArea(exterior)) - holes.reduce(0) { $0 + abs(Self.signedArea($1)) }
    }

    /// The smallest upright rectangle around the exterior: left, top, width, height.
    public var bounds: (x: Double, y: Double, width: Double, height: Double) {
        guard var least = exterior.first else { return (0, 0, 0, 0) }
        var greatest = least
        for point in exterior {
            least = PixelPoint(min(least.x, point.x), min(least.y, point.y))
            greatest = PixelPoint(max(greatest.x, point.x), max(greatest.y, point.y))
        }
        return (least.x, least.y, greatest.x - least.x, greatest.y - least.y)
    }

    /// The same somewhere else.
    func moved(x: Double, y: Double) -> PixelPolygon {
        func moved(_ ring: [PixelPoint]) -> [PixelPoint] { ring.map { PixelPoint($0.x + x, $0.y + y) } }
        return PixelPolygon(exterior: moved(exterior), holes: holes.map(moved))
    }

    /// The area that a ring encloses: above 0 if it goes clockwise on the screen.
    static func signedArea(_ ring: [PixelPoint]) -> Double {
        guard var last = ring.last else { return 0 }
        var sum = 0.0
        for point in ring {
            sum += last.x * point.y - point.x * last.y
            last = point
        }
        return sum / 2
    }
}
