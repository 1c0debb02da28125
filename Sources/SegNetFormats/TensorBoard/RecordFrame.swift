/// One record of an event file, the frame of TensorFlow's TFRecord: the length (8 bytes), its check (4), the content, its check (4), all
/// little endian. A record that was cut short, or damaged, shows.
enum RecordFrame {
    /// Bytes in front of the content.
    private static let head = 12
    /// Bytes behind it.
    private static let tail = 4

    /// The record around a content.
    static func bytes(around content: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(content.count))
        return length + littleEndian(CRC32C.masked(length)) + content + littleEndian(CRC32C.masked(content))
    }

    /// The content of the record that begins at an offset, and where the next begins; nil if the rest is not a whole
    /// record.
    static func record(in bytes: UnsafeRawBufferPointer, at start: Int) -> (content: Range<Int>, next: Int)? {
        guard start <= bytes.count, bytes.count - start >= head + tail else { return nil }
        let length = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self).littleEndian
        guard length <= UInt64(bytes.count - start - head - tail),
            check(bytes, start + 8) == CRC32C.masked(bytes[start..<start + 8])
        else { return nil }
        let content = start + head..<start + head + Int(length)
        guard check(bytes, content.upperBound) == CRC32C.masked(bytes[content]) else { return nil }
        return (content, content.upperBound + tail)
    }

    private static func check(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
