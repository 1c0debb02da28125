/// A GIF as its header, its colours and its blocks, whatever they hold.
public struct GIFBlocks: Sendable {
    /// Signature, size of the canvas, flags, and the global colour table.
    public var header: [UInt8]
    /// An extension (0x21), a frame (0x2C) or the end (0x3B): what comes before its pieces, and the pieces, each up to 255 bytes.
    public struct Block: Sendable {
        public var start: [UInt8]
        /// Nil for the end, which has none.
        public var pieces: [[UInt8]]?
        /// Written in place of the first piece's length.
        var declaredLength: UInt8?
    }

    public var blocks: [Block] = []

    /// Reads the blocks; nil if a length leads beyond the end, or bytes are left over.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= 13, bytes.starts(with: Array("GIF8".utf8)) else { return nil }
        func colors(_ flags: UInt8) -> Int { flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1) }
        var place = 13 + colors(bytes[10])
        guard place <= bytes.count else { return nil }
        header = Array(bytes[..<place])
        while place < bytes.count {
            let begin = place
            switch bytes[place] {
            case 0x21: place += 2
            case 0x2C:
                guard place + 10 <= bytes.count else { return nil }
                // Left, top, width, height, flags; a table of its own; the codes' first size.
                place += 10 + colors(bytes[place + 9]) + 1
            case 0x3B:
                blocks.append(Block(start: [0x3B], pieces: nil))
                place += 1
                continue
            default: return nil
            }
            guard place <= bytes.count else { return nil }
            var block = Block(start: Array(bytes[begin..<place]), pieces: [])
            while true {
                guard place < bytes.count else { return nil }
                let length = Int(bytes[place])
                place += 1
                if length == 0 { break }
                guard place + length <= bytes.count else { return nil }
                block.pieces?.append(Array(bytes[place..<place + length]))
                place += length
            }
            blocks.append(block)
        }
    }

    /// The file.
    public var bytes: [UInt8] {
        var out = header
        for block in blocks {
            out += block.start
            guard let pieces = block.pieces else { continue }
            for (index, piece) in pieces.enumerated() {
                let length = UInt8(clamping: piece.count)
                out.append(index == 0 ? block.declaredLength ?? length : length)
                out += piece
            }
            out.append(0)
        }
        return out
    }
}

/// Damages GIF by its blocks.
struct GIFMutator: Mutator {
    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var file = GIFBlocks(bytes), !file.blocks.isEmpty else { return bytes }
        let one = random.below(file.blocks.count)
        switch random.below(6) {
        case 0, 1: file.blocks.disorder(&random)
        case 2: file.blocks[one].declaredLength = random.byte()
        case 3: file.header[random.below(min(13, file.header.count))] = random.byte()
        case 4: file.blocks[one].start[random.below(file.blocks[one].start.count)] = random.byte()
        default: file.blocks[one].pieces?.disorder(&random)
        }
        return file.bytes
    }

    /// Sizes of frames and canvas, colours, flags and codes; blocks and their lengths stay.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var file = GIFBlocks(bytes) else { return bytes }
        let frames = file.blocks.indices.filter { file.blocks[$0].start.first == 0x2C }
        let filled = file.blocks.indices.filter { file.blocks[$0].pieces?.isEmpty == false }
        switch random.below(6) {
        case 0:
            let place = 6 + 2 * random.below(2)
            file.header.set(random.interesting(near: 45), at: place, bytes: 2, bigEndian: false)
        case 1:
            guard let frame = random.pick(frames) else { return bytes }
            let place = 1 + 2 * random.below(4)
            file.blocks[frame].start.set(random.interesting(near: 45), at: place, bytes: 2, bigEndian: false)
        case 2:
            guard let frame = random.pick(frames) else { return bytes }
            // The interlacing, and the codes' first size.
            file.blocks[frame].start[9] ^= 0x40
            if random.oneIn(2) { file.blocks[frame].start[file.blocks[frame].start.count - 1] = random.byte() & 15 }
        default:
            guard let one = random.pick(filled), var pieces = file.blocks[one].pieces,
                let piece = random.pick(pieces.indices)
            else { return bytes }
            random.changeBytes(&pieces[piece])
            file.blocks[one].pieces = pieces
        }
        return file.bytes
    }
}
