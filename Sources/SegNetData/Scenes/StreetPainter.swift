internal import SegNetImages
internal import SegNetPlatform

/// Draws a street from far to near onto a canvas. Lengths are metres: x to the right, y up, z ahead of the camera.
struct StreetPainter {
    /// Class ids of `ClassTable.camVid11`.
    enum Class {
        static let sky = 0
        static let building = 1
        static let pole = 2
        static let road = 3
        static let pavement = 4
        static let tree = 5
        static let sign = 6
        static let fence = 7
        static let car = 8
        static let pedestrian = 9
        static let bicyclist = 10
    }

    let canvas: SceneCanvas
    var random: RandomNumbers
    let noise: ValueNoise

    // The camera: a car's, looking slightly down.
    private let centerX: Double
    private let horizon: Double
    private let focal: Double
    private let eyeHeight = 1.6
    /// Anything nearer is cut off.
    private let nearest = 1.2
    let farthest = 140.0
    /// How far the ground goes to either side.
    private let groundHalf = 60.0

    // The street.
    let roadHalf: Double
    let pavementWidth = 3.2
    var wall: Double { roadHalf + pavementWidth }

    let light: StreetLight
    var haze: Paint { light.haze }
    /// The things that cast shadows: boxes on the ground.
    private var casters: [Caster] = []

    /// A box that stands in the light.
    struct Caster {
        var left: Double
        var right: Double
        var near: Double
        var far: Double
        /// Heights of its lower and upper end: a crown begins above the ground.
        var bottom = 0.0
        var top: Double
    }

    init(seed: UInt64, width: Int, height: Int) {
        canvas = SceneCanvas(width: width, height: height)
        random = RandomNumbers(seed: seed)
        noise = ValueNoise(seed: random.next())
        centerX = Double(width) * random.uniform(in: 0.44...0.56)
        horizon = Double(height) * random.uniform(in: 0.40...0.46)
        focal = Double(max(width, height)) * 0.85
        roadHalf = random.uniform(in: 3.6...4.6)
        light = StreetLight(&random)
    }

    mutating func finished() throws(ImageError) -> (image: Image, labels: LabelMap) {
        if light.wetness > 0 { canvas.mirror(horizon: horizon, id: Class.road, strength: light.wetness, noise: noise) }
        var grain = RandomNumbers(seed: random.next())
        // Cameras see worse in little light.
        return try canvas.picture(gain: light.gain, grain: light.isDusk ? 11 : 7, random: &grain)
    }

    // MARK: Perspective

    /// Where a point in the street is on the canvas. z must be above 0.
    func project(_ x: Double, _ y: Double, _ z: Double) -> CanvasPoint {
        CanvasPoint(centerX + focal * x / z, horizon + focal * (eyeHeight - y) / z)
    }

    /// Pixels per metre at a distance.
    func scale(at z: Double) -> Double { focal / z }

    /// A colour as it looks through the air.
    func hazed(_ paint: Paint, _ z: Double) -> Paint {
        paint.mixed(with: light.haze, min(0.78, 0.75 * z / light.sight))
    }

    /// A horizontal strip of ground between two x, from near to far.
    mutating func ground(
        _ left: Double,
        _ right: Double,
        _ near: Double,
        _ far: Double,
        height: Double = 0,
        id: Int?,
        opacity: Double = 1,
        _ paint: (_ x: Double, _ z: Double) -> Paint
    ) {
        let near = max(near, nearest)
        guard far > near else { return }
        let (centerX, horizon, focal, rise) = (centerX, horizon, focal, eyeHeight - height)
        let corners = [
            project(left, height, near), project(right, height, near), project(right, height, far),
            project(left, height, far),
        ]
        canvas.fill(corners, id: id, opacity: opacity) { point in
            let z = focal * rise / max(point.y - horizon, 0.01)
            return paint((point.x - centerX) * z / focal, z)
        }
    }

    /// A wall along the street at one x, from near to far.
    mutating func sideWall(
        _ x: Double,
        _ near: Double,
        _ far: Double,
        _ bottom: Double,
        _ top: Double,
        id: Int?,
        _ paint: (_ z: Double, _ y: Double) -> Paint
    ) {
        let near = max(near, nearest)
        guard far > near else { return }
        let (centerX, horizon, focal, eyeHeight) = (centerX, horizon, focal, eyeHeight)
        canvas.fill(
            [project(x, bottom, near), project(x, top, near), project(x, top, far), project(x, bottom, far)],
            id: id
        ) { point in
            let offset = point.x - centerX
            let z = max(near, min(offset * x > 0 ? focal * x / offset : far, far))
            return paint(z, eyeHeight - (point.y - horizon) * z / focal)
        }
    }

