internal import SegNetImages
internal import SegNetPlatform

/// Averages class probabilities over the frames of a video, so that classes do not flicker. One thread uses it, frame by frame.
///
/// This is an exponential moving average: a pixel with the average q and the new probability p' gets p = w q + (1 - w) p'. The weight w is
/// smaller where the picture has changed, so that moving things leave no trail, and 0 across a cut.
struct TemporalSmoothing {
    /// The weight where the picture does not change, 0..<1.
    let strength: Float

    /// The change of a pixel, averaged over its colours of 0...255. Up to the first value it counts as unchanged (noise of a camera or a
    /// codec), and from the second on as changed.
    private static let unchanged: Float = 8
    private static let changed: Float = 32

    private var cuts = CutDetector()
    private var picture: [UInt8] = []
    private var probabilities: [Float] = []

    init(strength: Double) { self.strength = Float(strength) }

    /// - Parameters:
    ///   - current: [K, H, W]
    ///   - image: The frame at that size, RGB.
    /// - Returns: The means, and whether a new scene begins.
    mutating func add(_ current: FloatMap, _ image: Image) -> (mean: FloatMap, isCut: Bool) {
        let isCut = cuts.add(image)
        defer { picture = image.pixels }
        let pixels = image.width * image.height
        guard !isCut, picture.count == image.pixels.count, probabilities.count == current.values.count,
            pixels > 0, current.values.count % pixels == 0
        else {
            probabilities = current.values
            return (current, isCut)
        }
        let parts = parts(of: image.pixels, pixels)
        var mean = current
        mean.values.withUnsafeMutableBufferPointer { mean in
            probabilities.withUnsafeBufferPointer { before in
                parts.withUnsafeBufferPointer { parts in
                    for start in stride(from: 0, to: mean.count, by: pixels) {
                        for pixel in 0..<pixels {
                            let value = mean[start + pixel]
                            mean[start + pixel] = value + parts[pixel] * (before[start + pixel] - value)
                        }
                    }
                }
            }
        }
        probabilities = mean.values
        return (mean, false)
    }

    /// The weight of each pixel's past.
    private func parts(of image: [UInt8], _ pixels: Int) -> [Float] {
        let slope = strength / (3 * (Self.changed - Self.unchanged))
        let top = strength * Self.changed / (Self.changed - Self.unchanged)
        return [Float](unsafeUninitializedCapacity: pixels) { parts, count in
            image.withUnsafeBufferPointer { new in
                picture.withUnsafeBufferPointer { old in
                    for pixel in 0..<pixels {
                        var change: Int32 = 0
                        for channel in 3 * pixel..<3 * pixel + 3 {
                            change += abs(Int32(new[channel]) - Int32(old[channel]))
                        }
                        parts[pixel] = max(0, min(strength, top - slope * Float(change)))
                    }
                }
            }
            count = pixels
        }
    }
}

/// Finds the first frame of each scene: most of the picture differs from the frame before, and so do its colours as a whole, which a fast
/// pan does not change.
struct CutDetector {
    /// The picture is divided into cells.
    private static let columns = 32
    private static let rows = 18
    /// The mean change of the cells, in 0...255, above which a scene may begin.
    private static let change = 24.0
    /// The fraction of the pixels whose colours have no counterpart, 0...1, above which a scene may begin.
    private static let otherColors = 0.3

    private var cells: [Int32] = []
    private var histogram: [Int] = []

    /// Whether a new scene begins with this picture (RGB). The first picture does not begin one.
    mutating func add(_ image: Image) -> Bool {
        let (cells, histogram) = Self.summary(image)
        defer { (self.cells, self.histogram) = (cells, histogram) }
        guard self.cells.count == cells.count else { return false }
        let change = zip(cells, self.cells).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / Double(cells.count)
        let common = zip(histogram, self.histogram).reduce(0) { $0 + min($1.0, $1.1) }
        let other = 1 - Double(common) / Double(max(1, histogram.reduce(0, +)))
        return change > Self.change && other > Self.otherColors
    }

    /// The mean colours of the cells, and a histogram of 64 kinds of colours.
    private static func summary(_ image: Image) -> (cells: [Int32], histogram: [Int]) {
        let (columns, rows) = (min(columns, image.width), min(rows, image.height))
        var sums = [Int32](repeating: 0, count: columns * rows * 3)
        var counts = [Int32](repeating: 0, count: columns * rows)
        var histogram = [Int](repeating: 0, count: 64)
        // A few thousand pixels are as good as all.
        let (stepX, stepY) = (max(1, image.width / 128), max(1, image.height / 72))
        image.pixels.withUnsafeBufferPointer { pixels in
            for y in stride(from: 0, to: image.height, by: stepY) {
                for x in stride(from: 0, to: image.width, by: stepX) {
                    let cell = y * rows / image.height * columns + x * columns / image.width
                    let start = (y * image.width + x) * 3
                    var kind = 0
                    for channel in 0..<3 {
                        let value = pixels[start + channel]
                        sums[3 * cell + channel] += Int32(value)
                        kind = kind << 2 | Int(value >> 6)
                    }
                    histogram[kind] += 1
                    counts[cell] += 1
                }
            }
        }
        return (sums.indices.map { sums[$0] / max(1, counts[$0 / 3]) }, histogram)
    }
}
