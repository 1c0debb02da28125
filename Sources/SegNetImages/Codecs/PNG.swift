internal import CSegNetCodecs

/// PNG through libpng.
enum PNG {
    /// The picture in a PNG file: 8 bits per sample, gray (1), RGB (3) or RGBA (4).
    static func decode(_ file: ByteReader, limits: DecodingLimits) throws(ImageError) -> Image {
        let info = try checkedInfo(file, bytesPerPixel: { $0.pictureChannels }, limits: limits)
        let (width, height, channels) = (Int(info.width), Int(info.height), info.pictureChannels)
        let pixels = try samples(of: file, as: SNC_PNG_PICTURE, UInt8.self, count: width * height * channels)
        return Image(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
    }

    /// The numbers in a gray or palette file, unchanged: no scaling, no colours.
    /// - Throws: `notLabels` for files with a colour for each pixel.
    static func decodeNumbers(
        _ file: ByteReader,
        limits: DecodingLimits
    ) throws(ImageError) -> (width: Int, height: Int, numbers: [UInt16]) {
        let info = try checkedInfo(file, bytesPerPixel: { _ in 3 }, limits: limits)
        guard info.color_type != 2, info.color_type != 6 else { throw ImageError(nil, .notLabels("an RGB picture")) }
        let (width, height) = (Int(info.width), Int(info.height))
        let count = width * height
        let numbers: [UInt16]
        if info.bit_depth == 16 {
            numbers = try samples(of: file, as: SNC_PNG_NUMBERS16, UInt16.self, count: count)
        } else {
            numbers = try samples(of: file, as: SNC_PNG_NUMBERS8, UInt8.self, count: count).map { UInt16($0) }
        }
        return (width, height, numbers)
    }

    private static func checkedInfo(
        _ file: ByteReader,
        bytesPerPixel: (snc_png_info) -> Int,
        limits: DecodingLimits
    ) throws(ImageError) -> snc_png_info {
        let header = try PNGHeader(file)
        try limits.check(width: header.width, height: header.height, bytesPerPixel: 1)
        var info = snc_png_info()
        let failure = codecMessage { message in
            snc_png_read_info(file.start, file.count, &info, message)
        }
        if let failure { throw damaged(failure.text) }
        try limits.check(width: Int(info.width), height: Int(info.height), bytesPerPixel: bytesPerPixel(info))
        return info
    }

    private static func samples<Sample: FixedWidthInteger>(
        of file: ByteReader,
        as form: snc_png_form,
        _: Sample.Type,
        count: Int
    ) throws(ImageError) -> [Sample] {
        var failure: (code: Int32, text: String)?
        let samples = [Sample](unsafeUninitializedCapacity: count) { target, initialized in
            guard let start = UnsafeMutableRawPointer(target.baseAddress) else { return }
            let pixels = start.assumingMemoryBound(to: UInt8.self)
            let size = count * MemoryLayout<Sample>.stride
            failure = codecMessage { snc_png_read_pixels(file.start, file.count, form, pixels, size, $0) }
            initialized = failure == nil ? count : 0
        }
        if let failure { throw damaged(failure.text) }
        return samples
    }

    private static func damaged(_ detail: String) -> ImageError {
        ImageError(nil, .damaged(format: "PNG", detail: detail))
    }
}

extension snc_png_info {
    /// Channels of the picture: 4 with transparency of any kind, 1 for plain gray, else 3.
    fileprivate var pictureChannels: Int {
        if has_transparency != 0 || color_type == 4 || color_type == 6 { return 4 }
        return color_type == 0 ? 1 : 3
    }
}

extension PNG {
    /// How files are compressed: filter "up", zlib's run lengths at level 1.
    ///
    /// Measured on a 480x360 CamVid photo under a class overlay, one thread: 9 ms and 201 KiB, against 9 ms and 215
    /// KiB with level 1's usual matches, 14 ms and 203 KiB at level 3, 51 ms and 192 KiB at zlib's default, level 6.
    /// On label maps 0.3 ms and 5.4 kB (0.3 ms and 8.1 kB; 0.4 ms and 7.4 kB; 0.9 ms and 5.9 kB). Huffman codes alone
    /// take 5 ms for the photo, but are eight times larger on flat drawings.
    private static let (level, filters, strategy): (Int32, Int32, Int32) = (1, 0x20, 3)

    /// A PNG file.
    /// - Parameters:
    ///   - samples: Rows without gaps; the shape has been checked.
    ///   - colorType: 0 gray, 2 RGB, 3 palette, 6 RGBA.
    static func encode<Sample: FixedWidthInteger>(
        _ samples: UnsafeBufferPointer<Sample>,
        width: Int,
        height: Int,
        colorType: Int32,
        palette: [Color] = []
    ) throws(ImageError) -> [UInt8] {
        guard width <= 0x7FFF_FFFF, height <= 0x7FFF_FFFF, let start = UnsafeRawPointer(samples.baseAddress) else {
            throw ImageError(nil, .notEncodable(format: "PNG", detail: "\(width)x\(height) pixels"))
        }
        var failure: (code: Int32, text: String)?
        let flatPalette = palette.prefix(256).flatMap { [$0.red, $0.green, $0.blue] }
        let file = flatPalette.withUnsafeBufferPointer { colors in
            var picture = snc_png_picture(
                pixels: start.assumingMemoryBound(to: UInt8.self),
                width: UInt32(width),
                height: UInt32(height),
                color_type: colorType,
                bit_depth: Int32(Sample.bitWidth),
                palette_count: Int32(colors.count / 3),
                palette: colors.baseAddress,
                level: level,
                strategy: strategy,
                filters: filters
            )
            return codecBytes { bytes, count in
                failure = codecMessage { snc_png_write(&picture, bytes, count, $0) }
            }
        }
        if let failure { throw ImageError(nil, .notEncodable(format: "PNG", detail: failure.text)) }
        return file
    }
}
