internal import SegNetPlatform

/// The things that stand or move in the street.
extension StreetPainter {
    typealias Thing = (z: Double, draw: (inout StreetPainter) -> Void)

    // MARK: Trees, lamps, signs

    mutating func plan(furnitureOn side: Double, _ things: inout [Thing]) {
        let edge = side * (roadHalf + 0.7)
        var z = random.uniform(in: 6...12)
        while z < 110 {
            let at = z
            switch random.next() % 5 {
            case 0, 1:
                let height = random.uniform(in: 4.5...7.5)
                let seed = random.next()
                things.append((at, { $0.paintTree(edge, at, height: height, seed: seed) }))
                cast(Caster(left: edge - 0.13, right: edge + 0.13, near: at - 0.1, far: at + 0.1, top: height * 0.5))
                let crown = height * 0.3
                cast(
                    Caster(
                        left: edge - crown,
                        right: edge + crown,
                        near: at - crown,
                        far: at + crown,
                        bottom: height * 0.5,
                        top: height * 0.85
                    )
                )
            case 2:
                things.append((at, { $0.paintLamp(edge, at, towards: -side) }))
                cast(Caster(left: edge - 0.09, right: edge + 0.09, near: at - 0.09, far: at + 0.09, top: 6.2))
            case 3:
                let kind = random.next() % 3
                things.append((at, { $0.paintSign(edge, at, kind) }))
            default: break
            }
            z += random.uniform(in: 5...11)
        }
    }

    mutating func paintTree(_ x: Double, _ z: Double, height: Double, seed: UInt64) {
        guard z > 2 else { return }
        var random = RandomNumbers(seed: seed)
        let painter = self
        let texture = ValueNoise(seed: seed)
        let (red, green, blue) = (
            random.uniform(in: 0.20...0.34), random.uniform(in: 0.36...0.46), random.uniform(in: 0.12...0.2)
        )
        // One in eight has turned.
        let hasTurned = random.uniform() < 0.125
        let leaf = hasTurned ? Paint(red + 0.32, green - 0.06, blue - 0.04) : Paint(red, green, blue)
        ground(x - 1.2, x + 1.2, z - 0.5, z + 0.6, id: nil, opacity: 0.3) { _, _ in Paint(0.08, 0.09, 0.1) }
        panel(x - 0.13, x + 0.13, 0, height * 0.5, z, id: Class.tree) { x, y in
            painter.hazed(Paint(0.30, 0.23, 0.18).lit(0.7 + 0.6 * texture.layered(x * 20, y * 4, 2)), z)
        }
        let size = scale(at: z)
        for _ in 0..<16 {
            let angle = random.uniform(in: 0...(2 * Double.pi))
            let distance = random.uniform().squareRoot() * height * 0.25
            let center = project(x + distance * cos(angle), height * 0.66 + distance * sin(angle) * 1.05, z)
            let radius = height * random.uniform(in: 0.09...0.17) * size
            let shade = 0.75 + 0.45 * (0.5 - sin(angle) * -0.5)
            canvas.fillEllipse(center, radius * 1.1, radius, id: Class.tree) { point in
                let grain = texture.layered(point.x / size * 5, point.y / size * 5, 4)
                return painter.hazed(leaf.lit(shade * (0.45 + 1.0 * grain)), z)
            }
        }
    }

    private mutating func paintLamp(_ x: Double, _ z: Double, towards: Double) {
        let painter = self
        let metal = Paint(0.26, 0.28, 0.29)
        panel(x - 0.09, x + 0.09, 0, 6.2, z, id: Class.pole) { _, _ in painter.hazed(metal, z) }
        panel(min(x, x + towards * 1.5), max(x, x + towards * 1.5), 6.1, 6.24, z, id: Class.pole) { _, _ in
            painter.hazed(metal, z)
        }
        panel(x + towards * 1.25 - 0.3, x + towards * 1.25 + 0.3, 5.92, 6.12, z, id: Class.pole) { _, _ in
            painter.light.isDusk ? Paint(1.5, 1.3, 0.9) : painter.hazed(Paint(0.80, 0.80, 0.74), z)
        }
    }

