/// The file formats that are read, recognised by a file's first bytes, since names may be wrong.
public enum PictureFormat: String, Sendable, CaseIterable {
    case png = "PNG"
    case jpeg = "JPEG"
    case tiff = "TIFF"
    case webp = "WebP"
    case heic = "HEIC"
    case avif = "AVIF"
    case gif = "GIF"
    case bmp = "BMP"

    /// The endings of files that are looked for in folders, in lower case and without a dot.
    public static let fileEndings = [
        "png", "jpg", "jpeg", "tif", "tiff", "webp", "heic", "heif", "avif", "gif", "bmp",
    ]

    /// Whether a file's name has the ending of a picture, in upper or lower case.
    public static func isFileName(_ name: String) -> Bool {
        let name = name.lowercased()
        return fileEndings.contains { name.hasSuffix("." + $0) }
    }

    /// The format of a file; nil if it is not one that can be read.
    /// - Parameter bytes: The whole file, or its first 16 bytes.
    public init?(of bytes: [UInt8]) {
        guard let format = try? ByteReader.read(bytes, { (file) throws(ImageError) in try PictureFormat(of: file) })
        else { return nil }
        self = format
    }

    /// - Throws: `unknownFormat` with what the file seems to be.
    init(of file: ByteReader) throws(ImageError) {
        if file.has([0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if file.has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if Self.isTIFF(file) {
            self = .tiff
        } else if file.has("RIFF"), file.has("WEBP", at: 8) {
            self = .webp
        } else if file.has("GIF8") {
            self = .gif
        } else if file.has("BM"), file.count >= 18 {
            self = .bmp
        } else if file.has("ftyp", at: 4), let format = Self.containerFormat(file) {
            self = format
        } else {
            throw ImageError(nil, .unknownFormat(Self.likeness(of: file)))
        }
    }

    /// TIFF's two byte orders, and BigTIFF's.
    private static func isTIFF(_ file: ByteReader) -> Bool {
        file.has("II*\0") || file.has("MM\0*") || file.has("II+\0") || file.has("MM\0+")
    }

    /// The contents of a file in ISO's media format, by its main brand (ISO/IEC 23008-12, AV1 Image File Format); nil for a video.
    private static func containerFormat(_ file: ByteReader) -> PictureFormat? {
        if file.has("avi", at: 8) { return .avif }
        let brands = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"]
        return brands.contains { file.has($0, at: 8) } ? .heic : nil
    }

    private static func likeness(of file: ByteReader) -> String {
        if file.has("ftyp", at: 4) { return "it is a video" }
        if file.has("%PDF") { return "it is a PDF" }
        if file.has("<") { return "it is text, perhaps SVG or HTML" }
        let shown = (0..<min(4, file.count)).map { index in
            let byte = file.start[index]
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "it begins with the bytes \(shown.joined(separator: " "))"
    }
}
