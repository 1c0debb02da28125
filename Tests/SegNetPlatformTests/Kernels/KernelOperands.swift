import CSegNetKernels

/// Seeded random numbers for tests (SplitMix64), the same on every machine.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func float(in range: ClosedRange<Float> = -1...1) -> Float { .random(in: range, using: &self) }

    /// Few different values, so that ties are frequent, and the ones that break rules: zeros of both signs, infinities, NaN.
    mutating func awkward() -> Float {
        let values: [Float] = [
            0, -0.0, 1, 1, -1, -2, .infinity, -.infinity, .nan, -.greatestFiniteMagnitude, .greatestFiniteMagnitude,
            .leastNonzeroMagnitude,
        ]
        return values[Int(next() % UInt64(values.count))]
    }
}

/// A blocked map in guarded memory, `rows` of its `height` rows stored, with a line of space between its channel blocks.
/// As an input its padding lanes are 0. Reading and writing are by channel, row and column.
final class BlockedOperand {
    let channels: Int, height: Int, width: Int, rows: Int
    let memory: GuardedMemory<Float>
    private var stride: Int { (rows * width + 1) * 16 }
    var blocks: Int { (channels + 15) / 16 }

    /// Not written yet: every lane is NaN.
    init(channels: Int, height: Int, width: Int, rows: Int? = nil) {
        (self.channels, self.height, self.width, self.rows) = (channels, height, width, rows ?? height)
        let blocks = (channels + 15) / 16
        memory = GuardedMemory(count: (blocks * ((rows ?? height) * width + 1) - 1) * 16)
    }

    convenience init(_ channels: Int, _ height: Int, _ width: Int, value: (Int, Int, Int) -> Float) {
        self.init(channels: channels, height: height, width: width)
        for c in 0..<blocks * 16 {
            for y in 0..<height {
                for x in 0..<width { self[c, y, x] = c < channels ? value(c, y, x) : 0 }
            }
        }
    }

    var map: sn_map {
        sn_map(data: memory.pointer, blocks: blocks, height: height, width: width, rows: rows, block_stride: stride)
    }

    subscript(c: Int, y: Int, x: Int) -> Float {
        get { memory.pointer[c / 16 * stride + (y % rows * width + x) * 16 + c % 16] }
        set { memory.pointer[c / 16 * stride + (y % rows * width + x) * 16 + c % 16] = newValue }
    }

    /// The first place, if any, that is not what `value` says: real channels by `same`, padding lanes exactly 0, space between
    /// blocks and memory before the map untouched.
    func mismatch(same: (Float, Float) -> Bool = identical, _ value: (Int, Int, Int) -> Float) -> String? {
        for c in 0..<blocks * 16 {
            for y in 0..<height {
                for x in 0..<width {
                    let needed = c < channels ? value(c, y, x) : 0
                    if !(c < channels ? same(self[c, y, x], needed) : self[c, y, x] == 0) {
                        return "channel \(c), row \(y), column \(x): found \(self[c, y, x]), needed \(needed)"
                    }
                }
            }
        }
        for block in 1..<max(blocks, 1) {
            for lane in 0..<16 where memory.pointer[block * stride - 16 + lane].bitPattern != .max {
                return "written between blocks \(block - 1) and \(block)"
            }
        }
        return memory.isIntact ? nil : "written before the map"
    }
}

/// A thin map in guarded memory.
final class ThinOperand {
    let channels: Int, height: Int, width: Int
    let memory: GuardedMemory<Float>

    init(channels: Int, height: Int, width: Int) {
        (self.channels, self.height, self.width) = (channels, height, width)
        memory = GuardedMemory(count: channels * height * width)
    }

    convenience init(_ channels: Int, _ height: Int, _ width: Int, value: (Int, Int, Int) -> Float) {
        self.init(channels: channels, height: height, width: width)
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<channels { memory.pointer[(y * width + x) * channels + c] = value(c, y, x) }
            }
        }
    }

    var thin: sn_thin { sn_thin(data: memory.pointer, channels: channels, height: height, width: width) }

    subscript(c: Int, y: Int, x: Int) -> Float { memory.pointer[(y * width + x) * channels + c] }

    func mismatch(same: (Float, Float) -> Bool = identical, _ value: (Int, Int, Int) -> Float) -> String? {
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<channels where !same(self[c, y, x], value(c, y, x)) {
                    return "channel \(c), row \(y), column \(x): found \(self[c, y, x]), needed \(value(c, y, x))"
                }
            }
        }
        return memory.isIntact ? nil : "written before the map"
    }
}

/// Pooling indices in guarded memory. `self[c, y, x]`: the position 2 * lower + right of a maximum in its window.
final class IndicesOperand {
    let blocks: Int, height: Int, width: Int
    let memory: GuardedMemory<UInt32>

    init(blocks: Int, height: Int, width: Int) {
        (self.blocks, self.height, self.width) = (blocks, height, width)
        memory = GuardedMemory(count: blocks * height * width)
    }

    var indices: sn_indices { sn_indices(data: memory.pointer, blocks: blocks, height: height, width: width) }
    static var none: sn_indices { sn_indices(data: nil, blocks: 0, height: 0, width: 0) }

    subscript(c: Int, y: Int, x: Int) -> Int {
        get {
            let word = memory.pointer[(c / 16 * height + y) * width + x] >> UInt32(c % 16)
            return Int(word & 1) + 2 * Int(word >> 16 & 1)
        }
        set {
            let i = (c / 16 * height + y) * width + x
            let lane = UInt32(c % 16)
            memory.pointer[i] &= ~(0x10001 << lane)
            memory.pointer[i] |= (UInt32(newValue & 1) | UInt32(newValue >> 1) << 16) << lane
        }
    }
}

/// Equal values with equal signs of zero, or both NaN.
func identical(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || a.isNaN && b.isNaN }

/// No map, for epilogues.
extension sn_map {
    static var none: sn_map { sn_map(data: nil, blocks: 0, height: 0, width: 0, rows: 0, block_stride: 0) }
}
