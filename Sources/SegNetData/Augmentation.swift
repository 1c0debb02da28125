public import SegNetPlatform

/// Random changes of examples that keep their meaning: joint for picture and labels, seeded.
///
/// In order: flip, scale, rotation and crop in one pass of sampling, then erasing, colour, blur, noise, JPEG; last what is pasted in.
public struct Augmentation: Sendable, Hashable {
    /// Mirrors every second example left to right.
    public var flip = false
    /// The picture grows by a factor drawn between these (evenly in its logarithm); nil keeps its size.
    public var scale: [Double]?
    /// Turns picture and labels by at most this many degrees, either way, about the middle of what is cut out. What comes from beyond the
    /// picture is black and ignored.
    public var rotation = 0.0
    /// The size of the part that is cut out, at a random place; nil keeps the whole. Where the picture is smaller, the rest is black and
    /// ignored.
    public var crop: PictureSize?
    /// Brightness is multiplied by 1 plus or minus at most this.
    public var brightness = 0.0
    /// Contrast around the middle grey, likewise.
    public var contrast = 0.0
    /// Saturation, likewise.
    public var saturation = 0.0
    /// Hues turn by at most this many degrees, either way; greys stay.
    public var hue = 0.0
    /// The exponent that samples (0...1) are raised to lies between 1 / (1 + this) and 1 + this, evenly in its logarithm: above 1 darkens.
    public var gamma = 0.0
    /// Red is multiplied and blue divided by a factor between 1 / (1 + this) and 1 + this, evenly in its logarithm: above 1 is evening
    /// light, below 1 shade.
    public var temperature = 0.0
    /// The share of examples that lose their colours.
    public var gray = 0.0
    /// The share of examples that lose one to three rectangles, each of 2 to 15 % of the area, to noise or a flat colour. Their labels are
    /// ignored: nothing there shows what they say.
    public var erase = 0.0
    /// The share of examples that are blurred.
    public var blur = 0.0
    /// The greatest standard deviation of the blur, in pixels; each is drawn between 0.5 and this. 0: always a little (3x3).
    public var blurRadius = 0.0
    /// Standard deviation of noise, in units of 0...255.
    public var noise = 0.0
    /// The share of examples that get the traces of JPEG compression.
    public var jpeg = 0.0
    /// [least, greatest] quality of that, 1...100.
    public var jpegQuality = [20, 80]

    /// The share of examples for which another picture of the pool is drawn and changed likewise. Its pixels of some classes, if it has
    /// any, are pasted at the place where they are there, with their labels (after Ghiasi et al., arXiv 2012.07177). `BatchQueue` does it.
    public var paste = 0.0
    /// The names of those classes.
    public var pasteClasses: [String] = []

    /// No change.
    public init() {}

    /// Whether examples come out as they go in.
    public var isIdentity: Bool { self == Augmentation() }

    /// The greatest factor of `scale`.
    package static let greatestScale = 16
    /// What the qualities of `jpegQuality` can be.
    package static let jpegQualities = 1...100

    /// Whether a list can be the `scale`.
    package static func isScale(_ scale: [Double]) -> Bool {
        scale.count == 2 && 0 < scale[0] && scale[0] <= scale[1] && scale[1] <= Double(greatestScale)
    }

    /// Whether a list can be the `jpegQuality`.
    package static func isJPEGQuality(_ quality: [Int]) -> Bool {
        quality.count == 2 && quality[0] <= quality[1] && quality.allSatisfy(jpegQualities.contains)
    }

    /// Whether lists and crop hold what they should, which their types do not say.
    /// - Throws: `DatasetError`, which names the property and what it holds.
    public func check() throws(DatasetError) {
        if let crop, crop.width < 1 || crop.height < 1 {
            throw DatasetError(
                "the augmentation's crop should be [width, height], each at least 1, but is [\(crop.width), \(crop.height)]."
            )
        }
        if let scale, !Self.isScale(scale) {
            throw DatasetError(
                "the augmentation's scale should be [least, greatest], both above 0 and up to \(Self.greatestScale), but is \(scale)."
            )
        }
        if paste > 0, pasteClasses.isEmpty {
            throw DatasetError(
                "the augmentation pastes, but its pasteClasses are empty; name the classes that it pastes."
            )
        }
        guard Self.isJPEGQuality(jpegQuality) else {
            throw DatasetError(
                "the augmentation's jpegQuality should be [least, greatest], both in \(Self.jpegQualities), but is \(jpegQuality)."
            )
        }
    }

