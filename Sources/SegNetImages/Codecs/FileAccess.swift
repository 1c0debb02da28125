internal import CSegNetCodecs

/// Whole files, read within a limit and written so that no name ever belongs to half a file.
enum FileAccess {
    static func read(_ path: String, limit: Int) throws(ImageError) -> [UInt8] {
        var code: Int32 = 0
        var systemError: Int32 = 0
        let bytes = codecBytes { bytes, count in
            code = snc_file_read(path, max(limit, 0), bytes, count, &systemError)
        }
        switch UInt32(bitPattern: code) {
        case 0: return bytes
        case SNC_FILE_TOO_LARGE.rawValue: throw ImageError(path, .fileTooLarge(limit: limit))
        case SNC_FILE_NO_MEMORY.rawValue: throw ImageError(path, .unreadable("out of memory"))
        default: throw ImageError(path, .unreadable(words(systemError)))
        }
    }

    /// Writes under a temporary name, then renames.
    static func write(_ bytes: [UInt8], to path: String) throws(ImageError) {
        var systemError: Int32 = 0
        let code = bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return Int32(0) }
            return snc_file_write(path, start, buffer.count, &systemError)
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
