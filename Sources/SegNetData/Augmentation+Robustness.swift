import SegNetImages
internal import SegNetPlatform

/// Changes that other cameras, other light and other weather make: of the picture's own channels, alpha and planes stay.
extension Example {
    /// The samples of a pixel that are colours: three, or one of gray.
    private var colorCount: Int { channels >= 3 ? 3 : min(channels, 1) }

    /// Passes each colour sample through a table of 256.
    private mutating func map(_ tables: [[UInt8]]) {
        let (channels, count) = (channels, colorCount)
        guard count > 0, tables.count >= count else { return }
        pixels.withUnsafeMutableBufferPointer { pixels in
            for color in 0..<count {
                tables[color].withUnsafeBufferPointer { table in
                    for at in stride(from: color, to: pixels.count, by: channels) {
                        pixels[at] = table[Int(pixels[at])]
                    }
                }
            }
        }
    }

    private static func table(_ value: (Double) -> Double) -> [UInt8] {
        (0..<256).map { sample in
            let result = value(Double(sample) / 255) * 255
            return result.isFinite ? UInt8(max(0, min(255, result.rounded()))) : UInt8(sample)
        }
    }

    /// Raises samples, as 0...1, to a power.
    mutating func bend(_ exponent: Double) {
        let table = Self.table { pow($0, exponent) }
        map([table, table, table])
    }

    /// Multiplies red and divides blue by a factor.
    mutating func warm(_ factor: Double) {
        guard channels >= 3 else { return }
        map([Self.table { $0 * factor }, Self.table { $0 }, Self.table { $0 / factor }])
    }

    /// Replaces colours by their gray value.
    mutating func turnGray() {
        guard channels >= 3 else { return }
        let channels = channels
        pixels.withUnsafeMutableBufferPointer { pixels in
            for at in stride(from: 0, to: pixels.count - 2, by: channels) {
                let sum = 306 * Int32(pixels[at]) + 601 * Int32(pixels[at + 1]) + 117 * Int32(pixels[at + 2])
                let gray = UInt8(truncatingIfNeeded: (sum + 512) >> 10)
                (pixels[at], pixels[at + 1], pixels[at + 2]) = (gray, gray, gray)
            }
        }
    }

    /// One to three rectangles of 2 to 15 % of the area become noise, or a flat colour; their labels are ignored.
    mutating func eraseRectangles(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        for _ in 0..<1 + Int(random.next() % 3) {
            let share = 0.02 + 0.13 * random.uniform()
            let aspect = exp(log(3) * (2 * random.uniform() - 1))
            let area = share * Double(width * height)
            let across = max(1, min(width, Int((area * aspect).squareRoot())))
            let down = max(1, min(height, Int((area / aspect).squareRoot())))
            let left = Int(random.uniform() * Double(width - across + 1))
            let top = Int(random.uniform() * Double(height - down + 1))
            let isNoise = random.uniform() < 0.5
            let flat = random.next()
            for y in top..<top + down {
                for x in left..<left + across {
                    labels[y * width + x] = Example.ignored
                    let bits = isNoise ? random.next() : flat
                    for color in 0..<colorCount {
                        pixels[(y * width + x) * channels + color] = UInt8(
                            truncatingIfNeeded: bits >> UInt64(8 * color)
                        )
                    }
                }
            }
        }
    }

    /// A Gaussian filter of all channels of the picture, along rows, then along columns; borders repeat.
    /// - Parameter deviation: In pixels, above 0.
    mutating func soften(deviation: Double) {
        guard channels > 0, width > 0, height > 0, deviation > 0, deviation <= 64 else { return }
        let reach = Int((3 * deviation).rounded(.up))
        let bells = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
        let sum = bells.reduce(0, +)
        var weights = bells.map { Int32(($0 / sum * 65_536).rounded()) }
        weights[reach] += 65_536 - weights.reduce(0, +)
        let row = width * channels
        soften(weights, lines: height, lineStride: row, count: width, step: channels)
        soften(weights, lines: width, lineStride: channels, count: height, step: row)
    }

    /// Filters `count` pixels along each of some lines; `step` and `lineStride` are samples from one to the next.
    private mutating func soften(_ weights: [Int32], lines: Int, lineStride: Int, count: Int, step: Int) {
        let (reach, channels) = (weights.count / 2, channels)
        var line = [Int32](repeating: 0, count: (count + 2 * reach) * channels)
        pixels.withUnsafeMutableBufferPointer { pixels in
            for number in 0..<lines {
                let start = number * lineStride
                for at in 0..<count + 2 * reach {
                    let from = start + max(0, min(count - 1, at - reach)) * step
                    for c in 0..<channels { line[at * channels + c] = Int32(pixels[from + c]) }
                }
                for at in 0..<count {
                    for c in 0..<channels {
                        var sum: Int32 = 32_768
                        for tap in weights.indices { sum &+= weights[tap] &* line[(at + tap) * channels + c] }
                        pixels[start + at * step + c] = UInt8(truncatingIfNeeded: max(0, min(255, sum >> 16)))
                    }
                }
            }
        }
    }

