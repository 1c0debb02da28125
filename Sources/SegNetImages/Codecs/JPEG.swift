internal import CSegNetCodecs

/// JPEG through libjpeg-turbo's TurboJPEG interface.
enum JPEG {
    /// The picture in a JPEG file, turned as its EXIF block says: gray (1) or RGB (3).
    static func decode(_ file: ByteReader, limits: DecodingLimits) throws(ImageError) -> Image {
        let header = try JPEGHeader(file)
        let (width, height, channels) = (header.width, header.height, header.components)
        // Turning makes a second picture; the coefficients are gone by then.
        let turned = header.orientation == .upright ? 0 : width * height * channels
        try limits.check(
            width: width,
            height: height,
            bytesPerPixel: channels,
            decoderBytes: max(header.coefficientBytes, turned)
        )
        // A scan over millions of pixels takes a hundred bytes: thousands of them would keep the decoder busy for
        // hours.
        let scans = header.isBuffered ? scanCount(file, after: header.scanStart) : 1
        guard scans <= 20 || scans <= 2_000_000_000 / (width * height) else {
            let detail = "it asks for \(scans) passes over \(width)x\(height) pixels"
            throw ImageError(nil, .damaged(format: "JPEG", detail: detail))
        }
        var pixels = try samples(of: file, header)
        if channels == 4 { convertFromInvertedCMYK(&pixels) }
        let stored = Image(uncheckedWidth: width, height: height, channels: channels == 1 ? 1 : 3, pixels: pixels)
        return stored.turned(header.orientation)
    }

    private static func samples(of file: ByteReader, _ header: JPEGHeader) throws(ImageError) -> [UInt8] {
        let count = header.width * header.height * header.components
        let form = header.components == 1 ? SNC_JPEG_GRAY : header.components == 3 ? SNC_JPEG_RGB : SNC_JPEG_CMYK
        var failure: (code: Int32, text: String)?
        let samples = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            guard let pixels = target.baseAddress else { return }
            func read(stopsOnWarning: Int32) -> (code: Int32, text: String)? {
                codecMessage { message in
                    snc_jpeg_read(
                        file.start,
                        file.count,
                        form,
                        Int32(header.width),
                        Int32(header.height),
                        stopsOnWarning,
                        pixels,
                        count,
                        message
                    )
                }
            }
            // First strictly: a truncated file ends here at once. Warnings that leave all pixels intact get a second
            // try.
            failure = read(stopsOnWarning: 1)
            if let first = failure, isHarmless(first), hasEnd(file, after: header.scanStart) {
                failure = read(stopsOnWarning: 0)
                if let second = failure, isHarmless(second) { failure = nil }
            }
            initialized = failure == nil ? count : 0
        }
        if let failure { throw ImageError(nil, .damaged(format: "JPEG", detail: failure.text)) }
        return samples
    }

    /// Whether the library's warning is one that files of cameras and editors often cause: padding before a
    /// marker, and header fields that decoding does not use.
    private static func isHarmless(_ failure: (code: Int32, text: String)) -> Bool {
        failure.code == Int32(SNC_JPEG_WARNING.rawValue)
            && [
                "extraneous bytes before marker", "Invalid SOS parameters", "Unknown Adobe color transform",
                "JFIF revision",
            ]
            .contains { failure.text.contains($0) }
    }

    /// Whether an end-of-image marker follows. Inside a scan no two bytes look like one (B.1.1.5).
    private static func hasEnd(_ file: ByteReader, after start: Int) -> Bool {
        var position = file.count - 2
        while position >= start {
            if file.start[position] == 0xFF, file.start[position + 1] == 0xD9 { return true }
            position -= 1
        }
        return false
    }

    /// The number of scans that follow, including the first.
    private static func scanCount(_ file: ByteReader, after start: Int) -> Int {
        var count = 1
        for position in start..<max(start, file.count - 1)
        where file.start[position] == 0xFF && file.start[position + 1] == 0xDA {
            count += 1
        }
        return count
    }

    /// CMYK to RGB in place, four samples to three.
    ///
    /// Adobe's programs store inks inverted (255 means no ink), and all widely used readers read four-channel JPEGs
    /// that way, with or without a marker: then R = C K / 255.
    private static func convertFromInvertedCMYK(_ samples: inout [UInt8]) {
        let count = samples.count / 4
        samples.withUnsafeMutableBufferPointer { pixels in
            for index in 0..<count {
                let black = UInt32(pixels[4 * index + 3])
                for channel in 0..<3 {
                    let product = UInt32(pixels[4 * index + channel]) * black
                    pixels[3 * index + channel] = UInt8(truncatingIfNeeded: (product + 127) / 255)
                }
            }
        }
        samples.removeLast(count)
    }

    /// A baseline JPEG file.
    static func encode(_ image: Image, quality: Int, keepsFullColor: Bool) throws(ImageError) -> [UInt8] {
        guard image.width <= 65500, image.height <= 65500 else {
            throw ImageError(
                nil,
                .notEncodable(format: "JPEG", detail: "\(image.width)x\(image.height) pixels; a side has at most 65500")
            )
        }
        let form = image.channels == 1 ? SNC_JPEG_GRAY : image.channels == 3 ? SNC_JPEG_RGB : SNC_JPEG_RGBX
        var failure: (code: Int32, text: String)?
        let file = image.pixels.withUnsafeBufferPointer { pixels in
            codecBytes { bytes, count in
                guard let start = pixels.baseAddress else { return }
                failure = codecMessage { message in
                    snc_jpeg_write(
                        start,
                        form,
                        Int32(image.width),
                        Int32(image.height),
                        Int32(min(max(quality, 1), 100)),
                        keepsFullColor ? 1 : 0,
                        bytes,
                        count,
                        message
                    )
                }
            }
        }
        if let failure { throw ImageError(nil, .notEncodable(format: "JPEG", detail: failure.text)) }
        return file
    }
}