    private mutating func paintSign(_ x: Double, _ z: Double, _ kind: UInt64) {
        guard z > 3 else { return }
        let painter = self
        panel(x - 0.05, x + 0.05, 0, 2.6, z, id: Class.pole) { _, _ in painter.hazed(Paint(0.55, 0.56, 0.56), z) }
        let center = project(x, 2.5, z)
        let size = scale(at: z)
        func disc(_ radius: Double, _ paint: Paint) {
            canvas.fillEllipse(center, radius * size, radius * size, id: Class.sign) { _ in painter.hazed(paint, z) }
        }
        switch kind {
        case 0:
            disc(0.42, Paint(0.78, 0.10, 0.12))
            disc(0.30, Paint(0.95, 0.95, 0.93))
        case 1:
            disc(0.42, Paint(0.12, 0.28, 0.66))
            panel(x - 0.2, x + 0.2, 2.45, 2.55, z, id: Class.sign) { _, _ in painter.hazed(Paint(0.95, 0.95, 0.95), z) }
        default:
            let corners = [(-0.48, 2.15), (0.48, 2.15), (0.0, 2.98)]
            canvas.fill(corners.map { project(x + $0.0, $0.1, z) }, id: Class.sign) { _ in
                painter.hazed(Paint(0.80, 0.12, 0.12), z)
            }
            let inner = [(-0.29, 2.26), (0.29, 2.26), (0.0, 2.76)]
            canvas.fill(inner.map { project(x + $0.0, $0.1, z) }, id: Class.sign) { _ in
                painter.hazed(Paint(0.95, 0.94, 0.88), z)
            }
        }
    }

    // MARK: Cars

    mutating func plan(parkedCarsOn side: Double, _ things: inout [Thing]) {
        var z = random.uniform(in: 7...13)
        let share = random.uniform(in: 0.25...0.8)
        while z < 90 {
            if random.uniform() < share { addCar(side * (roadHalf - 1.05), z, seesFront: side < 0, &things) }
            z += random.uniform(in: 6...10)
        }
    }

    mutating func plan(trafficInto things: inout [Thing]) {
        let (ahead, coming) = (random.uniform(in: 12...40), random.uniform(in: 14...60))
        let which = random.uniform()
        if which < 0.8 { addCar(roadHalf * 0.36, ahead, seesFront: false, &things) }
        if which > 0.2 { addCar(-roadHalf * 0.36, coming, seesFront: true, &things) }
    }

    private mutating func addCar(_ x: Double, _ z: Double, seesFront: Bool, _ things: inout [Thing]) {
        let paints = [
            Paint(0.70, 0.12, 0.12), Paint(0.14, 0.22, 0.46), Paint(0.86, 0.86, 0.85), Paint(0.16, 0.17, 0.18),
            Paint(0.56, 0.58, 0.60), Paint(0.20, 0.36, 0.28), Paint(0.78, 0.66, 0.30),
        ]
        let paint = paints[Int(random.next() % 7)]
        // One in eight is a van.
        let (kind, long, high) = (random.uniform(), random.uniform(in: 3.8...4.5), random.uniform(in: 1.38...1.6))
        let (length, height) = kind < 0.125 ? (long + 0.6, high + 0.5) : (long, high)
        things.append((z, { $0.paintCar(x, z, length, height, paint, seesFront: seesFront) }))
        cast(Caster(left: x - 0.88, right: x + 0.88, near: z, far: z + length, top: height * 0.9))
    }

