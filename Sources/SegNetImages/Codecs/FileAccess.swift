internal import CSegNetCodecs
package import SegNetPlatform

/// Whole files, read within a limit and written so that no name ever belongs to half a file.
package enum FileAccess {
    /// What a path leads to.
    package enum Kind {
        case missing
        case folder
        case file
        /// A pipe or a device: reading it may never end.
        case other
    }

    /// What a path leads to, links followed.
    package static func kind(of path: String) -> Kind {
        var status = stat()
        guard RawFileName.withPath(path, { stat($0, &status) }) == 0 else { return .missing }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// Why a path leads to no text that can be read, beginning with a verb.
    package static func problem(of path: String) -> String {
        switch kind(of: path) {
        case .missing: "there is no such file"
        case .folder: "is a folder, not a file"
        case .file, .other: "cannot be read"
        }
    }

    /// The bytes of a regular file; nil if there is none, or if it cannot be read. A pipe is never opened: that would wait for whoever has
    /// its other end.
    package static func contents(of url: URL) -> Data? {
        let path = url.path(percentEncoded: false)
        return kind(of: path) == .file ? FileManager.default.contents(atPath: path) : nil
    }

    /// The bytes of a file; a path may be of any bytes (`RawFileName`).
    /// - Throws: `ImageError` if it cannot be read, or has more than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(ImageError) -> [UInt8] {
        var code: Int32 = 0
        var systemError: Int32 = 0
        let bytes = codecBytes { bytes, count in
            code = RawFileName.withPath(path) { snc_file_read($0, max(limit, 0), bytes, count, &systemError) }
        }
        try check(code, systemError, path, limit)
        return bytes
    }

    /// The first bytes of a regular file.
    package static func readStart(_ path: String, most: Int) throws(ImageError) -> [UInt8] {
        var code: Int32 = 0
        var systemError: Int32 = 0
        let bytes = codecBytes { bytes, count in
            code = RawFileName.withPath(path) { snc_file_read_start($0, max(most, 0), bytes, count, &systemError) }
        }
        try check(code, systemError, path, most)
        return bytes
    }

    private static func check(_ code: Int32, _ systemError: Int32, _ path: String, _ limit: Int) throws(ImageError) {
        switch UInt32(bitPattern: code) {
        case 0: return
        case SNC_FILE_TOO_LARGE.rawValue: throw ImageError(path, .fileTooLarge(limit: limit))
        case SNC_FILE_NO_MEMORY.rawValue: throw ImageError(path, .unreadable("out of memory"))
        default: throw ImageError(path, .unreadable(words(systemError)))
        }
    }

    /// Writes under a temporary name, then renames. Links stay links; devices and pipes are written to.
    package static func write(_ bytes: [UInt8], to path: String) throws(ImageError) {
        var systemError: Int32 = 0
        // An array without elements has no address.
        let code = (bytes.isEmpty ? [0] : bytes).withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return Int32(0) }
            return RawFileName.withPath(path) { snc_file_write($0, start, bytes.count, &systemError) }
        }
        guard code == 0 else {
            throw ImageError(path, .unwritable(systemError == 0 ? "out of memory" : words(systemError)))
        }
    }

    private static func words(_ systemError: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(SNC_MESSAGE_BYTES)) { message in
            guard let start = message.baseAddress else { return "" }
            message.initialize(repeating: 0)
            snc_file_error_text(systemError, start)
            return String(cString: start)
        }
    }
}
