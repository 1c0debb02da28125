/// Bytes of a file, at least one, read by position; a position outside gives nil, never a trap.
struct ByteReader {
    let start: UnsafePointer<UInt8>
    let count: Int

    /// Calls a function with a file's bytes.
    /// - Throws: `empty` if there are none, and what the function throws.
    static func read<Result>(
        _ bytes: [UInt8],
        _ body: (ByteReader) throws(ImageError) -> Result
    ) throws(ImageError) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) -> Result in
            guard let start = buffer.baseAddress, !buffer.isEmpty else { throw ImageError(nil, .empty) }
            return try body(ByteReader(start: start, count: buffer.count))
        }
    }

    /// The byte at a position.
    func byte(at position: Int) -> UInt8? {
        position >= 0 && position < count ? start[position] : nil
    }

    /// Two bytes at a position.
    func word(at position: Int, bigEndian: Bool = true) -> Int? {
        guard let first = byte(at: position), let second = byte(at: position + 1) else { return nil }
        return bigEndian ? Int(first) << 8 | Int(second) : Int(second) << 8 | Int(first)
    }

    /// Four bytes at a position.
    func longWord(at position: Int, bigEndian: Bool = true) -> Int? {
        guard let first = word(at: position, bigEndian: bigEndian),
            let second = word(at: position + 2, bigEndian: bigEndian)
        else { return nil }
        return bigEndian ? first << 16 | second : second << 16 | first
    }

    /// Whether the bytes at a position are these.
    func has(_ expected: [UInt8], at position: Int = 0) -> Bool {
        guard position >= 0, count >= expected.count, position <= count - expected.count else { return false }
        return expected.indices.allSatisfy { start[position + $0] == expected[$0] }
    }

    /// Whether the bytes at a position spell this ASCII text.
    func has(_ text: String, at position: Int = 0) -> Bool { has(Array(text.utf8), at: position) }
}
