/// The file formats that are read, recognised by a file's first bytes, since names may be wrong.
enum PictureFormat: String {
    case png = "PNG"
    case jpeg = "JPEG"

    /// - Throws: `unknownFormat` with what the file seems to be.
    init(of file: ByteReader) throws(ImageError) {
        if file.has([0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if file.has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else {
            throw ImageError(nil, .unknownFormat(Self.likeness(of: file)))
        }
    }

    private static func likeness(of file: ByteReader) -> String {
        if file.has("GIF8") { return "GIF" }
        if file.has("RIFF"), file.has("WEBP", at: 8) { return "WebP" }
        if file.has("II*\0") || file.has("MM\0*") { return "TIFF" }
        if file.has("ftyp", at: 4) { return "HEIC, AVIF or a video" }
        if file.has("BM") { return "BMP" }
        if file.has("%PDF") { return "PDF" }
        if file.has("<") { return "text (SVG or HTML?)" }
        let shown = (0..<min(4, file.count)).map { index in
            let byte = file.start[index]
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "something that begins with the bytes \(shown.joined(separator: " "))"
    }
}
