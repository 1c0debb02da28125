import SegNetToolkit

/// The class ids of a picture's finished rows, on disk: a line that identifies the run, then the rows. One process at a time can have it
/// open.
final class PartFile {
    private let path: String
    private let header: [UInt8]
    private let rowBytes: Int
    private let descriptor: Int32

    /// Opens the file, or makes it.
    /// - Throws: `PartFileError` if it cannot be made, or another process has it open.
    init(path: String, header: String, rowBytes: Int) throws(PartFileError) {
        self.path = path
        self.header = Array(header.utf8)
        self.rowBytes = rowBytes
        descriptor = RawFileName.withPath(path) { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else {
            throw PartFileError(
                path: path,
                problem: "cannot be made (\(Self.words)); check the folder and its permissions"
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw PartFileError(
                path: path,
                problem: "another process is writing it; wait for it, or choose another output folder (--output)"
            )
        }
    }

    deinit { close(descriptor) }

    private static var words: String { strerror(errno).map { String(cString: $0) } ?? "error \(errno)" }

    private var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Continues after the rows that are there, if they belong to the same picture, model and settings.
    /// - Parameters:
    ///   - tileRows: The number of rows of tiles in all.
    ///   - rows: How many rows a number of rows of tiles finishes.
    /// - Returns: How many rows of tiles are done.
    func resume(_ tileRows: Int, _ rows: (Int) -> Int) -> Int {
        var found = [UInt8](repeating: 0, count: header.count)
        guard (try? read(into: &found, at: 0)) != nil, found == header else { return 0 }
        let there = (size - header.count) / max(rowBytes, 1)
        let done = (0...tileRows).last { rows($0) <= there } ?? 0
        // An incomplete row of tiles is done again.
        let end = header.count + rows(done) * rowBytes
        guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, off_t(end), SEEK_SET) >= 0 else { return 0 }
        return done
    }

    /// Starts again from the beginning.
    func begin() throws(PartFileError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw PartFileError(path: path, problem: "cannot be written (\(Self.words)); check the disk")
        }
        try write(header)
    }

    /// Appends rows, and waits until they are on the disk.
    func append(_ ids: [UInt16], bytesPerID: Int) throws(PartFileError) {
        try write(
            bytesPerID == 1
                ? ids.map { UInt8(truncatingIfNeeded: $0) }
                : ids.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        )
        fsync(descriptor)
    }

    private func write(_ bytes: [UInt8]) throws(PartFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { SegNetPlatform.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw PartFileError(
                    path: path,
                    problem: "cannot be written (\(Self.words)); make room on the disk, and continue with '--resume'"
                )
            }
            written += count
        }
    }

    /// Reads rows that were appended.
    func read(_ rows: Range<Int>, width: Int, bytesPerID: Int) throws(PartFileError) -> [UInt16] {
        var bytes = [UInt8](repeating: 0, count: rows.count * rowBytes)
        try read(into: &bytes, at: header.count + rows.lowerBound * rowBytes)
        if bytesPerID == 1 { return bytes.map { UInt16($0) } }
        return (0..<rows.count * width).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
    }

    private func read(into bytes: inout [UInt8], at offset: Int) throws(PartFileError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, $0.count, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PartFileError(path: path, problem: "is cut short; run without '--resume'") }
            done += count
        }
    }

    /// Call this once the results are there.
    func remove() { _ = RawFileName.withPath(path) { unlink($0) } }
}

/// The file of finished rows cannot be used.
struct PartFileError: Error, CustomStringConvertible {
    var path: String
    var problem: String
    var description: String { "\(RawFileName.display(path)): \(problem)." }
}