    /// A changed copy of an example. The augmentation must be one that `check` accepts.
    /// - Parameter random: Read the same number of times whatever comes out, so that streams stay in step.
    public func apply(_ example: Example, random: inout RandomNumbers) -> Example {
        let draws = (0..<8).map { _ in random.uniform() }
        let noiseSeed = random.next()
        let turn = random.uniform()
        // Augmentations that were added later draw later, so that the streams of older recipes stay as they were.
        let (angle, exponent, warmth, grayDraw) = (
            random.uniform(), random.uniform(), random.uniform(), random.uniform()
        )
        let (radius, jpegDraw, quality) = (random.uniform(), random.uniform(), random.uniform())
        let (eraseDraw, eraseSeed) = (random.uniform(), random.next())
        var result = example
        let isFlipped = flip && draws[0] < 0.5
        if isFlipped || scale != nil || crop != nil || rotation > 0 {
            result = placed(example, isFlipped: isFlipped, draws: draws, angle: rotation * (2 * angle - 1))
        }
        if eraseDraw < erase { result.eraseRectangles(seed: eraseSeed) }
        if brightness > 0 || contrast > 0 || saturation > 0 {
            result.recolor(
                brightness: 1 + brightness * (2 * draws[4] - 1),
                contrast: 1 + contrast * (2 * draws[5] - 1),
                saturation: 1 + saturation * (2 * draws[6] - 1)
            )
        }
        if result.channels >= 3, hue > 0 { result.turnHue(degrees: hue * (2 * turn - 1)) }
        if temperature > 0 { result.warm(pow(1 + temperature, 2 * warmth - 1)) }
        if gamma > 0 { result.bend(pow(1 + gamma, 2 * exponent - 1)) }
        if grayDraw < gray { result.turnGray() }
        if draws[7] < blur {
            if blurRadius > 0 {
                result.soften(deviation: 0.5 + max(0, blurRadius - 0.5) * radius)
            } else {
                result.soften()
            }
        }
        if noise > 0 { result.addNoise(deviation: noise, seed: noiseSeed) }
        if jpegDraw < jpeg {
            let (least, greatest) = (jpegQuality[0], jpegQuality[1])
            result.compress(quality: least + Int((quality * Double(greatest - least + 1)).rounded(.down)))
        }
        return result
    }

    /// The example flipped, scaled, turned and cut.
    private func placed(_ example: Example, isFlipped: Bool, draws: [Double], angle: Double) -> Example {
        let width = crop?.width ?? example.width
        let height = crop?.height ?? example.height
        var factor = 1.0
        if let scale { factor = scale[0] * pow(scale[1] / scale[0], draws[1]) }
        // Whole old pixels where nothing is scaled.
        func start(_ old: Int, _ new: Int, _ draw: Double) -> Double {
            let room = Double(old) - Double(new) / factor
            let at = room >= 0 ? draw * room : -draw * -room
            return factor == 1 ? at.rounded() : at
        }
        let (left, top) = (start(example.width, width, draws[2]), start(example.height, height, draws[3]))
        let step = 1 / factor
        if rotation > 0 {
            let turn = SamplingTurn(degrees: angle, scale: step, left: left, top: top, isFlipped: isFlipped)
            return example.sampled(width: width, height: height, turn)
        }
        return example.sampled(
            columns: SamplingAxis(count: width, from: example.width, scale: step, offset: left, isFlipped: isFlipped),
            rows: SamplingAxis(count: height, from: example.height, scale: step, offset: top)
        )
    }
}

extension Example {
    /// Linear changes of colour, in 1/1024. A single channel is gray, and has no saturation.
    mutating func recolor(brightness: Double, contrast: Double, saturation: Double) {
        // x' = contrast * (brightness * x - 128) + 128, then mixed with its grey.
        let gain = Int32(brightness * contrast * 1024)
        let offset = Int32((128 - 128 * contrast) * 1024) + 512
        let own = Int32(saturation * 1024)
        let channels = channels
        pixels.withUnsafeMutableBufferPointer { pixels in
            guard channels != 1 else {
                for pixel in pixels.indices {
                    let gray = (Int32(pixels[pixel]) &* gain &+ offset) >> 10
                    pixels[pixel] = UInt8(truncatingIfNeeded: max(0, min(255, gray)))
                }
                return
            }
            guard channels >= 3 else { return }
            for pixel in stride(from: 0, to: pixels.count - 2, by: channels) {
                let r = (Int32(pixels[pixel]) &* gain &+ offset) >> 10
                let g = (Int32(pixels[pixel + 1]) &* gain &+ offset) >> 10
                let b = (Int32(pixels[pixel + 2]) &* gain &+ offset) >> 10
                let gray = (306 &* r &+ 601 &* g &+ 117 &* b) >> 10
                func mixed(_ value: Int32) -> UInt8 {
                    UInt8(truncatingIfNeeded: max(0, min(255, gray &+ ((value &- gray) &* own) >> 10)))
                }
                (pixels[pixel], pixels[pixel + 1], pixels[pixel + 2]) = (mixed(r), mixed(g), mixed(b))
            }
        }
    }

