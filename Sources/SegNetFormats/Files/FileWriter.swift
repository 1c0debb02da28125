import SegNetPlatform

/// Writes a file under a temporary name and renames it at the end, so that half a file never has the final name.
/// If `finish` is not reached, the half is deleted and an older file of that name stays as it was. A device or a pipe is written directly
/// (`FileTarget`).
struct FileWriter: ~Copyable {
    /// The final file, as the caller named it, for messages.
    let name: String
    /// The number of bytes written so far.
    private(set) var count = 0

    private let target: FileTarget
    /// Nil for what is written directly, and once the file has its final name.
    private var temporaryPath: String?
    private var descriptor: Int32
    private let system: System

    /// Small pieces are gathered here: a system call for each would be most of the time.
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 16

    /// The system's calls that tell of a disk's failure late; tests let them fail.
    struct System {
        var synchronize: (Int32) -> Int32 = { fsync($0) }
        var close: (Int32) -> Int32 = { SegNetPlatform.close($0) }
    }

    init(replacing url: URL, system: System = System()) throws(FormatError) {
        name = url.relativePath
        self.system = system
        let target = FileTarget(url.path)
        self.target = target
        // A folder cannot be replaced, and opening it says so before all is written.
        temporaryPath = target.isReplaced && !target.isFolder ? LeftoverFiles.name(beside: target.path) : nil
        descriptor =
            temporaryPath.map { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, target.temporaryPermissions) }
            ?? open(target.path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            temporaryPath = nil
            if target.isFolder { throw Self.misplaced(name, number) }
            throw FormatError(
                file: name,
                problem: "cannot be written (\(MappedFile.systemMessage(number)))",
                advice: "Check that its folder exists and may be written to"
            )
        }
        // Where no lock can be had, the file is only not known to be in use.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit {
        if descriptor >= 0 { _ = system.close(descriptor) }
        if let temporaryPath { unlink(temporaryPath) }
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

    /// Writes what is left and closes the file, which still has its temporary name.
    /// - Parameter durable: Wait until the bytes are on the disk, so that even a power cut leaves the old or the new
    ///   file. Slow, for files that are made rarely.
    /// - Throws: `FormatError` if the disk does not take the bytes: some disks and networks only tell now.
    mutating func complete(durable: Bool) throws(FormatError) {
        try flush()
        while durable, system.synchronize(descriptor) != 0 {
            let number = errno
            if number == EINTR { continue }
            // Pipes and some file systems have nothing to wait for.
            if [EINVAL, ENOTSUP, EROFS].contains(number) { break }
            throw Self.incomplete(name, number)
        }
        let closed = system.close(descriptor)
        descriptor = -1
        guard closed == 0 else { throw Self.incomplete(name, errno) }
    }

    /// Gives the file its final name.
    /// - Parameter durable: As `complete` has it, which need not have been called.
    consuming func finish(durable: Bool) throws(FormatError) {
        if descriptor >= 0 { try complete(durable: durable) }
        if let temporaryPath, !target.put(temporaryPath) {
            throw Self.misplaced(name, errno)
        }
        temporaryPath = nil
    }

    private static func misplaced(_ name: String, _ number: Int32) -> FormatError {
        FormatError(
            file: name,
            problem: "cannot be put in place (\(MappedFile.systemMessage(number)))",
            advice: "Check whether a folder has that name, and the permissions of the one around it"
        )
    }

    private static func incomplete(_ name: String, _ number: Int32) -> FormatError {
        FormatError(
            file: name,
            problem: "cannot be written to the end (\(MappedFile.systemMessage(number)))",
            advice: "Check the space left on the disk"
        )
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
                throw Self.incomplete(name, errno)
            }
            rest = rest.dropFirst(written)
        }
    }
}
