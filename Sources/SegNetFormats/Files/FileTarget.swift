import SegNetPlatform

/// Where the bytes of a file to write go. A link leads to its file, which is replaced, and stays a link. A device or a pipe is written as
/// it is: to replace `/dev/stdout` by a file would break the machine for everybody.
package struct FileTarget {
    /// The path without links, where its file is replaced.
    package let path: String
    package let isReplaced: Bool

    package init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            // A new file.
            (self.path, isReplaced) = (path, true)
            return
        }
        let kind = status.st_mode & S_IFMT
        isReplaced = (kind == S_IFREG || kind == S_IFDIR) && !path.hasPrefix("/dev/")
        guard isReplaced, let resolved = realpath(path, nil) else {
            self.path = path
            return
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
    }

    /// Writes a whole file, or nothing.
    /// - Throws: `FormatError` that names the file.
    package static func write(_ text: String, to path: String) throws(FormatError) {
        var writer = try FileWriter(replacing: URL(filePath: path))
        try writer.write(text)
        try writer.finish(durable: false)
    }
}
