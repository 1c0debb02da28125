/// A RIFF file, such as WebP, as its chunks, whatever they hold.
public struct RIFFChunks: Sendable {
    /// One chunk. A length that is set is written as it stands, right or wrong.
    public struct Chunk: Sendable {
        public var type: [UInt8]
        public var data: [UInt8]
        var declaredLength: UInt64?
    }

    /// The form of the file: `WEBP`.
    var form: [UInt8]
    public var chunks: [Chunk] = []
    var declaredLength: UInt64?

    /// Reads the chunks; nil if a length is wrong, or bytes are left over.
    public init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Array("RIFF".utf8)), bytes.count >= 12,
            bytes.number(at: 4, bytes: 4, bigEndian: false) == UInt64(bytes.count - 8)
        else { return nil }
        form = Array(bytes[8..<12])
        var place = 12
        while place < bytes.count {
            guard let length = bytes.number(at: place + 4, bytes: 4, bigEndian: false) else { return nil }
            let end = place + 8 + Int(length)
            guard end + Int(length) % 2 <= bytes.count else { return nil }
            chunks.append(Chunk(type: Array(bytes[place..<place + 4]), data: Array(bytes[place + 8..<end])))
            place = end + Int(length) % 2
        }
    }

    /// The file.
    public var bytes: [UInt8] {
        var body: [UInt8] = []
        for chunk in chunks {
            let length = chunk.declaredLength ?? UInt64(chunk.data.count)
            body += chunk.type
            body += [UInt8].number(length, bytes: 4, bigEndian: false)
            body += chunk.data
            if chunk.data.count % 2 == 1 { body.append(0) }
        }
        let length = declaredLength ?? UInt64(body.count + 4)
        return Array("RIFF".utf8) + [UInt8].number(length, bytes: 4, bigEndian: false) + form + body
    }
}

/// Damages WebP by its chunks.
struct RIFFMutator: Mutator {
    private static let types = ["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP", "EXIF", "XMP ", "XXXX"]

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var file = RIFFChunks(bytes), !file.chunks.isEmpty else { return bytes }
        let one = random.below(file.chunks.count)
        switch random.below(7) {
        case 0, 1: file.chunks.disorder(&random)
        case 2: file.chunks[one].type = Array((random.pick(Self.types) ?? "VP8 ").utf8)
        case 3:
            file.chunks[one].declaredLength = random.interesting(near: UInt64(file.chunks[one].data.count))
        case 4: file.declaredLength = random.interesting(near: UInt64(bytes.count - 8))
        case 5: random.changeBytes(&file.form)
        default:
            // Sides in 24 bits, and flags for chunks that need not be there.
            var header = random.bytes(10)
            if random.oneIn(2) { header = [random.byte(), 0, 0, 0, 44, 0, 0, 36, 0, 0] }
            file.chunks.insert(RIFFChunks.Chunk(type: Array("VP8X".utf8), data: header), at: random.oneIn(3) ? one : 0)
        }
        return file.bytes
    }

    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var file = RIFFChunks(bytes) else { return bytes }
        let filled = file.chunks.indices.filter { !file.chunks[$0].data.isEmpty }
        guard let one = random.pick(filled) else { return bytes }
        if random.oneIn(3) {
            // The start of a chunk says how the rest is read.
            let place = random.below(min(16, file.chunks[one].data.count))
            file.chunks[one].data[place] = random.byte()
        } else {
            random.changeBytes(&file.chunks[one].data)
        }
        return file.bytes
    }
}
