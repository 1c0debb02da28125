internal import CSegNetCodecs

/// The first frame of a GIF through giflib.
enum GIF {
    static func info(_ file: ByteReader) throws(ImageError) -> snc_picture_info {
        var info = snc_picture_info()
        if let failure = codecMessage({ snc_gif_read_info(file.start, file.count, &info, $0) }) {
            throw PictureLibrary.gif.error(.gif, failure)
        }
        return info
    }

    static func decode(_ file: ByteReader, limits: DecodingLimits) throws(ImageError) -> Image {
        var info = try info(file)
        let (width, height) = (Int(info.width), Int(info.height))
        // Most have no transparent pixel and are converted to RGB, which is a second picture in memory.
        let held = DecodingLimits.bytes(width: width, height: height, perPixel: 3)
        try limits.check(width: width, height: height, bytesPerPixel: 4, decoderBytes: held)
        let pixels = try codecPixels(width * height * 4, of: .gif, from: .gif) { pixels, message in
            snc_gif_read_pixels(file.start, file.count, &info, pixels, message)
        }
        let image = Image(uncheckedWidth: width, height: height, channels: 4, pixels: pixels)
        let isOpaque = stride(from: 3, to: pixels.count, by: 4).allSatisfy { pixels[$0] == 255 }
        return isOpaque ? image.rgb() : image
    }
}
