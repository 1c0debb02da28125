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
        let count = Int(labels.ids.max() ?? 0) + 1
        let weight = UInt32((opacity > 0 ? min(opacity, 1) : 0) * 256)
        // Per id: its colour times its weight (with the half for rounding), and what is left for the photo.
        let tints = table.palette(count: count).enumerated().map { id, color in
            let weight = table.isIgnored(id) || id == table.backgroundID ? 0 : weight
            return (
                UInt32(color.red) * weight + 128, UInt32(color.green) * weight + 128, UInt32(color.blue) * weight + 128,
                256 - weight
            )
        }
        let photo = rgb()
        let blended = [UInt8](unsafeUninitializedCapacity: photo.pixels.count) { target, initialized in
            photo.pixels.withUnsafeBufferPointer { source in
                tints.withUnsafeBufferPointer { tints in
                    guard var from = source.baseAddress, var to = target.baseAddress else { return }
                    for id in labels.ids {
                        let tint = tints[Int(id)]
                        to[0] = UInt8(truncatingIfNeeded: (UInt32(from[0]) &* tint.3 &+ tint.0) >> 8)
                        to[1] = UInt8(truncatingIfNeeded: (UInt32(from[1]) &* tint.3 &+ tint.1) >> 8)
                        to[2] = UInt8(truncatingIfNeeded: (UInt32(from[2]) &* tint.3 &+ tint.2) >> 8)
                        from += 3
                        to += 3
                    }
                }
            }
            initialized = photo.pixels.count
        }
        return Image(uncheckedWidth: width, height: height, channels: 3, pixels: blended)
    }

    /// A gray picture of numbers, such as a confidence map: the range's lower end is black, its upper end white.
    ///
    /// Values outside the range are taken as the nearer end, NaN as the lower.
    /// - Parameters:
    ///   - values: [height, width]
    ///   - width: Pixels in a row, at least 1.
    ///   - height: Rows, at least 1.
    ///   - range: What is shown from black to white.
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
