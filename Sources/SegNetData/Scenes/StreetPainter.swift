internal import SegNetImages
internal import SegNetTensors

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
    /// What is nearer is cut off.
    private let nearest = 1.2
    private let farthest = 140.0
    /// How far the ground goes to either side.
    private let groundHalf = 60.0

    // The street.
    let roadHalf: Double
    let pavementWidth = 3.2
    var wall: Double { roadHalf + pavementWidth }

    let haze: Paint
    private let sunFromLeft: Bool

    init(seed: UInt64, width: Int, height: Int) {
        canvas = SceneCanvas(width: width, height: height)
        random = RandomNumbers(seed: seed)
        noise = ValueNoise(seed: random.next())
        centerX = Double(width) * random.uniform(in: 0.44...0.56)
        horizon = Double(height) * random.uniform(in: 0.40...0.46)
        focal = Double(max(width, height)) * 0.85
        roadHalf = random.uniform(in: 3.6...4.6)
        let warmth = random.uniform(in: 0...1)
        haze = Paint(0.72 + 0.10 * warmth, 0.76 + 0.03 * warmth, 0.80 - 0.06 * warmth)
        sunFromLeft = random.next() & 1 == 0
    }

    mutating func finished() throws(ImageError) -> (image: Image, labels: LabelMap) {
        var grain = RandomNumbers(seed: random.next())
        return try canvas.picture { (grain.uniform() + grain.uniform() - 1) * 7 }
    }

    // MARK: Perspective

    /// Where a point in the street is on the canvas. z must be above 0.
    func project(_ x: Double, _ y: Double, _ z: Double) -> CanvasPoint {
        CanvasPoint(centerX + focal * x / z, horizon + focal * (eyeHeight - y) / z)
    }

    /// Pixels per metre at a distance.
    func scale(at z: Double) -> Double { focal / z }

    /// A colour as it looks through the air.
    func hazed(_ paint: Paint, _ z: Double) -> Paint { paint.mixed(with: haze, min(0.75, z / 160)) }

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
        paintSky()
        paintGround()
        // Things that stand on the ground, the farthest first.
        var things: [(z: Double, draw: (inout StreetPainter) -> Void)] = []
        for side in [-1.0, 1.0] {
            plan(housesOn: side, &things)
            plan(furnitureOn: side, &things)
            plan(parkedCarsOn: side, &things)
            plan(peopleOn: side, &things)
        }
        plan(trafficInto: &things)
        for thing in things.sorted(by: { $0.z > $1.z }) { thing.draw(&self) }
    }

    private mutating func paintSky() {
        let (width, height, horizon) = (Double(canvas.width), Double(canvas.height), horizon)
        let noise = noise
        let haze = haze
        let sky = Paint(0.36, 0.55, 0.80)
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
            return blue.mixed(with: Paint(0.96, 0.95, 0.94), max(0, min((cloud - 0.45) * 2.6, 0.85)))
        }
        // Hills and roofs at the end of the street.
        var outline = [CanvasPoint(0, horizon + 2)]
        for step in 0...60 {
            let x = width * Double(step) / 60
            outline.append(CanvasPoint(x, horizon - height * (0.02 + 0.06 * noise.layered(x / width * 9, 40, 3))))
        }
        outline.append(CanvasPoint(width, horizon + 2))
        let hill = Paint(0.30, 0.38, 0.28).mixed(with: haze, 0.45)
        canvas.fill(outline, id: Class.tree) { hill.lit(0.9 + 0.2 * noise.layered($0.x / 6, $0.y / 6, 2)) }
    }

    private mutating func paintGround() {
        let (noise, wall, roadHalf) = (noise, wall, roadHalf)
        let painter = self
        let asphalt = Paint(0.35, 0.35, 0.36)
        let stone = Paint(0.58, 0.55, 0.51)
        let slabs = { (x: Double, z: Double) -> Paint in
            let joint =
                (abs(x) * 1.6).truncatingRemainder(dividingBy: 1) < 0.06
                || (z * 1.2).truncatingRemainder(dividingBy: 1) < 0.06
            let lit = (joint && z < 25 ? 0.85 : 1) * (0.92 + 0.16 * noise.layered(x * 2, z * 2, 3))
            return painter.hazed(stone.lit(lit), z)
        }
        // What the road will cover is left out but for a hand's breadth under its edges.
        ground(-groundHalf, -roadHalf + 0.1, nearest, farthest, id: Class.pavement, slabs)
        ground(roadHalf - 0.1, groundHalf, nearest, farthest, id: Class.pavement, slabs)
        ground(-roadHalf, roadHalf, nearest, farthest, id: Class.road) { x, z in
            // Tyres polish two tracks in each lane; patches were mended.
            let track = abs(abs(abs(x) - roadHalf / 2) - 0.75) < 0.3 ? 1.06 : 1.0
            let patch = noise.at(x / 2.2, z / 7) > 0.72 ? 0.86 : 1
            return painter.hazed(asphalt.lit(track * patch * (0.85 + 0.3 * noise.layered(x * 3, z * 3, 4))), z)
        }
        // The kerb, then lines: dashes in the middle, full ones at the sides.
        let kerb = Paint(0.72, 0.71, 0.68)
        for side in [-1.0, 1.0] {
            ground(side * roadHalf - 0.12, side * roadHalf + 0.12, nearest, farthest, id: Class.pavement) { _, z in
                painter.hazed(kerb, z)
            }
            let edge = side * (roadHalf - 0.45)
            ground(edge - 0.06, edge + 0.06, nearest, farthest, id: nil, opacity: 0.7) { x, z in
                painter.hazed(Paint(0.85, 0.80, 0.45).lit(0.8 + 0.3 * noise.layered(x * 9, z * 5, 2)), z)
            }
        }
        let phase = random.uniform(in: 0...6)
        for dash in 0..<24 {
            let z = phase + Double(dash) * 6
            ground(-0.08, 0.08, z, z + 3, id: nil, opacity: 0.85) { x, z in
                painter.hazed(Paint(0.90, 0.90, 0.88).lit(0.8 + 0.25 * noise.layered(x * 9, z * 5, 2)), z)
            }
        }
        // A crossing.
        let crossing = random.uniform(in: 14...30)
        var x = -roadHalf + 0.3
        while x < roadHalf - 0.5 {
            ground(x, x + 0.45, crossing, crossing + 2.6, id: nil, opacity: 0.8) { _, z in
                painter.hazed(Paint(0.88, 0.88, 0.86), z)
            }
            x += 0.95
        }
        // The houses' shade on the side that the sun comes from.
        let shaded = sunFromLeft ? -1.0 : 1.0
        let edge = shaded * (roadHalf - random.uniform(in: 0.5...2))
        ground(min(edge, shaded * wall), max(edge, shaded * wall), nearest, farthest, id: nil, opacity: 0.35) { _, _ in
            Paint(0.10, 0.11, 0.16)
        }
    }

    // MARK: Houses

    private mutating func plan(
        housesOn side: Double,
        _ things: inout [(z: Double, draw: (inout StreetPainter) -> Void)]
    ) {
        var z = random.uniform(in: -4...1)
        while z < farthest {
            let length = random.uniform(in: 8...17)
            // A gap now and then: a garden behind a fence, with a tree.
            if random.uniform() < 0.16, z > 5 {
                let (near, far) = (z, z + length * 0.7)
                let seed = random.next()
                things.append((far - 0.1, { $0.paintGarden(side, near, far, seed) }))
                z = far
                continue
            }
            let house = House(
                near: z,
                far: z + length,
                height: random.uniform(in: 6.5...14),
                setback: random.uniform(in: 0...0.9),
                paint: [
                    Paint(0.62, 0.36, 0.28), Paint(0.76, 0.68, 0.55), Paint(0.68, 0.66, 0.63),
                    Paint(0.80, 0.74, 0.62), Paint(0.52, 0.33, 0.28), Paint(0.58, 0.57, 0.54),
                ][Int(random.next() % 6)].lit(random.uniform(in: 0.85...1.1)),
                story: random.uniform(in: 2.7...3.3),
                windowStep: random.uniform(in: 2.0...3.1),
                hasShop: random.uniform() < 0.35,
                seed: random.next()
            )
            things.append((house.far, { $0.paint(house, side) }))
            z += length + (random.uniform() < 0.3 ? random.uniform(in: 0.5...2) : 0)
        }
    }

    private struct House {
        var near: Double
        var far: Double
        var height: Double
        var setback: Double
        var paint: Paint
        var story: Double
        var windowStep: Double
        var hasShop: Bool
        var seed: UInt64
    }

    private mutating func paint(_ house: House, _ side: Double) {
        let x = side * (wall + house.setback)
        let painter = self
        let texture = ValueNoise(seed: house.seed)
        let isLit = (side > 0) == sunFromLeft
        let light = isLit ? 1.05 : 0.68
        // The end wall, which faces the camera.
        let far = side * 40
        panel(min(x, far), max(x, far), 0, house.height, house.near, id: Class.building) { x, y in
            painter.hazed(house.paint.lit(0.78 * (0.9 + 0.2 * texture.layered(x * 2, y * 2, 3))), house.near)
        }
        sideWall(x, house.near, house.far, 0, house.height, id: Class.building) { z, y in
            let along = z - house.near
            let (column, row) = ((along / house.windowStep).rounded(.down), (y / house.story).rounded(.down))
            let (u, v) = (along / house.windowStep - column, y / house.story - row)
            let isGround = row == 0
            var paint = house.paint.lit(light * (0.9 + 0.2 * texture.layered(z * 1.5, y * 3, 3)))
            if y > house.height - 0.5 { return painter.hazed(paint.lit(1.15), z) }
            if isGround, house.hasShop {
                // Shop windows under an awning.
                if v > 0.82 {
                    paint = Paint(0.25 + 0.5 * texture.at(7, 7), 0.2, 0.22).lit(light)
                } else if v > 0.12, u > 0.06, u < 0.94 {
                    paint = Paint(0.13, 0.16, 0.18).mixed(with: painter.haze, 0.35 * texture.at(column * 3.7, v * 3))
                }
                return painter.hazed(paint, z)
            }
            let isDoor = isGround && Int(column) % 4 == 1
            let bottom = isDoor ? 0.0 : 0.28
            if u > 0.24, u < 0.76, v > bottom, v < 0.8, y < house.height - 1 {
                let isFrame = u < 0.28 || u > 0.72 || abs(u - 0.5) < 0.02 || v > 0.77 || v < bottom + 0.03
                if isDoor {
                    paint = Paint(0.28, 0.16 + 0.2 * texture.at(column, 3), 0.14).lit(light)
                } else if isFrame {
                    paint = Paint(0.88, 0.87, 0.83).lit(light)
                } else {
                    // Glass: dark rooms, here and there the sky.
                    let glint = texture.at(column * 2.3, row * 1.9)
                    paint = Paint(0.14, 0.17, 0.20).mixed(with: Paint(0.55, 0.66, 0.76), glint * (0.3 + 0.5 * v))
                }
            } else if v < 0.05, !isGround {
                paint = paint.lit(0.85)
            }
            return painter.hazed(paint, z)
        }
        // Every other house shows its roof.
        if house.seed & 1 == 0 {
            let slope = Paint(0.40, 0.24, 0.20).lit(isLit ? 1 : 0.75)
            sideWall(x, house.near, house.far, house.height, house.height + 1.6, id: Class.building) { z, y in
                painter.hazed(slope.lit(0.85 + 0.3 * texture.layered(z * 3, y * 9, 2)), z)
            }
        }
    }

    private mutating func paintGarden(_ side: Double, _ near: Double, _ far: Double, _ seed: UInt64) {
        let painter = self
        let texture = ValueNoise(seed: seed)
        let x = side * wall
        ground(min(x, side * 40), max(x, side * 40), near, far, id: Class.tree) { x, z in
            painter.hazed(Paint(0.28, 0.40, 0.18).lit(0.75 + 0.5 * texture.layered(x * 3, z * 3, 3)), z)
        }
        let middle = (near + far) / 2
        paintTree(side * (wall + 3), middle, height: 5 + 3 * texture.at(1, 1), seed: seed)
        sideWall(x, near, far, 0.1, 1.25, id: Class.fence) { z, y in
            let isBoard = (z * 4).truncatingRemainder(dividingBy: 1) < 0.72 || y > 1.0 && y < 1.12
            return painter.hazed(isBoard ? Paint(0.46, 0.34, 0.24) : Paint(0.20, 0.24, 0.14), z)
        }
    }
}
