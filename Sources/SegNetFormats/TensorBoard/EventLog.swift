public import SegNetPlatform

/// The TensorBoard event files of a run: scalars and pictures by step.
///
///     let log = try EventLog(folder, after: checkpoint.step)
///     try log.write([.scalar("train/loss", 0.7)], step: 12)
///
/// Each session writes its own file. A session that resumes from a checkpoint first removes the records of later steps
/// from the files of earlier sessions, so that every reader finds each step once, and begins with a mark that makes a
/// TensorBoard which is already running forget them. Every record is written by a single system call and protected by
/// checks: after a kill at any instant all records but perhaps the last are there, and readers notice a last half.
public final class EventLog {
    /// The session's file, in the run's folder.
    public let url: URL
    private let descriptor: Int32
    /// The end of the last whole record.
    private var end: off_t = 0

    /// Begins a session's file, `events.out.tfevents.TIME.segnet`.
    /// - Parameters:
    ///   - folder: The run's, which is there.
    ///   - step: The last step that counts; earlier sessions' records of later steps are dropped. nil: all of them.
    ///   - time: Seconds since 1970; nil: now.
    /// - Throws: `FormatError` if a file cannot be read, shortened or written.
    public convenience init(_ folder: URL, after step: Int?, time: Double? = nil) throws(FormatError) {
        let time = time ?? Self.now
        let newest = try Self.names(in: folder).compactMap(Self.time).max() ?? 0
        try Self.cut(in: folder, after: step)
        // TensorBoard reads the files of a folder in the order of their names: a later session never goes before an earlier one.
        let stamp = String(max(Int(exactly: time.rounded(.down)) ?? 0, newest + 1))
        let digits = String(repeating: "0", count: max(0, 10 - stamp.count)) + stamp
        let url = folder.appending(path: Self.prefix + digits + Self.suffix)
        let descriptor = open(
            url.path(percentEncoded: false),
            O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
            0o666
        )
        guard descriptor >= 0 else {
            throw FormatError(
                file: url.relativePath,
                problem: "cannot be written (\(MappedFile.systemMessage(errno)))",
                advice: Self.advice
            )
        }
        self.init(url, descriptor: descriptor)
        try append(
            EventRecord(time: time, step: 0, .fileVersion(EventRecord.version, writer: "segnet")).framed()
                + EventRecord(time: time, step: min(step ?? 0, .max - 1) + 1, .sessionStart).framed()
        )
    }

    /// Writes to an open file, which is closed at the end.
    package init(_ url: URL, descriptor: Int32) {
        self.url = url
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Writes values of a step.
    /// - Parameter time: Seconds since 1970; nil: now.
    /// - Throws: `FormatError` if the disk does not take them. The file keeps its whole records.
    public func write(_ values: [EventRecord.Value], step: Int, time: Double? = nil) throws(FormatError) {
        try append(EventRecord(time: time ?? Self.now, step: step, .values(values)).framed())
    }

    /// Drops what a folder's event files say of later steps, and what a kill left half written. Files without values after that go.
    /// - Parameter step: The last step that counts; nil: none does.
    /// - Throws: `FormatError` if a file cannot be read or shortened.
    public static func cut(in folder: URL, after step: Int?) throws(FormatError) {
        for file in try files(in: folder) { try cut(file, after: step ?? .min) }
    }

    /// The records of a file, up to the first that is cut short or damaged.
    /// - Throws: `FormatError` if the file cannot be read.
    public static func records(of url: URL) throws(FormatError) -> [EventRecord] {
        var result: [EventRecord] = []
        try forEachRecord(of: url) { record, _ in
            if let record { result.append(record) }
            return true
        }
        return result
    }

    /// The event files of a run that `EventLog` wrote, in the order of their sessions.
    public static func files(in folder: URL) throws(FormatError) -> [URL] {
        try names(in: folder).map { folder.appending(path: $0) }
    }

    // MARK: Files

    private static let prefix = "events.out.tfevents."
    private static let suffix = ".segnet"
    private static let advice =
        "Check the folder and the space left on the disk, or train without a \(UserChoice.eventLog)"

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func names(in folder: URL) throws(FormatError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
                .filter { time(of: $0) != nil }.sorted()
        } catch {
            throw FormatError(file: folder.relativePath, problem: "cannot be listed (\(error))", advice: advice)
        }
    }

    /// When the session of a file of ours began.
    private static func time(of name: String) -> Int? {
        let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), (10...12).contains(digits.count) else { return nil }
        return Int(digits)
    }

    /// Calls `body(record, where it begins)` until it says false or no whole record follows; the record is nil where its content is of a
    /// kind that we do not write.
    /// - Returns: Where the last whole record that was looked at ends.
    @discardableResult
    private static func forEachRecord(of url: URL, _ body: (EventRecord?, Int) -> Bool) throws(FormatError) -> Int {
        let file = try MappedFile(url)
        return file.withBytes { bytes in
            var start = 0
            while let (content, next) = RecordFrame.record(in: bytes, at: start) {
                guard body(EventRecord(UnsafeRawBufferPointer(rebasing: bytes[content])), start) else { break }
                start = next
            }
            return start
        }
    }

    private static func cut(_ url: URL, after step: Int) throws(FormatError) {
        var hasValues = false
        let end = try forEachRecord(of: url) { record, _ in
            guard let record, case .values = record.content else { return true }
            guard record.step <= step else { return false }
            hasValues = true
            return true
        }
        let path = url.path(percentEncoded: false)
        guard (hasValues ? truncate(path, off_t(end)) : unlink(path)) == 0 else {
            throw FormatError(
                file: url.relativePath,
                problem: "cannot be shortened (\(MappedFile.systemMessage(errno)))",
                advice: advice
            )
        }
    }

    private func append(_ bytes: [UInt8]) throws(FormatError) {
        let written = bytes.withUnsafeBytes { bytes in
            #if canImport(Darwin)
                Darwin.write(descriptor, bytes.baseAddress, bytes.count)
            #elseif canImport(Musl)
                Musl.write(descriptor, bytes.baseAddress, bytes.count)
            #else
                Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            #endif
        }
        guard written == bytes.count else {
            let message =
                written < 0 ? MappedFile.systemMessage(errno) : "only \(written) of \(bytes.count) bytes fitted"
            // The next record must not stand behind a half.
            _ = ftruncate(descriptor, end)
            throw FormatError(file: url.relativePath, problem: "cannot be written (\(message))", advice: Self.advice)
        }
        end += off_t(written)
    }
}
