extension GoodFile {
    /// Small PNGs of the kinds that are read differently: gray of 1, 8 and 16 bits, palettes, alpha, interlaced, and one
    /// with most of the chunks that can accompany the pixels.
    static let pngs: [GoodFile] = [
        png("gray1.png", width: 19, height: 11, depth: 1, color: 0),
        png("gray8.png", width: 12, height: 9, depth: 8, color: 0),
        png("gray16-alpha.png", width: 7, height: 8, depth: 16, color: 4),
        png("rgb8-interlaced.png", width: 13, height: 10, depth: 8, color: 2, interlaced: true),
        png("rgba16.png", width: 6, height: 7, depth: 16, color: 6),
        png("palette4.png", width: 15, height: 8, depth: 4, color: 3, before: [palette(16)]),
        png(
            "palette8-transparent.png",
            width: 10,
            height: 10,
            depth: 8,
            color: 3,
            before: [palette(200), .init("tRNS", [0, 128, 255])]
        ),
        png(
            "rgb8-chunks.png",
            width: 9,
            height: 9,
            depth: 8,
            color: 2,
            before: [
                .init("gAMA", [0, 0, 0xB1, 0x8F]), .init("sRGB", [0]),
                .init("pHYs", [0, 0, 0x0B, 0x13, 0, 0, 0x0B, 0x13, 1]),
                .init("bKGD", [0, 1, 0, 2, 0, 3]), .init("tRNS", [0, 1, 0, 2, 0, 3]), .init("sBIT", [5, 6, 5]),
                .init("tIME", [7, 0xE0, 1, 2, 3, 4, 5]), .init("tEXt", Array("Title\0street".utf8)),
                .init("zTXt", Array("Comment\0\0".utf8) + Zlib.store(Array("packed text".utf8))),
                .init("iCCP", Array("profile\0\0".utf8) + Zlib.store([UInt8](repeating: 7, count: 140))),
            ]
        ),
    ]

    private static func palette(_ count: Int) -> PNGChunks.Chunk {
        .init("PLTE", (0..<(count * 3)).map { UInt8(truncatingIfNeeded: $0 * 37) })
    }

    /// A PNG of pseudo-random samples in rows of every filter type.
    private static func png(
        _ name: String,
        width: Int,
        height: Int,
        depth: Int,
        color: Int,
        interlaced: Bool = false,
        before: [PNGChunks.Chunk] = []
    ) -> GoodFile {
        var header: [UInt8] = []
        header.append(bigEndian: UInt32(width))
        header.append(bigEndian: UInt32(height))
        header += [UInt8(depth), UInt8(color), 0, 0, interlaced ? 1 : 0]

        let samples = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][color] ?? 1
        // Adam7: where each pass starts and how far its pixels are apart.
        let adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        let passes = interlaced ? adam7 : [(0, 0, 1, 1)]
        var random = FuzzRandom(seed: UInt64(width * height * depth))
        var pixels: [UInt8] = []
        for (x, y, stepX, stepY) in passes {
            let passWidth = (width - x + stepX - 1) / stepX
            guard passWidth > 0 else { continue }
            for row in 0..<((height - y + stepY - 1) / stepY) {
                pixels.append(UInt8(row % 5))
                pixels += (0..<((passWidth * samples * depth + 7) / 8)).map { _ in random.byte() & 0x7F }
            }
        }
        let image = Zlib.store(pixels)
        let chunks =
            [PNGChunks.Chunk("IHDR", header)] + before
            + [.init("IDAT", Array(image.prefix(40))), .init("IDAT", Array(image.dropFirst(40))), .init("IEND", [])]
        return GoodFile(format: .png, name: name, bytes: PNGChunks(chunks: chunks).bytes)
    }

    /// Pictures of every kind that the mutators' users start from.
    public static let pictures: [GoodFile] = pngs + jpegs
}
