/// How large a file and its picture may be before the file is refused.
///
/// A few hundred bytes can declare a picture of gigabytes. The limits are checked against the header, before pixels are
/// allocated. With the default limits, reading one file keeps below 1 GiB, whatever the file holds.
public struct DecodingLimits: Sendable, Hashable {
    /// The most pixels, width x height. Default: 100 million (a phone's largest mode, a scanned A3 page at 600 dpi
    /// nearly).
    public var maximumPixels: Int

    /// The most bytes for decoded pixels and the decoder's buffers. Default: 640 MiB.
    ///
    /// Progressive JPEGs are the costly ones: the decoder holds all coefficients, 2 bytes per sample, in addition to
    /// the pixels.
    public var maximumMemory: Int

    /// The most bytes of a file. Default: 256 MiB.
    public var maximumFileBytes: Int

    /// Limits; those that are not given keep their defaults.
    public init(maximumPixels: Int = 100_000_000, maximumMemory: Int = 640 << 20, maximumFileBytes: Int = 256 << 20) {
        self.maximumPixels = maximumPixels
        self.maximumMemory = maximumMemory
        self.maximumFileBytes = maximumFileBytes
    }

    /// Bytes of all pixels; `Int.max` for more than that. Headers may declare sides of 2^31, whose product times three is.
    static func bytes(width: Int, height: Int, perPixel: Int) -> Int {
        let (pixels, tooMany) = width.multipliedReportingOverflow(by: height)
        let (bytes, tooMuch) = pixels.multipliedReportingOverflow(by: perPixel)
        return tooMany || tooMuch ? .max : bytes
    }

    /// - Throws: `tooManyPixels` or `tooMuchMemory`, without a file's name.
    func check(width: Int, height: Int, bytesPerPixel: Int, decoderBytes: Int = 0) throws(ImageError) {
        // Both sides are below 2^32 (PNG) or 2^16 (JPEG), so their product fits in 64 bits; times 8 it may not.
        let pixels = width.multipliedReportingOverflow(by: height)
        guard !pixels.overflow, pixels.partialValue <= maximumPixels else {
            throw ImageError(nil, .tooManyPixels(width: width, height: height, limit: maximumPixels))
        }
        let samples = pixels.partialValue.multipliedReportingOverflow(by: bytesPerPixel)
        let bytes = samples.partialValue.addingReportingOverflow(decoderBytes)
        guard !samples.overflow, !bytes.overflow, bytes.partialValue <= maximumMemory else {
            let needed = samples.overflow || bytes.overflow ? Int.max : bytes.partialValue
            throw ImageError(nil, .tooMuchMemory(width: width, height: height, bytes: needed, limit: maximumMemory))
        }
    }
}
