/// The process's standard streams, without a buffer of ours: lines of several threads do not mix, and a program that reads our lines from a
/// pipe has them at once.
public enum StandardStream {
    /// Writes a text as far as somebody reads it.
    /// - Parameter descriptor: 1 standard output, 2 standard error.
    /// - Returns: 0, or the system's number of what went wrong (EPIPE where nobody reads).
    @discardableResult
    public static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
    }

    /// The same for bytes.
    @discardableResult
    public static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { write($0, to: descriptor) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var rest = bytes
        while !rest.isEmpty {
            let count = SegNetPlatform.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return errno }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
        return 0
    }
}
