internal import CSegNetCodecs

/// What the header of a picture file contains, for deciding whether to accept it before anything is decoded.
public struct PictureHeader: Sendable, Hashable {
    /// The name of a `PictureFormat`: "PNG", "JPEG", ...
    public let format: String
    /// Pixels in a row of the decoded picture, EXIF orientation applied.
    public let width: Int
    /// Rows of the decoded picture, EXIF orientation applied.
    public let height: Int

    /// Width x height; both are below 2^31, so it cannot overflow.
    public var pixels: Int { width * height }

    /// Reads the beginning of a file. What follows the header may still be damaged.
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: Its name in errors.
    /// - Throws: `ImageError` naming the file: empty, in no known format, or damaged; or a library is missing.
    public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
        do throws(ImageError) {
            self = try ByteReader.read(bytes) { (file) throws(ImageError) in
                let format = try PictureFormat(of: file)
                let (width, height) = try Self.size(file, format)
                return PictureHeader(format: format.rawValue, width: width, height: height)
            }
        } catch {
            throw error.of(file: name)
        }
    }

    /// Reads the header of a file, and no more of it than is needed.
    /// - Throws: `ImageError` naming the file: unreadable, not a regular file, empty, in no known format, or damaged; or a library is
    ///   missing.
    public init(path: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        if TIFFFile.isTIFF(path: path) {
            let file = try TIFFFile(path: path)
            let (width, height) = file.orientation.seen(file.width, file.height)
            self.init(format: PictureFormat.tiff.rawValue, width: width, height: height)
            return
        }
        let most = 1 << 16
        let start = try FileAccess.readStart(path, most: most)
        do throws(ImageError) {
            try self.init(decoding: start, name: path)
        } catch {
            // A JPEG may begin with a preview or a colour profile of any length.
            guard start.count == most else { throw error }
            try self.init(decoding: try FileAccess.read(path, limit: limits.maximumFileBytes), name: path)
        }
    }

    /// Width and height of the picture as seen.
    private static func size(_ file: ByteReader, _ format: PictureFormat) throws(ImageError) -> (Int, Int) {
        switch format {
        case .png:
            let header = try PNGHeader(file)
            return (header.width, header.height)
        case .jpeg:
            let header = try JPEGHeader(file)
            return header.orientation.seen(header.width, header.height)
        case .tiff:
            let opened = try TIFFFile(file)
            return opened.orientation.seen(opened.width, opened.height)
        case .webp:
            let header = try WebP.header(file)
            return header.orientation.seen(Int(header.info.width), Int(header.info.height))
        case .heic, .avif: return try HEIF.size(file, format)
        case .gif:
            let info = try GIF.info(file)
            return (Int(info.width), Int(info.height))
        case .bmp:
            let header = try BMP(file)
            return (header.width, header.height)
        }
    }

    private init(format: String, width: Int, height: Int) {
        self.format = format
        self.width = width
        self.height = height
    }
}