    /// A car along the street: its far end, its flank, its near end.
    private mutating func paintCar(
        _ x: Double,
        _ z: Double,
        _ length: Double,
        _ height: Double,
        _ body: Paint,
        seesFront: Bool
    ) {
        let painter = self
        let half = 0.88
        let waist = height * 0.56
        let (near, far) = (z, z + length)
        let glass = Paint(0.12, 0.15, 0.18)
        ground(x - half - 0.15, x + half + 0.15, near - 0.2, far + 0.2, id: nil, opacity: 0.65) { _, _ in
            Paint(0.05, 0.05, 0.06)
        }
        // The flank that is seen: towards the middle of the picture.
        let flank = x > 0 ? x - half : x + half
        if abs(flank) > 0.3, abs(x) > half {
            sideWall(flank, near, far, 0.22, waist, id: Class.car) { z, y in
                let wheel = [near + length * 0.2, near + length * 0.8].contains { center in
                    let (dz, dy) = (z - center, y - 0.3)
                    return dz * dz + dy * dy < 0.1
                }
                let isGap = abs(z - near - length * 0.5) < 0.02
                let shine = 0.72 + 0.3 * y / waist
                return painter.hazed(wheel ? Paint(0.07, 0.07, 0.08) : body.lit(isGap ? 0.5 : shine), z)
            }
            sideWall(flank * 0.97, near + length * 0.14, far - length * 0.16, waist, height, id: Class.car) { z, y in
                let along = (z - near) / length
                let isPost = abs(along - 0.5) < 0.025 || along < 0.18 || along > 0.8 || y > height - 0.1
                return painter.hazed(isPost ? body.lit(0.9) : glass, z)
            }
        }
        // The roof.
        let roof = half * 0.78
        ground(x - roof, x + roof, near + 0.7, far - 0.7, height: height, id: Class.car) { _, z in
            painter.hazed(body.lit(1.15), z)
        }
        // The window and the boot or bonnet, then the near end.
        let slope = near + length * 0.16
        canvas.fill(
            [
                project(x - half * 0.96, waist, near + 0.1), project(x + half * 0.96, waist, near + 0.1),
                project(x + roof, height, slope + 0.3), project(x - roof, height, slope + 0.3),
            ],
            id: Class.car
        ) { _ in painter.hazed(body.lit(0.95), near) }
        let top = waist + (height - waist) * 0.86
        canvas.fill(
            [
                project(x - half * 0.84, waist + 0.04, near + 0.12),
                project(x + half * 0.84, waist + 0.04, near + 0.12),
                project(x + roof * 0.9, top, slope + 0.25), project(x - roof * 0.9, top, slope + 0.25),
            ],
            id: Class.car
        ) { painter.hazed(glass.lit(0.8 + ($0.y - painter.project(0, height, near).y) * 0.01), near) }
        panel(x - half, x + half, 0.3, waist, near, id: Class.car) { _, y in
            painter.hazed(body.lit(0.6 + 0.4 * y / waist), near)
        }
        panel(x - half, x + half, 0.22, 0.42, near, id: Class.car) { _, _ in
            painter.hazed(Paint(0.12, 0.12, 0.13), near)
        }
        for side in [-1.0, 1.0] {
            let lamp = seesFront ? Paint(0.96, 0.94, 0.84) : Paint(0.72, 0.06, 0.07)
            let light = painter.light.isDusk ? lamp.lit(1.6) : lamp
            let (a, b) = (x + side * half * 0.92, x + side * half * 0.62)
            panel(min(a, b), max(a, b), waist * 0.72, waist * 0.92, near, id: Class.car) { _, _ in
                painter.hazed(light, near)
            }
            let (c, d) = (x + side * half * 0.9, x + side * half * 0.62)
            panel(min(c, d), max(c, d), 0, 0.26, near, id: Class.car) { _, _ in
                painter.hazed(Paint(0.06, 0.06, 0.07), near)
            }
        }
        panel(x - 0.26, x + 0.26, waist * 0.6, waist * 0.74, near, id: Class.car) { _, _ in
            painter.hazed(seesFront ? Paint(0.92, 0.92, 0.90) : Paint(0.90, 0.80, 0.25), near)
        }
    }

    // MARK: People

    mutating func plan(peopleOn side: Double, _ things: inout [Thing]) {
        for _ in 0..<Int(2 + random.next() % 4) {
            let x = side * random.uniform(in: (roadHalf + 0.9)...(wall - 0.5))
            let z = random.uniform(in: 7...45)
            let seed = random.next()
            things.append((z, { $0.paintPerson(x, z, seed: seed, id: Class.pedestrian) }))
            cast(Caster(left: x - 0.22, right: x + 0.22, near: z - 0.1, far: z + 0.1, top: 1.65))
        }
        // Between the lane and the parked cars, on one's own side of the street.
        let (z, place, isThere) = (random.uniform(in: 8...22), random.uniform(in: 0.40...0.60), random.uniform() < 0.5)
        let seed = random.next()
        if isThere {
            let x = side * roadHalf * place
            things.append((z, { $0.paintCyclist(x, z, seed: seed) }))
            cast(Caster(left: x - 0.2, right: x + 0.2, near: z - 0.2, far: z + 0.7, top: 1.9))
        }
    }

