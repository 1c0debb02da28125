import SegNetPlatform

/// Writes a file under a temporary name and renames it at the end, so that half a file never has the final name.
/// If `finish` is not reached, the half is deleted and an older file of that name stays as it was. A device or a pipe is written directly
/// (`FileTarget`).
struct FileWriter: ~Copyable {
    /// The final file, as the caller named it, for messages.
    let name: String
    /// The number of bytes written so far.
    private(set) var count = 0

    private let path: String
    /// Nil for what is written directly.
    private let temporaryPath: String?
    private var descriptor: Int32

    /// Small pieces are gathered here: a system call for each would be most of the time.
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 16

    init(replacing url: URL) throws(FormatError) {
        name = url.relativePath
        let target = FileTarget(url.path)
        path = target.path
        temporaryPath = target.isReplaced ? LeftoverFiles.name(beside: path) : nil
        descriptor =
            temporaryPath.map { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
            ?? open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            let message = MappedFile.systemMessage(errno)
            throw FormatError(
                file: name,
                problem: "cannot be written (\(message))",
                advice: "Check that its folder exists and may be written to"
            )
        }
        // Where no lock can be had, the file is only not known to be in use.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            if let temporaryPath { unlink(temporaryPath) }
        }
    }

    /// Appends bytes.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        count += bytes.count
        if buffer.count + bytes.count <= Self.bufferSize {
            buffer.append(contentsOf: bytes)
            return
        }
        try flush()
        if bytes.count < Self.bufferSize {
            buffer.append(contentsOf: bytes)
        } else {
            try writeThrough(bytes)
        }
    }

    /// Appends bytes.
    mutating func write(_ bytes: [UInt8]) throws(FormatError) {
        // The closure cannot carry a typed throw out of `withUnsafeBytes` of an array, a `Result` can.
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try self.write(bytes) }
        }
        try result.get()
    }

    /// Appends a text as UTF-8.
    mutating func write(_ text: String) throws(FormatError) {
        try write(Array(text.utf8))
    }

    /// Gives the file its final name.
    /// - Parameter durable: Wait until the bytes are on the disk, so that even a power cut leaves the old or the new
    ///   file. Slow, for files that are made rarely.
    consuming func finish(durable: Bool) throws(FormatError) {
        try flush()
        if durable { _ = fsync(descriptor) }
        if let temporaryPath, rename(temporaryPath, path) != 0 {
            throw FormatError(
                file: name,
                problem: "cannot be put in place (\(MappedFile.systemMessage(errno)))",
                advice: "Check whether a folder has that name, and the permissions of the one around it"
            )
        }
        close(descriptor)
        descriptor = -1
    }

    private mutating func flush() throws(FormatError) {
        guard !buffer.isEmpty else { return }
        let pending = buffer
        buffer.removeAll(keepingCapacity: true)
        let result = pending.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try self.writeThrough(bytes) }
        }
        try result.get()
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            #if canImport(Darwin)
                let written = Darwin.write(descriptor, part.baseAddress, part.count)
            #elseif canImport(Musl)
                let written = Musl.write(descriptor, part.baseAddress, part.count)
            #else
                let written = Glibc.write(descriptor, part.baseAddress, part.count)
            #endif
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                throw FormatError(
                    file: name,
                    problem: "cannot be written to the end (\(MappedFile.systemMessage(errno)))",
                    advice: "Check the space left on the disk"
                )
            }
            rest = rest.dropFirst(written)
        }
    }
}
