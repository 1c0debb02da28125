import SegNetToolkit

/// The token that clients must send, read from a file, so that it does not appear in a process list.
public struct BearerToken: Sendable {
    private let bytes: [UInt8]

    /// - Throws: `ServiceError` if the token could not be sent in a header.
    public init(_ token: String) throws(ServiceError) {
        let bytes = Array(token.utf8)
        guard bytes.count >= 8, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ServiceError(
                "the token has to be at least 8 printable ASCII characters without spaces; make one with 'openssl rand -hex 32'."
            )
        }
        self.bytes = bytes
    }

    /// Reads the first line of a file.
    /// - Throws: `ServiceError` naming the file.
    public init(file: String) throws(ServiceError) {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ServiceError("\(file): the token file cannot be read; check the path and its permissions.")
        }
        let line = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).first ?? Data()
        let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        do throws(ServiceError) {
            try self.init(text)
        } catch {
            throw ServiceError("\(file): \(error)")
        }
    }

    /// Whether an `Authorization` header shows the token. Takes the same time whichever characters differ.
    func accepts(_ header: String?) -> Bool {
        guard let header, header.count > 7, header.prefix(7).lowercased() == "bearer " else { return false }
        let shown = Array(header.utf8.dropFirst(7).drop { $0 == UInt8(ascii: " ") })
        var difference = shown.count ^ bytes.count
        for index in bytes.indices {
            difference |= Int(bytes[index] ^ (index < shown.count ? shown[index] : 0))
        }
        return difference == 0
    }
}
