internal import SegNetImages
internal import SegNetPlatform

/// A point on the canvas, in pixels of the final picture; y grows downwards.
struct CanvasPoint {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }
}

/// A colour as linear numbers 0...1 that may be mixed and lit.
struct Paint {
    var red: Double
    var green: Double
    var blue: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    func lit(_ factor: Double) -> Paint { Paint(red * factor, green * factor, blue * factor) }

    /// 0: this colour, 1: the other.
    func mixed(with other: Paint, _ share: Double) -> Paint {
        Paint(
            red + (other.red - red) * share,
            green + (other.green - green) * share,
            blue + (other.blue - blue) * share
        )
    }
}

/// Filled shapes over each other, each with a class id, drawn at twice the size and averaged down, so that edges are smooth in the
/// picture and sharp in the labels.
///
/// A class: painters are copied into the closures that colour their shapes, and a canvas that came along would be copied at the next
/// stroke (a quarter of the time of a picture, when it was).
final class SceneCanvas {
    /// Samples per pixel and direction.
    private static let finer = 2
    /// The bit of a sample on which a shadow lies.
    private static let shaded: UInt8 = 0x80

    let width: Int
    let height: Int

    private let columns: Int
    private let rows: Int
    /// [rows, columns, 3]
    private let paints: UnsafeMutablePointer<Float>
    /// [rows, columns]: the class, and whether a shadow lies on it.
    private let ids: UnsafeMutablePointer<UInt8>

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        columns = width * Self.finer
        rows = height * Self.finer
        paints = .allocate(capacity: columns * rows * 3)
        paints.initialize(repeating: 0, count: columns * rows * 3)
        ids = .allocate(capacity: columns * rows)
        ids.initialize(repeating: 0, count: columns * rows)
    }

    deinit {
        paints.deallocate()
        ids.deallocate()
    }

    /// Fills a polygon (even-odd rule; a sample belongs to it if its centre does).
    /// - Parameters:
    ///   - id: The class of what is drawn; nil keeps the class below (shadows, markings).
    ///   - opacity: 0...1.
    ///   - isShadow: Leaves out samples on which a shadow lies already.
    ///   - paint: The colour at a point of the canvas.
    func fill(
        _ polygon: [CanvasPoint],
        id: Int?,
        opacity: Double = 1,
        isShadow: Bool = false,
        paint: (CanvasPoint) -> Paint
    ) {
        guard polygon.count >= 3, polygon.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else { return }
        let scale = Double(Self.finer)
        let tops = polygon.map { $0.y * scale }
        let top = max(0, min(tops.min() ?? 0, Double(rows)))
        let bottom = max(0, min(tops.max() ?? 0, Double(rows)))
        for row in Int(top)..<max(Int(top), Int(bottom.rounded(.up))) {
            let y = Double(row) + 0.5
            var crossings: [Double] = []
            for (index, a) in polygon.enumerated() {
                let b = polygon[(index + 1) % polygon.count]
                let (ay, by) = (a.y * scale, b.y * scale)
                guard (ay <= y) != (by <= y) else { continue }
                crossings.append((a.x + (b.x - a.x) * (y - ay) / (by - ay)) * scale)
            }
            crossings.sort()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                let first = Int(max(0, min((crossings[pair] - 0.5).rounded(.up), Double(columns))))
                let last = Int(max(0, min((crossings[pair + 1] - 0.5).rounded(.up), Double(columns))))
                for column in first..<max(first, last) {
                    if isShadow {
                        guard ids[row * columns + column] & Self.shaded == 0 else { continue }
                        ids[row * columns + column] |= Self.shaded
                    }
                    set(column, row, id, opacity, paint(CanvasPoint((Double(column) + 0.5) / scale, y / scale)))
                }
            }
        }
    }

    /// Fills an ellipse.
    func fillEllipse(
        _ center: CanvasPoint,
        _ radiusX: Double,
        _ radiusY: Double,
        id: Int?,
        paint: (CanvasPoint) -> Paint
    ) {
        guard radiusX > 0, radiusY > 0 else { return }
        let corners = max(12, min(64, Int(radiusX + radiusY)))
        fill(
            (0..<corners).map { corner in
                let angle = Double(corner) * 2 * Double.pi / Double(corners)
                return CanvasPoint(center.x + radiusX * cos(angle), center.y + radiusY * sin(angle))
            },
            id: id,
            paint: paint
        )
    }

    private func set(_ column: Int, _ row: Int, _ id: Int?, _ opacity: Double, _ paint: Paint) {
        let index = row * columns + column
        if let id { ids[index] = UInt8(truncatingIfNeeded: id) }
        let (new, old) = (Float(opacity), Float(1 - opacity))
        paints[3 * index] = paints[3 * index] * old + Float(paint.red) * new
        paints[3 * index + 1] = paints[3 * index + 1] * old + Float(paint.green) * new
        paints[3 * index + 2] = paints[3 * index + 2] * old + Float(paint.blue) * new
    }

    /// Lets a wet surface mirror what is above the horizon: more of it the flatter it is looked at, drawn out by ripples.
    ///
    /// As if everything stood far away, where a mirror turns the picture about the horizon.
    /// - Parameter strength: 0...1.
    func mirror(horizon: Double, id: Int, strength: Double, noise: ValueNoise) {
        let middle = horizon * Double(Self.finer)
        let rest = max(1, Double(rows) - middle)
        for row in max(0, Int(middle) + 1)..<max(rows, Int(middle) + 1) {
            let depth = (Double(row) - middle) / rest
            let share = Float(strength * (0.16 + 0.44 * (1 - depth) * (1 - depth)))
            for column in 0..<columns where ids[row * columns + column] & ~Self.shaded == UInt8(id) {
                let ripple = noise.at(Double(column) * 0.05, Double(row) * 0.4) - 0.5
                // Puddles mirror more than what is merely wet.
                let puddle = Float(
                    min(1, 0.45 + 1.1 * noise.at(Double(column) / 90 / (depth + 0.2), 30 * depth.squareRoot()))
                )
                let fromRow = max(0, min(rows - 1, Int(2 * middle - Double(row) + 22 * depth * ripple)))
                let fromColumn = max(0, min(columns - 1, column + Int(6 * ripple)))
                let (to, from) = (3 * (row * columns + column), 3 * (fromRow * columns + fromColumn))
                for channel in 0..<3 {
                    paints[to + channel] += share * puddle * (paints[from + channel] - paints[to + channel])
                }
            }
        }
    }

    /// The picture and its labels. A pixel's label is that of its upper left sample.
    /// - Parameters:
    ///   - gain: The value of white: the colour of the light and the exposure.
    ///   - grain: A camera's noise: the sum of two even ones of this width in units of 0...255, for each sample.
    ///   - random: Read once per pixel.
    func picture(
        gain: Paint,
        grain: Double,
        random: inout RandomNumbers
    ) throws(ImageError) -> (image: Image, labels: LabelMap) {
        let (width, columns) = (width, columns)
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        var labels = [UInt16](repeating: 0, count: width * height)
        let scale = 255 / Float(Self.finer * Self.finer)
        let gains = (Float(gain.red) * scale, Float(gain.green) * scale, Float(gain.blue) * scale)
        let strength = Float(grain / 1024)
        pixels.withUnsafeMutableBufferPointer { pixels in
            for y in 0..<height {
                for x in 0..<width {
                    let first = y * Self.finer * columns + x * Self.finer
                    labels[y * width + x] = UInt16(ids[first] & ~Self.shaded)
                    // Six numbers of ten bits.
                    var bits = random.next()
                    for channel in 0..<3 {
                        var sum: Float = 0
                        for row in 0..<Self.finer {
                            for column in 0..<Self.finer {
                                sum += paints[3 * (first + row * columns + column) + channel]
                            }
                        }
                        let noise = Float(Int(bits & 1023) + Int(bits >> 10 & 1023) - 1023) * strength
                        bits >>= 20
                        let factor = channel == 0 ? gains.0 : channel == 1 ? gains.1 : gains.2
                        pixels[3 * (y * width + x) + channel] = UInt8(
                            max(0, min((sum * factor + noise).rounded(), 255))
                        )
                    }
                }
            }
        }
        return (
            try Image(width: width, height: height, channels: 3, pixels: pixels),
            try LabelMap(width: width, height: height, ids: labels)
        )
    }
}

