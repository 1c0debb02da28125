import SegNetToolkit

/// The class ids of a picture's finished rows, on disk: a line that identifies the run, a checksum (CRC-32C, 4 bytes) for each row of
/// tiles, then the rows. One process at a time can have it open.
final class PartFile {
    private let path: String
    private let header: [UInt8]
    private let rowBytes: Int
    /// How many rows are finished after each row of tiles.
    private let ends: [Int]
    private let descriptor: Int32

    /// Opens the file, or makes it.
    /// - Parameter ends: How many rows are finished after each row of tiles.
    /// - Throws: `PartFileError` if it cannot be made, or another process has it open.
    init(path: String, header: String, rowBytes: Int, ends: [Int]) throws(PartFileError) {
        self.path = path
        self.header = Array(header.utf8)
        self.rowBytes = rowBytes
        self.ends = ends
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

    /// Where a row begins in the file.
    private func offset(ofRow row: Int) -> Int { header.count + 4 * ends.count + row * rowBytes }

    /// Where the checksum of a row of tiles is in the file.
    private func offset(ofChecksum tileRow: Int) -> Int { header.count + 4 * tileRow }

    /// The rows that a row of tiles finishes.
    private func rows(of tileRow: Int) -> Range<Int> { (tileRow == 0 ? 0 : ends[tileRow - 1])..<ends[tileRow] }

    /// Continues after the rows that are there, if they belong to the same picture, model and settings.
    /// - Returns: How many rows of tiles are done.
    func resume() -> Int {
        var found = [UInt8](repeating: 0, count: header.count)
        guard (try? read(into: &found, at: 0)) != nil, found == header else { return 0 }
        // One that is incomplete or damaged is done again, and those below it.
        let done = ends.indices.first { !isWhole($0) } ?? ends.count
        let end = offset(ofRow: done == 0 ? 0 : ends[done - 1])
        return ftruncate(descriptor, off_t(end)) == 0 ? done : 0
    }

    /// Whether all rows of a row of tiles are there as they were written: disks and copies damage files.
    private func isWhole(_ tileRow: Int) -> Bool {
        var stored = [UInt8](repeating: 0, count: 4)
        guard (try? read(into: &stored, at: offset(ofChecksum: tileRow))) != nil else { return false }
        var check = CRC32C()
        var bytes = [UInt8](repeating: 0, count: rowBytes)
        for row in rows(of: tileRow) {
            guard (try? read(into: &bytes, at: offset(ofRow: row))) != nil else { return false }
            bytes.withUnsafeBytes { check.add($0) }
        }
        return stored == Self.bytes(check)
    }

    private static func bytes(_ check: CRC32C) -> [UInt8] {
        withUnsafeBytes(of: check.checksum.littleEndian) { Array($0) }
    }

    /// Starts again from the beginning.
    func begin() throws(PartFileError) {
        guard ftruncate(descriptor, 0) == 0 else {
            throw PartFileError(path: path, problem: "cannot be written (\(Self.words)); check the disk")
        }
        try write(header + [UInt8](repeating: 0, count: 4 * ends.count), at: 0)
    }

    /// Writes the rows that a row of tiles has finished, and waits until they are on the disk.
    func append(_ ids: [UInt16], rows: Range<Int>, bytesPerID: Int) throws(PartFileError) {
        let bytes =
            bytesPerID == 1
            ? ids.map { UInt8(truncatingIfNeeded: $0) }
            : ids.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        try write(bytes, at: offset(ofRow: rows.lowerBound))
        var check = CRC32C()
        bytes.withUnsafeBytes { check.add($0) }
        if let tileRow = ends.firstIndex(of: rows.upperBound) {
            try write(Self.bytes(check), at: offset(ofChecksum: tileRow))
        }
        fsync(descriptor)
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws(PartFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset + written))
            }
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
        try read(into: &bytes, at: offset(ofRow: rows.lowerBound))
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
