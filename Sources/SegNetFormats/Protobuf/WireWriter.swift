/// The few pieces of protobuf's wire format that a writer of big files needs: the rest comes from swift-protobuf.
enum WireWriter {
    /// The bytes of a varint.
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }

    /// The prefix of a string, message or packed list: its number and its length.
    static func prefix(field number: Int, length: Int) -> [UInt8] {
        varint(UInt64(number) << 3 | 2) + varint(UInt64(length))
    }
}