    /// Encodes the picture as JPEG (4:2:0) and decodes it.
    mutating func compress(quality: Int) {
        let count = colorCount
        guard count > 0 else { return }
        var colors: [UInt8] = pixels
        if channels != count {
            colors = []
            colors.reserveCapacity(width * height * count)
            for at in stride(from: 0, to: pixels.count, by: channels) { colors += pixels[at..<at + count] }
        }
        // A picture beyond what JPEG can hold keeps its pixels.
        guard let image = try? Image(width: width, height: height, channels: count, pixels: colors),
            let bytes = try? image.encodedJPEG(quality: quality),
            let decoded = try? Image(decoding: bytes, name: "augmentation"),
            (decoded.width, decoded.height, decoded.channels) == (width, height, count)
        else { return }
        guard channels != count else {
            pixels = decoded.pixels
            return
        }
        for pixel in 0..<width * height {
            for c in 0..<count { pixels[pixel * channels + c] = decoded.pixels[pixel * count + c] }
        }
    }
}

/// Where the pixels of a turned part come from.
struct SamplingTurn {
    /// Anticlockwise on the screen.
    var degrees: Double
    /// Old pixels per new one.
    var scale: Double
    /// The old coordinates at which the part would begin if it were not turned.
    var left: Double
    var top: Double
    var isFlipped: Bool
}

extension Example {
    /// Samples the example on a turned grid: flip, scale, rotation and crop in one pass. Pixels bilinearly, labels by the nearest.
    func sampled(width newWidth: Int, height newHeight: Int, _ turn: SamplingTurn) -> Example {
        let (c, s) = (cos(turn.degrees * Double.pi / 180), sin(turn.degrees * Double.pi / 180))
        let (middleX, middleY) = (Double(newWidth) / 2, Double(newHeight) / 2)
        var result = Example(
            pixels: [UInt8](repeating: 0, count: newWidth * newHeight * channels),
            width: newWidth,
            height: newHeight,
            channels: channels,
            planes: planes.map { _ in [UInt16](repeating: 0, count: newWidth * newHeight) },
            labels: [UInt16](repeating: Example.ignored, count: newWidth * newHeight)
        )
        let (width, height, channels) = (width, height, channels)
        guard width > 0, height > 0 else { return result }
        pixels.withUnsafeBufferPointer { from in
            result.pixels.withUnsafeMutableBufferPointer { to in
                for y in 0..<newHeight {
                    for x in 0..<newWidth {
                        let (dx, dy) = (Double(x) + 0.5 - middleX, Double(y) + 0.5 - middleY)
                        let across = turn.isFlipped ? -dx : dx
                        let oldX = (middleX + c * across - s * dy) * turn.scale - 0.5 + turn.left
                        let oldY = (middleY + s * across + c * dy) * turn.scale - 0.5 + turn.top
                        guard oldX > -0.5001, oldX < Double(width) - 0.4999, oldY > -0.5001,
                            oldY < Double(height) - 0.4999
                        else { continue }
                        let clampedX = max(0, min(Double(width - 1), oldX))
                        let clampedY = max(0, min(Double(height - 1), oldY))
                        let (left, top) = (Int(clampedX), Int(clampedY))
                        let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
                        let u = Int32((clampedX - Double(left)) * 256)
                        let v = Int32((clampedY - Double(top)) * 256)
                        let new = y * newWidth + x
                        for channel in 0..<channels {
                            func at(_ row: Int, _ column: Int) -> Int32 {
                                Int32(from[(row * width + column) * channels + channel])
                            }
                            let above = at(top, left) &* (256 &- u) &+ at(top, right) &* u
                            let below = at(bottom, left) &* (256 &- u) &+ at(bottom, right) &* u
                            let sum = above &* (256 &- v) &+ below &* v &+ 32_768
                            to[new * channels + channel] = UInt8(truncatingIfNeeded: sum >> 16)
                        }
                        let nearest =
                            Int((clampedY + 0.5).rounded(.down)) * width + Int((clampedX + 0.5).rounded(.down))
                        result.labels[new] = labels[nearest]
                        for plane in planes.indices {
                            func at(_ row: Int, _ column: Int) -> Int { Int(planes[plane][row * width + column]) }
                            let above = at(top, left) * Int(256 - u) + at(top, right) * Int(u)
                            let below = at(bottom, left) * Int(256 - u) + at(bottom, right) * Int(u)
                            result.planes[plane][new] = UInt16((above * Int(256 - v) + below * Int(v) + 32_768) >> 16)
                        }
                    }
                }
            }
        }
        return result
    }
}
