/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4), by which event files protect their records.
enum CRC32C {
    /// The remainder of each byte; 0x82F63B78 is the polynomial with its bits reversed.
    private static let remainders: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0x82F6_3B78 }
    }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var rest = UInt32.max
        for byte in bytes { rest = rest >> 8 ^ remainders[Int(UInt8(truncatingIfNeeded: rest) ^ byte)] }
        return ~rest
    }

    /// The checksum as records store it: rotated and shifted by a constant, since a check over bytes that hold their own check is weak.
    static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let sum = checksum(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }
}
