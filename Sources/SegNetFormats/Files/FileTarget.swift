package import SegNetPlatform

/// Where the bytes of a file to write go. A link leads to its file, which is replaced, and stays a link. A device, a pipe or an open file
/// such as `/dev/stdout` is written as it is: to replace `/dev/stdout` by a file would break the machine for everybody.
/// `CSegNetCodecs/file.c` has the same rule for pictures.
package struct FileTarget {
    /// The path without links, where its file is replaced.
    package let path: String
    package let isReplaced: Bool
    /// Whether a folder is there, which no file can replace.
    let isFolder: Bool
    /// Who may do what with the file that is replaced; nil if there is none yet. The new one is not to be open to more people.
    package let permissions: mode_t?

    package init(_ path: String) {
        var status = stat()
        guard !Self.isDescriptor(path) else {
            (self.path, isReplaced, isFolder, permissions) = (path, false, false, nil)
            return
        }
        guard stat(path, &status) == 0 else {
            let end = Self.endOfLinks(path)
            // Where links lead round in a circle, opening the path says so.
            (self.path, isReplaced, isFolder, permissions) = (end ?? path, end != nil, false, nil)
            return
        }
        let kind = status.st_mode & S_IFMT
        isFolder = kind == S_IFDIR
        isReplaced = kind == S_IFREG || isFolder
        permissions = kind == S_IFREG ? status.st_mode & 0o777 : nil
        guard isReplaced, let resolved = realpath(path, nil) else {
            self.path = path
            return
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
    }

    /// Whether a path names an open file of this process: what a shell has put there is appended to, as by every program.
    private static func isDescriptor(_ path: String) -> Bool {
        ["/dev/stdout", "/dev/stderr"].contains(path) || ["/dev/fd/", "/proc/self/fd/"].contains(where: path.hasPrefix)
    }

    /// The file to which a symbolic link leads, where that does not exist yet; the path itself if it is not a link; nil for links in a circle.
    private static func endOfLinks(_ path: String) -> String? {
        var place = path
        // As many links as Linux follows.
        for _ in 0...40 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else { return place }
            let folder = place.lastIndex(of: "/").map { String(place[...$0]) } ?? ""
            place = target.hasPrefix("/") ? target : folder + target
        }
        return nil
    }

    /// The permissions with which a temporary file is made that will become this one: its writer needs to open it again.
    package var temporaryPermissions: mode_t { permissions.map { $0 | S_IRUSR | S_IWUSR } ?? 0o666 }

    /// Gives a temporary file the permissions of the file that it replaces, and its name.
    /// - Returns: Whether that was done; otherwise `errno` has the cause.
    func put(_ temporary: String) -> Bool {
        // Some file systems have no permissions to set.
        if let permissions { _ = chmod(temporary, permissions) }
        return rename(temporary, path) == 0
    }

    /// Sees that a file can be written, before work is done for it. A pipe is not opened: its reader would take that for the end.
    /// - Throws: `FormatError` if the folder does not allow it, or the name is a folder's.
    package static func requireWritable(_ url: URL) throws(FormatError) {
        if FileTarget(url.path).isReplaced { _ = try FileWriter(replacing: url) }
    }

    /// Writes a whole file, or nothing.
    /// - Throws: `FormatError` that names the file.
    package static func write(_ text: String, to path: String) throws(FormatError) {
        var writer = try FileWriter(replacing: URL(filePath: path))
        try writer.write(text)
        try writer.finish(durable: false)
    }
}
