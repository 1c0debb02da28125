public import SegNetPlatform

/// A file's bytes as memory, read from the disk page by page when they are touched.
///
/// The file must not be shortened while it is open: the system ends a program that touches a page that is gone.
/// Writers that replace files by renaming, as ours do, never shorten one.
public final class MappedFile: Sendable {
    /// The file, as the caller named it, for messages.
    public let name: String
    /// The number of bytes.
    public let count: Int

    // Safe to share: the memory is mapped read-only, and only `deinit` takes it away.
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    /// Maps a regular file. Nothing is read yet.
    /// - Throws: `FormatError` if the file cannot be opened, is not a regular file or cannot be mapped.
    public init(_ url: URL) throws(FormatError) {
        let path = url.path
        name = url.relativePath
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let number = errno
            throw FormatError(
                file: name,
                problem: "cannot be opened (\(Self.systemMessage(number)))",
                advice: number == EACCES ? "Check its permissions" : "Check the path"
            )
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FormatError(file: name, problem: "is not a regular file", advice: "Give the path of a file")
        }
        count = Int(status.st_size)
        guard count > 0 else {
            base = nil
            return
        }
        guard let memory = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
            throw FormatError(file: name, problem: "cannot be mapped into memory (\(Self.systemMessage(errno)))")
        }
        base = UnsafeRawPointer(memory)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// Calls `body` with the file's bytes, which are valid until it returns.
    package func withBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Without this the optimiser may release the file as soon as its address is known.
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Releases the memory of these bytes. They stay valid: touching them reads the file again.
    ///
    /// Whole pages are released, including neighbours of `range` on its first and last page.
    public func release(_ range: Range<Int>) {
        guard let base, !range.isEmpty, range.lowerBound >= 0, range.upperBound <= count else { return }
        let pageSize = max(1, Int(sysconf(Int32(_SC_PAGESIZE))))
        let first = range.lowerBound / pageSize * pageSize
        _ = madvise(UnsafeMutableRawPointer(mutating: base + first), range.upperBound - first, MADV_DONTNEED)
    }

    /// The system's words for an error number, such as "No such file or directory".
    static func systemMessage(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}
