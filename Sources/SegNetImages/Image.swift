/// A picture in memory: rows from the top, pixels from the left, 8-bit samples interleaved, no gaps between rows.
///
/// It is made to be handed to kernels and codecs as a whole. It is not an editor: every operation makes a new picture,
/// and there are no colour profiles, only the samples that the file holds.
///
///     let photo = try Image(path: "photo.jpg")  // the content says the format; EXIF orientation applied
///     let small = try photo.resized(width: 480, height: 360)  // bilinear, as OpenCV does it
///     try small.write(path: "small.png")
public struct Image: Sendable, Hashable {
    /// Pixels in a row, at least 1.
    public let width: Int

    /// Rows, at least 1.
    public let height: Int

    /// 1 (gray), 3 (RGB) or 4 (RGBA, colours not multiplied by alpha).
    public let channels: Int

    /// The samples, `height * width * channels` of them, in the order [height, width, channels].
    public internal(set) var pixels: [UInt8]

    /// A picture of given samples.
    /// - Parameters:
    ///   - width: Pixels in a row, at least 1.
    ///   - height: Rows, at least 1.
    ///   - channels: 1 (gray), 3 (RGB) or 4 (RGBA).
    ///   - pixels: [height, width, channels]
    /// - Throws: `ImageError` if the number of samples does not fit the shape.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) throws(ImageError) {
        guard Self.isPossible(width: width, height: height, channels: channels, values: pixels.count) else {
            throw ImageError(
                nil,
                .impossibleShape(width: width, height: height, channels: channels, values: pixels.count)
            )
        }
        self.init(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
    }

    /// A picture of one value everywhere.
    /// - Throws: `ImageError` if the shape is impossible.
    public init(width: Int, height: Int, channels: Int, filledWith value: UInt8 = 0) throws(ImageError) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, width > 0, height > 0, [1, 3, 4].contains(channels), pixels <= Int.max / 4 else {
            throw ImageError(nil, .impossibleShape(width: width, height: height, channels: channels, values: 0))
        }
        self.init(
            uncheckedWidth: width,
            height: height,
            channels: channels,
            pixels: [UInt8](repeating: value, count: pixels * channels)
        )
    }

    /// The same for callers inside the module who have just made the samples themselves.
    init(uncheckedWidth width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// One sample.
    /// - Precondition: `x`, `y` and `channel` are inside the picture.
    public subscript(x x: Int, y y: Int, channel channel: Int) -> UInt8 {
        get { pixels[index(x, y, channel)] }
        set { pixels[index(x, y, channel)] = newValue }
    }

    private func index(_ x: Int, _ y: Int, _ channel: Int) -> Int {
        precondition(x >= 0 && x < width && y >= 0 && y < height && channel >= 0 && channel < channels)
        return (y * width + x) * channels + channel
    }

    private static func isPossible(width: Int, height: Int, channels: Int, values: Int) -> Bool {
        guard width > 0, height > 0, [1, 3, 4].contains(channels) else { return false }
        let (row, rowOverflow) = width.multipliedReportingOverflow(by: channels)
        let (all, overflow) = row.multipliedReportingOverflow(by: height)
        return !rowOverflow && !overflow && all == values
    }
}

extension Image: CustomStringConvertible {
    /// "480x360 RGB"
    public var description: String { "\(width)x\(height) \(channels == 1 ? "gray" : channels == 3 ? "RGB" : "RGBA")" }
}