    /// An upright rectangle that faces the camera.
    mutating func panel(
        _ left: Double,
        _ right: Double,
        _ bottom: Double,
        _ top: Double,
        _ z: Double,
        id: Int?,
        _ paint: (_ x: Double, _ y: Double) -> Paint
    ) {
        guard z > nearest else { return }
        let (centerX, horizon, focal, eyeHeight) = (centerX, horizon, focal, eyeHeight)
        canvas.fill(
            [project(left, bottom, z), project(right, bottom, z), project(right, top, z), project(left, top, z)],
            id: id
        ) { point in
            paint((point.x - centerX) * z / focal, eyeHeight - (point.y - horizon) * z / focal)
        }
    }

    // MARK: The street, from far to near

    mutating func paintEverything() {
        // Things that stand on the ground; what they cast lies below them all.
        var things: [(z: Double, draw: (inout StreetPainter) -> Void)] = []
        for side in [-1.0, 1.0] {
            plan(housesOn: side, &things)
            plan(furnitureOn: side, &things)
            plan(parkedCarsOn: side, &things)
            plan(peopleOn: side, &things)
        }
        plan(trafficInto: &things)
        paintSky()
        paintGround()
        if light.shade > 0 { for caster in casters { paintShadow(of: caster) } }
        for thing in things.sorted(by: { $0.z > $1.z }) { thing.draw(&self) }
    }

    mutating func cast(_ caster: Caster) { casters.append(caster) }

    /// The shadow of a box: the hull of its foot and of its top moved away from the sun. Where shadows meet they do not add up.
    private mutating func paintShadow(of caster: Caster) {
        let nearest = nearest
        let corners = [
            (caster.left, caster.near), (caster.right, caster.near), (caster.right, caster.far),
            (caster.left, caster.far),
        ]
        var points: [(x: Double, z: Double)] = []
        for height in [caster.bottom, caster.top] {
            points += corners.map { ($0.0 + light.castAcross * height, $0.1 + light.castAlong * height) }
        }
        let hull = convexHull(points).map { project($0.x, 0, max($0.z, nearest)) }
        canvas.fill(hull, id: nil, opacity: light.shade, isShadow: true) { _ in Paint(0.09, 0.10, 0.16) }
    }

    private mutating func paintSky() {
        let (width, height, horizon) = (Double(canvas.width), Double(canvas.height), horizon)
        let noise = noise
        let (haze, sky) = (light.haze, light.zenith)
        // More cover, and darker clouds, the more there are.
        let (threshold, most) = (0.62 - 0.38 * light.clouds, min(0.95, 0.55 + 0.4 * light.clouds))
        let white =
            light.isDusk ? Paint(0.80, 0.62, 0.60) : Paint(0.97, 0.96, 0.95).mixed(with: haze, 0.25 * light.clouds)
        // Further down the ground covers it: a strip of 60 metres to either side that ends at the farthest distance.
        let groundTop = focal * eyeHeight / farthest + (width * eyeHeight / groundHalf) + 2
        let bottom = min(height, max(horizon + groundTop, 0))
        canvas.fill(
            [CanvasPoint(0, 0), CanvasPoint(width, 0), CanvasPoint(width, bottom), CanvasPoint(0, bottom)],
            id: Class.sky
        ) { point in
            let rise = max(0, min((horizon - point.y) / max(horizon, 1), 1))
            let blue = haze.mixed(with: sky, rise.squareRoot())
            // Clouds are flat: seen from below they are stretched towards the horizon.
            let depth = 1 / (rise + 0.15)
            let cloud = noise.layered(point.x / width * 4 * depth, depth * 3, 5)
            return blue.mixed(with: white, max(0, min((cloud - threshold) * 2.6, most)))
        }
        // Hills and roofs at the end of the street.
        var outline = [CanvasPoint(0, horizon + 2)]
        for step in 0...60 {
            let x = width * Double(step) / 60
            outline.append(CanvasPoint(x, horizon - height * (0.02 + 0.06 * noise.layered(x / width * 9, 40, 3))))
        }
        outline.append(CanvasPoint(width, horizon + 2))
        let hill = Paint(0.30, 0.38, 0.28).mixed(with: haze, min(0.85, 0.45 + 20 / light.sight))
        canvas.fill(outline, id: Class.tree) { hill.lit(0.9 + 0.2 * noise.layered($0.x / 6, $0.y / 6, 2)) }
    }

