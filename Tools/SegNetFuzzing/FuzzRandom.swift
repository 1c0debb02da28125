/// A small random number generator (SplitMix64) whose draws are the same on every platform and with every compiler.
///
/// `Int.random(in:using:)` may change its way of drawing between releases of Swift; a file that once broke a reader must
/// come back from its seed and number alone, so the draws are spelled out here.
public struct FuzzRandom: Sendable {
    private var state: UInt64

    /// A generator for one file of a campaign.
    /// - Parameters:
    ///   - seed: The campaign's seed.
    ///   - stream: The file's number; neighbours give unrelated draws.
    public init(seed: UInt64, stream: UInt64 = 0) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 ^ (stream &+ 1) &* 0xD1B5_4A32_D192_ED03
        _ = next()
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in 0 ..< `bound`; 0 when the bound is not positive. The bias of the remainder does not matter here.
    public mutating func below(_ bound: Int) -> Int {
        bound > 0 ? Int(next() >> 1) % bound : 0
    }

    /// True in one case of `n`.
    public mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

    /// A random byte.
    public mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

    /// Random bytes, or one byte repeated, or zeros.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        switch below(3) {
        case 0: [UInt8](repeating: 0, count: count)
        case 1: [UInt8](repeating: byte(), count: count)
        default: (0..<count).map { _ in byte() }
        }
    }

    /// One of the values, nil of none.
    public mutating func pick<Values: RandomAccessCollection>(_ values: Values) -> Values.Element? {
        values.isEmpty ? nil : values[values.index(values.startIndex, offsetBy: below(values.count))]
    }

    /// A value near the places where sizes and signs go wrong, or near `value`, or any.
    public mutating func interesting(near value: UInt64) -> UInt64 {
        let edges: [UInt64] = [
            0, 1, 2, 3, 15, 16, 17, 127, 128, 255, 256, 4095, 4096, 32767, 32768, 65535, 65536, 1 << 24, 0x7FFF_FFFF,
            0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 1 << 40, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, .max,
            .max - 1,
        ]
        switch below(8) {
        case 0: return value &+ 1
        case 1: return value &- 1
        case 2: return value &* 2
        case 3: return value / 2
        case 4: return next() >> UInt64(below(64))
        case 5: return value ^ (1 << UInt64(below(32)))
        default: return edges[below(edges.count)]
        }
    }

    /// Changes a few bytes in place; the count stays. Nothing happens to an empty array.
    public mutating func changeBytes(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        for _ in 0..<(1 + below(8)) {
            let place = below(bytes.count)
            switch below(4) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][below(6)]
            case 2: bytes[place] = byte()
            default:
                let run = min(bytes.count - place, 1 + below(16))
                bytes.replaceSubrange(place..<(place + run), with: self.bytes(run))
            }
        }
    }
}

extension Array {
    /// Swaps, repeats, removes or moves one element: what every format's structure can suffer.
    mutating func disorder(_ random: inout FuzzRandom) {
        guard !isEmpty else { return }
        let one = random.below(count)
        let other = random.below(count)
        switch random.below(4) {
        case 0: swapAt(one, other)
        case 1: insert(self[one], at: other)
        case 2: remove(at: one)
        default: insert(remove(at: one), at: Swift.min(other, count))
        }
    }
}
