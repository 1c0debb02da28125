internal import CSegNetCodecs
internal import SegNetPlatform

/// A TIFF that is written row by row: in tiles, compressed, as a BigTIFF if it may become large. It gets its name at the end. Until then,
/// or if it is never finished, there is no file with that name, or still the old one.
package final class TIFFWriter {
    /// The kinds of pixels.
    package enum Pixels: Sendable {
        /// Class ids of 8 bits.
        case ids8
        /// Class ids of 16 bits.
        case ids16
        /// Class ids of 8 bits, with the colours of a table as a palette.
        case colors(ClassTable)
        /// Red, green and blue, 8 bits each.
        case rgb
    }

    package let width: Int
    private let path: String
    private let pixels: Pixels
    private var handle: OpaquePointer?

    /// - Throws: `ImageError` naming the file: libtiff is missing, or the system's words.
    package init(path: String, width: Int, height: Int, _ pixels: Pixels, georeference: GeoTIFFTags? = nil)
        throws(ImageError)
    {
        self.path = path
        self.width = width
        self.pixels = pixels
        guard width > 0, height > 0, width <= Int(Int32.max), height <= Int(Int32.max) else {
            throw ImageError(path, .notEncodable(format: "TIFF", detail: "\(width)x\(height) pixels"))
        }
        // What would otherwise show at the end, when the file gets its name.
        guard FileAccess.kind(of: path) != .folder else {
            throw ImageError(path, .unwritable("a folder has that name"))
        }
        var palette: [UInt8] = []
        if case .colors(let table) = pixels {
            palette = table.palette(count: 256).flatMap { [$0.red, $0.green, $0.blue] }
        }
        var handle: OpaquePointer?
        let failure = palette.withUnsafeBufferPointer { palette in
            var picture = snc_tiff_picture(
                width: UInt32(width),
                height: UInt32(height),
                bits: { if case .ids16 = pixels { 16 } else { 8 } }(),
                samples: { if case .rgb = pixels { 3 } else { 1 } }(),
                palette: palette.isEmpty ? nil : palette.baseAddress
            )
            return codecMessage { message in
                RawFileName.withPath(path) { snc_tiff_create($0, &picture, &handle, message) }
            }
        }
        try check(failure)
        self.handle = handle
        for tag in georeference?.tags ?? [] {
            let failure = tag.bytes.withUnsafeBufferPointer { bytes in
                codecMessage { message in
                    guard let start = bytes.baseAddress, let handle else { return 1 }
                    return snc_tiff_set_tag(handle, tag.number, tag.type, start, tag.count, message)
                }
            }
            try check(failure)
        }
    }

    deinit { if let handle { _ = codecMessage { snc_tiff_finish(handle, 0, $0) } } }

    private func check(_ failure: (code: Int32, text: String)?) throws(ImageError) {
        guard let failure else { return }
        if failure.code == Int32(SNC_LIBRARY_MISSING.rawValue) {
            throw PictureLibrary.tiff.missing(.tiff).of(file: path)
        }
        throw ImageError(path, .unwritable(failure.text))
    }

    /// Appends rows of class ids.
    package func write(ids: [UInt16]) throws(ImageError) {
        if case .ids16 = pixels {
            try write(ids, rows: ids.count / width)
        } else {
            if let id = ids.max(), id > 255 { throw ImageError(path, .idTooLarge(Int(id), limit: 255)) }
            try write(ids.map { UInt8(truncatingIfNeeded: $0) }, rows: ids.count / width)
        }
    }

    /// Appends rows of RGB pixels.
    package func write(rgb: [UInt8]) throws(ImageError) { try write(rgb, rows: rgb.count / (3 * width)) }

    private func write<Sample>(_ samples: [Sample], rows: Int) throws(ImageError) {
        guard let handle else { return }
        let failure = samples.withUnsafeBytes { bytes in
            codecMessage { message in
                guard let start = bytes.baseAddress else { return 0 }
                return snc_tiff_write_rows(handle, start, UInt32(rows), message)
            }
        }
        try check(failure)
    }

    /// Gives the file its name.
    package func finish() throws(ImageError) {
        guard let handle else { return }
        self.handle = nil
        try check(codecMessage { snc_tiff_finish(handle, 1, $0) })
    }
}

extension LabelMap {
    /// Writes the map as a TIFF under a temporary name and renames it. It is gray with 8 bits, or 16 if an id is above 255; with a table it
    /// is a palette file, as from `encodedPNG(table:)`. It has tiles of 256 x 256, compressed by Deflate.
    /// - Parameter georeference: Where on Earth the picture is: that of the file that was segmented.
    /// - Throws: `ImageError`: libtiff is missing, the system's words, or an id is too large for a palette.
    public func writeTIFF(path: String, table: ClassTable? = nil, georeference: GeoTIFFTags? = nil) throws(ImageError) {
        let pixels: TIFFWriter.Pixels =
            if let table { .colors(table) } else { (ids.max() ?? 0) > 255 ? .ids16 : .ids8 }
        let writer = try TIFFWriter(path: path, width: width, height: height, pixels, georeference: georeference)
        try writer.write(ids: ids)
        try writer.finish()
    }
}
