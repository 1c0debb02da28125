package import SegNetPlatform

/// The right to train in a run's folder, or to run a comparison in its folder: of all processes, one has it. The system takes it back when
/// the process ends, however it ends.
///
/// It is a lock (`flock`) on a file that holds the process's number for others' messages. The file stays: removing it would let two
/// processes each hold a lock on a file of that name.
package final class RunLock {
    static let fileName = ".lock"

    /// What a folder is locked for.
    package enum Work: String {
        case training = "trains"
        case comparing = "compares"
    }

    private let descriptor: Int32

    /// Takes the lock.
    /// - Parameter work: What is done in the folder, for the message.
    /// - Returns: Nil if the folder is not there, or if its file system has no locks.
    /// - Throws: `ConfigurationError` naming the process that works in the folder, or the file if it cannot be opened.
    package init?(_ folder: URL, for work: Work = .training) throws(ConfigurationError) {
        let path = folder.appending(path: Self.fileName).path(percentEncoded: false)
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else {
            let number = errno
            // Whoever makes the folder says what is in its place.
            let isFolderThere = access(folder.path(percentEncoded: false), F_OK) == 0 && number != ENOTDIR
            guard isFolderThere else { return nil }
            throw ConfigurationError(
                "\(path): cannot be opened (\(systemMessage(number))), so nothing would stop another process from working in the folder at "
                    + "the same time; check whether a file has that name, and the permissions, or give another \(UserChoice.output)."
            )
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let owner = Self.process(file)
            close(file)
            guard isTaken else { return nil }
            throw ConfigurationError(Self.message(folder.relativePath, owner, work))
        }
        ftruncate(file, 0)
        let text = Array("\(getpid())\n".utf8)
        pwrite(file, text, text.count, 0)
        descriptor = file
    }

    deinit { close(descriptor) }

    /// Refuses a folder in which a process works, without making a file in one that is no run's.
    /// - Throws: `ConfigurationError` naming the process.
    package static func requireFree(_ folder: URL) throws(ConfigurationError) {
        let file = folder.appending(path: fileName).path(percentEncoded: false)
        if access(file, F_OK) == 0 { _ = try RunLock(folder) }
    }

    private static func message(_ folder: String, _ owner: pid_t?, _ work: Work) -> String {
        if owner == getpid() {
            let worker = work == .training ? "trainer" : "comparison"
            return "\(folder): this process \(work.rawValue) in the folder already; use one \(worker) at a time."
        }
        let who = owner.map { "process \($0)" } ?? "another process"
        let how = owner.map { "stop it ('kill \($0)' lets it save)" } ?? "stop it"
        return
            "\(folder): \(who) \(work.rawValue) in this folder; wait for its end, \(how), or give another \(UserChoice.output)."
    }

    /// The number that the file holds.
    private static func process(_ descriptor: Int32) -> pid_t? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return text.split(separator: "\n").first.flatMap { pid_t($0) }
    }
}
