/// Numbers of 1 to 8 bytes in either order: what binary formats are made of.
extension [UInt8] {
    /// The number at a place; nil beyond the end.
    func number(at place: Int, bytes: Int, bigEndian: Bool) -> UInt64? {
        guard place >= 0, place <= count - bytes else { return nil }
        let digits = self[place..<place + bytes]
        return bigEndian
            ? digits.reduce(0) { $0 << 8 | UInt64($1) } : digits.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Writes a number, cut to its bytes; nothing happens beyond the end.
    mutating func set(_ value: UInt64, at place: Int, bytes: Int, bigEndian: Bool) {
        guard place >= 0, place <= count - bytes else { return }
        for index in 0..<bytes {
            let shift = UInt64(8 * (bigEndian ? bytes - 1 - index : index))
            self[place + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    /// A number as bytes.
    static func number(_ value: UInt64, bytes: Int, bigEndian: Bool) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: bytes)
        out.set(value, at: 0, bytes: bytes, bigEndian: bigEndian)
        return out
    }
}
