/// Steps through the fields of one protobuf message without decoding what is inside them.
///
/// swift-protobuf decodes a message as a whole, which for a file of weights means a second copy of everything and, while
/// its arrays grow, a third. This reader gives the range of each field's bytes, so that floats go straight from the
/// mapped file to where they are needed.
struct WireReader {
    /// One field: its number and what the wire holds for it.
    struct Field {
        enum Value {
            case varint(UInt64)
            /// Four bytes at this offset.
            case fixed32(Int)
            /// Eight bytes at this offset.
            case fixed64(Int)
            /// A string, message or packed list: the range of its bytes.
            case bytes(Range<Int>)
        }
        let number: Int
        let value: Value
    }

    /// The bytes at `offset` are not protobuf.
    struct WireError: Error {
        let offset: Int
        let problem: String
    }

    /// All bytes of the file; positions are offsets into them.
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    private let end: Int

    /// - Parameter range: The range of the message inside `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field, or nil after the last. Groups, which no Caffe has ever used, are stepped over.
    mutating func next() throws(WireError) -> Field? {
        var groupDepth = 0
        while position < end {
            let start = position
            let tag = try varint()
            let number = Int(truncatingIfNeeded: tag >> 3)
            guard tag <= UInt32.max, number > 0 else {
                throw WireError(offset: start, problem: "field number \(tag >> 3) does not exist")
            }
            let value: Field.Value
            switch tag & 7 {
            case 0: value = .varint(try varint())
            case 1: value = .fixed64(try skip(8).lowerBound)
            case 2:
                let length = try varint()
                guard length <= UInt64(end - position) else {
                    throw WireError(
                        offset: start,
                        problem: "field \(number) says it has \(length) bytes, \(end - position) are left"
                    )
                }
                value = .bytes(try skip(Int(length)))
            case 3:
                groupDepth += 1
                continue
            case 4:
                guard groupDepth > 0 else { throw WireError(offset: start, problem: "a group ends that never began") }
                groupDepth -= 1
                continue
            case 5: value = .fixed32(try skip(4).lowerBound)
            default: throw WireError(offset: start, problem: "wire type \(tag & 7) does not exist")
            }
            if groupDepth == 0 { return Field(number: number, value: value) }
        }
        guard groupDepth == 0 else { throw WireError(offset: position, problem: "a group does not end") }
        return nil
    }

    private mutating func varint() throws(WireError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw WireError(offset: start, problem: position < end ? "a number has too many bytes" : "a number is cut off")
    }

    private mutating func skip(_ count: Int) throws(WireError) -> Range<Int> {
        guard count <= end - position else {
            throw WireError(offset: position, problem: "\(count) bytes are needed, \(end - position) are left")
        }
        defer { position += count }
        return position..<(position + count)
    }
}
