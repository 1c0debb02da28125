/// Damages BMP: a header of fields at fixed places, a palette, rows.
struct BMPMutator: Mutator {
    /// Place and size of the fields: start of the pixels, size of the header, width, height, planes, bits, compression, bytes of the
    /// pixels, colours in use, masks.
    private static let fields = [
        (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4), (54, 4), (58, 4), (62, 4),
    ]

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var bytes = bytes
        guard let (place, size) = random.pick(Self.fields),
            let now = bytes.number(at: place, bytes: size, bigEndian: false)
        else { return bytes }
        bytes.set(random.interesting(near: now), at: place, bytes: size, bigEndian: false)
        return bytes
    }

    /// Depths, compressions and small sizes that exist, masks, colours and pixels.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var bytes = bytes
        switch random.below(7) {
        case 0: bytes.set(random.pick([1, 4, 8, 16, 24, 32]) ?? 8, at: 28, bytes: 2, bigEndian: false)
        case 1: bytes.set(random.pick([0, 1, 2, 3, 6]) ?? 3, at: 30, bytes: 4, bigEndian: false)
        case 2:
            // Heights below 0 are of rows from the top.
            let size = UInt64(bitPattern: Int64(random.below(80) - 20))
            bytes.set(size, at: random.oneIn(2) ? 18 : 22, bytes: 4, bigEndian: false)
        case 3: bytes.set(random.next(), at: 54 + 4 * random.below(4), bytes: 4, bigEndian: false)
        default:
            guard bytes.count > 54 else { return bytes }
            var rest = Array(bytes[54...])
            random.changeBytes(&rest)
            bytes.replaceSubrange(54..., with: rest)
        }
        return bytes
    }
}
