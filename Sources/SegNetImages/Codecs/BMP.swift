/// BMP without compression, as Windows and most programs write it: palettes of 1, 4 and 8 bits, 16, 24 and 32 bits.
/// Source: Microsoft, Bitmap Storage; BITMAPINFOHEADER, BITMAPV5HEADER.
struct BMP {
    let width: Int
    let height: Int
    private let isTopDown: Bool
    private let bits: Int
    /// Where the pixels begin.
    private let start: Int
    /// Bytes from row to row, a multiple of 4.
    private let rowBytes: Int
    private let palette: [Color]
    /// Red, green, blue and alpha in a pixel of 16 or 32 bits.
    private let masks: [UInt32]

    /// - Throws: `damaged` if there is no picture in it; `unsupported` if it is compressed.
    init(_ file: ByteReader) throws(ImageError) {
        func number(_ position: Int) throws(ImageError) -> Int {
            guard let value = file.longWord(at: position, bigEndian: false) else {
                throw Self.damaged("it ends inside its header")
            }
            return value
        }
        let (offset, header) = (try number(10), try number(14))
        let isOld = header == 12
        guard isOld || header >= 40, header < 1 << 16 else { throw Self.damaged("its header has \(header) bytes") }
        let shape = isOld ? (try number(18) & 0xFFFF, try number(18) >> 16) : (try number(18), try number(22))
        // A negative height, in 32 bits, means rows from the top.
        let signedHeight = isOld ? shape.1 : Int(Int32(truncatingIfNeeded: shape.1))
        guard shape.0 > 0, shape.0 <= Int(Int32.max), signedHeight != 0, signedHeight > Int(Int32.min) else {
            throw Self.damaged("its header says \(shape.0)x\(signedHeight) pixels")
        }
        (width, height, isTopDown) = (shape.0, abs(signedHeight), signedHeight < 0)
        guard let depth = file.word(at: isOld ? 24 : 28, bigEndian: false), [1, 4, 8, 16, 24, 32].contains(depth) else {
            throw Self.damaged("its header does not say how many bits a pixel has")
        }
        bits = depth
        let compression = isOld ? 0 : try number(30)
        // 3 and 6: the masks follow the header.
        guard compression == 0 || (compression == 3 || compression == 6) && (bits == 16 || bits == 32) else {
            throw ImageError(
                nil,
                .unsupported(format: "BMP", detail: "its pixels are compressed, method \(compression)")
            )
        }
        start = offset
        rowBytes = (width * bits + 31) / 32 * 4
        masks = try Self.masks(file, bits: bits, compression: compression, header: header)
        palette = bits > 8 ? [] : try Self.palette(file, bits: bits, header: header, used: isOld ? 0 : try number(46))
    }

    private static func masks(
        _ file: ByteReader,
        bits: Int,
        compression: Int,
        header: Int
    ) throws(ImageError) -> [UInt32] {
        guard compression != 0 else {
            return bits == 16 ? [0x7C00, 0x03E0, 0x001F, 0] : [0xFF0000, 0xFF00, 0xFF, 0]
        }
        var masks: [UInt32] = []
        for index in 0..<4 {
            guard index < 3 || compression == 6 || header >= 56 else { return masks + [0] }
            guard let mask = file.longWord(at: 54 + 4 * index, bigEndian: false) else {
                throw damaged("it ends inside its header")
            }
            masks.append(UInt32(truncatingIfNeeded: mask))
        }
        guard masks[0] != 0, masks[1] != 0, masks[2] != 0 else { throw damaged("its colours have no bits") }
        return masks
    }

    private static func palette(_ file: ByteReader, bits: Int, header: Int, used: Int) throws(ImageError) -> [Color] {
        let entry = header == 12 ? 3 : 4
        let count = used > 0 ? min(used, 1 << bits) : 1 << bits
        var colors: [Color] = []
        for index in 0..<count {
            let at = 14 + header + entry * index
            guard let blue = file.byte(at: at), let green = file.byte(at: at + 1), let red = file.byte(at: at + 2)
            else {
                throw damaged("it ends inside its palette")
            }
            colors.append(Color(red, green, blue))
        }
        return colors
    }

    private static func damaged(_ detail: String) -> ImageError {
        ImageError(nil, .damaged(format: "BMP", detail: detail))
    }

    /// RGB, or RGBA where the file has a mask for alpha.
    func decode(_ file: ByteReader, limits: DecodingLimits) throws(ImageError) -> Image {
        let channels = bits > 8 && bits != 24 && masks[3] != 0 ? 4 : 3
        try limits.check(width: width, height: height, bytesPerPixel: channels)
        let (size, overflow) = rowBytes.multipliedReportingOverflow(by: height)
        guard !overflow, start <= file.count, size <= file.count - start else {
            throw Self.damaged("it ends before its last row")
        }
        var outside: Int?
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * channels) { target, count in
            for y in 0..<height {
                let row = file.start + start + (isTopDown ? y : height - 1 - y) * rowBytes
                for x in 0..<width {
                    let at = (y * width + x) * channels
                    if bits <= 8 {
                        let bit = x * bits
                        let index = Int(row[bit / 8] >> UInt8(8 - bits - bit % 8)) & ((1 << bits) - 1)
                        if index >= palette.count { outside = index }
                        let color = index < palette.count ? palette[index] : .black
                        (target[at], target[at + 1], target[at + 2]) = (color.red, color.green, color.blue)
                    } else if bits == 24 {
                        (target[at], target[at + 1], target[at + 2]) = (row[3 * x + 2], row[3 * x + 1], row[3 * x])
                    } else {
                        let bytes = bits / 8
                        let value = (0..<bytes).reduce(UInt32(0)) { $0 | UInt32(row[bytes * x + $1]) << UInt32(8 * $1) }
                        for channel in 0..<channels { target[at + channel] = Self.sample(value, masks[channel]) }
                    }
                }
            }
            count = width * height * channels
        }
        if let outside { throw Self.damaged("it uses colour \(outside) of a palette of \(palette.count)") }
        return Image(uncheckedWidth: width, height: height, channels: channels, pixels: pixels)
    }

    /// The bits under a mask, spread over 0...255.
    private static func sample(_ value: UInt32, _ mask: UInt32) -> UInt8 {
        guard mask != 0 else { return 0 }
        let shift = UInt32(mask.trailingZeroBitCount)
        let most = UInt64(mask >> shift)
        return UInt8(truncatingIfNeeded: (UInt64(value & mask) >> UInt64(shift)) * 255 / most)
    }
}