    /// Turns colours about the grey axis: rotates I and Q of the YIQ space, which leaves the luminance.
    mutating func turnHue(degrees: Double) {
        let (c, s) = (cos(degrees * Double.pi / 180), sin(degrees * Double.pi / 180))
        let rows: [[Double]] = [
            [0.299 + 0.701 * c + 0.168 * s, 0.587 - 0.587 * c + 0.330 * s, 0.114 - 0.114 * c - 0.497 * s],
            [0.299 - 0.299 * c - 0.328 * s, 0.587 + 0.413 * c + 0.035 * s, 0.114 - 0.114 * c + 0.292 * s],
            [0.299 - 0.300 * c + 1.250 * s, 0.587 - 0.588 * c - 1.050 * s, 0.114 + 0.886 * c - 0.203 * s],
        ]
        // In 1/4096. The middle weight is what is left, so that greys stay exactly.
        let first = rows.map { Int32(($0[0] * 4096).rounded()) }
        let last = rows.map { Int32(($0[2] * 4096).rounded()) }
        let (r0, r2, g0, g2, b0, b2) = (first[0], last[0], first[1], last[1], first[2], last[2])
        let (r1, g1, b1) = (4096 - r0 - r2, 4096 - g0 - g2, 4096 - b0 - b2)
        let channels = channels
        pixels.withUnsafeMutableBufferPointer { pixels in
            for pixel in stride(from: 0, to: pixels.count - 2, by: channels) {
                let (r, g, b) = (Int32(pixels[pixel]), Int32(pixels[pixel + 1]), Int32(pixels[pixel + 2]))
                let red = (r0 &* r &+ r1 &* g &+ r2 &* b &+ 2048) >> 12
                let green = (g0 &* r &+ g1 &* g &+ g2 &* b &+ 2048) >> 12
                let blue = (b0 &* r &+ b1 &* g &+ b2 &* b &+ 2048) >> 12
                pixels[pixel] = UInt8(truncatingIfNeeded: max(0, min(255, red)))
                pixels[pixel + 1] = UInt8(truncatingIfNeeded: max(0, min(255, green)))
                pixels[pixel + 2] = UInt8(truncatingIfNeeded: max(0, min(255, blue)))
            }
        }
    }

    /// A 3x3 binomial filter, borders as they are.
    mutating func soften() {
        let (old, row) = (pixels, width * channels)
        guard width > 2, height > 2, channels > 0 else { return }
        pixels.withUnsafeMutableBufferPointer { new in
            old.withUnsafeBufferPointer { old in
                for y in 1..<height - 1 {
                    for i in y * row + channels..<(y + 1) * row - channels {
                        func sum(_ i: Int) -> Int32 {
                            Int32(old[i - channels]) + 2 * Int32(old[i]) + Int32(old[i + channels])
                        }
                        let total = sum(i - row) + 2 * sum(i) + sum(i + row)
                        new[i] = UInt8(truncatingIfNeeded: (total + 8) >> 4)
                    }
                }
            }
        }
    }

    /// Noise that is nearly Gaussian: the sum of four bytes.
    mutating func addNoise(deviation: Double, seed: UInt64) {
        // Four uniform bytes have a deviation of 147.8.
        let factor = Int32(deviation / 147.8 * 65_536)
        var random = RandomNumbers(seed: seed)
        pixels.withUnsafeMutableBufferPointer { pixels in
            var i = 0
            while i < pixels.count {
                var bits = random.next()
                for _ in 0..<2 where i < pixels.count {
                    let sum =
                        Int32(bits & 255) + Int32(bits >> 8 & 255) + Int32(bits >> 16 & 255) + Int32(bits >> 24 & 255)
                    let value = Int32(pixels[i]) + ((sum - 510) &* factor + 32_768) >> 16
                    pixels[i] = UInt8(truncatingIfNeeded: max(0, min(255, value)))
                    bits >>= 32
                    i += 1
                }
            }
        }
    }
}
