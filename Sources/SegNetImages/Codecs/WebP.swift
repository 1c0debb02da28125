internal import CSegNetCodecs

/// WebP through libwebp.
enum WebP {
    /// The stored size, and how the picture has to be turned.
    struct Header {
        var info: snc_picture_info
        var orientation: Orientation
        var profile: Range<Int>?
    }

    static func header(_ file: ByteReader) throws(ImageError) -> Header {
        var info = snc_picture_info()
        if let failure = codecMessage({ snc_webp_read_info(file.start, file.count, &info, $0) }) {
            throw PictureLibrary.webp.error(.webp, failure)
        }
        guard info.is_animated == 0 else {
            throw ImageError(nil, .unsupported(format: "WebP", detail: "it is an animation"))
        }
        var header = Header(info: info, orientation: .upright, profile: nil)
        if let exif = chunk("EXIF", of: file) {
            // It may begin with the marker that it has in a JPEG.
            let marked = file.has([0x45, 0x78, 0x69, 0x66, 0, 0], at: exif.lowerBound)
            let start = exif.lowerBound + (marked ? 6 : 0)
            header.orientation = Orientation(block: file, at: start, end: exif.upperBound)
        }
        header.profile = chunk("ICCP", of: file)
        return header
    }

    /// Where a chunk's bytes are (WebP container specification, RIFF).
    private static func chunk(_ name: String, of file: ByteReader) -> Range<Int>? {
        var position = 12
        while let count = file.longWord(at: position + 4, bigEndian: false) {
            let end = position + 8 + count
            guard end <= file.count else { return nil }
            if file.has(name, at: position) { return position + 8..<end }
            position = end + count % 2
        }
        return nil
    }

    static func decode(_ file: ByteReader, limits: DecodingLimits) throws(ImageError) -> Image {
        let header = try header(file)
        let (width, height, channels) = (Int(header.info.width), Int(header.info.height), Int(header.info.channels))
        // The decoder holds a few rows of a lossy picture, and all pixels of a lossless one in 32 bits.
        let held = DecodingLimits.bytes(width: width, height: height, perPixel: 4)
        try limits.check(width: width, height: height, bytesPerPixel: channels, decoderBytes: held)
        var info = header.info
        let pixels = try codecPixels(width * height * channels, of: .webp, from: .webp) { pixels, message in
            snc_webp_read_pixels(file.start, file.count, &info, pixels, message)
        }
        let image = Image(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
        let profile = header.profile.map {
            Array(UnsafeBufferPointer(start: file.start + $0.lowerBound, count: $0.count))
        }
        return image.converted(from: profile ?? []).turned(header.orientation)
    }
}

/// Pixels that a C function fills in.
func codecPixels(
    _ count: Int,
    of format: PictureFormat,
    from library: PictureLibrary,
    _ read: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<CChar>) -> Int32
) throws(ImageError) -> [UInt8] {
    var failure: (code: Int32, text: String)?
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
        guard let start = target.baseAddress else { return }
        failure = codecMessage { read(start, $0) }
        initialized = failure == nil ? count : 0
    }
    if let failure { throw library.error(format, failure) }
    return pixels
}
