internal import CSegNetCodecs

/// HEIC and AVIF through libheif, which turns pictures as their files say.
enum HEIF {
    /// A file's main picture, before its pixels are decoded.
    private final class File {
        let handle: OpaquePointer
        let info: snc_picture_info

        init(_ file: ByteReader, _ format: PictureFormat) throws(ImageError) {
            var handle: OpaquePointer?
            var info = snc_picture_info()
            let failure = codecMessage { snc_heif_open(file.start, file.count, &handle, &info, $0) }
            guard failure == nil, let handle else {
                throw PictureLibrary.heif.error(format, failure ?? (code: 1, text: "it has no picture"))
            }
            self.handle = handle
            self.info = info
        }

        deinit { snc_heif_close(handle) }
    }

    static func size(_ file: ByteReader, _ format: PictureFormat) throws(ImageError) -> (width: Int, height: Int) {
        let info = try File(file, format).info
        return (Int(info.width), Int(info.height))
    }

    static func decode(
        _ file: ByteReader,
        _ format: PictureFormat,
        limits: DecodingLimits
    ) throws(ImageError) -> Image {
        let opened = try File(file, format)
        var info = opened.info
        let (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
        // The library holds what it decodes (up to 3 bytes per pixel, 6 with more than 8 bits) and what it makes from that.
        let held = DecodingLimits.bytes(width: width, height: height, perPixel: 6 + channels)
        try limits.check(width: width, height: height, bytesPerPixel: channels, decoderBytes: held)
        let pixels = try codecPixels(width * height * channels, of: format, from: .heif) { pixels, message in
            snc_heif_read_pixels(opened.handle, &info, pixels, message)
        }
        let profile = codecBytes { snc_heif_profile(opened.handle, $0, $1) }
        return Image(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
            .converted(from: profile)
    }
}