    private mutating func paintGround() {
        let (noise, roadHalf) = (noise, roadHalf)
        let painter = self
        // Wet asphalt is dark; what it mirrors comes at the end.
        let asphalt = Paint(0.35, 0.35, 0.36).lit(random.uniform(in: 0.88...1.15) * (1 - 0.35 * light.wetness))
        let stone = Paint(0.58, 0.55, 0.51)
        let slabs = { (x: Double, z: Double) -> Paint in
            let joint =
                (abs(x) * 1.6).truncatingRemainder(dividingBy: 1) < 0.06
                || (z * 1.2).truncatingRemainder(dividingBy: 1) < 0.06
            let lit = (joint && z < 25 ? 0.85 : 1) * (0.92 + 0.16 * noise.layered(x * 2, z * 2, 3))
            return painter.hazed(stone.lit(lit), z)
        }
        // The part that the road will cover is left out, except for a hand's breadth under its edges.
        ground(-groundHalf, -roadHalf + 0.1, nearest, farthest, id: Class.pavement, slabs)
        ground(roadHalf - 0.1, groundHalf, nearest, farthest, id: Class.pavement, slabs)
        ground(-roadHalf, roadHalf, nearest, farthest, id: Class.road) { x, z in
            // Tyres polish two tracks in each lane; patches were repaired.
            let track = abs(abs(abs(x) - roadHalf / 2) - 0.75) < 0.3 ? 1.06 : 1.0
            let patch = noise.at((x / 1.7).rounded(.down), (z / 5.3).rounded(.down)) > 0.93 ? 0.86 : 1
            return painter.hazed(asphalt.lit(track * patch * (0.85 + 0.3 * noise.layered(x * 3, z * 3, 3))), z)
        }
        // The kerb, then lines: dashes in the middle, full ones at the sides.
        let kerb = Paint(0.72, 0.71, 0.68)
        let hasEdgeLines = random.uniform() < 0.7
        for side in [-1.0, 1.0] {
            ground(side * roadHalf - 0.12, side * roadHalf + 0.12, nearest, farthest, id: Class.pavement) { _, z in
                painter.hazed(kerb, z)
            }
            guard hasEdgeLines else { continue }
            let edge = side * (roadHalf - 0.45)
            ground(edge - 0.06, edge + 0.06, nearest, farthest, id: nil, opacity: 0.7) { x, z in
                painter.hazed(Paint(0.85, 0.80, 0.45).lit(0.8 + 0.3 * noise.layered(x * 9, z * 5, 2)), z)
            }
        }
        let (phase, middle) = (random.uniform(in: 0...6), random.uniform())
        let white = Paint(0.90, 0.90, 0.88)
        // Dashes, mostly; a full line, or none.
        for dash in 0..<(middle < 0.75 ? 24 : middle < 0.9 ? 1 : 0) {
            let z = middle < 0.75 ? phase + Double(dash) * 6 : nearest
            ground(-0.08, 0.08, z, middle < 0.75 ? z + 3 : farthest, id: nil, opacity: 0.85) { x, z in
                painter.hazed(white.lit(0.8 + 0.25 * noise.layered(x * 9, z * 5, 2)), z)
            }
        }
        // A crossing, in most streets.
        let (crossing, hasCrossing) = (random.uniform(in: 14...30), random.uniform() < 0.65)
        var x = -roadHalf + 0.3
        while hasCrossing, x < roadHalf - 0.5 {
            ground(x, x + 0.45, crossing, crossing + 2.6, id: nil, opacity: 0.8) { _, z in
                painter.hazed(Paint(0.88, 0.88, 0.86), z)
            }
            x += 0.95
        }
    }
}

/// The smallest convex polygon around points, in order. (Andrew's monotone chain.)
private func convexHull(_ points: [(x: Double, z: Double)]) -> [(x: Double, z: Double)] {
    let sorted = points.sorted { ($0.x, $0.z) < ($1.x, $1.z) }
    func chain(_ points: [(x: Double, z: Double)]) -> [(x: Double, z: Double)] {
        var hull: [(x: Double, z: Double)] = []
        for point in points {
            while hull.count > 1 {
                let (a, b) = (hull[hull.count - 2], hull[hull.count - 1])
                guard (b.x - a.x) * (point.z - a.z) - (b.z - a.z) * (point.x - a.x) <= 0 else { break }
                hull.removeLast()
            }
            hull.append(point)
        }
        return Array(hull.dropLast())
    }
    return chain(sorted) + chain(sorted.reversed())
}
