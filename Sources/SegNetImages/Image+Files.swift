public import SegNetPlatform

extension Image {
    /// Reads a picture file. Its content decides the format, not its name.
    ///
    /// PNG: gray stays gray (1 channel, scaled to 0...255 from 1, 2 and 4 bits, rounded from 16), palettes become RGB,
    /// transparency of any kind RGBA. Colour profiles, gamma and EXIF blocks are not applied. JPEG: gray or RGB, CMYK
    /// converted, turned as its EXIF orientation says. BMP needs no library. TIFF, WebP, HEIC, AVIF and GIF (its first
    /// frame) are read if their libraries are on the machine. These formats also become gray, RGB or RGBA: 16 bits are
    /// rounded to 8, pictures are turned as their files say, and colours are converted to sRGB if there is a profile and
    /// Little CMS is on the machine. docs/pictures.md has the details.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limits: Limits for the file; checked against its header before pixels are allocated.
    /// - Throws: `ImageError` naming the file: unreadable, empty, in no known format, beyond the limits, damaged, or cut
    ///   short; or a library is missing.
    public init(path: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        if TIFFFile.isTIFF(path: path) {
            // By rows: the file need not be in memory.
            self = try TIFFFile(path: path).image(limits)
            return
        }
        let bytes = try FileAccess.read(path, limit: limits.maximumFileBytes)
        try self.init(decoding: bytes, name: path, limits: limits)
    }

    /// Reads a picture file; see `init(path:limits:)`.
    public init(contentsOf url: URL, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        try self.init(path: url.path(percentEncoded: false), limits: limits)
    }

    /// Decodes the bytes of a picture file; see `init(path:limits:)`.
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: Its name in errors.
    ///   - limits: Limits for the file.
    public init(decoding bytes: [UInt8], name: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        do throws(ImageError) {
            self = try ByteReader.read(bytes) { (file) throws(ImageError) in
                let format = try PictureFormat(of: file)
                switch format {
                case .png: return try PNG.decode(file, limits: limits)
                case .jpeg: return try JPEG.decode(file, limits: limits)
                case .tiff: return try TIFFFile(file).image(limits)
                case .webp: return try WebP.decode(file, limits: limits)
                case .heic, .avif: return try HEIF.decode(file, format, limits: limits)
                case .gif: return try GIF.decode(file, limits: limits)
                case .bmp: return try BMP(file).decode(file, limits: limits)
                }
            }
        } catch {
            throw error.of(file: name)
        }
    }

    /// Writes the picture as a PNG or JPEG (quality 90), as the name's ending says.
    ///
    /// The file is written under a temporary name and renamed into place: the name never belongs to half a file.
    /// - Throws: `ImageError`: the ending says neither, or the system's words.
    public func write(path: String) throws(ImageError) {
        try FileAccess.write(try encoded(forPath: path), to: path)
    }

    /// Writes the picture as a PNG or JPEG (quality 90), as the name's ending says; see `write(path:)`.
    public func write(to url: URL) throws(ImageError) {
        try write(path: url.path(percentEncoded: false))
    }

    private func encoded(forPath path: String) throws(ImageError) -> [UInt8] {
        let ending = path.split(separator: "/").last?.split(separator: ".").dropFirst().last?.lowercased()
        do throws(ImageError) {
            switch ending {
            case "png": return try encodedPNG()
            case "jpg", "jpeg": return try encodedJPEG()
            default: throw ImageError(nil, .unknownExtension)
            }
        } catch {
            throw error.of(file: path)
        }
    }

    /// The picture as a PNG file of 8 bits per sample: gray, RGB or RGBA.
    /// - Throws: `ImageError` if a side is longer than PNG can say.
    public func encodedPNG() throws(ImageError) -> [UInt8] {
        let colorType: Int32 = channels == 1 ? 0 : channels == 3 ? 2 : 6
        return try pixels.withUnsafeBufferPointer { (samples) throws(ImageError) in
            try PNG.encode(samples, width: width, height: height, colorType: colorType)
        }
    }

    /// The picture as a baseline JPEG file, gray or colour; alpha is dropped.
    /// - Parameters:
    ///   - quality: 1...100; what lies outside is taken as the nearer end.
    ///   - keepsFullColor: Keeps colour at full resolution (4:4:4), for drawings; photos do with half (4:2:0).
    /// - Throws: `ImageError` if a side is longer than 65500 pixels.
    public func encodedJPEG(quality: Int = 90, keepsFullColor: Bool = false) throws(ImageError) -> [UInt8] {
        try JPEG.encode(self, quality: quality, keepsFullColor: keepsFullColor)
    }
}
