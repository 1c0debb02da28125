internal import SegNetPlatform

/// Rows of houses, and gardens in the gaps.
extension StreetPainter {
    mutating func plan(housesOn side: Double, _ things: inout [(z: Double, draw: (inout StreetPainter) -> Void)]) {
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
            let front = side * (wall + house.setback)
            cast(
                Caster(
                    left: min(front, front + side * 9),
                    right: max(front, front + side * 9),
                    near: house.near,
                    far: house.far,
                    top: house.height
                )
            )
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
        let isLit = (side > 0) == light.sunFromLeft
        let (isDusk, light) = (light.isDusk, isLit ? light.sunny : light.shady)
        // The end wall, which faces the camera.
        let far = side * 40
        let endLight = self.light.castAlong > 0 ? self.light.sunny * 0.9 : self.light.shady
        panel(min(x, far), max(x, far), 0, house.height, house.near, id: Class.building) { x, y in
            painter.hazed(house.paint.lit(endLight * (0.9 + 0.2 * texture.layered(x * 2, y * 2, 3))), house.near)
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
                    if isDusk { paint = Paint(1.2, 1.05, 0.72).lit(0.55 + 0.5 * texture.at(column * 3.7, v * 3)) }
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
                    if isDusk, texture.at(column, row) > 0.7 { paint = Paint(1.25, 1.0, 0.58).lit(0.7 + 0.4 * v) }
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
