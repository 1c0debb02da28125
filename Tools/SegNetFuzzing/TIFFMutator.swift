/// Where the first directory of a TIFF or BigTIFF lies, and how its numbers are written.
struct TIFFDirectory {
    let bigEndian: Bool
    let isBig: Bool
    /// Where the number of entries stands.
    let start: Int
    let entryCount: Int

    /// Nil if the header or the directory leads beyond the end.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8 else { return nil }
        bigEndian = bytes[0] == UInt8(ascii: "M")
        guard let version = bytes.number(at: 2, bytes: 2, bigEndian: bigEndian), version == 42 || version == 43,
            let offset = version == 43
                ? bytes.number(at: 8, bytes: 8, bigEndian: bigEndian)
                : bytes.number(at: 4, bytes: 4, bigEndian: bigEndian),
            offset < UInt64(bytes.count)
        else { return nil }
        isBig = version == 43
        start = Int(offset)
        guard let count = bytes.number(at: start, bytes: isBig ? 8 : 2, bigEndian: bigEndian),
            count > 0, count <= 1000, start + (isBig ? 8 : 2) + Int(count) * (isBig ? 20 : 12) <= bytes.count
        else { return nil }
        entryCount = Int(count)
    }

    /// Bytes of an entry: tag and type of 2, count and value of `wordBytes`.
    var entryBytes: Int { isBig ? 20 : 12 }
    var wordBytes: Int { isBig ? 8 : 4 }

    func entry(_ index: Int) -> Int { start + (isBig ? 8 : 2) + index * entryBytes }
    /// Where the next directory's place is written.
    var link: Int { entry(entryCount) }
}

/// Damages TIFF by its directory.
struct TIFFMutator: Mutator {
    /// Sizes, depth, compression, colours, pieces, planes, palette, tiles, kinds of samples, JPEG tables, subsampling, profile, GeoTIFF.
    private static let tags: [UInt64] = [
        254, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 330, 338, 339, 347,
        530,
        532, 33550, 33922, 34264, 34675, 34735, 34736, 34737, 42113,
    ]

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var bytes = bytes
        guard let directory = TIFFDirectory(bytes) else { return bytes }
        let one = directory.entry(random.below(directory.entryCount))
        func change(_ place: Int, _ size: Int) {
            let now = bytes.number(at: place, bytes: size, bigEndian: directory.bigEndian) ?? 0
            bytes.set(random.interesting(near: now), at: place, bytes: size, bigEndian: directory.bigEndian)
        }
        switch random.below(10) {
        case 0: change(random.below(8), random.oneIn(2) ? 2 : 4)
        case 1, 2: moveEntries(&bytes, directory, &random)
        case 3: bytes.set(random.pick(Self.tags) ?? 256, at: one, bytes: 2, bigEndian: directory.bigEndian)
        case 4: bytes.set(UInt64(random.below(20)), at: one + 2, bytes: 2, bigEndian: directory.bigEndian)
        case 5: change(one + 4, directory.wordBytes)
        case 6: change(directory.start, directory.isBig ? 8 : 2)
        case 7:
            // A directory behind itself, or anywhere.
            let place = random.oneIn(2) ? UInt64(directory.start) : random.interesting(near: UInt64(bytes.count))
            bytes.set(place, at: directory.link, bytes: directory.wordBytes, bigEndian: directory.bigEndian)
        default: change(one + 4 + directory.wordBytes, directory.wordBytes)
        }
        return bytes
    }

    /// Swaps two entries, or writes one over another.
    private func moveEntries(_ bytes: inout [UInt8], _ directory: TIFFDirectory, _ random: inout FuzzRandom) {
        let one = directory.entry(random.below(directory.entryCount))
        let other = directory.entry(random.below(directory.entryCount))
        let (first, second) = (
            Array(bytes[one..<one + directory.entryBytes]), Array(bytes[other..<other + directory.entryBytes])
        )
        bytes.replaceSubrange(one..<one + directory.entryBytes, with: second)
        if random.oneIn(2) { bytes.replaceSubrange(other..<other + directory.entryBytes, with: first) }
    }

    /// Other numbers that exist in the tags that say how pixels are read, and other bytes outside of the directory.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var bytes = bytes
        guard let directory = TIFFDirectory(bytes), random.oneIn(2) else {
            random.changeBytes(&bytes)
            return bytes
        }
        let values: [UInt64: [UInt64]] = [
            256: [1, 16, 45, 46, 300], 257: [1, 16, 37, 38, 300], 258: [1, 2, 4, 8, 16, 32],
            259: [1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34712, 34887, 34925, 50000, 50001],
            262: [0, 1, 2, 3, 4, 5, 6, 8, 9],
            266: [1, 2], 274: [1, 2, 3, 4, 5, 6, 7, 8, 9], 277: [1, 2, 3, 4, 5, 6], 278: [1, 5, 16, 37, 4_294_967_295],
            284: [1, 2], 317: [1, 2, 3], 322: [16, 32, 48, 64], 323: [16, 32, 48, 64], 338: [0, 1, 2],
            339: [1, 2, 3, 4, 5, 6],
        ]
        let known = (0..<directory.entryCount).map(directory.entry).filter { place in
            bytes.number(at: place, bytes: 2, bigEndian: directory.bigEndian).map { values[$0] != nil } == true
        }
        guard let place = random.pick(known),
            let tag = bytes.number(at: place, bytes: 2, bigEndian: directory.bigEndian),
            let value = random.pick(values[tag] ?? [])
        else { return bytes }
        // Type 3 has 2 bytes, which come first in the field.
        let isShort = bytes.number(at: place + 2, bytes: 2, bigEndian: directory.bigEndian) == 3
        let field = place + 4 + directory.wordBytes
        bytes.set(value, at: field, bytes: isShort ? 2 : 4, bigEndian: directory.bigEndian)
        return bytes
    }
}
