package import SegNetImages
package import SegNetPlatform

/// Reads pictures in every way that the package has: for both fuzzers.
package enum PictureReading {
    /// Reads a picture's header, its labels and its pixels; a TIFF by rows of its file, too.
    /// - Parameters:
    ///   - bytes: The file's, which lies at `place`; only TIFF is read from there.
    ///   - reached: Called with `refusedLater` when the header is fine, with `decoded` when the pixels are.
    package static func read(
        _ bytes: [UInt8],
        at place: URL,
        limits: DecodingLimits = DecodingLimits(),
        reached: (Stage) -> Void = { _ in }
    ) throws(ImageError) -> Image {
        let name = place.lastPathComponent
        _ = try? PictureHeader(decoding: bytes, name: name)
        // With no pixel allowed, a header that is fine is answered with "too many pixels".
        do throws(ImageError) {
            _ = try Image(decoding: bytes, name: name, limits: DecodingLimits(maximumPixels: 0))
        } catch {
            if case .tooManyPixels = error.reason { reached(.refusedLater) }
        }
        _ = try? LabelMap(decoding: bytes, name: name, limits: limits)
        if PictureFormat(of: bytes) == .tiff { try readRows(of: place.path, limits) }
        let image = try Image(decoding: bytes, name: name, limits: limits)
        reached(.decoded)
        return image
    }

    /// The first and the last rows, and where on earth it lies.
    private static func readRows(of path: String, _ limits: DecodingLimits) throws(ImageError) {
        guard TIFFFile.isTIFF(path: path) else { return }
        let file = try TIFFFile(path: path)
        _ = GeoTIFFTags(file)
        let rows = min(file.height, 4)
        try file.check(limits, rows: rows)
        _ = try file.rows(0..<rows)
        _ = try file.rows(file.height - rows..<file.height)
    }
}
