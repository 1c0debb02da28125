internal import CSegNetCodecs
internal import SegNetPlatform

/// The first picture of a TIFF or BigTIFF through libtiff, read by rows: no more of a file is in memory than these need. One thread at a
/// time.
package final class TIFFFile {
    /// Pixels in a row, as stored.
    package let width: Int
    /// Rows, as stored.
    package let height: Int
    /// Channels of a picture: 1, 3 or 4.
    package let channels: Int
    /// Whether the first row and column are where they are seen.
    package var isUpright: Bool { orientation == .upright }

    let orientation: Orientation
    let info: snc_tiff_info
    /// Its name in errors; nil for bytes in memory.
    private let name: String?
    private let handle: OpaquePointer
    private let profile: [UInt8]
    private lazy var conversion = ColorProfile(profile, channels: channels)

    /// Opens a file. Reads its directory, and no pixels.
    /// - Throws: `ImageError` naming the file: unreadable, damaged, cut short, or of a kind that is not supported; or libtiff is missing.
    package convenience init(path: String) throws(ImageError) {
        guard FileAccess.kind(of: path) == .file else {
            // The error has the system's words.
            _ = try FileAccess.readStart(path, most: 1)
            throw ImageError(path, .unreadable("not a regular file"))
        }
        try self.init(name: path) { handle, info, message in
            RawFileName.withPath(path) { snc_tiff_open_file($0, handle, info, message) }
        }
    }

    /// Whether a regular file begins as a TIFF. Anything else is not opened, since the bytes of a pipe can only be read once.
    package static func isTIFF(path: String) -> Bool {
        guard FileAccess.kind(of: path) == .file, let start = try? FileAccess.readStart(path, most: 16) else {
            return false
        }
        return PictureFormat(of: start) == .tiff
    }

    /// Opens bytes, which must outlive this.
    convenience init(_ file: ByteReader) throws(ImageError) {
        try self.init(name: nil) { snc_tiff_open(file.start, file.count, $0, $1, $2) }
    }

    private init(
        name: String?,
        open: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<snc_tiff_info>, UnsafeMutablePointer<CChar>)
            ->
            Int32
    ) throws(ImageError) {
        var handle: OpaquePointer?
        var info = snc_tiff_info()
        let failure = codecMessage { open(&handle, &info, $0) }
        guard failure == nil, let handle else {
            let error = PictureLibrary.tiff.error(.tiff, failure ?? (code: 1, text: "it has no picture"))
            throw name.map(error.of(file:)) ?? error
        }
        self.handle = handle
        self.info = info
        self.name = name
        (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
        orientation = Orientation(rawValue: Int(info.orientation)) ?? .upright
        // Tag 34675, InterColorProfile.
        profile = codecBytes { snc_tiff_tag(handle, 34675, 7, $0, $1) }
    }

    deinit { snc_tiff_close(handle) }

    /// Bytes that reading takes in addition to the pixels.
    private var readingBytes: Int { Int(clamping: info.reading_bytes) }

    /// - Parameter rows: How many rows are in memory at once; nil for the whole picture, turned.
    /// - Throws: `tooManyPixels` or `tooMuchMemory`.
    package func check(_ limits: DecodingLimits, rows: Int? = nil) throws(ImageError) {
        let turned =
            isUpright || rows != nil ? 0 : DecodingLimits.bytes(width: width, height: height, perPixel: channels)
        let (held, overflow) = readingBytes.addingReportingOverflow(turned)
        do throws(ImageError) {
            guard width.multipliedReportingOverflow(by: height).partialValue <= limits.maximumPixels else {
                throw ImageError(nil, .tooManyPixels(width: width, height: height, limit: limits.maximumPixels))
            }
            try limits.check(
                width: width,
                height: rows ?? height,
                bytesPerPixel: channels,
                decoderBytes: overflow ? Int.max : held
            )
        } catch {
            throw name.map(error.of(file:)) ?? error
        }
    }

    /// Some rows of the picture, as stored: 8 bits per sample, colours in sRGB. Reading from top to bottom is fast.
    package func rows(_ rows: Range<Int>) throws(ImageError) -> [UInt8] {
        let count = rows.count * width * channels
        var pixels: [UInt8] = try read(SNC_TIFF_PICTURE, rows, count: count)
        if !profile.isEmpty, let conversion {
            pixels.withUnsafeMutableBufferPointer { conversion.convert($0, channels: channels) }
        }
        return pixels
    }

    /// The whole picture, turned.
    func image(_ limits: DecodingLimits) throws(ImageError) -> Image {
        try check(limits)
        let pixels = try rows(0..<height)
        return Image(uncheckedWidth: width, height: height, channels: channels, pixels: pixels).turned(orientation)
    }

    /// Gray values or palette indices as the file has them; nil if it has colours. Not turned.
    func numbers(_ limits: DecodingLimits) throws(ImageError) -> [UInt16]? {
        try check(limits)
        guard info.has_numbers != 0 else { return nil }
        return try read(SNC_TIFF_NUMBERS, 0..<height, count: width * height)
    }

    private func read<Sample: FixedWidthInteger>(
        _ form: snc_tiff_form,
        _ rows: Range<Int>,
        count: Int
    ) throws(ImageError) -> [Sample] {
        var failure: (code: Int32, text: String)?
        let samples = [Sample](unsafeUninitializedCapacity: count) { target, initialized in
            guard let start = target.baseAddress else { return }
            failure = codecMessage {
                snc_tiff_read_rows(handle, form, UInt32(rows.lowerBound), UInt32(rows.count), start, $0)
            }
            initialized = failure == nil ? count : 0
        }
        if let failure {
            let error = PictureLibrary.tiff.error(.tiff, failure)
            throw name.map(error.of(file:)) ?? error
        }
        return samples
    }

    /// The bytes of a tag, if it has this type.
    func tag(_ number: UInt32, type: Int32) -> (bytes: [UInt8], count: Int)? {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        snc_tiff_tag(handle, number, type, &bytes, &count)
        defer { snc_release(bytes) }
        guard let bytes else { return nil }
        let size = count * (type == 12 ? 8 : type == 3 ? 2 : 1)
        return (Array(UnsafeBufferPointer(start: bytes, count: size)), count)
    }
}