    private mutating func paintPerson(_ x: Double, _ z: Double, seed: UInt64, id: Int, lift: Double = 0) {
        guard z > 2 else { return }
        var random = RandomNumbers(seed: seed)
        let painter = self
        let height = random.uniform(in: 1.55...1.85)
        let coat = Paint(random.uniform(in: 0.1...0.75), random.uniform(in: 0.1...0.5), random.uniform(in: 0.1...0.6))
        let legs = Paint(0.13, 0.14, random.uniform(in: 0.16...0.32))
        let skin = Paint(0.82, 0.62, 0.50).lit(random.uniform(in: 0.6...1.1))
        let stride = random.uniform(in: 0.08...0.3)
        let size = scale(at: z)
        if id == Class.pedestrian {
            ground(x - 0.35, x + 0.35, z - 0.15, z + 0.2, id: nil, opacity: 0.4) { _, _ in Paint(0.06, 0.06, 0.07) }
        }
        func limb(_ from: (Double, Double), _ to: (Double, Double), _ width: Double, _ paint: Paint) {
            let a = project(x + from.0, from.1 + lift, z)
            let b = project(x + to.0, to.1 + lift, z)
            let (dx, dy) = (b.x - a.x, b.y - a.y)
            let length = max(0.001, (dx * dx + dy * dy).squareRoot())
            let (nx, ny) = (-dy / length * width * size / 2, dx / length * width * size / 2)
            canvas.fill(
                [
                    CanvasPoint(a.x + nx, a.y + ny), CanvasPoint(b.x + nx, b.y + ny), CanvasPoint(b.x - nx, b.y - ny),
                    CanvasPoint(a.x - nx, a.y - ny),
                ],
                id: id
            ) { _ in painter.hazed(paint, z) }
        }
        let hip = height * 0.48
        limb((-0.07, hip), (-stride, 0.02), 0.17, legs.lit(0.85))
        limb((0.07, hip), (stride, 0.02), 0.17, legs)
        limb((-0.2, height * 0.79), (-0.27, height * 0.45), 0.11, coat.lit(0.8))
        limb((0.2, height * 0.79), (0.27, height * 0.45), 0.11, coat.lit(0.9))
        let chest = project(x, height * 0.65 + lift, z)
        canvas.fillEllipse(chest, 0.23 * size, height * 0.2 * size, id: id) { point in
            painter.hazed(coat.lit(0.85 + 0.25 * (point.x - chest.x) / (0.23 * size)), z)
        }
        let head = project(x, height * 0.92 + lift, z)
        canvas.fillEllipse(head, 0.105 * size, 0.135 * size, id: id) { _ in painter.hazed(skin, z) }
        canvas.fillEllipse(CanvasPoint(head.x, head.y - 0.05 * size), 0.11 * size, 0.09 * size, id: id) { _ in
            painter.hazed(Paint(0.16, 0.11, 0.08), z)
        }
    }

    private mutating func paintCyclist(_ x: Double, _ z: Double, seed: UInt64) {
        let painter = self
        let size = scale(at: z)
        ground(x - 0.4, x + 0.4, z - 0.3, z + 0.6, id: nil, opacity: 0.45) { _, _ in Paint(0.05, 0.05, 0.06) }
        // From behind: the wheel is narrow, the handlebar wide.
        panel(x - 0.04, x + 0.04, 0, 0.68, z, id: Class.bicyclist) { _, _ in painter.hazed(Paint(0.08, 0.08, 0.09), z) }
        panel(x - 0.33, x + 0.33, 0.98, 1.04, z + 0.5, id: Class.bicyclist) { _, _ in
            painter.hazed(Paint(0.15, 0.15, 0.16), z)
        }
        paintPerson(x, z, seed: seed, id: Class.bicyclist, lift: 0.28)
        let light = project(x, 0.75, z)
        canvas.fillEllipse(light, 0.05 * size, 0.05 * size, id: Class.bicyclist) { _ in Paint(0.85, 0.08, 0.08) }
    }
}
