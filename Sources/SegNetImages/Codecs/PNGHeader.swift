/// A PNG's first chunk (PNG specification 11.2.2), read before libpng sees the file, so that limits are checked first.
struct PNGHeader {
    let width: Int
    let height: Int
    let bitDepth: Int
    let colorType: Int

    /// - Throws: `damaged` if the header is not whole.
    init(_ file: ByteReader) throws(ImageError) {
        guard file.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
            throw ImageError(nil, .damaged(format: "PNG", detail: "its signature is broken"))
        }
        guard let width = file.longWord(at: 16), let height = file.longWord(at: 20), let depth = file.byte(at: 24),
            let type = file.byte(at: 25), file.count >= 33
        else { throw ImageError(nil, .damaged(format: "PNG", detail: "it ends inside its header")) }
        guard file.longWord(at: 8) == 13, file.has("IHDR", at: 12) else {
            throw ImageError(nil, .damaged(format: "PNG", detail: "it does not begin with a header"))
        }
        guard width > 0, height > 0, width <= 0x7FFF_FFFF, height <= 0x7FFF_FFFF else {
            throw ImageError(nil, .damaged(format: "PNG", detail: "its header says \(width)x\(height) pixels"))
        }
        self.width = width
        self.height = height
        bitDepth = Int(depth)
        colorType = Int(type)
    }
}
