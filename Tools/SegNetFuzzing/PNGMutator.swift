/// A PNG as a signature and its chunks, whatever they hold.
public struct PNGChunks: Sendable {
    /// One chunk. A length or checksum that is set is written as it stands, right or wrong.
    public struct Chunk: Sendable {
        public var type: [UInt8]
        public var data: [UInt8]
        var declaredLength: UInt32?
        var declaredCRC: UInt32?

        /// A chunk of a four-letter type.
        public init(_ type: String, _ data: [UInt8]) {
            self.type = Array(type.utf8)
            self.data = data
        }

        /// The type's four letters.
        public var name: String { String(decoding: type, as: UTF8.self) }
    }

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    var signature = Self.signature
    public var chunks: [Chunk]

    public init(chunks: [Chunk]) { self.chunks = chunks }

    /// Reads the chunks; nil if the signature, a length or a checksum is wrong, or bytes are left over.
    public init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.signature) else { return nil }
        chunks = []
        var place = 8
        while place < bytes.count {
            guard let length = bytes.bigEndian32(at: place), bytes.count - place >= 12 + Int(length) else { return nil }
            let end = place + 8 + Int(length)
            guard bytes.bigEndian32(at: end) == Checksums.crc32(bytes[(place + 4)..<end]) else { return nil }
            chunks.append(Chunk(String(decoding: bytes[(place + 4)..<(place + 8)], as: UTF8.self), []))
            chunks[chunks.count - 1].type = Array(bytes[(place + 4)..<(place + 8)])
            chunks[chunks.count - 1].data = Array(bytes[(place + 8)..<end])
            place = end + 4
        }
    }

    /// The file.
    public var bytes: [UInt8] {
        var out = signature
        for chunk in chunks {
            let content = chunk.type + chunk.data
            out.append(bigEndian: chunk.declaredLength ?? UInt32(chunk.data.count))
            out += content
            out.append(bigEndian: chunk.declaredCRC ?? Checksums.crc32(content))
        }
        return out
    }
}

extension [UInt8] {
    func bigEndian32(at place: Int) -> UInt32? {
        guard place >= 0, place + 4 <= count else { return nil }
        return self[place..<(place + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func append(bigEndian value: UInt32) {
        self += [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }

    mutating func set(bigEndian value: UInt32, at place: Int) {
        guard place + 4 <= count else { return }
        for byte in 0..<4 { self[place + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(byte))) }
    }
}

struct PNGMutator: Mutator {
    private static let types = [
        "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "iCCP", "sBIT", "sRGB", "bKGD", "hIST", "pHYs", "tIME",
        "tEXt", "zTXt", "iTXt", "sPLT", "eXIf", "acTL", "XXXX", "xxxx",
    ]

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var png = PNGChunks(bytes), !png.chunks.isEmpty else { return bytes }
        let one = random.below(png.chunks.count)
        switch random.below(11) {
        case 0...3: png.chunks.disorder(&random)
        case 4: png.chunks[one].type = Array((random.pick(Self.types) ?? "IDAT").utf8)
        case 5:
            let right = UInt64(png.chunks[one].data.count)
            png.chunks[one].declaredLength = UInt32(truncatingIfNeeded: random.interesting(near: right))
        case 6: png.chunks[one].declaredCRC = UInt32(truncatingIfNeeded: random.next())
        case 7, 8: changeHeader(&png, &random)
        case 9:
            let data = random.bytes(random.below(random.oneIn(8) ? 70_000 : 64))
            png.chunks.insert(PNGChunks.Chunk(random.pick(Self.types) ?? "tEXt", data), at: one)
        default:
            if random.oneIn(4) {
                png.signature[random.below(8)] = random.byte()
            } else {
                // A chunk in two: legal for IDAT, not for others.
                let data = png.chunks[one].data
                let cut = random.below(data.count + 1)
                var second = png.chunks[one]
                png.chunks[one].data = Array(data[..<cut])
                second.data = Array(data[cut...])
                png.chunks.insert(second, at: one + 1)
            }
        }
        return png.bytes
    }

    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var png = PNGChunks(bytes), !png.chunks.isEmpty else { return bytes }
        switch random.below(10) {
        case 0...5: changePixels(&png, &random)
        case 6: changeHeader(&png, &random)
        default:
            let filled = png.chunks.indices.filter { !png.chunks[$0].data.isEmpty && png.chunks[$0].name != "IHDR" }
            if let one = random.pick(filled) { random.changeBytes(&png.chunks[one].data) }
        }
        return png.bytes
    }

    /// Other pixels, filters or rows: unpacked, changed, packed again.
    private func changePixels(_ png: inout PNGChunks, _ random: inout FuzzRandom) {
        let places = png.chunks.indices.filter { png.chunks[$0].name == "IDAT" }
        guard let first = places.first, var pixels = Zlib.unpack(places.flatMap { png.chunks[$0].data }) else { return }
        switch random.below(4) {
        case 0: pixels.removeLast(min(pixels.count, 1 + random.below(64)))
        case 1: pixels += random.bytes(1 + random.below(64))
        default: random.changeBytes(&pixels)
        }
        png.chunks[first].data = Zlib.store(pixels)
        for place in places.dropFirst().reversed() { png.chunks.remove(at: place) }
    }

    private func changeHeader(_ png: inout PNGChunks, _ random: inout FuzzRandom) {
        guard let header = png.chunks.firstIndex(where: { $0.name == "IHDR" && $0.data.count == 13 }) else { return }
        let field = random.below(7)
        if field < 2 {
            let now = UInt64(png.chunks[header].data.bigEndian32(at: field * 4) ?? 0)
            let value = UInt32(truncatingIfNeeded: random.interesting(near: now))
            png.chunks[header].data.set(bigEndian: value, at: field * 4)
        } else {
            // Depth 1, 2, 4, 8, 16 and colour type 0, 2, 3, 4, 6 are legal; others now and then.
            let values: [UInt8] = [0, 1, 2, 3, 4, 6, 8, 16]
            png.chunks[header].data[field + 6] = random.oneIn(4) ? random.byte() : values[random.below(values.count)]
        }
    }
}
