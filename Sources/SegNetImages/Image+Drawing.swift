extension Image {
    /// The photo with each pixel blended with its class's colour.
    ///
    /// Ignored ids and the table's background leave the photo as it is. Gray photos become RGB, alpha is dropped.
    ///
    /// - Parameters:
    ///   - labels: Class ids of the photo's size.
    ///   - table: The classes' colours.
    ///   - opacity: 0 (only the photo) ... 1 (only the colours); what lies outside is taken as the nearer end, NaN as
    ///     0.
    /// - Throws: `ImageError` if the sizes differ.
    public func overlay(_ labels: LabelMap, table: ClassTable, opacity: Double = 0.5) throws(ImageError) -> Image {
        guard labels.width == width, labels.height == height else {
            throw ImageError(
                nil,
                .sizesDiffer(width: labels.width, height: labels.height, neededWidth: width, neededHeight: height)
            )
        }
        let weight = UInt16((opacity > 0 ? min(opacity, 1) : 0) * 256)
        // Per id: what is left for the photo, and 16 pixels of its colour times its weight, with the half for rounding.
        var kept: [UInt16] = []
        var tints: [UInt16] = []
        for (id, color) in table.palette(count: labels.greatestID + 1).enumerated() {
            let weight = table.isIgnored(id) || id == table.backgroundID ? 0 : weight
            let pixel = [color.red, color.green, color.blue].map { UInt16($0) &* weight &+ 128 }
            kept.append(256 - weight)
            for _ in 0..<Self.tintedPixels { tints += pixel }
        }
        let photo = rgb()
        let blended = [UInt8](unsafeUninitializedCapacity: photo.pixels.count) { target, initialized in
            photo.pixels.withUnsafeBufferPointer { source in
                labels.ids.withUnsafeBufferPointer { ids in
                    Self.blend(source, ids, kept: kept, tints: tints, into: target)
                }
            }
            initialized = photo.pixels.count
        }
        return Image(uncheckedWidth: width, height: height, channels: 3, pixels: blended)
    }

    /// Pixels that are blended at once: three vectors of 16 bytes.
    private static let tintedPixels = 16

    /// Blends by runs of one id, in which every step is the same: source * kept + tint, of 16 bits, since the two weights add up to 256.
    private static func blend(
        _ source: UnsafeBufferPointer<UInt8>,
        _ ids: UnsafeBufferPointer<UInt16>,
        kept: [UInt16],
        tints: [UInt16],
        into target: UnsafeMutableBufferPointer<UInt8>
    ) {
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        tints.withUnsafeBufferPointer { tints in
            guard let tints = tints.baseAddress else { return }
            var start = 0
            while start < ids.count {
                let id = ids[start]
                let limit = min(ids.count, start + tintedPixels)
                var end = start + 1
                while end < limit, ids[end] == id { end += 1 }
                let tint = tints + Int(id) * 3 * tintedPixels
                let kept = kept[Int(id)]
                let (from, to) = (source + 3 * start, target + 3 * start)
                if end - start == tintedPixels {
                    // The literal count lets the compiler unroll it.
                    for byte in 0..<48 {
                        to[byte] = UInt8(truncatingIfNeeded: (UInt16(from[byte]) &* kept &+ tint[byte]) >> 8)
                    }
                } else {
                    for byte in 0..<3 * (end - start) {
                        to[byte] = UInt8(truncatingIfNeeded: (UInt16(from[byte]) &* kept &+ tint[byte]) >> 8)
                    }
                }
                start = end
            }
        }
    }

    /// A gray picture of numbers, such as a confidence map: the range's lower end is black, its upper end white.
    ///
    /// Values outside the range are taken as the nearer end, NaN as the lower.
    /// - Parameters:
    ///   - values: [height, width]
    ///   - width: Pixels in a row, at least 1.
    ///   - height: Rows, at least 1.
    ///   - range: The values that are shown from black to white.
    /// - Throws: `ImageError` if the count of values is not width x height.
    public init(grayscale values: [Float], width: Int, height: Int, range: ClosedRange<Float> = 0...1)
        throws(ImageError)
    {
        let extent = range.upperBound - range.lowerBound
        let scale = extent > 0 && extent.isFinite ? 255 / extent : 0
        let pixels = values.map { value in
            // `max` first: of NaN and a number, Swift's `max(number, NaN)` may give either, a comparison does not.
            let shown = value > range.lowerBound ? (value - range.lowerBound) * scale : 0
            return UInt8(shown < 255 ? shown.rounded() : 255)
        }
        try self.init(width: width, height: height, channels: 1, pixels: pixels)
    }
}
