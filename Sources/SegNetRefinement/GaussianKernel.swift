/// A Gaussian over the positions of pixels, or over their positions and colours.
struct GaussianKernel {
    /// Standard deviation of positions, in pixels.
    var position: Double
    /// Standard deviation of colours, of 0...255; nil: colours do not count.
    var color: Double?

    /// d: 2 or 5.
    var dimensions: Int { color == nil ? 2 : 5 }

    /// The factor that normalises the lattice's blur, which adds up to 1 + 2^-d (Krähenbühl's `alpha`).
    var scale: Float { 1 / (1 + 1 / Float(1 << dimensions)) }

    /// Whether all keys of the lattice fit their bits: 30 each in two dimensions, 12 in five.
    func fits(width: Int, height: Int) -> Bool {
        let limit = Double((1 << (60 / dimensions - 1)) - 4)
        let colors = color.map { [255 / $0, 255 / $0, 255 / $0] } ?? []
        let greatest = [Double(width - 1) / position, Double(height - 1) / position] + colors
        // Coordinates before they are divided by d + 1, with the factor that makes the lattice round.
        let scaled = greatest.enumerated().map { index, value in
            value * (2.0 / 3).squareRoot() * Double(dimensions + 1) / Double((index + 1) * (index + 2)).squareRoot()
        }
        let most = scaled.enumerated().map { Double($0 + 1) * $1 }.max() ?? 0
        // Beyond 2^22 the rounding of float32 would count.
        return max(most, scaled.reduce(0, +)) / Double(dimensions + 1) < min(limit, Double(1 << 22))
    }

    /// The features of pixels [first, first + count), feature i of the first at features[i * step].
    func write(
        features: UnsafeMutablePointer<Float>,
        step: Int,
        first: Int,
        count: Int,
        pixels: UnsafeBufferPointer<UInt8>,
        channels: Int,
        width: Int
    ) {
        let sigma = Float(position)
        var (y, x) = first.quotientAndRemainder(dividingBy: width)
        for index in 0..<count {
            features[index] = Float(x) / sigma
            features[step + index] = Float(y) / sigma
            x += 1
            if x == width { (x, y) = (0, y + 1) }
        }
        guard let color else { return }
        let colorSigma = Float(color)
        // Gray pictures have one value for red, green and blue; alpha does not count.
        let offsets = channels < 3 ? [0, 0, 0] : [0, 1, 2]
        for (index, offset) in offsets.enumerated() {
            let to = features + (2 + index) * step
            for pixel in 0..<count { to[pixel] = Float(pixels[(first + pixel) * channels + offset]) / colorSigma }
        }
    }
}
