import SegNetToolkit

/// Standard input, read whole.
enum StandardInput {
    /// - Throws: `StandardInputError` if there is more than a picture may have, or nothing can be read.
    static func read(limit: Int = DecodingLimits().maximumFileBytes) throws(StandardInputError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { SegNetPlatform.read(0, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StandardInputError(problem: "cannot be read; redirect a file to it.") }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else {
                throw StandardInputError(problem: "holds more than \(limit) bytes, the limit for one picture.")
            }
            bytes += chunk[..<count]
        }
    }
}

/// The picture on standard input cannot be had.
struct StandardInputError: Error, CustomStringConvertible {
    var problem: String
    var description: String { "standard input: \(problem)" }
}
