import SegNetPlatform

/// Temporary files, `.segnet-PROCESS-NUMBER`, as `FileWriter` and `snc_file_write` make them next to the file that they will become.
/// Both hold a lock (`flock`) on them, which ends with their process: what is not locked was left by one that was killed.
package enum LeftoverFiles {
    private static let prefix = ".segnet-"

    /// A name next to a file.
    package static func name(beside path: String) -> String {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var random = SystemRandomNumberGenerator()
        return "\(folder)\(prefix)\(getpid())-\(UInt64(random.next()))"
    }

    /// Removes what killed processes have left in a folder, not in the folders below it.
    package static func remove(in folder: String) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return }
        for name in names where name.hasPrefix(prefix) {
            let numbers = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
            guard numbers.count == 2, let process = pid_t(numbers[0]), process > 0, UInt64(numbers[1]) != nil else {
                continue
            }
            // A process that lives may be between making its file and locking it. This one's number may have been another's before.
            guard process == getpid() || (kill(process, 0) != 0 && errno == ESRCH) else { continue }
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
            close(descriptor)
        }
    }
}
