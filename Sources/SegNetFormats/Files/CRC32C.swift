/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4): event files protect their records by it, checkpoints
/// their contents. It finds every error of up to 32 neighbouring bits.
package struct CRC32C {
    private var rest = UInt32.max

    package init() {}

    /// The checksum of all bytes so far.
    package var checksum: UInt32 { ~rest }

    /// Tables 0...7, one after the other: the remainder of each byte with 0...7 bytes of zeros behind it, so that eight bytes are taken at
    /// once ("slicing by 8", Kounavis and Berry 2005). 0x82F63B78 is the polynomial with its bits reversed.
    private static let remainders: [UInt32] = {
        var tables: [UInt32] = []
        for byte in 0..<256 {
            var rest = UInt32(byte)
            for _ in 0..<8 { rest = rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0x82F6_3B78 }
            tables.append(rest)
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
        }
        return tables
    }()

    /// Takes more bytes.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var rest = rest
        Self.remainders.withUnsafeBufferPointer { table in
            func remainder(_ word: UInt32, _ byte: UInt32, zeros: Int) -> UInt32 {
                table[256 * zeros + Int(word >> (8 * byte) & 0xFF)]
            }
            var offset = 0
            while bytes.count - offset >= 8 {
                let first = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) ^ rest
                let second = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
                let left = remainder(first, 0, zeros: 7) ^ remainder(first, 1, zeros: 6)
                let middle = remainder(first, 2, zeros: 5) ^ remainder(first, 3, zeros: 4)
                let right = remainder(second, 0, zeros: 3) ^ remainder(second, 1, zeros: 2)
                rest = left ^ middle ^ right ^ remainder(second, 2, zeros: 1) ^ remainder(second, 3, zeros: 0)
                offset += 8
            }
            for index in offset..<bytes.count {
                rest = rest >> 8 ^ table[Int(UInt8(truncatingIfNeeded: rest) ^ bytes[index])]
            }
        }
        self.rest = rest
    }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var check = CRC32C()
        Array(bytes).withUnsafeBytes { check.add($0) }
        return check.checksum
    }

    /// The checksum as records store it: rotated and shifted by a constant, since a check over bytes that hold their own check is weak.
    static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let sum = checksum(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }
}
