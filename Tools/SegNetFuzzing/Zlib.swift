/// zlib streams (RFC 1950, 1951), plainly: enough to open a PNG's pixels, change them, and close them again.
///
/// Slow and small on purpose; no reader of the package uses it.
public enum Zlib {
    /// Packs bytes into stored (uncompressed) blocks with a right Adler-32.
    public static func store(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65535, bytes.count)
            let count = UInt16(end - start)
            out.append(end == bytes.count ? 1 : 0)
            for value in [count, ~count] { out += [UInt8(value & 0xFF), UInt8(value >> 8)] }
            out += bytes[start..<end]
            start = end
        } while start < bytes.count
        let adler = Checksums.adler32(bytes)
        return out + (0..<4).map { UInt8(truncatingIfNeeded: adler >> (24 - 8 * UInt32($0))) }
    }

    /// Unpacks a stream of at most `limit` bytes; nil if it is damaged or longer. The Adler-32 is not looked at.
    public static func unpack(_ stream: [UInt8], limit: Int = 1 << 24) -> [UInt8]? {
        guard stream.count > 2, stream[0] & 15 == 8 else { return nil }
        var bits = BitReader(bytes: stream, position: 16)
        var out: [UInt8] = []
        while true {
            guard let isLast = bits.take(1), let kind = bits.take(2) else { return nil }
            switch kind {
            case 0:
                bits.position = (bits.position + 7) & ~7
                guard let count = bits.take(16), bits.take(16) != nil else { return nil }
                for _ in 0..<count {
                    guard let byte = bits.take(8) else { return nil }
                    out.append(UInt8(byte))
                }
            case 1:
                let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
                let distances = Huffman([Int](repeating: 5, count: 30))
                guard inflate(&bits, Huffman(lengths), distances, &out, limit) else { return nil }
            case 2:
                guard let (literals, distances) = codes(&bits), inflate(&bits, literals, distances, &out, limit) else {
                    return nil
                }
            default: return nil
            }
            if out.count > limit { return nil }
            if isLast == 1 { return out }
        }
    }

    private struct BitReader {
        let bytes: [UInt8]
        var position: Int

        mutating func take(_ count: Int) -> Int? {
            guard position + count <= bytes.count * 8 else { return nil }
            var value = 0
            for bit in 0..<count {
                value |= Int(bytes[position >> 3] >> UInt8(position & 7) & 1) << bit
                position += 1
            }
            return value
        }
    }

    /// A canonical Huffman code, decoded bit by bit: codes of one length are consecutive numbers.
    private struct Huffman {
        private var counts = [Int](repeating: 0, count: 16)
        private var symbols: [Int]

        init(_ lengths: [Int]) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            symbols = lengths.indices.filter { lengths[$0] > 0 }.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
        }

        func symbol(_ bits: inout BitReader) -> Int? {
            var code = 0
            var first = 0
            var index = 0
            for length in 1..<16 {
                guard let bit = bits.take(1) else { return nil }
                code |= bit
                if code - first < counts[length] { return symbols[index + code - first] }
                index += counts[length]
                first = (first + counts[length]) << 1
                code <<= 1
            }
            return nil
        }
    }

    private static func codes(_ bits: inout BitReader) -> (Huffman, Huffman)? {
        guard let literals = bits.take(5), let distances = bits.take(5), let known = bits.take(4) else { return nil }
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var meta = [Int](repeating: 0, count: 19)
        for place in order.prefix(known + 4) {
            guard let length = bits.take(3) else { return nil }
            meta[place] = length
        }
        let code = Huffman(meta)
        let total = literals + 257 + distances + 1
        var lengths: [Int] = []
        while lengths.count < total {
            guard let symbol = code.symbol(&bits) else { return nil }
            switch symbol {
            case 16:
                guard let last = lengths.last, let more = bits.take(2) else { return nil }
                lengths += [Int](repeating: last, count: more + 3)
            case 17, 18:
                guard let more = bits.take(symbol == 17 ? 3 : 7) else { return nil }
                lengths += [Int](repeating: 0, count: more + (symbol == 17 ? 3 : 11))
            default: lengths.append(symbol)
            }
        }
        guard lengths.count == total else { return nil }
        return (Huffman(Array(lengths.prefix(literals + 257))), Huffman(Array(lengths.suffix(distances + 1))))
    }

    private static func inflate(
        _ bits: inout BitReader,
        _ literals: Huffman,
        _ distances: Huffman,
        _ out: inout [UInt8],
        _ limit: Int
    ) -> Bool {
        while out.count <= limit {
            guard let symbol = literals.symbol(&bits) else { return false }
            if symbol < 256 {
                out.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return true }
            // Lengths 3...10 have no extra bits, then four codes each with 1, 2, ... 5; 285 is 258 alone.
            let code = symbol - 257
            guard code < 29 else { return false }
            let lengthBits = code < 8 || code == 28 ? 0 : code / 4 - 1
            let lengthBase = code < 8 ? code + 3 : code == 28 ? 258 : ((4 + code % 4) << lengthBits) + 3
            guard let lengthMore = bits.take(lengthBits), let far = distances.symbol(&bits), far < 30 else {
                return false
            }
            let farBits = far < 4 ? 0 : far / 2 - 1
            let farBase = far < 4 ? far + 1 : ((2 + far % 2) << farBits) + 1
            guard let farMore = bits.take(farBits), farBase + farMore <= out.count else { return false }
            for _ in 0..<(lengthBase + lengthMore) { out.append(out[out.count - farBase - farMore]) }
        }
        return false
    }
}
