/// What the header of a PNG or JPEG file contains, for deciding whether to accept it before anything is decoded.
public struct PictureHeader: Sendable, Hashable {
    /// "PNG" or "JPEG".
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
    ///   - name: What errors call it.
    /// - Throws: `ImageError` naming the file: empty, neither PNG nor JPEG, damaged.
    public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
        do throws(ImageError) {
            self = try ByteReader.read(bytes) { (file) throws(ImageError) in
                let format = try PictureFormat(of: file)
                switch format {
                case .png:
                    let header = try PNGHeader(file)
                    return PictureHeader(format: format.rawValue, width: header.width, height: header.height)
                case .jpeg:
                    let header = try JPEGHeader(file)
                    let isTurned = header.orientation.swapsSides
                    return PictureHeader(
                        format: format.rawValue,
                        width: isTurned ? header.height : header.width,
                        height: isTurned ? header.width : header.height
                    )
                }
            }
        } catch {
            throw error.of(file: name)
        }
    }

    /// Reads the header of a file, and no more of it than is needed.
    /// - Throws: `ImageError` naming the file: unreadable, no regular file, empty, neither PNG nor JPEG, damaged.
    public init(path: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
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

    private init(format: String, width: Int, height: Int) {
        self.format = format
        self.width = width
        self.height = height
    }
}