/// Smooth noise in the plane, from hashed lattice points: the same for the same seed.
struct ValueNoise {
    let seed: UInt64

    /// 0...1, smooth, one hill per unit.
    func at(_ x: Double, _ y: Double) -> Double {
        let (column, fx) = split(x)
        let (row, fy) = split(y)
        let left = seed &+ UInt64(bitPattern: column) &* Self.columnFactor
        let right = left &+ Self.columnFactor
        let upper = UInt64(bitPattern: row) &* Self.rowFactor
        let lower = upper &+ Self.rowFactor
        let top = Self.number(left ^ upper) * (1 - fx) + Self.number(right ^ upper) * fx
        let bottom = Self.number(left ^ lower) * (1 - fx) + Self.number(right ^ lower) * fx
        return top * (1 - fy) + bottom * fy
    }

    /// Noise of several sizes: 0...1.
    func layered(_ x: Double, _ y: Double, _ layers: Int = 4) -> Double {
        var sum = 0.0
        var weight = 0.5
        var scale = 1.0
        for _ in 0..<layers {
            sum += weight * at(x * scale, y * scale)
            weight /= 2
            scale *= 2
        }
        return sum / (1 - 2 * weight)
    }

    /// The whole part and the smoothed rest. Without `rounded(.down)`, which is a call into the C library on x86-64 without SSE4.1.
    private func split(_ x: Double) -> (Int64, Double) {
        // Far beyond any canvas; keeps the conversion from trapping, for NaN too.
        let inside = max(-1e9, min(x, 1e9))
        var whole = Int64(inside)
        if Double(whole) > inside { whole -= 1 }
        return (whole, smooth(inside - Double(whole)))
    }

    private func smooth(_ t: Double) -> Double { t * t * (3 - 2 * t) }

    private static let columnFactor: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let rowFactor: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    /// 0...1 from a lattice point's hash.
    private static func number(_ point: UInt64) -> Double {
        var bits = point
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((bits ^ (bits >> 31)) >> 11) * 0x1p-53
    }
}
